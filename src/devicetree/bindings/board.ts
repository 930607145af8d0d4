import { HV440, SPEC, type Binding } from './binding.js';

const UIC = 'Linux bindings, powerpc/4xx UIC';

/** The board's processor. */
export const cpu = {
  title: 'processor of the board',
  place: 'board',
  deviceType: 'cpu',
  closed: false,
  meaning: 'A 440 core, below `/cpus`. This version runs one.',
  properties: {
    reg: { type: 'reg', required: true, meaning: 'Its number.', source: `${SPEC}, 3.8.1`, example: '<0>' },
    model: {
      type: 'string',
      otherwise: '`PowerPC,440EP`',
      meaning: 'Which 440 it is.',
      source: 'Linux, bamboo.dts',
      example: '"PowerPC,440EP"',
    },
    'clock-frequency': {
      type: 'cell',
      required: true,
      min: 1,
      max: 0xffffffff,
      meaning: 'Cycles of the core in a second.',
      source: `${SPEC}, 3.8.1`,
      example: '<400000000>',
    },
    'timebase-frequency': {
      type: 'cell',
      required: true,
      min: 1,
      max: 0xffffffff,
      meaning: 'Ticks of the time base in a second.',
      source: `${SPEC}, 3.8.1`,
      example: '<400000000>',
    },
    'hv440,fpu': {
      type: 'flag',
      meaning:
        'The processor has a floating-point unit, as the 440EP has; without it floating-point words are illegal.',
      source: HV440,
      example: '(nothing)',
    },
    'hv440,isel': {
      type: 'flag',
      meaning: 'The processor has the instruction `isel`, which sources disagree on for the 440.',
      source: HV440,
      example: '(nothing)',
    },
  },
  example: `cpu@0 {
	device_type = "cpu";
	model = "PowerPC,440EP";
	reg = <0>;
	clock-frequency = <400000000>;
	timebase-frequency = <400000000>;
};`,
} as const satisfies Binding;

/** The board's memory. */
export const memory = {
  title: 'memory of the board',
  place: 'board',
  deviceType: 'memory',
  closed: false,
  meaning: 'What the partitions share out.',
  properties: {
    reg: {
      type: 'reg',
      required: true,
      meaning: 'Base and size, in the cells of the root.',
      source: `${SPEC}, 3.4`,
      example: '<0x0 0x0 0x10000000>',
    },
  },
  example: `memory@0 {
	device_type = "memory";
	reg = <0x0 0x0 0x10000000>;
};`,
} as const satisfies Binding;

/** The board's universal interrupt controller. */
export const uic = {
  title: 'interrupt controller of the board',
  place: 'board',
  compatible: ['ibm,uic'],
  closed: false,
  meaning: "The 440's universal interrupt controller (UIC), with 32 inputs, on the DCR bus.",
  properties: {
    'interrupt-controller': {
      type: 'flag',
      required: true,
      meaning: 'Says that it is one.',
      source: `${SPEC}, 2.4.2`,
      example: '',
    },
    '#interrupt-cells': {
      type: 'cell',
      required: true,
      min: 2,
      max: 2,
      meaning: 'Two: line and type.',
      source: UIC,
      example: '<2>',
    },
    'cell-index': {
      type: 'cell',
      required: true,
      max: 3,
      meaning: 'Which UIC it is; 0 is the one that the core hears.',
      source: UIC,
      example: '<0>',
    },
    'dcr-reg': {
      type: 'dcrs',
      required: true,
      max: 0x3ff,
      meaning: 'First DCR and how many.',
      source: UIC,
      example: '<0xc0 9>',
    },
  },
  example: `UIC0: interrupt-controller0 {
	compatible = "ibm,uic-440ep", "ibm,uic";
	interrupt-controller;
	#interrupt-cells = <2>;
	cell-index = <0>;
	dcr-reg = <0xc0 9>;
};`,
} as const satisfies Binding;

/** The board's configuration controllers. */
export const configurationDcrs = {
  title: 'configuration controller of the board',
  place: 'board',
  compatible: ['ibm,cpr-440ep', 'ibm,sdr-440ep', 'ibm,sdram-440ep', 'ibm,ebc-440ep'],
  closed: false,
  meaning:
    "Clocks (CPR0), system (SDR0), SDRAM (SDRAM0) or external bus (EBC0) of a 440EP: registers behind an address and a data DCR, as the boot firmware leaves them. The clock dividers follow from `clock-frequency` of the processor and of the buses `ibm,plb4`, `ibm,opb` and `ibm,ebc`, for a SysClk of 33⅓ MHz; the SDRAM banks from the board's memory, the largest first; the banks of the external bus from its `ranges`. Registers hold what is written and have no other effect. A partition has none of them. A DCR that nothing answers, and a number that a controller does not know, read as 0 and ignore what is written.",
  properties: {
    'dcr-reg': {
      type: 'dcrs',
      required: true,
      max: 0x3ff,
      meaning: 'First DCR, for the address, and how many: 2.',
      source: 'Linux, bamboo.dts',
      example: '<0x0c 2>',
    },
  },
  example: `CPR0: cpr {
	compatible = "ibm,cpr-440ep";
	dcr-reg = <0x0c 2>;
};`,
} as const satisfies Binding;
