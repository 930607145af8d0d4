/** Special purpose registers of the 440 (PPC440x5 User's Manual, "Register Summary"). */
export interface Spr {
  readonly name: string;
  readonly number: number;
  /** Who may read and write it by this number: `u` user and supervisor, `s` supervisor only, `-` nobody. */
  readonly read: 'u' | 's' | '-';
  readonly write: 'u' | 's' | '-';
  /** What a write does: `set` replaces, `clear` clears the bits that are 1 in the value. */
  readonly onWrite: 'set' | 'clear';
  /** The bits that exist; the others read as 0 and ignore writes. */
  readonly bits: number;
  /** What it holds after power-on; PVR and PIR are the processor's own. */
  readonly reset: number;
}

/** Machine state register (PPC440x5 User's Manual, "Machine State Register"). */
export const MSR = {
  WE: 0x40000,
  CE: 0x20000,
  EE: 0x08000,
  PR: 0x04000,
  FP: 0x02000,
  ME: 0x01000,
  FE0: 0x00800,
  DWE: 0x00400,
  DE: 0x00200,
  FE1: 0x00100,
  IS: 0x00020,
  DS: 0x00010,
} as const;

/** The bits of the MSR that exist. */
export const MSR_BITS = Object.values(MSR).reduce((all, bit) => all | bit, 0);

const spr = (
  name: string,
  number: number,
  access: `${Spr['read']}${Spr['write']}`,
  options: { bits?: number; reset?: number; clear?: boolean } = {},
): Spr => ({
  name,
  number,
  read: access[0] as Spr['read'],
  write: access[1] as Spr['write'],
  onWrite: options.clear ? 'clear' : 'set',
  bits: (options.bits ?? 0xffffffff) | 0,
  reset: options.reset ?? 0,
});

const numbered = (name: string, first: number, count: number, access: 'ss', bits?: number): Spr[] =>
  Array.from({ length: count }, (_, i) => spr(`${name}${i}`, first + i, access, bits === undefined ? {} : { bits }));

// prettier-ignore
export const sprs: readonly Spr[] = [
  spr('XER',       1, 'uu', { bits: 0xe000007f }),
  spr('LR',        8, 'uu'),
  spr('CTR',       9, 'uu'),
  spr('DEC',      22, 'ss'),
  spr('SRR0',     26, 'ss', { bits: 0xfffffffc }),
  spr('SRR1',     27, 'ss', { bits: MSR_BITS }),
  spr('PID',      48, 'ss', { bits: 0xff }),
  spr('DECAR',    54, '-s'),
  spr('CSRR0',    58, 'ss', { bits: 0xfffffffc }),
  spr('CSRR1',    59, 'ss', { bits: MSR_BITS }),
  spr('DEAR',     61, 'ss'),
  spr('ESR',      62, 'ss', { bits: 0x8fbf001f }),
  spr('IVPR',     63, 'ss', { bits: 0xffff0000 }),
  spr('USPRG0',  256, 'uu'),
  spr('SPRG4',   260, 'u-'), spr('SPRG5', 261, 'u-'), spr('SPRG6', 262, 'u-'), spr('SPRG7', 263, 'u-'),
  spr('TBL',     268, 'u-'), spr('TBU',   269, 'u-'),
  spr('SPRG0',   272, 'ss'), spr('SPRG1', 273, 'ss'), spr('SPRG2', 274, 'ss'), spr('SPRG3', 275, 'ss'),
  spr('SPRG4',   276, 'ss'), spr('SPRG5', 277, 'ss'), spr('SPRG6', 278, 'ss'), spr('SPRG7', 279, 'ss'),
  spr('TBL',     284, '-s'), spr('TBU',   285, '-s'),
  spr('PIR',     286, 's-', { bits: 0xf }),
  spr('PVR',     287, 's-'),
  spr('DBSR',    304, 'ss', { bits: 0xffff8003, reset: 0x30000000, clear: true }), // MRR: a system reset
  spr('DBCR0',   308, 'ss'), spr('DBCR1', 309, 'ss'), spr('DBCR2', 310, 'ss', { bits: 0xffff0f0f }),
  spr('IAC1',    312, 'ss', { bits: 0xfffffffc }), spr('IAC2', 313, 'ss', { bits: 0xfffffffc }),
  spr('IAC3',    314, 'ss', { bits: 0xfffffffc }), spr('IAC4', 315, 'ss', { bits: 0xfffffffc }),
  spr('DAC1',    316, 'ss'), spr('DAC2',  317, 'ss'),
  spr('DVC1',    318, 'ss'), spr('DVC2',  319, 'ss'),
  spr('TSR',     336, 'ss', { bits: 0xfc000000, clear: true }),
  spr('TCR',     340, 'ss', { bits: 0xffc00000 }),
  ...numbered('IVOR', 400, 16, 'ss', 0xfff0),
  spr('MCSRR0',  570, 'ss', { bits: 0xfffffffc }),
  spr('MCSRR1',  571, 'ss', { bits: MSR_BITS }),
  spr('MCSR',    572, 'ss', { clear: true }),
  ...numbered('INV',  880, 4, 'ss'), ...numbered('ITV', 884, 4, 'ss'),
  spr('CCR1',    888, 'ss'),
  ...numbered('DNV',  912, 4, 'ss'), ...numbered('DTV', 916, 4, 'ss'),
  spr('DVLIM',   920, 'ss'), spr('IVLIM', 921, 'ss'),
  spr('RSTCFG',  923, 's-'),
  spr('DCDBTRL', 924, 's-', { bits: 0x7ffff }), spr('DCDBTRH', 925, 's-', { bits: 0xffffff8f }),
  spr('ICDBTRL', 926, 's-', { bits: 0x3ff }), spr('ICDBTRH', 927, 's-', { bits: 0xfffffff0 }),
  spr('MMUCR',   946, 'ss', { bits: 0x016d00ff }),
  spr('CCR0',    947, 'ss'),
  spr('ICDBDR',  979, 's-'),
  spr('DBDR',   1011, 'ss'),
];

const byNumber = new Map(sprs.map((s) => [s.number, s]));

/** The register that has this number, or undefined. */
export const findSpr = (number: number): Spr | undefined => byNumber.get(number);

/** What a user program may do with an SPR number: numbers with bit 5 set (0x10) are the supervisor's. */
export const isSupervisorNumber = (number: number): boolean => (number & 0x10) !== 0;

/** Exception syndrome register. */
export const ESR = {
  MCI: 0x80000000 | 0,
  PIL: 0x08000000,
  PPR: 0x04000000,
  PTR: 0x02000000,
  FP: 0x01000000,
  ST: 0x00800000,
  AP: 0x00080000,
  PUO: 0x00040000,
  BO: 0x00020000,
} as const;

/** Machine check syndrome register. */
export const MCSR = { MCS: 0x80000000 | 0, IB: 0x40000000, DRB: 0x20000000, DWB: 0x10000000 } as const;

/** Timer control and status registers. */
export const TCR = { WIE: 0x08000000, DIE: 0x04000000, FIE: 0x00800000, ARE: 0x00400000 } as const;
export const TSR = { ENW: 0x80000000 | 0, WIS: 0x40000000, WRS: 0x30000000, DIS: 0x08000000, FIS: 0x04000000 } as const;

/** Fixed-point exception register. */
export const XER = { SO: 0x80000000 | 0, OV: 0x40000000, CA: 0x20000000 } as const;
