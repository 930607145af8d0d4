import type { FloatArithmetic, FloatMove } from '../isa/spec.js';
import type { Core } from './core.js';
import { R } from './state.js';
import { FPSCR, raise, roundings, summarize, trapIfEnabled } from './fpscr.js';
import {
  addExact,
  DEFAULT_NAN,
  divideExact,
  DOUBLE,
  infinity,
  pack,
  quieted,
  rootExact,
  round,
  SINGLE,
  unpack,
  zero,
  type Float,
  type Format,
  type Rounded,
  type Rounding,
} from './softfloat.js';

export type Finite = Extract<Float, { kind: 'number' }>;

/** What an operation came to: the result's image, or nothing where an enabled exception forbids it. */
export type Result = bigint | undefined;

/** One floating-point operation at work: it gathers exceptions, and `finish` puts them into the FPSCR. */
export class Operation {
  raised = 0;
  fraction = 0; // FR and FI

  constructor(
    readonly core: Core,
    readonly format: Format,
  ) {}

  get fpscr(): number {
    return this.core.regs.words[R.FPSCR]!;
  }

  get mode(): Rounding {
    return roundings[this.fpscr & FPSCR.RN]!;
  }

  /** An invalid operation gives a quiet NaN, or nothing if it is enabled. */
  invalid(cause: number): Result {
    this.raised |= cause;
    return this.fpscr & FPSCR.VE ? undefined : DEFAULT_NAN;
  }

  divisionByZero(sign: 0 | 1): Result {
    this.raised |= FPSCR.ZX;
    return this.fpscr & FPSCR.ZE ? undefined : infinity(sign);
  }

  /** The first NaN of the operands, made quiet; a signalling one is an invalid operation. Null where there is none. */
  nan(...operands: Float[]): Result | null {
    const nans = operands.filter((o) => o.kind === 'nan');
    const [first] = nans;
    if (!first) return null;
    if (nans.some((n) => n.signalling)) {
      this.raised |= FPSCR.VXSNAN;
      if (this.fpscr & FPSCR.VE) return undefined;
    }
    const image = quieted(first);
    return this.format === SINGLE ? image & ~0x1fffffffn : image;
  }

  rounded(sign: 0 | 1, exponent: number, significand: bigint, sticky = false): bigint {
    const { fpscr, format, mode } = this;
    const result = round(sign, exponent, significand, sticky, format, mode);
    const wrap = format === SINGLE ? 192 : 1536;
    if (result.overflow && fpscr & FPSCR.OE)
      return this.#settle(FPSCR.OX, round(sign, exponent - wrap, significand, sticky, format, mode));
    const tiny = exponent + significand.toString(2).length - 1 < format.minExponent;
    if (tiny && fpscr & FPSCR.UE)
      return this.#settle(FPSCR.UX, round(sign, exponent + wrap, significand, sticky, format, mode));
    const causes = (result.overflow ? FPSCR.OX : 0) | (result.underflow ? FPSCR.UX : 0);
    return this.#settle(causes, result);
  }

  #settle(causes: number, { bits, inexact, incremented }: Rounded): bigint {
    this.raised |= causes | (inexact ? FPSCR.XX : 0);
    this.fraction = (incremented ? FPSCR.FR : 0) | (inexact ? FPSCR.FI : 0);
    return bits;
  }

  /** Record what happened; a register is written unless an enabled exception forbids it. */
  finish(target: number, result: Result, classify = true): void {
    const { words } = this.core.regs;
    let fpscr = (this.fpscr & ~(FPSCR.FR | FPSCR.FI)) | this.fraction;
    fpscr = raise(fpscr, this.raised);
    if (result !== undefined && classify) fpscr = (fpscr & ~FPSCR.FPRF) | (classOf(result) << 12);
    words[R.FPSCR] = summarize(fpscr);
    if (result !== undefined) writeFpr(this.core, target, result);
    trapIfEnabled(this.core);
  }
}

export const readFpr = (core: Core, register: number): bigint => core.regs.floats[register]!;
export const writeFpr = (core: Core, register: number, image: bigint): void => {
  core.regs.floats[register] = image;
};

