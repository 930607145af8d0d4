import { insn, type Machine } from './spec.js';

/**
 * PPC440x5 User's Manual, "Instruction Set": the 4xx 16-bit multiply and multiply-accumulate instructions.
 * A name says which halfwords are multiplied (chw: low of ra by high of rb; hhw; lhw), then s: saturate, u: unsigned.
 */

type Halves = 'cross' | 'high' | 'low';
type Fields<F> = Readonly<Record<'rt' | 'ra' | 'rb', F>>;

const lowHalf = <V, F>(m: Machine<V, F>, a: V, signed: boolean): V =>
  signed ? m.shiftRightSigned(m.shiftLeft(a, m.constant(16)), m.constant(16)) : m.and(a, m.constant(0xffff));
const highHalf = <V, F>(m: Machine<V, F>, a: V, signed: boolean): V =>
  signed ? m.shiftRightSigned(a, m.constant(16)) : m.shiftRight(a, m.constant(16));

function product<V, F>(m: Machine<V, F>, f: Fields<F>, halves: Halves, signed: boolean): V {
  const a = halves === 'high' ? highHalf(m, m.gpr(f.ra), signed) : lowHalf(m, m.gpr(f.ra), signed);
  const b = halves === 'low' ? lowHalf(m, m.gpr(f.rb), signed) : highHalf(m, m.gpr(f.rb), signed);
  return m.multiply(a, b);
}

const multiply =
  (halves: Halves, signed: boolean) =>
  <V, F>(m: Machine<V, F>, f: Fields<F> & Readonly<Record<'rc', F>>) => {
    const value = product(m, f, halves, signed);
    m.setGpr(f.rt, value);
    m.recordIf(f.rc, value);
  };

type Accumulation = { halves: Halves; signed?: boolean; saturate?: boolean; negative?: boolean };

/** rt <- rt ± product. OV: the exact sum does not fit; a saturating form then gives the nearest value that does. */
const accumulate =
  ({ halves, signed = true, saturate = false, negative = false }: Accumulation) =>
  <V, F>(m: Machine<V, F>, f: Fields<F> & Readonly<Record<'oe' | 'rc', F>>) => {
    const addend = product(m, f, halves, signed);
    const before = m.gpr(f.rt);
    const sum = negative ? m.subtract(before, addend) : m.add(before, addend);
    const overflow = signed ? signedOverflow(m, before, addend, sum, negative) : m.lessUnsigned(sum, before);
    const limit = signed
      ? m.xor(m.shiftRightSigned(before, m.constant(31)), m.constant(0x7fffffff)) // the sign that the sum should have had
      : m.constant(-1);
    const value = saturate ? m.select(overflow, limit, sum) : sum;
    m.overflowIf(f.oe, overflow);
    m.setGpr(f.rt, value);
    m.recordIf(f.rc, value);
  };

function signedOverflow<V, F>(m: Machine<V, F>, before: V, addend: V, sum: V, negative: boolean): V {
  const other = negative ? m.xor(before, addend) : m.xor(addend, sum);
  return m.shiftRight(m.and(m.xor(before, sum), other), m.constant(31));
}

const rare = { rare: true };

