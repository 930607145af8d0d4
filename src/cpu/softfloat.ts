/**
 * IEEE 754 arithmetic, exact and rounded once, on the 64-bit images that floating-point registers hold. Slow and plain:
 * values are taken apart into sign, exponent and an integer significand of any length.
 */

export type Rounding = 'nearest' | 'zero' | 'up' | 'down';

/** Exponent range and precision of a format, in bits of significand with the hidden one. */
export interface Format {
  readonly precision: number;
  readonly minExponent: number; // of the smallest normal number, for a significand read as 1.f
  readonly maxExponent: number;
}

export const DOUBLE: Format = { precision: 53, minExponent: -1022, maxExponent: 1023 };
export const SINGLE: Format = { precision: 24, minExponent: -126, maxExponent: 127 };

/** A register's value taken apart. A number is (-1)^sign * significand * 2^exponent. */
export type Float =
  | { readonly kind: 'number'; readonly sign: 0 | 1; readonly exponent: number; readonly significand: bigint } // significand > 0
  | { readonly kind: 'zero'; readonly sign: 0 | 1 }
  | { readonly kind: 'infinity'; readonly sign: 0 | 1 }
  | { readonly kind: 'nan'; readonly sign: 0 | 1; readonly payload: bigint; readonly signalling: boolean };

const QUIET = 1n << 51n;
const FRACTION = (1n << 52n) - 1n;
export const DEFAULT_NAN = 0x7ff8000000000000n;
const signBit = (sign: 0 | 1): bigint => BigInt(sign) << 63n;

export function unpack(bits: bigint): Float {
  const sign = Number(bits >> 63n) as 0 | 1;
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & FRACTION;
  if (biased === 0x7ff) {
    if (fraction === 0n) return { kind: 'infinity', sign };
    return { kind: 'nan', sign, payload: fraction, signalling: (fraction & QUIET) === 0n };
  }
  if (biased === 0 && fraction === 0n) return { kind: 'zero', sign };
  if (biased === 0) return { kind: 'number', sign, exponent: -1074, significand: fraction };
  return { kind: 'number', sign, exponent: biased - 1075, significand: fraction | (1n << 52n) };
}

/** A NaN operand as a result: made quiet, its payload kept. */
export const quieted = (nan: Extract<Float, { kind: 'nan' }>): bigint =>
  signBit(nan.sign) | 0x7ff0000000000000n | nan.payload | QUIET;

export const zero = (sign: 0 | 1): bigint => signBit(sign);
export const infinity = (sign: 0 | 1): bigint => signBit(sign) | 0x7ff0000000000000n;

/** What rounding did to an exact value. */
export interface Rounded {
  readonly bits: bigint;
  readonly inexact: boolean;
  /** The magnitude was rounded up (FPSCR[FR]). */
  readonly incremented: boolean;
  readonly overflow: boolean;
  readonly underflow: boolean;
}

const bitLength = (value: bigint): number => value.toString(2).length;

/**
 * Round (-1)^sign * significand * 2^exponent, and a bit more if `sticky`, to a format. Tiny is judged before rounding, as
 * PowerPC does; underflow is reported when the result is tiny and inexact.
 */
export function round(
  sign: 0 | 1,
  exponent: number,
  significand: bigint,
  sticky: boolean,
  format: Format,
  mode: Rounding,
): Rounded {
  const length = bitLength(significand);
  const top = exponent + length - 1;
  const tiny = top < format.minExponent;
  const lowest = Math.max(top, format.minExponent) - (format.precision - 1); // weight of the result's last bit
  const drop = lowest - exponent;
  let kept = drop > 0 ? significand >> BigInt(drop) : significand << BigInt(-drop);
  const lost = drop > 0 ? significand & ((1n << BigInt(drop)) - 1n) : 0n;
  const half = drop > 0 ? 1n << BigInt(drop - 1) : 0n;
  const inexact = lost !== 0n || sticky;
  const up = inexact && roundsUp(mode, sign, kept, lost, half, sticky);
  if (up) kept += 1n;
  if (kept === 0n)
    return { bits: zero(sign), inexact, incremented: false, overflow: false, underflow: tiny && inexact };
  const resultTop = lowest + bitLength(kept) - 1;
  if (resultTop > format.maxExponent) return overflowed(sign, format, mode);
  return { bits: pack(sign, lowest, kept), inexact, incremented: up, overflow: false, underflow: tiny && inexact };
}

function roundsUp(mode: Rounding, sign: 0 | 1, kept: bigint, lost: bigint, half: bigint, sticky: boolean): boolean {
  if (mode === 'zero') return false;
  if (mode === 'up') return sign === 0;
  if (mode === 'down') return sign === 1;
  if (half === 0n || lost < half) return false;
  return lost > half || sticky || (kept & 1n) === 1n;
}

function overflowed(sign: 0 | 1, format: Format, mode: Rounding): Rounded {
  const toInfinity = mode === 'nearest' || (mode === 'up' && sign === 0) || (mode === 'down' && sign === 1);
  const largest = pack(sign, format.maxExponent - (format.precision - 1), (1n << BigInt(format.precision)) - 1n);
  return {
    bits: toInfinity ? infinity(sign) : largest,
    inexact: true,
    incremented: toInfinity,
    overflow: true,
    underflow: false,
  };
}

/** The image of a value that a double can hold. */
export function pack(sign: 0 | 1, exponent: number, significand: bigint): bigint {
  const length = bitLength(significand);
  const top = exponent + length - 1;
  if (top < DOUBLE.minExponent) return signBit(sign) | (significand << BigInt(exponent + 1074));
  const shift = 53 - length;
  const normal = shift >= 0 ? significand << BigInt(shift) : significand >> BigInt(-shift);
  return signBit(sign) | (BigInt(top + 1023) << 52n) | (normal & FRACTION);
}

/** Exact sum of two numbers: sign, exponent, significand; significand 0 where they cancel. */
export function addExact(
  a: Extract<Float, { kind: 'number' }>,
  b: Extract<Float, { kind: 'number' }>,
): { sign: 0 | 1; exponent: number; significand: bigint } {
  const exponent = Math.min(a.exponent, b.exponent);
  const signed = (x: typeof a): bigint => (x.sign ? -x.significand : x.significand) << BigInt(x.exponent - exponent);
  const sum = signed(a) + signed(b);
  return { sign: sum < 0n ? 1 : 0, exponent, significand: sum < 0n ? -sum : sum };
}

/** A quotient to 64 bits and whether anything is left over. */
export function divideExact(a: Extract<Float, { kind: 'number' }>, b: Extract<Float, { kind: 'number' }>) {
  const shift = Math.max(0, 66 + bitLength(b.significand) - bitLength(a.significand));
  const dividend = a.significand << BigInt(shift);
  const significand = dividend / b.significand;
  return { exponent: a.exponent - b.exponent - shift, significand, sticky: dividend % b.significand !== 0n };
}

/** A square root to 64 bits and whether anything is left over. */
export function rootExact(a: Extract<Float, { kind: 'number' }>) {
  const wanted = 2 * 66 - bitLength(a.significand);
  const shift = (a.exponent - wanted) % 2 === 0 ? wanted : wanted + 1;
  const radicand = a.significand << BigInt(Math.max(0, shift));
  const significand = squareRoot(radicand);
  return {
    exponent: (a.exponent - Math.max(0, shift)) / 2,
    significand,
    sticky: significand * significand !== radicand,
  };
}

/** The largest integer whose square is no more than the value. */
function squareRoot(value: bigint): bigint {
  let guess = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}
