import { bits } from './notation.js';
import { insn, type FloatArithmetic, type FloatMove, type InvalidForm, type Machine } from './spec.js';

/**
 * Book E, "Floating-Point Instructions", as the 440EP's floating-point unit runs them: with fres, frsqrte, fsel, fsqrt and
 * stfiwx. A processor has them where its cpu node says `hv440,fpu`.
 */

type Operands<F> = Readonly<Record<'frt' | 'rc', F>>;
type Names = 'fra' | 'frb' | 'frc';

/** frt <- fra op frb, frc; an operand that the encoding lacks is `frb`, which the operation does not look at. */
const arithmetic =
  (name: FloatArithmetic, single: boolean) =>
  <V, F>(m: Machine<V, F>, f: Operands<F> & Readonly<Partial<Record<Names, F>>>) => {
    const any = (f.frb ?? f.frc)!;
    m.floatingPoint();
    m.floatArithmetic(name, single, f.frt, f.fra ?? any, f.frb ?? any, f.frc ?? any);
    m.recordFloatIf(f.rc);
  };

const move =
  (name: FloatMove) =>
  <V, F>(m: Machine<V, F>, f: Operands<F> & Readonly<Record<'frb', F>>) => {
    m.floatingPoint();
    m.floatMove(name, f.frt, f.frb);
    m.recordFloatIf(f.rc);
  };

const toInteger =
  (towardZero: boolean) =>
  <V, F>(m: Machine<V, F>, f: Operands<F> & Readonly<Record<'frb', F>>) => {
    m.floatingPoint();
    m.floatToInteger(towardZero, f.frt, f.frb);
    m.recordFloatIf(f.rc);
  };

const compare =
  (ordered: boolean) =>
  <V, F>(m: Machine<V, F>, f: Readonly<Record<'bf' | 'fra' | 'frb', F>>) => {
    m.floatingPoint();
    m.floatCompare(ordered, f.bf, f.fra, f.frb);
  };

type D<F> = Readonly<Record<'frt' | 'ra' | 'd', F>>;
type X<F> = Readonly<Record<'frt' | 'ra' | 'rb', F>>;
type FloatWidth = 32 | 64;

const loadD =
  (width: FloatWidth) =>
  <V, F>(m: Machine<V, F>, f: D<F>) => {
    m.floatingPoint();
    m.loadFloat(width, f.frt, m.add(m.gprOrZero(f.ra), m.imm(f.d)));
  };
const loadX =
  (width: FloatWidth) =>
  <V, F>(m: Machine<V, F>, f: X<F>) => {
    m.floatingPoint();
    m.loadFloat(width, f.frt, m.add(m.gprOrZero(f.ra), m.gpr(f.rb)));
  };
const loadUpdateD =
  (width: FloatWidth) =>
  <V, F>(m: Machine<V, F>, f: D<F>) => {
    m.floatingPoint();
    const ea = m.add(m.gpr(f.ra), m.imm(f.d));
    m.loadFloat(width, f.frt, ea);
    m.setGpr(f.ra, ea);
  };
const loadUpdateX =
  (width: FloatWidth) =>
  <V, F>(m: Machine<V, F>, f: X<F>) => {
    m.floatingPoint();
    const ea = m.add(m.gpr(f.ra), m.gpr(f.rb));
    m.loadFloat(width, f.frt, ea);
    m.setGpr(f.ra, ea);
  };
const storeD =
  (width: FloatWidth) =>
  <V, F>(m: Machine<V, F>, f: D<F>) => {
    m.floatingPoint();
    m.storeFloat(width, f.frt, m.add(m.gprOrZero(f.ra), m.imm(f.d)));
  };
const storeX =
  (width: FloatWidth | 'integer') =>
  <V, F>(m: Machine<V, F>, f: X<F>) => {
    m.floatingPoint();
    m.storeFloat(width, f.frt, m.add(m.gprOrZero(f.ra), m.gpr(f.rb)));
  };
const storeUpdateD =
  (width: FloatWidth) =>
  <V, F>(m: Machine<V, F>, f: D<F>) => {
    m.floatingPoint();
    const ea = m.add(m.gpr(f.ra), m.imm(f.d));
    m.storeFloat(width, f.frt, ea);
    m.setGpr(f.ra, ea);
  };
const storeUpdateX =
  (width: FloatWidth) =>
  <V, F>(m: Machine<V, F>, f: X<F>) => {
    m.floatingPoint();
    const ea = m.add(m.gpr(f.ra), m.gpr(f.rb));
    m.storeFloat(width, f.frt, ea);
    m.setGpr(f.ra, ea);
  };

