import { insn, type Machine } from './spec.js';

/** PPC440x5 User's Manual, "Instruction Set": integer arithmetic, logical, compare, rotate and shift instructions. */

/** a + b + carryIn, with what XER needs to know of it. A sum that wraps is less than what went into it. */
function sum<V, F>(m: Machine<V, F>, a: V, b: V, carryIn?: V) {
  const partial = m.add(a, b);
  const value = carryIn === undefined ? partial : m.add(partial, carryIn);
  const wraps = (): V => m.lessUnsigned(partial, a);
  return {
    value,
    carry: () => (carryIn === undefined ? wraps() : m.or(wraps(), m.lessUnsigned(value, partial))),
    overflow: () => signsDiffer(m, a, b, value),
  };
}

const top = <V, F>(m: Machine<V, F>, a: V): V => m.shiftRight(a, m.constant(31));

/** Overflow of an addition: both addends differ in sign from the sum. */
const signsDiffer = <V, F>(m: Machine<V, F>, a: V, b: V, value: V): V =>
  top(m, m.and(m.xor(a, value), m.xor(b, value)));

type Fields<F, Names extends string> = Readonly<Record<Names, F>>;

type Carry = 'none' | 'out' | 'in-out';

/** a + b + CA where the instruction takes it in, else `plus`; CA and OV as the form says. */
function addition<V, F>(m: Machine<V, F>, f: Fields<F, 'rt' | 'oe' | 'rc'>, a: V, b: V, carry: Carry, plus?: V): void {
  const result = sum(m, a, b, carry === 'in-out' ? m.carry() : plus);
  if (carry !== 'none') m.setCarry(result.carry());
  arithmetic(m, f, result.value, result.overflow());
}

/** ¬a + b + 1, or ¬a + b + CA. */
const subtraction = <V, F>(m: Machine<V, F>, f: Fields<F, 'rt' | 'oe' | 'rc'>, a: V, b: V, carry: Carry): void =>
  addition(m, f, m.not(a), b, carry, m.constant(1));

/** rt <- value; OV <- overflow. */
function arithmetic<V, F>(m: Machine<V, F>, f: Fields<F, 'rt' | 'oe' | 'rc'>, value: V, overflow: V): void {
  m.overflowIf(f.oe, overflow);
  m.setGpr(f.rt, value);
  m.recordIf(f.rc, value);
}

function logical<V, F>(m: Machine<V, F>, f: Fields<F, 'ra' | 'rc'>, value: V): void {
  m.setGpr(f.ra, value);
  m.recordIf(f.rc, value);
}

/** A shift by 32 to 63 leaves nothing. */
const shiftOut = <V, F>(m: Machine<V, F>, by: V, shifted: V): V =>
  m.select(m.and(by, m.constant(32)), m.constant(0), shifted);

/** An arithmetic shift right by 0 to 63: CA is set when the value is negative and a one bit is lost. */
function shiftAlgebraic<V, F>(m: Machine<V, F>, f: Fields<F, 'ra' | 'rc'>, value: V, by: V): void {
  const large = m.and(by, m.constant(32));
  const amount = m.select(large, m.constant(31), m.and(by, m.constant(31)));
  const result = m.shiftRightSigned(value, amount);
  const lost = m.select(large, value, m.xor(value, m.shiftLeft(result, amount)));
  m.setCarry(m.and(top(m, value), m.lessUnsigned(m.constant(0), lost)));
  logical(m, f, result);
}

const signExtend = <V, F>(m: Machine<V, F>, a: V, bits: 8 | 16): V =>
  m.shiftRightSigned(m.shiftLeft(a, m.constant(32 - bits)), m.constant(32 - bits));

