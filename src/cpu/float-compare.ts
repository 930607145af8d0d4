import type { Core } from './core.js';
import { negated, Operation, readFpr, type Finite, type Result } from './float-arithmetic.js';
import { FPSCR, raise, summarize, trapIfEnabled } from './fpscr.js';
import { addExact, DOUBLE, unpack, type Float, type Rounding } from './softfloat.js';
import { R } from './state.js';

/** Floating-point comparison and conversion to integers. */

/** fctiw, fctiwz: to a 32-bit integer, saturating; the upper half of the register is undefined, here what QEMU gives. */
export function floatToInteger(core: Core, towardZero: boolean, ft: number, fb: number): void {
  const op = new Operation(core, DOUBLE);
  op.finish(ft, toInteger(op, unpack(readFpr(core, fb)), towardZero ? 'zero' : op.mode), false);
}

const SMALLEST = -(2n ** 31n);
const LARGEST = 2n ** 31n - 1n;
const integerImage = (value: bigint): bigint => 0xfff8000000000000n | (value & 0xffffffffn);

function toInteger(op: Operation, value: Float, mode: Rounding): Result {
  const invalid = (saturated: bigint): Result => {
    op.raised |= FPSCR.VXCVI;
    return op.fpscr & FPSCR.VE ? undefined : integerImage(saturated);
  };
  if (value.kind === 'nan') {
    if (value.signalling) op.raised |= FPSCR.VXSNAN;
    return invalid(SMALLEST);
  }
  if (value.kind === 'zero') return integerImage(0n);
  if (value.kind === 'infinity') return invalid(value.sign ? SMALLEST : LARGEST);
  const { integer, inexact, incremented } = roundToInteger(value, mode);
  if (integer < SMALLEST || integer > LARGEST) return invalid(value.sign ? SMALLEST : LARGEST);
  if (inexact) op.raised |= FPSCR.XX;
  op.fraction = (incremented ? FPSCR.FR : 0) | (inexact ? FPSCR.FI : 0);
  return integerImage(integer);
}

function roundToInteger(
  { sign, exponent, significand }: Finite,
  mode: Rounding,
): { integer: bigint; inexact: boolean; incremented: boolean } {
  if (exponent >= 0) {
    const magnitude = significand << BigInt(Math.min(exponent, 64));
    return { integer: sign ? -magnitude : magnitude, inexact: false, incremented: false };
  }
  const drop = BigInt(-exponent);
  const kept = significand >> drop;
  const lost = significand - (kept << drop);
  const twice = lost * 2n;
  const unit = 1n << drop;
  const nearestUp = twice > unit || (twice === unit && (kept & 1n) === 1n);
  const up =
    lost !== 0n && (mode === 'nearest' ? nearestUp : mode === 'up' ? sign === 0 : mode === 'down' && sign === 1);
  const magnitude = up ? kept + 1n : kept;
  return { integer: sign ? -magnitude : magnitude, inexact: lost !== 0n, incremented: up };
}

/** fcmpu, fcmpo: CR field and FPSCR[FPCC] <- less, greater, equal or unordered. */
export function floatCompare(core: Core, ordered: boolean, field: number, fa: number, fb: number): void {
  const [a, b] = [unpack(readFpr(core, fa)), unpack(readFpr(core, fb))];
  const { words } = core.regs;
  const outcome = compare(a, b);
  let causes = 0;
  if (outcome === 1) {
    const signalling = [a, b].some((x) => x.kind === 'nan' && x.signalling);
    if (signalling) causes |= FPSCR.VXSNAN;
    if (ordered && (!signalling || !(words[R.FPSCR]! & FPSCR.VE))) causes |= FPSCR.VXVC;
  }
  words[R.FPSCR] = summarize(raise((words[R.FPSCR]! & ~0xf000) | (outcome << 12), causes));
  const shift = 28 - 4 * field;
  words[R.CR] = (words[R.CR]! & ~(15 << shift)) | (outcome << shift);
  trapIfEnabled(core);
}

/** 8 less, 4 greater, 2 equal, 1 unordered. */
function compare(a: Float, b: Float): number {
  if (a.kind === 'nan' || b.kind === 'nan') return 1;
  if (a.kind === 'zero' && b.kind === 'zero') return 2;
  const order = orderOf(a) - orderOf(b);
  if (order !== 0) return order < 0 ? 8 : 4;
  if (a.kind !== 'number' || b.kind !== 'number') return 2;
  const { significand, sign } = addExact(a, negated(b));
  return significand === 0n ? 2 : sign ? 8 : 4;
}

/** Infinities, signs and zero: what can be told without the digits. */
function orderOf(value: Float): number {
  if (value.kind === 'zero') return 0;
  return (value.kind === 'infinity' ? 2 : 1) * (value.sign ? -1 : 1);
}
