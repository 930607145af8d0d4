/** How words are encoded and written. */
export interface Form {
  readonly name: string;
  /** The bits of the word that are fixed, and their values. */
  readonly mask: number;
  readonly match: number;
  readonly fields: readonly Field[];
  /** Operands as an assembler takes them: `rt, d(ra)`. */
  readonly syntax: string;
}

/** An instruction is one value: how it is encoded, how it is written, what it means. */
export interface Instruction extends Form {
  /** The words among those with its fixed bits that are illegal. */
  readonly invalid: readonly InvalidForm[];
  readonly meaning: Meaning<string>;
  /** Set for the 405/440 multiply-accumulate family and other words that programs seldom run. */
  readonly rare: boolean;
  /** What the processor must have to run it. */
  readonly requires?: Feature;
}

/** A named run of bits. `split` swaps the two halves of a ten-bit SPR or DCR number (the manual's SPRF and DCRF). */
export interface Field {
  readonly name: string;
  readonly shift: number;
  readonly width: number;
  readonly kind: 'unsigned' | 'signed' | 'split';
}

/**
 * What makes a word with an instruction's fixed bits an invalid form, which the processor refuses as illegal:
 * `clear`: none of these bits of a field is set; `equal`: two fields have the same value; `loaded`: the register is among
 * those that a string of so many bytes (0 means 32) fills from `first` on, going round from 31 to 0.
 */
export type InvalidForm =
  | { readonly kind: 'clear'; readonly field: string; readonly bits: number }
  | { readonly kind: 'equal'; readonly fields: readonly [string, string] }
  | { readonly kind: 'loaded'; readonly register: string; readonly first: string; readonly bytes: string };

/** Floating-point operations that round, by mnemonic without the `s` of single precision. */
export type FloatArithmetic =
  'fadd' | 'fsub' | 'fmul' | 'fdiv' | 'fsqrt' | 'fmadd' | 'fmsub' | 'fnmadd' | 'fnmsub' | 'frsp' | 'fres' | 'frsqrte';
/** Floating-point operations on bits alone. */
export type FloatMove = 'fmr' | 'fneg' | 'fabs' | 'fnabs';

/** What not every 440 has. */
export type Feature = 'fpu' | 'isel';

/** A meaning is written once over abstract values; each reader decides what a value is. */
export type Meaning<Name extends string> = <V, F>(m: Machine<V, F>, f: Readonly<Record<Name, F>>) => void;

/**
 * The vocabulary of meanings. V is a 32-bit value, F an instruction field; truth is a V of 0 or 1. A word gives a value or
 * has an effect, so that each can be printed as JavaScript, as WebAssembly or as the manual's register-transfer language.
 * Fields are abstract: a meaning may pass one on, never look at it.
 */
export interface Machine<V, F> {
  // Values out of the instruction
  imm(field: F): V;
  immHigh(field: F): V; // field || 0x0000
  constant(value: number): V;
  pc(): V; // the address of this instruction

  // Registers
  gpr(register: F): V;
  gprOrZero(register: F): V; // (ra|0)
  setGpr(register: F, value: V): void;
  cr(): V;
  setCr(fields: F, value: V): void; // mtcrf: one bit of the field a CR field
  crField(field: F): V; // as a number 0..15
  setCrField(field: F, value: V): void;
  crBit(bit: F): V;
  setCrBit(bit: F, value: V): void;
  xer(): V;
  setXer(value: V): void;
  carry(): V;
  setCarry(bit: V): void;
  summaryOverflow(): V;
  lr(): V;
  setLr(value: V): void;
  ctr(): V;
  compareSigned(crField: F, a: V, b: V): void; // CR field <- less, greater, equal, XER[SO]
  compareUnsigned(crField: F, a: V, b: V): void;
  record(result: V): void; // CR0 <- compare(result, 0) || XER[SO]
  recordIf(rc: F, result: V): void;
  setCr0If(rc: F, value: V): void;
  overflowIf(oe: F, overflow: V): void; // XER[OV] <- overflow; XER[SO] sticks

  // Arithmetic, modulo 2^32
  add(a: V, b: V): V;
  subtract(a: V, b: V): V;
  multiply(a: V, b: V): V;
  multiplyHighSigned(a: V, b: V): V;
  multiplyHighUnsigned(a: V, b: V): V;
  divideSigned(a: V, b: V): V; // 0 where the quotient is undefined
  divideUnsigned(a: V, b: V): V;
  and(a: V, b: V): V;
  or(a: V, b: V): V;
  xor(a: V, b: V): V;
  not(a: V): V;
  shiftLeft(a: V, by: V): V; // by 0..31
  shiftRight(a: V, by: V): V;
  shiftRightSigned(a: V, by: V): V;
  rotateLeft(a: V, by: V): V;
  mask(begin: F, end: F): V; // ones from bit begin to bit end, wrapping
  countLeadingZeros(a: V): V;
  equal(a: V, b: V): V;
  lessSigned(a: V, b: V): V;
  lessUnsigned(a: V, b: V): V;
  select(condition: V, yes: V, no: V): V;

