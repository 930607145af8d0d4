import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { FPSCR } from '../../src/cpu/fpscr.js';
import { R } from '../../src/cpu/state.js';
import { instructionsOf } from '../../src/isa/instructions.js';
import { insert, type Instruction } from '../../src/isa/spec.js';
import { MSR } from '../../src/isa/registers.js';
import { machine, map } from './machine.js';

const features = new Set(['fpu', 'isel'] as const);
const engine = new Interpreter({ features });
const byName = new Map(instructionsOf(features).map((i) => [i.name, i]));

function word(name: string, values: Record<string, number>): number {
  const instruction: Instruction = byName.get(name)!;
  return instruction.fields.reduce((all, f) => (all | insert(values[f.name] ?? 0, f)) >>> 0, instruction.match);
}

const { core, ram } = machine({ ram: 0x10000, engine });
map(core, 0, { ea: 0, pa: 0, size: 3 });

const view = new DataView(new ArrayBuffer(8));
const image = (value: number): bigint => (view.setFloat64(0, value), view.getBigUint64(0));
const number = (bits: bigint): number => (view.setBigUint64(0, bits), view.getFloat64(0));

/** Run one floating-point instruction on these operands; gives the result's image and the FPSCR. */
function run(
  name: string,
  operands: { a?: number; b?: number; c?: number },
  { fpscr = 0, msr = MSR.FP | MSR.ME } = {},
) {
  const { floats, words } = core.regs;
  floats[1] = image(operands.a ?? 0);
  floats[2] = image(operands.b ?? 0);
  floats[3] = image(operands.c ?? 0);
  floats[4] = 0x1234n;
  words[R.FPSCR] = fpscr;
  core.system.msr = msr;
  core.contextChanged();
  core.regs.pc = 0x100;
  ram.write(0x100, 4, word(name, { frt: 4, fra: 1, frb: 2, frc: 3 }));
  const trap = core.step();
  return { trap, bits: floats[4]!, value: number(floats[4]!), fpscr: words[R.FPSCR]! };
}

const doubles = fc.double({ noNaN: true });
const sameNumber = (got: number, expected: number): void =>
  expect(Object.is(got, expected) || (Number.isNaN(got) && Number.isNaN(expected))).toBe(true);

describe('rounding to nearest agrees with the host, which rounds once too', () => {
  test('double precision', () => {
    fc.assert(
      fc.property(doubles, doubles, (a, b) => {
        sameNumber(run('fadd', { a, b }).value, a + b);
        sameNumber(run('fsub', { a, b }).value, a - b);
        sameNumber(run('fmul', { a, c: b }).value, a * b);
        sameNumber(run('fdiv', { a, b }).value, a / b);
        sameNumber(run('fsqrt', { b }).value, Math.sqrt(b));
        sameNumber(run('frsp', { b }).value, Math.fround(b));
      }),
      { numRuns: 2000 },
    );
  });

  test('single precision of single operands: twice rounding by the host is once, as a double has more than twice the digits', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.float({ noNaN: true }), (a, b) => {
        sameNumber(run('fadds', { a, b }).value, Math.fround(a + b));
        sameNumber(run('fmuls', { a, c: b }).value, Math.fround(a * b));
        sameNumber(run('fdivs', { a, b }).value, Math.fround(a / b));
        sameNumber(run('fsqrts', { b }).value, Math.fround(Math.sqrt(b)));
      }),
      { numRuns: 2000 },
    );
  });
});

test('a multiply-add rounds once', () => {
  const a = 1 + 2 ** -30;
  const exact = 2 ** -60; // a * a = 1 + 2^-29 + 2^-60
  expect(run('fmadd', { a, c: a, b: -(1 + 2 ** -29) }).value).toBe(exact);
  expect(run('fmsub', { a, c: a, b: 1 + 2 ** -29 }).value).toBe(exact);
  expect(run('fnmadd', { a, c: a, b: -(1 + 2 ** -29) }).value).toBe(-exact);
  expect(run('fnmsub', { a, c: a, b: 1 + 2 ** -29 }).value).toBe(-exact);
});

test.each([
  [0, 1 / 3, 0.3333333333333333],
  [1, 1 / 3, 0.3333333333333333],
  [2, 1 / 3, 0.33333333333333337],
  [3, 1 / 3, 0.3333333333333333],
])('FPSCR[RN] = %i rounds 1/3 accordingly', (mode, _, expected) => {
  expect(run('fdiv', { a: 1, b: 3 }, { fpscr: mode }).value).toBe(expected);
});

test('a sum that cancels is +0, but -0 when rounding down', () => {
  sameNumber(run('fsub', { a: 1, b: 1 }).value, 0);
  sameNumber(run('fsub', { a: 1, b: 1 }, { fpscr: 3 }).value, -0);
});

