import { EPAPR, HV440, type Binding } from './binding.js';
import { common } from './standard.js';

/** A console by hypercall. */
export const byteChannel = {
  title: 'byte channel',
  place: 'partition',
  compatible: ['epapr,hv-byte-channel'],
  closed: true,
  meaning:
    "A stream of bytes by hypercall; the guest's tree has it below `/hypervisor/handles`. Its stream is `PARTITION/NODE`.",
  properties: {
    compatible: {
      type: 'strings',
      required: true,
      meaning: 'Always `epapr,hv-byte-channel`.',
      source: `${EPAPR}, 7.4`,
      example: '"epapr,hv-byte-channel"',
    },
    interrupts: {
      type: 'interrupts',
      interrupts: 2,
      otherwise: 'the lowest free lines, level high',
      meaning: 'Two interrupts: bytes have arrived (receive), there is room to send (transmit).',
      source: `${EPAPR}, 7.4`,
      example: '<5 4 6 4>',
    },
    'interrupt-parent': {
      type: 'phandle',
      otherwise: "the partition's own controller",
      meaning: "Allowed; the partition's own controller is always meant.",
      source: HV440,
      example: '<&UIC0>',
    },
    ...common,
  },
  example: `console {
	compatible = "epapr,hv-byte-channel";
	interrupts = <5 4 6 4>;
};`,
} as const satisfies Binding;