  // Storage
  load(width: 8 | 16 | 32, address: V): V; // zero-extended
  store(width: 8 | 16 | 32, address: V, value: V): void;
  loadReserve(address: V): V;
  storeConditional(address: V, value: V): void; // sets CR0
  loadMultiple(first: F, address: V): void;
  storeMultiple(first: F, address: V): void;
  loadString(first: F, address: V, bytes: V): void;
  storeString(first: F, address: V, bytes: V): void;
  zeroBlock(address: V): void; // dcbz
  touchBlock(access: 'read' | 'write', address: V): void; // a cache operation that only checks its address

  // Control
  branch(target: V): void;
  branchIf(bo: F, bi: F, target: V): void; // decrements CTR as BO says
  linkIf(lk: F): void; // LR <- the next instruction's address
  trapIf(condition: V): void;
  trapCondition(to: F, a: V, b: V): V;
  systemCall(level: F): void;
  illegal(): void;

  // Floating-point unit: its registers are operands by number, since their values are no 32-bit ones
  floatingPoint(): void; // floating-point unavailable interrupt while MSR[FP] is 0
  floatArithmetic(name: FloatArithmetic, single: boolean, ft: F, fa: F, fb: F, fc: F): void; // and FPSCR
  floatMove(name: FloatMove, ft: F, fb: F): void;
  floatSelect(ft: F, fa: F, fb: F, fc: F): void;
  floatToInteger(towardZero: boolean, ft: F, fb: F): void;
  floatCompare(ordered: boolean, crField: F, fa: F, fb: F): void;
  loadFloat(width: 32 | 64, ft: F, address: V): void;
  storeFloat(width: 32 | 64 | 'integer', fs: F, address: V): void;
  readFpscr(ft: F): void;
  writeFpscrFields(fields: F, fb: F): void; // one bit of the field an FPSCR field
  writeFpscrImmediate(field: F, value: F): void;
  writeFpscrBit(bit: F, set: boolean): void;
  takeFpscrField(crField: F, field: F): void; // its exception bits are cleared
  recordFloatIf(rc: F): void; // CR1 <- FPSCR[FX, FEX, VX, OX]

  // Supervisor
  privileged(): void;
  readMsr(): V;
  writeMsr(value: V): void;
  readSpr(number: F): V;
  writeSpr(number: F, value: V): void;
  readDcr(number: F): V;
  writeDcr(number: F, value: V): void;
  readTlb(entry: V, word: F): V;
  writeTlb(entry: V, word: F, value: V): void;
  searchTlb(address: V, target: F, record: F): void; // target <- entry's index; CR0[EQ] if record
  returnFrom(level: 'base' | 'critical' | 'machine-check'): void;
}

type FieldName<Token extends string> = Token extends `${infer Name}:${string}` ? Name : never;
/** The names of an encoding's fields. */
export type FieldNames<Encoding extends string> = Encoding extends `${infer Head} ${infer Rest}`
  ? FieldName<Head> | FieldNames<Rest>
  : FieldName<Encoding>;

/**
 * Define an instruction. The encoding lists the word's 32 bits from the most significant: `0` and `1` are fixed, `.` is
 * ignored, `name:5` is a field (`s16` signed, `x10` with its halves swapped). Throws if they are not 32 bits.
 */
export function insn<const Encoding extends string>(
  name: string,
  encoding: Encoding,
  syntax: string,
  meaning: Meaning<FieldNames<Encoding>>,
  {
    rare = false,
    invalid = [],
    requires,
  }: { rare?: boolean; invalid?: readonly InvalidForm[]; requires?: Feature } = {},
): Instruction {
  const definition = { ...form(name, encoding, syntax), invalid, meaning: meaning as Meaning<string>, rare };
  return requires ? { ...definition, requires } : definition;
}

/** A name, an encoding as `insn` takes it, and a syntax. */
export function form(name: string, encoding: string, syntax: string): Form {
  let bit = 32;
  let match = 0;
  let mask = 0;
  const fields: Field[] = [];
  for (const token of encoding.split(/\s+/)) {
    const field = /^(\w+):([sx]?)(\d+)$/.exec(token);
    if (field) {
      bit -= Number(field[3]);
      const kind = field[2] === 's' ? 'signed' : field[2] === 'x' ? 'split' : 'unsigned';
      fields.push({ name: field[1]!, shift: bit, width: Number(field[3]), kind });
      continue;
    }
    for (const char of token) {
      bit -= 1;
      if (char !== '.') mask |= 1 << bit;
      if (char === '1') match |= 1 << bit;
    }
  }
  if (bit !== 0) throw new Error(`${name}: the encoding names ${32 - bit} bits of 32`);
  return { name, match: match >>> 0, mask: mask >>> 0, fields, syntax };
}

/** The value of a field in an instruction word. */
export function extract(word: number, { shift, width, kind }: Field): number {
  const left = 32 - shift - width;
  if (kind === 'signed') return (word << left) >> (left + shift);
  const value = (word << left) >>> (left + shift);
  return kind === 'split' ? swapHalves(value) : value;
}

/** The bits that give a field this value. */
export function insert(value: number, { shift, width, kind }: Field): number {
  const bits = kind === 'split' ? swapHalves(value) : value;
  return ((bits & (2 ** width - 1)) << shift) >>> 0;
}

const swapHalves = (value: number): number => ((value & 31) << 5) | ((value >>> 5) & 31);
