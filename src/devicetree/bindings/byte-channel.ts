import { EPAPR, HV440, type Binding } from './binding.js';
import { common } from './standard.js';

/** A console by hypercall, or a line to another partition. */
export const byteChannel = {
  title: 'byte channel',
  place: 'partition',
  compatible: ['epapr,hv-byte-channel'],
  closed: true,
  meaning:
    "A stream of bytes by hypercall; the guest's tree has it below `/hypervisor/handles`. Its stream is `PARTITION/NODE`, or with `endpoint` it leads to another partition (docs/partitions.md).",
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
    endpoint: {
      type: 'phandle',
      otherwise: 'a stream at the multiplexer',
      meaning: 'The byte channel of another partition that it is connected to, whose own `endpoint` names this one.',
      source: 'Topaz, byte-channel binding',
      example: '<&peer>',
    },
    ...common,
  },
  example: `console {
	compatible = "epapr,hv-byte-channel";
	interrupts = <5 4 6 4>;
};`,
} as const satisfies Binding;