const fpu = { rare: true, requires: 'fpu' } as const;
const noBase: readonly InvalidForm[] = [{ kind: 'clear', field: 'ra', bits: 31 }];
const fpuUpdate = { ...fpu, invalid: noBase };

/** Arithmetic in single (primary opcode 59) and double precision (63). */
// prettier-ignore
const arithmetics = ([['s', 59], ['', 63]] as const).flatMap(([suffix, opcode]) => {
  const op = bits(opcode, 6);
  const single = suffix === 's';
  return [
    insn(`fdiv${suffix}`,   `${op} frt:5 fra:5 frb:5 00000 10010 rc:1`, 'frt, fra, frb',      arithmetic('fdiv', single), fpu),
    insn(`fsub${suffix}`,   `${op} frt:5 fra:5 frb:5 00000 10100 rc:1`, 'frt, fra, frb',      arithmetic('fsub', single), fpu),
    insn(`fadd${suffix}`,   `${op} frt:5 fra:5 frb:5 00000 10101 rc:1`, 'frt, fra, frb',      arithmetic('fadd', single), fpu),
    insn(`fsqrt${suffix}`,  `${op} frt:5 00000 frb:5 00000 10110 rc:1`, 'frt, frb',           arithmetic('fsqrt', single), fpu),
    insn(`fmul${suffix}`,   `${op} frt:5 fra:5 00000 frc:5 11001 rc:1`, 'frt, fra, frc',      arithmetic('fmul', single), fpu),
    insn(`fmsub${suffix}`,  `${op} frt:5 fra:5 frb:5 frc:5 11100 rc:1`, 'frt, fra, frc, frb', arithmetic('fmsub', single), fpu),
    insn(`fmadd${suffix}`,  `${op} frt:5 fra:5 frb:5 frc:5 11101 rc:1`, 'frt, fra, frc, frb', arithmetic('fmadd', single), fpu),
    insn(`fnmsub${suffix}`, `${op} frt:5 fra:5 frb:5 frc:5 11110 rc:1`, 'frt, fra, frc, frb', arithmetic('fnmsub', single), fpu),
    insn(`fnmadd${suffix}`, `${op} frt:5 fra:5 frb:5 frc:5 11111 rc:1`, 'frt, fra, frc, frb', arithmetic('fnmadd', single), fpu),
  ];
});

