import { HV440, type Binding } from './binding.js';
import { common } from './standard.js';

const TOPAZ = 'Topaz, doorbell and managed-partition bindings';

const compatible = (name: string) =>
  ({
    type: 'strings',
    required: true,
    meaning: `Always \`${name}\`.`,
    source: TOPAZ,
    example: `"${name}"`,
  }) as const;

const interruptParent = {
  type: 'phandle',
  otherwise: "the partition's own controller",
  meaning: "Allowed; the partition's own controller is always meant.",
  source: HV440,
  example: '<&UIC0>',
} as const;

const globalDoorbell = {
  type: 'phandle',
  required: true,
  meaning: 'The doorbell, a node of `/partitions`.',
  source: TOPAZ,
  example: '<&wake>',
} as const;

/** An interrupt that some guests raise in others. */
export const doorbell = {
  title: 'doorbell',
  place: 'partitions',
  compatible: ['doorbell'],
  closed: true,
  meaning: 'A child of `/partitions`: partitions ring it or hear it by nodes of their own that refer to it.',
  properties: { compatible: compatible('doorbell'), ...common },
  example: `wake: wake { compatible = "doorbell"; };`,
} as const satisfies Binding;

/** The button of a doorbell. */
export const sendDoorbell = {
  title: 'send doorbell',
  place: 'partition',
  compatible: ['send-doorbell'],
  closed: true,
  meaning:
    'Lets the partition ring a doorbell, by EV_DOORBELL_SEND with the `hv-handle` of its node in the guest tree.',
  properties: { compatible: compatible('send-doorbell'), 'global-doorbell': globalDoorbell, ...common },
  example: `ring { compatible = "send-doorbell"; global-doorbell = <&wake>; };`,
} as const satisfies Binding;

/** The bell of a doorbell. */
export const receiveDoorbell = {
  title: 'receive doorbell',
  place: 'partition',
  compatible: ['receive-doorbell'],
  closed: true,
  meaning: 'Lets the partition hear a doorbell, as an interrupt of its own controller.',
  properties: {
    compatible: compatible('receive-doorbell'),
    'global-doorbell': globalDoorbell,
    interrupts: {
      type: 'interrupts',
      interrupts: 1,
      otherwise: 'the lowest free line, rising edge',
      meaning: 'Line and type; a ring is an edge.',
      source: TOPAZ,
      example: '<7 1>',
    },
    'interrupt-parent': interruptParent,
    ...common,
  },
  example: `woken { compatible = "receive-doorbell"; global-doorbell = <&wake>; };`,
} as const satisfies Binding;

/** What makes a partition another's manager. */
export const managedPartition = {
  title: 'managed partition',
  place: 'partition',
  compatible: ['managed-partition'],
  closed: true,
  meaning:
    "Makes the partition a manager of another: it may start, stop and restart it, copy its memory, and change its device tree (docs/partitions.md). The guest's node has the handle, and nodes for the doorbells.",
  properties: {
    compatible: compatible('managed-partition'),
    partition: {
      type: 'phandle',
      required: true,
      meaning: 'The other partition.',
      source: TOPAZ,
      example: '<&linux>',
    },
    interrupts: {
      type: 'interrupts',
      interrupts: 3,
      otherwise: 'the lowest free lines, rising edge',
      meaning: 'Three interrupts: its state has changed, its watchdog has expired, it asks for a reset.',
      source: TOPAZ,
      example: '<8 1 9 1 10 1>',
    },
    'interrupt-parent': interruptParent,
    ...common,
  },
  example: `worker { compatible = "managed-partition"; partition = <&linux>; };`,
} as const satisfies Binding;