/** FPRF: class and sign of a result. */
function classOf(image: bigint): number {
  const value = unpack(image);
  switch (value.kind) {
    case 'nan':
      return 0x11;
    case 'infinity':
      return value.sign ? 0x09 : 0x05;
    case 'zero':
      return value.sign ? 0x12 : 0x02;
    case 'number': {
      const denormal = ((image >> 52n) & 0x7ffn) === 0n;
      if (denormal) return value.sign ? 0x18 : 0x14;
      return value.sign ? 0x08 : 0x04;
    }
    default:
      return value satisfies never;
  }
}

const flip = (sign: 0 | 1): 0 | 1 => (sign ? 0 : 1);
export const negated = <F extends Float>(value: F): F => ({ ...value, sign: flip(value.sign) });

function add(op: Operation, a: Float, b: Float): Result {
  const nan = op.nan(a, b);
  if (nan !== null) return nan;
  if (a.kind === 'infinity' && b.kind === 'infinity' && a.sign !== b.sign) return op.invalid(FPSCR.VXISI);
  if (a.kind === 'infinity') return infinity(a.sign);
  if (b.kind === 'infinity') return infinity(b.sign);
  return sum(op, a, b);
}

/** A sum without NaNs and infinities. An exact zero is positive but for rounding down, or for two negative zeros. */
function sum(op: Operation, a: Float, b: Float): bigint {
  const ofZeros = a.sign === b.sign ? a.sign : op.mode === 'down' ? 1 : 0;
  if (a.kind !== 'number' && b.kind !== 'number') return zero(ofZeros);
  if (a.kind !== 'number') return op.rounded(b.sign, (b as Finite).exponent, (b as Finite).significand);
  if (b.kind !== 'number') return op.rounded(a.sign, a.exponent, a.significand);
  const { sign, exponent, significand } = addExact(a, b);
  return significand === 0n ? zero(ofZeros) : op.rounded(sign, exponent, significand);
}

function multiply(op: Operation, a: Float, b: Float): Result {
  const nan = op.nan(a, b);
  if (nan !== null) return nan;
  const product = exactProduct(op, a, b);
  if (product === undefined || typeof product === 'bigint') return product;
  return product.kind === 'number' ? op.rounded(product.sign, product.exponent, product.significand) : imageOf(product);
}

const imageOf = (value: Extract<Float, { kind: 'zero' | 'infinity' }>): bigint =>
  value.kind === 'zero' ? zero(value.sign) : infinity(value.sign);

/** A product of no NaNs, exact; a result where it is invalid. */
function exactProduct(op: Operation, a: Float, b: Float): Result | Exclude<Float, { kind: 'nan' }> {
  const sign = a.sign === b.sign ? 0 : 1;
  const infinite = a.kind === 'infinity' || b.kind === 'infinity';
  const zeroes = a.kind === 'zero' || b.kind === 'zero';
  if (infinite && zeroes) return op.invalid(FPSCR.VXIMZ);
  if (infinite) return { kind: 'infinity', sign };
  if (a.kind !== 'number' || b.kind !== 'number') return { kind: 'zero', sign };
  return { kind: 'number', sign, exponent: a.exponent + b.exponent, significand: a.significand * b.significand };
}

/** a * c + b, rounded once. Of several NaNs the result takes a's, then b's, then c's. */
function multiplyAdd(op: Operation, a: Float, b: Float, c: Float): Result {
  const nan = op.nan(a, b, c);
  if (nan !== null) {
    if ((a.kind === 'infinity' && c.kind === 'zero') || (a.kind === 'zero' && c.kind === 'infinity'))
      op.raised |= FPSCR.VXIMZ;
    return nan;
  }
  const product = exactProduct(op, a, c);
  if (product === undefined || typeof product === 'bigint') return product;
  if (product.kind === 'infinity' || b.kind === 'infinity') return add(op, product, b);
  return sum(op, product, b);
}

function divide(op: Operation, a: Float, b: Float): Result {
  const nan = op.nan(a, b);
  if (nan !== null) return nan;
  const sign = a.sign === b.sign ? 0 : 1;
  if (a.kind === 'infinity' && b.kind === 'infinity') return op.invalid(FPSCR.VXIDI);
  if (a.kind === 'zero' && b.kind === 'zero') return op.invalid(FPSCR.VXZDZ);
  if (a.kind === 'infinity') return infinity(sign);
  if (b.kind === 'zero') return op.divisionByZero(sign);
  if (a.kind !== 'number' || b.kind !== 'number') return zero(sign);
  const { exponent, significand, sticky } = divideExact(a, b);
  return op.rounded(sign, exponent, significand, sticky);
}

