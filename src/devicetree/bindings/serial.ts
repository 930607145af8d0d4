import { HV440, SPEC, type Binding } from './binding.js';
import { common } from './standard.js';

const compatible = ['ns16550', 'ns16550a'] as const;
const LINUX = 'Linux bindings, serial/8250';

/** A UART that the hypervisor provides to a partition. */
export const serial = {
  title: 'serial port of a partition',
  place: 'partition',
  compatible,
  closed: true,
  meaning: 'A UART that the hypervisor provides. Its stream is `PARTITION/NODE`: `hello/serial@ef600300`.',
  properties: {
    compatible: {
      type: 'strings',
      required: true,
      meaning: '`ns16550` or `ns16550a`.',
      source: LINUX,
      example: '"ns16550"',
    },
    reg: {
      type: 'reg',
      required: true,
      minSize: 8,
      meaning: 'Its eight registers, a byte each.',
      source: LINUX,
      example: '<0xef600300 8>',
    },
    interrupts: {
      type: 'interrupts',
      interrupts: 1,
      otherwise: "that of the board's device with the same unit address, or else the lowest free line, level high",
      meaning: "Line (0 to 31) and type of the partition's own interrupt controller.",
      source: 'Linux bindings, powerpc/4xx UIC',
      example: '<0 4>',
    },
    'clock-frequency': {
      type: 'cell',
      min: 1,
      max: 0xffffffff,
      default: 11_059_200,
      meaning: 'The clock that the divisor divides, in Hz.',
      source: LINUX,
      example: '<11059200>',
    },
    'current-speed': {
      type: 'cell',
      min: 0,
      max: 4_000_000,
      default: 115_200,
      meaning: 'The rate that firmware has left it at, in bits a second.',
      source: LINUX,
      example: '<115200>',
    },
    device_type: {
      type: 'string',
      values: ['serial'],
      default: 'serial',
      meaning: 'Always `serial`; Linux wants it for its early console.',
      source: `${SPEC}, 4.2`,
      example: '"serial"',
    },
    'virtual-reg': {
      type: 'cell',
      otherwise: 'the base of `reg`',
      meaning: 'The effective address at which the boot program has left it mapped.',
      source: `${SPEC}, 2.3.7`,
      example: '<0xef600300>',
    },
    'interrupt-parent': {
      type: 'phandle',
      otherwise: "the partition's own controller",
      meaning:
        "Allowed, so that a board's node can be copied: the partition's own controller, which stands for the board's, is always meant.",
      source: HV440,
      example: '<&UIC0>',
    },
    ...common,
  },
  example: `serial@ef600300 {
	compatible = "ns16550";
	reg = <0xef600300 8>;
};`,
} as const satisfies Binding;

/** A UART of the board. */
export const boardSerial = {
  title: 'serial port of the board',
  place: 'board',
  compatible,
  closed: false,
  meaning: 'A real UART. Its stream is `board/NODE`, unless a partition has it by `devices`.',
  properties: {
    compatible: serial.properties.compatible,
    reg: serial.properties.reg,
    interrupts: {
      type: 'interrupts',
      interrupts: 1,
      required: true,
      meaning: 'Line (0 to 31) and type, of the controller that `interrupt-parent` names.',
      source: 'Linux bindings, powerpc/4xx UIC',
      example: '<0 4>',
    },
    'clock-frequency': {
      type: 'cell',
      required: true,
      min: 1,
      max: 0xffffffff,
      meaning: 'The clock that the divisor divides, in Hz.',
      source: LINUX,
      example: '<11059200>',
    },
    'current-speed': serial.properties['current-speed'],
  },
  example: `UART0: serial@ef600300 {
	device_type = "serial";
	compatible = "ns16550";
	reg = <0xef600300 8>;
	clock-frequency = <11059200>;
	interrupt-parent = <&UIC0>;
	interrupts = <0 4>;
};`,
} as const satisfies Binding;