// prettier-ignore
export const fixedPoint = [
  // Arithmetic
  insn('addi',   '001110 rt:5 ra:5 si:s16', 'rt, ra, si', (m, f) => m.setGpr(f.rt, m.add(m.gprOrZero(f.ra), m.imm(f.si)))),
  insn('addis',  '001111 rt:5 ra:5 si:s16', 'rt, ra, si', (m, f) => m.setGpr(f.rt, m.add(m.gprOrZero(f.ra), m.immHigh(f.si)))),
  insn('addic',  '001100 rt:5 ra:5 si:s16', 'rt, ra, si', (m, f) => {
    const { value, carry } = sum(m, m.gpr(f.ra), m.imm(f.si));
    m.setCarry(carry());
    m.setGpr(f.rt, value);
  }),
  insn('addic.', '001101 rt:5 ra:5 si:s16', 'rt, ra, si', (m, f) => {
    const { value, carry } = sum(m, m.gpr(f.ra), m.imm(f.si));
    m.setCarry(carry());
    m.setGpr(f.rt, value);
    m.record(value);
  }),
  insn('subfic', '001000 rt:5 ra:5 si:s16', 'rt, ra, si', (m, f) => {
    const { value, carry } = sum(m, m.not(m.gpr(f.ra)), m.imm(f.si), m.constant(1));
    m.setCarry(carry());
    m.setGpr(f.rt, value);
  }),
  insn('mulli',  '000111 rt:5 ra:5 si:s16', 'rt, ra, si', (m, f) => m.setGpr(f.rt, m.multiply(m.gpr(f.ra), m.imm(f.si)))),

  insn('add',    '011111 rt:5 ra:5 rb:5    oe:1 100001010 rc:1', 'rt, ra, rb', (m, f) => addition(m, f, m.gpr(f.ra), m.gpr(f.rb), 'none')),
  insn('addc',   '011111 rt:5 ra:5 rb:5    oe:1 000001010 rc:1', 'rt, ra, rb', (m, f) => addition(m, f, m.gpr(f.ra), m.gpr(f.rb), 'out')),
  insn('adde',   '011111 rt:5 ra:5 rb:5    oe:1 010001010 rc:1', 'rt, ra, rb', (m, f) => addition(m, f, m.gpr(f.ra), m.gpr(f.rb), 'in-out')),
  insn('addze',  '011111 rt:5 ra:5 00000   oe:1 011001010 rc:1', 'rt, ra',     (m, f) => addition(m, f, m.gpr(f.ra), m.constant(0), 'in-out')),
  insn('addme',  '011111 rt:5 ra:5 00000   oe:1 011101010 rc:1', 'rt, ra',     (m, f) => addition(m, f, m.gpr(f.ra), m.constant(-1), 'in-out')),
  insn('subf',   '011111 rt:5 ra:5 rb:5    oe:1 000101000 rc:1', 'rt, ra, rb', (m, f) => subtraction(m, f, m.gpr(f.ra), m.gpr(f.rb), 'none')),
  insn('subfc',  '011111 rt:5 ra:5 rb:5    oe:1 000001000 rc:1', 'rt, ra, rb', (m, f) => subtraction(m, f, m.gpr(f.ra), m.gpr(f.rb), 'out')),
  insn('subfe',  '011111 rt:5 ra:5 rb:5    oe:1 010001000 rc:1', 'rt, ra, rb', (m, f) => subtraction(m, f, m.gpr(f.ra), m.gpr(f.rb), 'in-out')),
  insn('subfze', '011111 rt:5 ra:5 00000   oe:1 011001000 rc:1', 'rt, ra',     (m, f) => subtraction(m, f, m.gpr(f.ra), m.constant(0), 'in-out')),
  insn('subfme', '011111 rt:5 ra:5 00000   oe:1 011101000 rc:1', 'rt, ra',     (m, f) => subtraction(m, f, m.gpr(f.ra), m.constant(-1), 'in-out')),
  insn('neg',    '011111 rt:5 ra:5 00000   oe:1 001101000 rc:1', 'rt, ra',     (m, f) => subtraction(m, f, m.gpr(f.ra), m.constant(0), 'none')),

  insn('mullw',  '011111 rt:5 ra:5 rb:5    oe:1 011101011 rc:1', 'rt, ra, rb', (m, f) => {
    const [a, b] = [m.gpr(f.ra), m.gpr(f.rb)];
    const low = m.multiply(a, b);
    const fits = m.equal(m.multiplyHighSigned(a, b), m.shiftRightSigned(low, m.constant(31)));
    arithmetic(m, f, low, m.xor(fits, m.constant(1)));
  }),
  insn('mulhw',  '011111 rt:5 ra:5 rb:5    0    001001011 rc:1', 'rt, ra, rb', (m, f) => {
    const value = m.multiplyHighSigned(m.gpr(f.ra), m.gpr(f.rb));
    m.setGpr(f.rt, value);
    m.recordIf(f.rc, value);
  }),
  insn('mulhwu', '011111 rt:5 ra:5 rb:5    0    000001011 rc:1', 'rt, ra, rb', (m, f) => {
    const value = m.multiplyHighUnsigned(m.gpr(f.ra), m.gpr(f.rb));
    m.setGpr(f.rt, value);
    m.recordIf(f.rc, value);
  }),
  insn('divw',   '011111 rt:5 ra:5 rb:5    oe:1 111101011 rc:1', 'rt, ra, rb', (m, f) => {
    const [a, b] = [m.gpr(f.ra), m.gpr(f.rb)];
    const tooLarge = m.and(m.equal(a, m.constant(-0x80000000)), m.equal(b, m.constant(-1)));
    arithmetic(m, f, m.divideSigned(a, b), m.or(m.equal(b, m.constant(0)), tooLarge));
  }),
  insn('divwu',  '011111 rt:5 ra:5 rb:5    oe:1 111001011 rc:1', 'rt, ra, rb', (m, f) => {
    const [a, b] = [m.gpr(f.ra), m.gpr(f.rb)];
    arithmetic(m, f, m.divideUnsigned(a, b), m.equal(b, m.constant(0)));
  }),

  // Compare. These are 32-bit compares whatever bit 10 (L) is.
  insn('cmpi',   '001011 bf:3 .. ra:5 si:s16',              'bf, ra, si', (m, f) => m.compareSigned(f.bf, m.gpr(f.ra), m.imm(f.si))),
  insn('cmpli',  '001010 bf:3 .. ra:5 ui:16',               'bf, ra, ui', (m, f) => m.compareUnsigned(f.bf, m.gpr(f.ra), m.imm(f.ui))),
  insn('cmp',    '011111 bf:3 .. ra:5 rb:5 0000000000 .',   'bf, ra, rb', (m, f) => m.compareSigned(f.bf, m.gpr(f.ra), m.gpr(f.rb))),
  insn('cmpl',   '011111 bf:3 .. ra:5 rb:5 0000100000 .',   'bf, ra, rb', (m, f) => m.compareUnsigned(f.bf, m.gpr(f.ra), m.gpr(f.rb))),

  // Logical
  insn('andi.',  '011100 rs:5 ra:5 ui:16', 'ra, rs, ui', (m, f) => {
    const value = m.and(m.gpr(f.rs), m.imm(f.ui));
    m.setGpr(f.ra, value);
    m.record(value);
  }),
  insn('andis.', '011101 rs:5 ra:5 ui:16', 'ra, rs, ui', (m, f) => {
    const value = m.and(m.gpr(f.rs), m.immHigh(f.ui));
    m.setGpr(f.ra, value);
    m.record(value);
  }),
  insn('ori',    '011000 rs:5 ra:5 ui:16', 'ra, rs, ui', (m, f) => m.setGpr(f.ra, m.or(m.gpr(f.rs), m.imm(f.ui)))),
  insn('oris',   '011001 rs:5 ra:5 ui:16', 'ra, rs, ui', (m, f) => m.setGpr(f.ra, m.or(m.gpr(f.rs), m.immHigh(f.ui)))),
  insn('xori',   '011010 rs:5 ra:5 ui:16', 'ra, rs, ui', (m, f) => m.setGpr(f.ra, m.xor(m.gpr(f.rs), m.imm(f.ui)))),
  insn('xoris',  '011011 rs:5 ra:5 ui:16', 'ra, rs, ui', (m, f) => m.setGpr(f.ra, m.xor(m.gpr(f.rs), m.immHigh(f.ui)))),

  insn('and',    '011111 rs:5 ra:5 rb:5  0000011100 rc:1', 'ra, rs, rb', (m, f) => logical(m, f, m.and(m.gpr(f.rs), m.gpr(f.rb)))),
  insn('andc',   '011111 rs:5 ra:5 rb:5  0000111100 rc:1', 'ra, rs, rb', (m, f) => logical(m, f, m.and(m.gpr(f.rs), m.not(m.gpr(f.rb))))),
  insn('or',     '011111 rs:5 ra:5 rb:5  0110111100 rc:1', 'ra, rs, rb', (m, f) => logical(m, f, m.or(m.gpr(f.rs), m.gpr(f.rb)))),
  insn('orc',    '011111 rs:5 ra:5 rb:5  0110011100 rc:1', 'ra, rs, rb', (m, f) => logical(m, f, m.or(m.gpr(f.rs), m.not(m.gpr(f.rb))))),
  insn('xor',    '011111 rs:5 ra:5 rb:5  0100111100 rc:1', 'ra, rs, rb', (m, f) => logical(m, f, m.xor(m.gpr(f.rs), m.gpr(f.rb)))),
  insn('nand',   '011111 rs:5 ra:5 rb:5  0111011100 rc:1', 'ra, rs, rb', (m, f) => logical(m, f, m.not(m.and(m.gpr(f.rs), m.gpr(f.rb))))),
  insn('nor',    '011111 rs:5 ra:5 rb:5  0001111100 rc:1', 'ra, rs, rb', (m, f) => logical(m, f, m.not(m.or(m.gpr(f.rs), m.gpr(f.rb))))),
  insn('eqv',    '011111 rs:5 ra:5 rb:5  0100011100 rc:1', 'ra, rs, rb', (m, f) => logical(m, f, m.not(m.xor(m.gpr(f.rs), m.gpr(f.rb))))),
  insn('extsb',  '011111 rs:5 ra:5 ..... 1110111010 rc:1', 'ra, rs',     (m, f) => logical(m, f, signExtend(m, m.gpr(f.rs), 8))),
  insn('extsh',  '011111 rs:5 ra:5 ..... 1110011010 rc:1', 'ra, rs',     (m, f) => logical(m, f, signExtend(m, m.gpr(f.rs), 16))),
  insn('cntlzw', '011111 rs:5 ra:5 ..... 0000011010 rc:1', 'ra, rs',     (m, f) => logical(m, f, m.countLeadingZeros(m.gpr(f.rs)))),

  // Rotate and shift
  insn('rlwinm', '010101 rs:5 ra:5 sh:5 mb:5 me:5 rc:1', 'ra, rs, sh, mb, me', (m, f) =>
    logical(m, f, m.and(m.rotateLeft(m.gpr(f.rs), m.imm(f.sh)), m.mask(f.mb, f.me)))),
  insn('rlwnm',  '010111 rs:5 ra:5 rb:5 mb:5 me:5 rc:1', 'ra, rs, rb, mb, me', (m, f) =>
    logical(m, f, m.and(m.rotateLeft(m.gpr(f.rs), m.and(m.gpr(f.rb), m.constant(31))), m.mask(f.mb, f.me)))),
  insn('rlwimi', '010100 rs:5 ra:5 sh:5 mb:5 me:5 rc:1', 'ra, rs, sh, mb, me', (m, f) => {
    const mask = m.mask(f.mb, f.me);
    const rotated = m.rotateLeft(m.gpr(f.rs), m.imm(f.sh));
    logical(m, f, m.or(m.and(rotated, mask), m.and(m.gpr(f.ra), m.not(mask))));
  }),
  insn('slw',    '011111 rs:5 ra:5 rb:5 0000011000 rc:1', 'ra, rs, rb', (m, f) => {
    const by = m.gpr(f.rb);
    logical(m, f, shiftOut(m, by, m.shiftLeft(m.gpr(f.rs), m.and(by, m.constant(31)))));
  }),
  insn('srw',    '011111 rs:5 ra:5 rb:5 1000011000 rc:1', 'ra, rs, rb', (m, f) => {
    const by = m.gpr(f.rb);
    logical(m, f, shiftOut(m, by, m.shiftRight(m.gpr(f.rs), m.and(by, m.constant(31)))));
  }),
  insn('sraw',   '011111 rs:5 ra:5 rb:5 1100011000 rc:1', 'ra, rs, rb', (m, f) => shiftAlgebraic(m, f, m.gpr(f.rs), m.gpr(f.rb))),
  insn('srawi',  '011111 rs:5 ra:5 sh:5 1100111000 rc:1', 'ra, rs, sh', (m, f) => shiftAlgebraic(m, f, m.gpr(f.rs), m.imm(f.sh))),

  // The 4xx's search for a zero byte: XER[TBC] and ra get how many bytes precede and include it, 8 if there is none.
  insn('dlmzb',  '011111 rs:5 ra:5 rb:5 0001001110 rc:1', 'ra, rs, rb', (m, f) => {
    const zeroIn = (word: ReturnType<typeof m.gpr>, from: number) => (rest: typeof word) =>
      [24, 16, 8, 0].reduceRight(
        (found, shift, i) => m.select(m.and(m.shiftRight(word, m.constant(shift)), m.constant(0xff)), found, m.constant(from + i)),
        rest,
      );
    const high = m.gpr(f.rs);
    const low = m.gpr(f.rb);
    const inLow = zeroIn(low, 5)(m.constant(0));
    const at = zeroIn(high, 1)(inLow); // 1..8, or 0 where there is none
    const count = m.select(at, at, m.constant(8));
    m.setXer(m.or(m.and(m.xer(), m.constant(-128)), count));
    m.setGpr(f.ra, count);
    const inHigh = m.lessUnsigned(m.subtract(at, m.constant(1)), m.constant(4));
    const bits = m.select(at, m.select(inHigh, m.constant(4), m.constant(8)), m.constant(2));
    m.setCr0If(f.rc, m.or(bits, m.summaryOverflow()));
  }, { rare: true }),
];