function squareRoot(op: Operation, b: Float): Result {
  const nan = op.nan(b);
  if (nan !== null) return nan;
  if (b.kind === 'zero') return zero(b.sign);
  if (b.sign) return op.invalid(FPSCR.VXSQRT);
  if (b.kind !== 'number') return infinity(0);
  const { exponent, significand, sticky } = rootExact(b);
  return op.rounded(0, exponent, significand, sticky);
}

const ONE: Finite = { kind: 'number', sign: 0, exponent: 0, significand: 1n };

/** 1/sqrt(b), in double precision: as exact as an estimate may be. */
function reciprocalRoot(op: Operation, b: Float): Result {
  const nan = op.nan(b);
  if (nan !== null) return nan;
  if (b.kind === 'zero') return op.divisionByZero(b.sign);
  if (b.sign) return op.invalid(FPSCR.VXSQRT);
  if (b.kind !== 'number') return zero(0);
  const root = rootExact(b);
  const { exponent, significand } = divideExact(ONE, {
    kind: 'number',
    sign: 0,
    exponent: root.exponent,
    significand: root.significand,
  });
  return pack(0, exponent + 13, significand >> 13n);
}

function roundToSingle(op: Operation, b: Float): Result {
  const nan = op.nan(b);
  if (nan !== null) return nan;
  return b.kind === 'number'
    ? op.rounded(b.sign, b.exponent, b.significand)
    : imageOf(b as Extract<Float, { kind: 'zero' | 'infinity' }>);
}

// prettier-ignore
const arithmetic: Readonly<Record<FloatArithmetic, (op: Operation, a: Float, b: Float, c: Float) => Result>> = {
  fadd:    (op, a, b) => add(op, a, b),
  fsub:    (op, a, b) => add(op, a, b.kind === 'nan' ? b : negated(b)),
  fmul:    (op, a, _, c) => multiply(op, a, c),
  fdiv:    (op, a, b) => divide(op, a, b),
  fsqrt:   (op, _, b) => squareRoot(op, b),
  fmadd:   (op, a, b, c) => multiplyAdd(op, a, b, c),
  fmsub:   (op, a, b, c) => multiplyAdd(op, a, b.kind === 'nan' ? b : negated(b), c),
  fnmadd:  (op, a, b, c) => negatedResult(multiplyAdd(op, a, b, c)),
  fnmsub:  (op, a, b, c) => negatedResult(multiplyAdd(op, a, b.kind === 'nan' ? b : negated(b), c)),
  frsp:    (op, _, b) => roundToSingle(op, b),
  fres:    (op, _, b) => divide(op, ONE, b),
  frsqrte: (op, _, b) => reciprocalRoot(op, b),
};

/** A NaN keeps its sign. */
export const negatedResult = (result: Result): Result =>
  result === undefined || unpack(result).kind === 'nan' ? result : result ^ (1n << 63n);

/** ft <- fa op fb, fc, rounded to single or double; then CR1 if Rc is set. */
export function floatArithmetic(
  core: Core,
  name: FloatArithmetic,
  single: boolean,
  ft: number,
  fa: number,
  fb: number,
  fc: number,
): void {
  const op = new Operation(core, single ? SINGLE : DOUBLE);
  const [a, b, c] = [fa, fb, fc].map((register) => unpack(readFpr(core, register)));
  op.finish(ft, arithmetic[name](op, a!, b!, c!));
}

const SIGN = 1n << 63n;
// prettier-ignore
const moves: Readonly<Record<FloatMove, (image: bigint) => bigint>> = {
  fmr:   (image) => image,
  fneg:  (image) => image ^ SIGN,
  fabs:  (image) => image & ~SIGN,
  fnabs: (image) => image | SIGN,
};

/** Moves look at bits only: no exceptions, no rounding. */
export function floatMove(core: Core, name: FloatMove, ft: number, fb: number): void {
  writeFpr(core, ft, moves[name](readFpr(core, fb)));
}

/** fsel: fc where fa >= 0 (zero of either sign counts), else fb; a NaN is not. */
export function floatSelect(core: Core, ft: number, fa: number, fb: number, fc: number): void {
  const a = unpack(readFpr(core, fa));
  const atLeastZero = a.kind === 'zero' || (a.kind !== 'nan' && a.sign === 0);
  writeFpr(core, ft, readFpr(core, atLeastZero ? fc : fb));
}