describe('exceptions', () => {
  test.each([
    ['fadd', { a: Infinity, b: -Infinity }, FPSCR.VXISI],
    ['fdiv', { a: 0, b: 0 }, FPSCR.VXZDZ],
    ['fdiv', { a: Infinity, b: Infinity }, FPSCR.VXIDI],
    ['fmul', { a: 0, c: Infinity }, FPSCR.VXIMZ],
    ['fsqrt', { b: -1 }, FPSCR.VXSQRT],
  ])('%s %o is invalid and gives the default NaN', (name, operands, cause) => {
    const { bits, fpscr, trap } = run(name, operands);
    expect([bits, trap]).toEqual([0x7ff8000000000000n, null]);
    expect(fpscr & (cause | FPSCR.VX | FPSCR.FX)).toBe(cause | FPSCR.VX | FPSCR.FX | 0);
  });

  test('an enabled invalid operation leaves the target alone, and is a program interrupt while MSR[FE0,FE1] say so', () => {
    const quiet = run('fdiv', { a: 0, b: 0 }, { fpscr: FPSCR.VE });
    expect([quiet.bits, quiet.trap]).toEqual([0x1234n, null]);
    expect(quiet.fpscr & FPSCR.FEX).not.toBe(0);
    const loud = run('fdiv', { a: 0, b: 0 }, { fpscr: FPSCR.VE, msr: MSR.FP | MSR.FE0 | MSR.FE1 });
    expect(loud.trap).toEqual({ kind: 'program', cause: 'floating-point' });
  });

  test('division by zero, overflow, underflow and inexact are told apart', () => {
    expect(run('fdiv', { a: 1, b: 0 }).fpscr & FPSCR.ZX).not.toBe(0);
    const over = run('fmul', { a: 1e300, c: 1e300 });
    expect([over.value, over.fpscr & (FPSCR.OX | FPSCR.XX)]).toEqual([Infinity, FPSCR.OX | FPSCR.XX]);
    const under = run('fmul', { a: 1e-300, c: 1.1e-20 });
    expect(under.fpscr & (FPSCR.UX | FPSCR.XX)).toBe(FPSCR.UX | FPSCR.XX);
    expect(run('fadd', { a: 1, b: 2 }).fpscr & (FPSCR.XX | FPSCR.FI | FPSCR.FX)).toBe(0);
  });
});

test('without MSR[FP] every floating-point word is unavailable, and without a unit it is illegal', () => {
  expect(run('fadd', { a: 1, b: 2 }, { msr: 0 }).trap).toEqual({ kind: 'fp-unavailable' });
  const plain = machine({ ram: 0x10000 });
  map(plain.core, 0, { ea: 0, pa: 0, size: 3 });
  plain.ram.write(0, 4, word('fadd', { frt: 4, fra: 1, frb: 2 }));
  plain.core.regs.pc = 0;
  expect(plain.core.step()).toEqual({ kind: 'program', cause: 'illegal' });
});

test('loads and stores convert between single and double', () => {
  fc.assert(
    fc.property(fc.float(), (value) => {
      view.setFloat32(0, value);
      ram.write(0x200, 4, view.getUint32(0));
      core.regs.gpr[5] = 0x200;
      core.system.msr = MSR.FP;
      core.contextChanged();
      core.regs.pc = 0x100;
      ram.write(0x100, 4, word('lfs', { frt: 7, ra: 5, d: 0 }));
      ram.write(0x104, 4, word('stfs', { frt: 7, ra: 5, d: 8 }));
      ram.write(0x108, 4, word('stfd', { frt: 7, ra: 5, d: 16 }));
      expect([core.step(), core.step(), core.step()]).toEqual([null, null, null]);
      expect(ram.read(0x208, 4)).toBe(ram.read(0x200, 4));
      sameNumber(number((BigInt(ram.read(0x210, 4)) << 32n) | BigInt(ram.read(0x214, 4))), value);
    }),
  );
});

test.each([
  [2.5, 'fctiw', 2],
  [3.5, 'fctiw', 4],
  [-2.7, 'fctiwz', -2],
  [1e10, 'fctiw', 0x7fffffff],
  [-1e10, 'fctiw', -0x80000000],
  [NaN, 'fctiwz', -0x80000000],
])('%d by %s is the integer %i', (b, name, expected) => {
  expect(Number(BigInt.asIntN(32, run(name, { b }).bits))).toBe(expected);
});

test.each([
  [1, 2, 8],
  [2, 1, 4],
  [-0, 0, 2],
  [NaN, 0, 1],
  [-Infinity, Infinity, 8],
  [1e-310, 2e-310, 8],
])('comparing %d with %d sets the field to %i', (a, b, expected) => {
  core.regs.floats[1] = image(a);
  core.regs.floats[2] = image(b);
  core.regs.words[R.FPSCR] = 0;
  core.system.msr = MSR.FP;
  core.contextChanged();
  core.regs.pc = 0x100;
  ram.write(0x100, 4, word('fcmpu', { bf: 3, fra: 1, frb: 2 }));
  expect(core.step()).toBe(null);
  expect((core.regs.cr >>> 16) & 15).toBe(expected);
  expect((core.regs.words[R.FPSCR]! >>> 12) & 15).toBe(expected);
});

test('moves and the selection look at bits alone', () => {
  expect(run('fneg', { b: 1 }).value).toBe(-1);
  expect(run('fnabs', { b: 1 }).value).toBe(-1);
  expect(run('fabs', { b: -1 }).value).toBe(1);
  expect(run('fsel', { a: -0, b: 2, c: 3 }).value).toBe(3);
  expect(run('fsel', { a: NaN, b: 2, c: 3 }).value).toBe(2);
});

test('isel chooses by a bit of the condition register', () => {
  core.regs.cr = 0x20000000;
  core.regs.gpr[5] = 50;
  core.regs.gpr[6] = 60;
  core.regs.pc = 0x100;
  ram.write(0x100, 4, word('isel', { rt: 7, ra: 5, rb: 6, bc: 2 }));
  ram.write(0x104, 4, word('isel', { rt: 8, ra: 0, rb: 6, bc: 2 }));
  ram.write(0x108, 4, word('isel', { rt: 9, ra: 5, rb: 6, bc: 1 }));
  expect([core.step(), core.step(), core.step()]).toEqual([null, null, null]);
  expect(Array.from(core.regs.gpr.subarray(7, 10))).toEqual([50, 0, 60]);
});
