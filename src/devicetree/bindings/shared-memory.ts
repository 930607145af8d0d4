import { HV440, type Binding } from './binding.js';
import { common } from './standard.js';

/** A piece of the board's memory that several partitions see. */
export const sharedMemory = {
  title: 'shared memory',
  place: 'partitions',
  compatible: ['hv440,shared-memory'],
  closed: true,
  meaning:
    'A child of `/partitions`: a piece of the board’s memory that partitions see by windows of their own. It is zero at power-on, and what happens to a partition leaves it as it is (docs/partitions.md).',
  properties: {
    compatible: {
      type: 'strings',
      required: true,
      meaning: 'Always `hv440,shared-memory`.',
      source: HV440,
      example: '"hv440,shared-memory"',
    },
    size: {
      type: 'cells',
      required: true,
      meaning: 'Size in bytes, high cell first, whole pages of 4 KiB.',
      source: HV440,
      example: '<0x0 0x00010000>',
    },
    ...common,
  },
  example: `ring: ring { compatible = "hv440,shared-memory"; size = <0x0 0x00010000>; };`,
} as const satisfies Binding;

/** Where a partition sees shared memory. */
export const sharedMemoryWindow = {
  title: 'shared memory window',
  place: 'partition',
  compatible: ['hv440,shared-memory-window'],
  closed: true,
  meaning:
    "Shows shared memory to the partition, all of it. The guest's tree has the node below `/plb`, with the name of the memory as its `label`.",
  properties: {
    compatible: {
      type: 'strings',
      required: true,
      meaning: 'Always `hv440,shared-memory-window`.',
      source: HV440,
      example: '"hv440,shared-memory-window"',
    },
    'shared-memory': {
      type: 'phandle',
      required: true,
      meaning: 'The shared memory, a node of `/partitions`; Topaz’s `phys-mem`.',
      source: HV440,
      example: '<&ring>',
    },
    reg: {
      type: 'reg',
      required: true,
      minSize: 4096,
      alignment: 4096,
      meaning: 'Where the guest finds it: a guest-physical address at a page, and the size of the shared memory.',
      source: HV440,
      example: '<0x80000000 0x10000>',
    },
    'read-only': {
      type: 'flag',
      meaning: 'The guest may not store there: a store is one to an address where nothing is.',
      source: HV440,
      example: '',
      otherwise: 'the guest may store there',
    },
    ...common,
  },
  example: `ring@80000000 { compatible = "hv440,shared-memory-window"; shared-memory = <&ring>; reg = <0x80000000 0x10000>; read-only; };`,
} as const satisfies Binding;
