import { SPEC, HV440, type Properties } from './binding.js';

/** What any node may say; checked on every node of the tree. */
export const standard = {
  compatible: {
    type: 'strings',
    meaning: 'What the node is, the most specific name first.',
    source: `${SPEC}, 2.3.1`,
    example: '"ns16550"',
  },
  reg: {
    type: 'reg',
    meaning: "Where the device's registers are: address and size, in the cells that the parent declares.",
    source: `${SPEC}, 2.3.6`,
    example: '<0xef600300 8>',
  },
  'dcr-reg': {
    type: 'dcrs',
    max: 0x3ff,
    meaning: "Which device control registers (`mfdcr`, `mtdcr`) are the device's: the first, and how many.",
    source: 'Linux bindings, powerpc/4xx',
    example: '<0xc0 9>',
  },
  '#address-cells': {
    type: 'cell',
    min: 0,
    max: 4,
    default: 2,
    meaning: 'Cells that an address has in the `reg` of the children.',
    source: `${SPEC}, 2.3.5`,
    example: '<1>',
  },
  '#size-cells': {
    type: 'cell',
    min: 0,
    max: 2,
    default: 1,
    meaning: 'Cells that a size has in the `reg` of the children.',
    source: `${SPEC}, 2.3.5`,
    example: '<1>',
  },
  ranges: {
    type: 'ranges',
    meaning: "How the bus passes its children's addresses on to its parent; without a value, unchanged.",
    source: `${SPEC}, 2.3.8`,
    example: '<0 0 0 0x80000000>',
  },
  phandle: {
    type: 'cell',
    min: 1,
    max: 0xfffffffe,
    meaning: 'The number that references to the node hold; given by itself wherever a label is referred to.',
    source: `${SPEC}, 2.3.3`,
    example: '<1>',
  },
  status: {
    type: 'string',
    default: 'okay',
    meaning: '`disabled` leaves the node out.',
    source: `${SPEC}, 2.3.4`,
    example: '"okay"',
  },
  'interrupt-parent': {
    type: 'phandle',
    otherwise: 'that of the nearest node above that has one',
    meaning: 'The controller that the interrupts go to.',
    source: `${SPEC}, 2.4.1.2`,
    example: '<&UIC0>',
  },
} as const satisfies Properties;

/** Properties that every node of hv440's own may also have. */
export const common = {
  status: {
    type: 'string',
    values: ['okay', 'disabled'],
    default: 'okay',
    meaning: '`disabled` leaves the node out, as if it were not there.',
    source: `${SPEC}, 2.3.4`,
    example: '"disabled"',
  },
  phandle: standard.phandle,
  'linux,phandle': {
    type: 'cell',
    min: 1,
    max: 0xfffffffe,
    meaning: 'The old name of `phandle`.',
    source: HV440,
    example: '<1>',
  },
} as const satisfies Properties;
