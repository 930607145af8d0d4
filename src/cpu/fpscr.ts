import { MSR } from '../isa/registers.js';
import type { Core } from './core.js';
import type { Rounding } from './softfloat.js';
import { R } from './state.js';

/** Floating-point status and control register (Book E, "Floating-Point Registers"). */
// prettier-ignore
export const FPSCR = {
  FX: 0x80000000 | 0, FEX: 0x40000000, VX: 0x20000000, OX: 0x10000000, UX: 0x08000000, ZX: 0x04000000, XX: 0x02000000,
  VXSNAN: 0x01000000, VXISI: 0x00800000, VXIDI: 0x00400000, VXZDZ: 0x00200000, VXIMZ: 0x00100000, VXVC: 0x00080000,
  FR: 0x00040000, FI: 0x00020000, FPRF: 0x0001f000, VXSOFT: 0x400, VXSQRT: 0x200, VXCVI: 0x100,
  VE: 0x80, OE: 0x40, UE: 0x20, ZE: 0x10, XE: 0x08, NI: 0x04, RN: 0x03,
} as const;

export const INVALID =
  FPSCR.VXSNAN |
  FPSCR.VXISI |
  FPSCR.VXIDI |
  FPSCR.VXZDZ |
  FPSCR.VXIMZ |
  FPSCR.VXVC |
  FPSCR.VXSOFT |
  FPSCR.VXSQRT |
  FPSCR.VXCVI;
export const EXCEPTIONS = INVALID | FPSCR.OX | FPSCR.UX | FPSCR.ZX | FPSCR.XX;
export const roundings: readonly Rounding[] = ['nearest', 'zero', 'up', 'down'];

/** Exceptions are sticky; a new one sets FX. */
export const raise = (fpscr: number, causes: number): number => (causes & ~fpscr ? fpscr | FPSCR.FX : fpscr) | causes;

/** VX and FEX follow the other bits. */
export function summarize(fpscr: number): number {
  const plain = fpscr & ~(FPSCR.VX | FPSCR.FEX);
  const withInvalid = plain & INVALID ? plain | FPSCR.VX : plain;
  const enabled =
    ((withInvalid >>> 29) & 1 & (plain >>> 7)) |
    ((plain >>> 28) & 1 & (plain >>> 6)) |
    ((plain >>> 27) & 1 & (plain >>> 5)) |
    ((plain >>> 26) & 1 & (plain >>> 4)) |
    ((plain >>> 25) & 1 & (plain >>> 3));
  return enabled & 1 ? withInvalid | FPSCR.FEX : withInvalid;
}

/** An enabled exception is a program interrupt while MSR[FE0,FE1] are not both 0; all modes are precise here. */
export function trapIfEnabled(core: Core): void {
  if (core.regs.words[R.FPSCR]! & FPSCR.FEX && core.system.msr & (MSR.FE0 | MSR.FE1))
    core.raise({ kind: 'program', cause: 'floating-point' });
}

/** mtfsf, mtfsfi: fields of the FPSCR by an eight-bit mask; FEX and VX are not written but follow. */
export function writeFpscrFields(core: Core, mask: number, value: number): void {
  let bits = 0;
  for (let field = 0; field < 8; field++) if (mask & (0x80 >> field)) bits |= 0xf << (28 - 4 * field);
  const { words } = core.regs;
  words[R.FPSCR] = summarize((words[R.FPSCR]! & ~bits) | (value & bits));
  trapIfEnabled(core);
}

/** mtfsb0, mtfsb1: one bit; setting an exception's sets FX too. Bits 1 and 2 (FEX, VX) cannot be written. */
export function writeFpscrBit(core: Core, bit: number, set: boolean): void {
  if (bit === 1 || bit === 2) return;
  const { words } = core.regs;
  const mask = (0x80000000 >>> bit) | 0;
  const fpscr = words[R.FPSCR]!;
  words[R.FPSCR] = summarize(set ? raise(fpscr, mask & EXCEPTIONS) | mask : fpscr & ~mask);
  trapIfEnabled(core);
}

/** mcrfs: an FPSCR field's value; its exception bits are cleared. */
export function takeFpscrField(core: Core, field: number): number {
  const { words } = core.regs;
  const shift = 28 - 4 * field;
  const fpscr = words[R.FPSCR]!;
  words[R.FPSCR] = summarize(fpscr & ~((15 << shift) & (EXCEPTIONS | FPSCR.FX)));
  return (fpscr >>> shift) & 15;
}

/** CR1 <- FX, FEX, VX, OX: what a floating-point instruction with Rc records. */
export function recordFloat(core: Core): void {
  const { words } = core.regs;
  words[R.CR] = (words[R.CR]! & ~0x0f000000) | ((words[R.FPSCR]! >>> 4) & 0x0f000000);
}

/** mtfsfi: one field. */
export const writeFpscrImmediate = (core: Core, field: number, value: number): void =>
  writeFpscrFields(core, 0x80 >> field, value << (28 - 4 * field));

/** mtfsf: the value is the low word of a register. */
export const writeFpscrFrom = (core: Core, mask: number, fb: number): void =>
  writeFpscrFields(core, mask, Number(BigInt.asIntN(32, core.regs.floats[fb]!)));

/** mffs: the FPSCR in the low word; the high word is undefined, here what QEMU gives. */
export function readFpscr(core: Core, ft: number): void {
  core.regs.floats[ft] = BigInt(core.regs.words[R.FPSCR]! >>> 0);
}

/** mcrfs: CR field <- FPSCR field. */
export function moveFpscrField(core: Core, crField: number, field: number): void {
  const { words } = core.regs;
  const shift = 28 - 4 * crField;
  words[R.CR] = (words[R.CR]! & ~(15 << shift)) | (takeFpscrField(core, field) << shift);
}