// prettier-ignore
export const multiplyAccumulate = [
  insn('mulhhwu',   '000100 rt:5 ra:5 rb:5 0    000001000 rc:1', 'rt, ra, rb', multiply('high', false), rare),
  insn('mulhhw',    '000100 rt:5 ra:5 rb:5 0    000101000 rc:1', 'rt, ra, rb', multiply('high', true), rare),
  insn('mulchwu',   '000100 rt:5 ra:5 rb:5 0    010001000 rc:1', 'rt, ra, rb', multiply('cross', false), rare),
  insn('mulchw',    '000100 rt:5 ra:5 rb:5 0    010101000 rc:1', 'rt, ra, rb', multiply('cross', true), rare),
  insn('mullhwu',   '000100 rt:5 ra:5 rb:5 0    110001000 rc:1', 'rt, ra, rb', multiply('low', false), rare),
  insn('mullhw',    '000100 rt:5 ra:5 rb:5 0    110101000 rc:1', 'rt, ra, rb', multiply('low', true), rare),

  insn('machhwu',   '000100 rt:5 ra:5 rb:5 oe:1 000001100 rc:1', 'rt, ra, rb', accumulate({ halves: 'high', signed: false }), rare),
  insn('machhw',    '000100 rt:5 ra:5 rb:5 oe:1 000101100 rc:1', 'rt, ra, rb', accumulate({ halves: 'high' }), rare),
  insn('nmachhw',   '000100 rt:5 ra:5 rb:5 oe:1 000101110 rc:1', 'rt, ra, rb', accumulate({ halves: 'high', negative: true }), rare),
  insn('machhwsu',  '000100 rt:5 ra:5 rb:5 oe:1 001001100 rc:1', 'rt, ra, rb', accumulate({ halves: 'high', signed: false, saturate: true }), rare),
  insn('machhws',   '000100 rt:5 ra:5 rb:5 oe:1 001101100 rc:1', 'rt, ra, rb', accumulate({ halves: 'high', saturate: true }), rare),
  insn('nmachhws',  '000100 rt:5 ra:5 rb:5 oe:1 001101110 rc:1', 'rt, ra, rb', accumulate({ halves: 'high', saturate: true, negative: true }), rare),
  insn('macchwu',   '000100 rt:5 ra:5 rb:5 oe:1 010001100 rc:1', 'rt, ra, rb', accumulate({ halves: 'cross', signed: false }), rare),
  insn('macchw',    '000100 rt:5 ra:5 rb:5 oe:1 010101100 rc:1', 'rt, ra, rb', accumulate({ halves: 'cross' }), rare),
  insn('nmacchw',   '000100 rt:5 ra:5 rb:5 oe:1 010101110 rc:1', 'rt, ra, rb', accumulate({ halves: 'cross', negative: true }), rare),
  insn('macchwsu',  '000100 rt:5 ra:5 rb:5 oe:1 011001100 rc:1', 'rt, ra, rb', accumulate({ halves: 'cross', signed: false, saturate: true }), rare),
  insn('macchws',   '000100 rt:5 ra:5 rb:5 oe:1 011101100 rc:1', 'rt, ra, rb', accumulate({ halves: 'cross', saturate: true }), rare),
  insn('nmacchws',  '000100 rt:5 ra:5 rb:5 oe:1 011101110 rc:1', 'rt, ra, rb', accumulate({ halves: 'cross', saturate: true, negative: true }), rare),
  insn('maclhwu',   '000100 rt:5 ra:5 rb:5 oe:1 110001100 rc:1', 'rt, ra, rb', accumulate({ halves: 'low', signed: false }), rare),
  insn('maclhw',    '000100 rt:5 ra:5 rb:5 oe:1 110101100 rc:1', 'rt, ra, rb', accumulate({ halves: 'low' }), rare),
  insn('nmaclhw',   '000100 rt:5 ra:5 rb:5 oe:1 110101110 rc:1', 'rt, ra, rb', accumulate({ halves: 'low', negative: true }), rare),
  insn('maclhwsu',  '000100 rt:5 ra:5 rb:5 oe:1 111001100 rc:1', 'rt, ra, rb', accumulate({ halves: 'low', signed: false, saturate: true }), rare),
  insn('maclhws',   '000100 rt:5 ra:5 rb:5 oe:1 111101100 rc:1', 'rt, ra, rb', accumulate({ halves: 'low', saturate: true }), rare),
  insn('nmaclhws',  '000100 rt:5 ra:5 rb:5 oe:1 111101110 rc:1', 'rt, ra, rb', accumulate({ halves: 'low', saturate: true, negative: true }), rare),
];
