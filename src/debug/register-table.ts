import { DBCR0, EVENT } from '../cpu/debug-registers.js';
import { ESR, MCSR, MSR, sprs, TCR, TSR, XER, type Spr } from '../isa/registers.js';

/** A field of a register: its name, and where it lies, bit 0 being the least significant. */
export interface RegisterField {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

/** A register as debuggers name it. */
export interface RegisterDescription {
  /** In small letters: `r3`, `pc`, `srr0`. */
  readonly name: string;
  readonly bits: 32 | 64;
  readonly group: 'general' | 'float' | 'system';
  /** What its value is: plain, an address of code or of data, a float, or fields. */
  readonly meaning: 'number' | 'code' | 'data' | 'float' | 'fields';
  readonly fields: readonly RegisterField[];
  /** Of a special purpose register: what is said of it in `isa/registers.ts`. */
  readonly spr?: Spr;
}

/** Single bits or runs of bits, from masks by name. */
function fieldsOf(masks: Readonly<Record<string, number>>): RegisterField[] {
  return Object.entries(masks)
    .map(([name, mask]) => ({ name, low: 31 - Math.clz32(mask & -mask), high: 31 - Math.clz32(mask) }))
    .toSorted((a, b) => a.low - b.low);
}

const conditionFields = Object.fromEntries(
  Array.from({ length: 8 }, (_, i): [string, number] => [`cr${i}`, 0xf0000000 >>> (4 * i)]),
);

/** The registers that are read by their fields. Masks as the manual's figures have them; DBSR has DBCR0's event bits. */
// prettier-ignore
const fields: Readonly<Record<string, readonly RegisterField[]>> = {
  msr:   fieldsOf(MSR),
  srr1:  fieldsOf(MSR),
  csrr1: fieldsOf(MSR),
  mcsrr1: fieldsOf(MSR),
  cr:    fieldsOf(conditionFields),
  xer:   fieldsOf({ ...XER, count: 0x7f }),
  esr:   fieldsOf(ESR),
  mcsr:  fieldsOf(MCSR),
  tcr:   fieldsOf({ WP: 0xc0000000, WRC: 0x30000000, FP: 0x03000000, ...TCR }),
  tsr:   fieldsOf(TSR),
  dbcr0: fieldsOf({ ...DBCR0, ...EVENT }),
  dbsr:  fieldsOf(EVENT),
  mmucr: fieldsOf({ SWOA: 0x01000000, U1TE: 0x00400000, U2SWOAE: 0x00200000, DULXE: 0x00080000, IULXE: 0x00040000, STS: 0x00010000, STID: 0xff }),
};

/** The fields of a register by its name in small letters; none where it is read as a whole. */
export const fieldsOfRegister = (name: string): readonly RegisterField[] => fields[name] ?? [];

const describe = (
  name: string,
  group: RegisterDescription['group'],
  meaning: 'number' | 'code' | 'data' = 'number',
  spr?: Spr,
): RegisterDescription => ({
  name,
  bits: 32,
  group,
  meaning: fields[name] ? 'fields' : meaning,
  fields: fields[name] ?? [],
  ...(spr && { spr }),
});

/** r0 to r31, pc, msr, cr, lr, ctr, xer: in the order of GDB's feature org.gnu.gdb.power.core. */
export const coreRegisters: readonly RegisterDescription[] = [
  ...Array.from({ length: 32 }, (_, i) => describe(`r${i}`, 'general', i === 1 ? 'data' : 'number')),
  describe('pc', 'general', 'code'),
  describe('msr', 'general'),
  describe('cr', 'general'),
  describe('lr', 'general', 'code'),
  describe('ctr', 'general'),
  describe('xer', 'general'),
];

/** f0 to f31, fpscr: GDB's feature org.gnu.gdb.power.fpu. */
export const floatRegisters: readonly RegisterDescription[] = [
  ...Array.from({ length: 32 }, (_, i): RegisterDescription => ({
    name: `f${i}`,
    bits: 64,
    group: 'float',
    meaning: 'float',
    fields: [],
  })),
  { name: 'fpscr', bits: 32, group: 'float', meaning: 'number', fields: [] },
];

const code = new Set(['srr0', 'csrr0', 'mcsrr0', 'ivpr', 'iac1', 'iac2', 'iac3', 'iac4']);
const data = new Set(['dear', 'dac1', 'dac2']);
const known = new Set(coreRegisters.map(({ name }) => name));

/** Every other special purpose register of the 440, once each, in the order of their numbers. */
export const systemRegisters: readonly RegisterDescription[] = [
  ...new Map(sprs.map((spr) => [spr.name.toLowerCase(), spr])).entries(),
]
  .filter(([name]) => !known.has(name))
  .map(([name, spr]) => describe(name, 'system', code.has(name) ? 'code' : data.has(name) ? 'data' : 'number', spr));
