import { HV440, type Binding } from './binding.js';
import { common } from './standard.js';

/** The register by which a guest ends with a status. */
export const finisher = {
  title: 'finisher',
  place: 'partition',
  compatible: ['hv440,finisher'],
  closed: true,
  meaning:
    'One register: a 32-bit write ends the guest, with the low 8 bits as its exit status. A partition has at most one.',
  properties: {
    compatible: {
      type: 'strings',
      required: true,
      meaning: 'Always `hv440,finisher`.',
      source: HV440,
      example: '"hv440,finisher"',
    },
    reg: {
      type: 'reg',
      required: true,
      minSize: 4,
      alignment: 4,
      meaning: 'The register.',
      source: HV440,
      example: '<0xef601000 4>',
    },
    ...common,
  },
  example: `finisher@ef601000 {
	compatible = "hv440,finisher";
	reg = <0xef601000 4>;
};`,
} as const satisfies Binding;