// prettier-ignore
export const floatingPoint = [
  ...arithmetics,
  insn('fres',    '111011 frt:5 00000 frb:5 00000 11000 rc:1', 'frt, frb', arithmetic('fres', true), fpu),
  insn('frsqrte', '111111 frt:5 00000 frb:5 00000 11010 rc:1', 'frt, frb', arithmetic('frsqrte', false), fpu),
  insn('frsp',    '111111 frt:5 00000 frb:5 0000001100 rc:1',  'frt, frb', arithmetic('frsp', true), fpu),
  insn('fsel',    '111111 frt:5 fra:5 frb:5 frc:5 10111 rc:1', 'frt, fra, frc, frb', (m, f) => {
    m.floatingPoint();
    m.floatSelect(f.frt, f.fra, f.frb, f.frc);
    m.recordFloatIf(f.rc);
  }, fpu),
  insn('fcmpu',   '111111 bf:3 00 fra:5 frb:5 0000000000 0',   'bf, fra, frb', compare(false), fpu),
  insn('fcmpo',   '111111 bf:3 00 fra:5 frb:5 0000100000 0',   'bf, fra, frb', compare(true), fpu),
  insn('fctiw',   '111111 frt:5 00000 frb:5 0000001110 rc:1',  'frt, frb', toInteger(false), fpu),
  insn('fctiwz',  '111111 frt:5 00000 frb:5 0000001111 rc:1',  'frt, frb', toInteger(true), fpu),
  insn('fneg',    '111111 frt:5 00000 frb:5 0000101000 rc:1',  'frt, frb', move('fneg'), fpu),
  insn('fmr',     '111111 frt:5 00000 frb:5 0001001000 rc:1',  'frt, frb', move('fmr'), fpu),
  insn('fnabs',   '111111 frt:5 00000 frb:5 0010001000 rc:1',  'frt, frb', move('fnabs'), fpu),
  insn('fabs',    '111111 frt:5 00000 frb:5 0100001000 rc:1',  'frt, frb', move('fabs'), fpu),
  insn('mtfsb1',  '111111 n:5 00000 00000 0000100110 rc:1',    'n', (m, f) => {
    m.floatingPoint();
    m.writeFpscrBit(f.n, true);
    m.recordFloatIf(f.rc);
  }, fpu),
  insn('mtfsb0',  '111111 n:5 00000 00000 0001000110 rc:1',    'n', (m, f) => {
    m.floatingPoint();
    m.writeFpscrBit(f.n, false);
    m.recordFloatIf(f.rc);
  }, fpu),
  insn('mcrfs',   '111111 bf:3 00 bfa:3 00 00000 0001000000 0', 'bf, bfa', (m, f) => {
    m.floatingPoint();
    m.takeFpscrField(f.bf, f.bfa);
  }, fpu),
  insn('mtfsfi',  '111111 n:3 00 00000 u:4 0 0010000110 rc:1', 'n, u', (m, f) => {
    m.floatingPoint();
    m.writeFpscrImmediate(f.n, f.u);
    m.recordFloatIf(f.rc);
  }, fpu),
  insn('mffs',    '111111 frt:5 00000 00000 1001000111 rc:1',  'frt', (m, f) => {
    m.floatingPoint();
    m.readFpscr(f.frt);
    m.recordFloatIf(f.rc);
  }, fpu),
  insn('mtfsf',   '111111 . flm:8 . frb:5 1011000111 rc:1',    'flm, frb', (m, f) => {
    m.floatingPoint();
    m.writeFpscrFields(f.flm, f.frb);
    m.recordFloatIf(f.rc);
  }, fpu),

  insn('lfs',    '110000 frt:5 ra:5 d:s16', 'frt, d(ra)', loadD(32), fpu),
  insn('lfsu',   '110001 frt:5 ra:5 d:s16', 'frt, d(ra)', loadUpdateD(32), fpuUpdate),
  insn('lfd',    '110010 frt:5 ra:5 d:s16', 'frt, d(ra)', loadD(64), fpu),
  insn('lfdu',   '110011 frt:5 ra:5 d:s16', 'frt, d(ra)', loadUpdateD(64), fpuUpdate),
  insn('stfs',   '110100 frt:5 ra:5 d:s16', 'frt, d(ra)', storeD(32), fpu),
  insn('stfsu',  '110101 frt:5 ra:5 d:s16', 'frt, d(ra)', storeUpdateD(32), fpuUpdate),
  insn('stfd',   '110110 frt:5 ra:5 d:s16', 'frt, d(ra)', storeD(64), fpu),
  insn('stfdu',  '110111 frt:5 ra:5 d:s16', 'frt, d(ra)', storeUpdateD(64), fpuUpdate),
  insn('lfsx',   '011111 frt:5 ra:5 rb:5 1000010111 0', 'frt, ra, rb', loadX(32), fpu),
  insn('lfsux',  '011111 frt:5 ra:5 rb:5 1000110111 0', 'frt, ra, rb', loadUpdateX(32), fpuUpdate),
  insn('lfdx',   '011111 frt:5 ra:5 rb:5 1001010111 0', 'frt, ra, rb', loadX(64), fpu),
  insn('lfdux',  '011111 frt:5 ra:5 rb:5 1001110111 0', 'frt, ra, rb', loadUpdateX(64), fpuUpdate),
  insn('stfsx',  '011111 frt:5 ra:5 rb:5 1010010111 0', 'frt, ra, rb', storeX(32), fpu),
  insn('stfsux', '011111 frt:5 ra:5 rb:5 1010110111 0', 'frt, ra, rb', storeUpdateX(32), fpuUpdate),
  insn('stfdx',  '011111 frt:5 ra:5 rb:5 1011010111 0', 'frt, ra, rb', storeX(64), fpu),
  insn('stfdux', '011111 frt:5 ra:5 rb:5 1011110111 0', 'frt, ra, rb', storeUpdateX(64), fpuUpdate),
  insn('stfiwx', '011111 frt:5 ra:5 rb:5 1111010111 0', 'frt, ra, rb', storeX('integer'), fpu),
];

/** isel, which sources disagree on for the 440: a processor has it where its cpu node says `hv440,isel`. */
// prettier-ignore
export const integerSelect = [
  insn('isel',   '011111 rt:5 ra:5 rb:5 bc:5 01111 .', 'rt, ra, rb, bc', (m, f) =>
    m.setGpr(f.rt, m.select(m.crBit(f.bc), m.gprOrZero(f.ra), m.gpr(f.rb))), { rare: true, requires: 'isel' }),
];
