import { load, probe, store } from './access.js';
import type { Core } from './core.js';
import { pack } from './softfloat.js';

/** Floating-point loads and stores: registers hold doubles, storage holds singles, doubles or integers. */

/** lfs: a single's 32-bit image as a register's. */
export function widen(image: number): bigint {
  const bits = BigInt(image >>> 0);
  const sign = bits >> 31n;
  const biased = (bits >> 23n) & 0xffn;
  const fraction = bits & 0x7fffffn;
  if (biased === 0xffn) return (sign << 63n) | 0x7ff0000000000000n | (fraction << 29n);
  if (biased !== 0n) return (sign << 63n) | ((biased + 896n) << 52n) | (fraction << 29n);
  return fraction === 0n ? sign << 63n : pack(Number(sign) as 0 | 1, -149, fraction);
}

/** stfs: a register's image as a single's; values that no single holds lose bits without rounding (Book E, "Floating-Point Store"). */
export function narrow(image: bigint): number {
  const sign = image >> 63n;
  const biased = Number((image >> 52n) & 0x7ffn);
  if (biased > 896 || (image & 0x7fffffffffffffffn) === 0n) {
    return Number(((image >> 62n) << 30n) | ((image >> 29n) & 0x3fffffffn)) | 0;
  }
  if (biased < 874) return Number(sign << 31n) | 0;
  const significand = (image & 0xfffffffffffffn) | (1n << 52n);
  return Number((sign << 31n) | (significand >> BigInt(29 + 897 - biased))) | 0;
}

/** lfs, lfd: nothing is changed where the access traps. */
export function loadFloat(core: Core, width: 32 | 64, ft: number, address: number): void {
  const image = width === 32 ? widen(load(core, 4, address)) : loadDouble(core, address);
  if (core.trap === null) core.regs.floats[ft] = image;
  else markFloating(core);
}

function loadDouble(core: Core, address: number): bigint {
  if (!probe(core, address, 8, 'read')) return 0n;
  const high = BigInt(load(core, 4, address) >>> 0);
  const low = core.trap === null ? BigInt(load(core, 4, (address + 4) | 0) >>> 0) : 0n;
  return (high << 32n) | low;
}

/** stfs, stfd, stfiwx (the low word as it is). */
export function storeFloat(core: Core, width: 32 | 64 | 'integer', fs: number, address: number): void {
  const image = core.regs.floats[fs]!;
  if (width === 32) store(core, 4, address, narrow(image));
  else if (width === 'integer') store(core, 4, address, Number(BigInt.asIntN(32, image)));
  else if (probe(core, address, 8, 'write')) {
    store(core, 4, address, Number(BigInt.asIntN(32, image >> 32n)));
    if (core.trap === null) store(core, 4, (address + 4) | 0, Number(BigInt.asIntN(32, image)));
  }
  if (core.trap !== null) markFloating(core);
}

/** A storage interrupt of a floating-point instruction says so in ESR[FP]. */
function markFloating(core: Core): void {
  const { trap } = core;
  if (trap && (trap.kind === 'data-storage' || trap.kind === 'data-tlb-miss' || trap.kind === 'alignment')) {
    core.trap = { ...trap, floating: true };
  }
}
