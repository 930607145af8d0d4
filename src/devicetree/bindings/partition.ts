import { EPAPR, HV440, SPEC, type Binding } from './binding.js';
import { common } from './standard.js';

/** How many processors of a partition this version can run. */
export const SUPPORTED_VCPUS = 1;

/** What can become of a partition whose watchdog has expired for the third time. */
export const watchdogTimeouts = ['partition-reset', 'manager-notify', 'partition-stop'] as const;

const TOPAZ = 'Topaz, partition binding';

/** A partition: a guest, its memory and its devices. */
export const partition = {
  title: 'partition',
  place: 'partitions',
  compatible: ['hv440,partition'],
  closed: true,
  meaning:
    "A child of `/partitions`; its node name is its name. Its children are the devices that the hypervisor provides, and `node-update`, whose properties and nodes are merged over the guest's generated device tree.",
  properties: {
    compatible: {
      type: 'strings',
      required: true,
      meaning: 'Always `hv440,partition`.',
      source: HV440,
      example: '"hv440,partition"',
    },
    label: {
      type: 'string',
      otherwise: "the node's name",
      meaning: "The name that is shown, and the `label` of the guest tree's root.",
      source: TOPAZ,
      example: '"hello"',
    },
    image: {
      type: 'path',
      required: true,
      meaning:
        'What it runs: ELF, uImage, either of them compressed by gzip, or raw. A path is relative to the file that holds the property.',
      source: HV440,
      example: '"../firmware/hello/hello.elf"',
    },
    'image-patch': {
      type: 'cells',
      otherwise: 'the image as it is',
      meaning:
        'Words to replace once the image is loaded, at every start: guest-physical address, the word that must be there, the word to have instead. Nothing starts if another word is there. So a known fault of a stock kernel is mended without building one.',
      source: HV440,
      example: '<0x000b3fa4 0x418000dc 0x60000000>',
    },
    initrd: {
      type: 'path',
      otherwise: 'none',
      meaning: "An initial RAM disk, loaded beside the image; the guest's `/chosen` says where.",
      source: 'Linux, linux,initrd-start',
      example: '"rootfs.cpio"',
    },
    bootargs: {
      type: 'string',
      otherwise: 'none',
      meaning: "The command line, in the guest's `/chosen`.",
      source: `${SPEC}, 3.6`,
      example: '"console=ttyS0,115200"',
    },
    memory: {
      type: 'ranges64',
      required: true,
      meaning:
        "The guest's memory by guest-physical base and size, each <high low>: whole pages of 4 KiB, one range from 0 on. The hypervisor chooses where in the board's memory they are.",
      source: HV440,
      example: '<0x0 0x0 0x0 0x01000000>',
    },
    vcpus: {
      type: 'cell',
      min: 1,
      max: 64,
      default: 1,
      meaning: `Its processors. This version runs ${SUPPORTED_VCPUS}.`,
      source: HV440,
      example: '<1>',
    },
    guarantee: {
      type: 'cell',
      min: 1,
      max: 100,
      otherwise: 'an equal part of what guarantees leave',
      meaning:
        'The share of a core, in per cent, that each of its processors has whenever it wants it, in any stretch of time but for one quantum (partitions.md). It is no limit: what others leave comes on top.',
      source: 'QNX Neutrino, adaptive partitioning: the guaranteed share of a partition',
      example: '<20>',
    },
    affinity: {
      type: 'cells',
      otherwise: 'every core',
      meaning: 'The cores of the board that its processors may have, by the `reg` of their nodes in `/cpus`.',
      source: 'Xvisor, affinity of a virtual processor',
      example: '<0>',
    },
    'on-reset': {
      type: 'string',
      values: ['stop', 'restart'],
      default: 'stop',
      meaning: 'What becomes of it when the guest resets its processor (DBCR0[RST], or the watchdog).',
      source: HV440,
      example: '"restart"',
    },
    paravirtualization: {
      type: 'strings',
      values: ['kvm', 'magic-page', 'idle'],
      otherwise: 'none of it: a plain 440 with ePAPR hypercalls',
      meaning:
        "What the guest is offered to spare exits: `kvm`, KVM's interface as Linux looks for it (`linux,kvm`); with it `magic-page`, supervisor registers as memory, a page of the board's memory a processor; `idle`, the hypercall EV_IDLE to wait by (`has-idle`), on which Linux for the 44x hangs.",
      source: `Linux, Documentation/virt/kvm/ppc-pv.rst; ${EPAPR}, 7.5`,
      example: '"kvm", "magic-page"',
    },
    'hcall-instructions': {
      type: 'string',
      values: ['epapr', 'kvm'],
      default: 'epapr',
      meaning:
        "How the guest is told to make a hypercall: `epapr`, `sc 1`; `kvm`, a plain `sc` with `KVM!` in r0, for processors that do not tell the two apart. Where KVM's interface is offered, both work.",
      source: `${EPAPR}, 7.5; Linux, Documentation/virt/kvm/ppc-pv.rst`,
      example: '"kvm"',
    },
    'no-auto-start': {
      type: 'flag',
      otherwise: 'it runs from power-on',
      meaning: 'It is loaded and stays stopped until a manager or a person starts it.',
      source: TOPAZ,
      example: '',
    },
    'watchdog-timeout': {
      type: 'string',
      values: watchdogTimeouts,
      otherwise: 'as `on-reset` says of any reset',
      meaning:
        'What becomes of it when its watchdog, with TCR[WRC] set, has expired for the third time: it starts anew, its managers hear of it and it goes on, or it is stopped.',
      source: TOPAZ,
      example: '"manager-notify"',
    },
    'watchdog-autostart-period': {
      type: 'cell',
      min: 0,
      max: 3,
      otherwise: 'the watchdog waits for the guest',
      meaning:
        'Its watchdog runs from its start, with this in TCR[WP] (2^21, 2^25, 2^29 or 2^33 ticks of the time base) and TCR[WRC] set, which no guest can take back.',
      source: TOPAZ,
      example: '<2>',
    },
    privileged: {
      type: 'flag',
      otherwise: 'it may not',
      meaning: 'It may reset the whole board, by FH_SYSTEM_RESET.',
      source: TOPAZ,
      example: '',
    },
    devices: {
      type: 'phandles',
      otherwise: 'none',
      meaning:
        'Devices of the board that it has to itself, at their own addresses and with their own interrupts. A device is given at most once. The registers of one that has its pages of 4 KiB to itself (UART4) are reached without an exit.',
      source: HV440,
      example: '<&UART3>',
    },
    stdout: {
      type: 'console',
      otherwise: 'the first of them in the source',
      meaning: 'Which of its serial ports and byte channels is its console, by node name or by reference.',
      source: `${SPEC}, 3.6; ${EPAPR}, 7.4`,
      example: '"serial@ef600300"',
    },
    '#address-cells': {
      type: 'cell',
      min: 1,
      max: 1,
      default: 1,
      meaning: 'Cells of an address in the `reg` of its children.',
      source: `${SPEC}, 2.3.5`,
      example: '<1>',
    },
    '#size-cells': {
      type: 'cell',
      min: 1,
      max: 1,
      default: 1,
      meaning: 'Cells of a size in the `reg` of its children.',
      source: `${SPEC}, 2.3.5`,
      example: '<1>',
    },
    ...common,
  },
  example: `linux {
	compatible = "hv440,partition";
	image = "../firmware/linux/vmlinux.gz";
	initrd = "rootfs.cpio";
	bootargs = "console=ttyS0,115200";
	memory = <0x0 0x0 0x0 0x08000000>;
	on-reset = "restart";
	devices = <&UART3>;
	serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
	node-update { chosen { my-flag; }; };
};`,
} as const satisfies Binding;
