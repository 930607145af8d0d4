import type { Bus, Width } from '../bus/bus.js';
import type { Core } from '../cpu/core.js';
import { MSR } from '../isa/registers.js';

/** Memory as a debugger reaches it, at physical addresses of a bus: RAM as it is, devices by `peek`. */
export class PhysicalMemory {
  constructor(readonly bus: Bus) {}

  /** As many of these bytes as can be had, from the first on. Reading changes nothing, not even in a device. */
  read(address: number, length: number): Uint8Array {
    const bytes: number[] = [];
    while (bytes.length < length) {
      const at = address + bytes.length;
      const ram = this.bus.ram.find(at);
      if (ram) {
        const offset = at - ram.base;
        bytes.push(...ram.target.slice(offset, Math.min(length - bytes.length, ram.size - offset, 4096)));
        continue;
      }
      const device = this.bus.devices.find(at);
      if (!device) break;
      const width = widthAt(at, Math.min(length - bytes.length, device.base + device.size - at));
      const value = device.target.peek(at - device.base, width);
      for (let i = width - 1; i >= 0; i--) bytes.push((value >>> (8 * i)) & 0xff);
    }
    return Uint8Array.from(bytes);
  }

  /** Write bytes as far as there is something; gives how many. A device sees them as the program's own stores. */
  write(address: number, bytes: Uint8Array): number {
    let done = 0;
    while (done < bytes.length) {
      const at = address + done;
      const ram = this.bus.writable(at);
      if (ram) {
        const count = Math.min(bytes.length - done, ram.base + ram.size - at);
        ram.target.load(at - ram.base, bytes.subarray(done, done + count));
        done += count;
        continue;
      }
      const device = this.bus.devices.find(at);
      if (!device) break;
      const width = widthAt(at, Math.min(bytes.length - done, device.base + device.size - at));
      let value = 0;
      for (let i = 0; i < width; i++) value = value * 256 + bytes[done + i]!;
      device.target.write(at - device.base, width, value);
      done += width;
    }
    return done;
  }
}

/** The widest access that fits, as a program that copies would use. */
const widthAt = (address: number, left: number): Width =>
  (address & 3) === 0 && left >= 4 ? 4 : (address & 1) === 0 && left >= 2 ? 2 : 1;

/** In place of a TLB entry: the page that is mapped whatever the TLB says. */
export const FIXED = -1;

/** Where an effective address leads: its TLB entry, or FIXED, and physical address. */
export interface Translation {
  readonly entry: number;
  readonly physical: number;
  readonly space: 0 | 1;
}

/**
 * Ask a core's TLB for an address as the program that it runs would, without regard to rights: first in the address space
 * of this use, then in the other. Nothing is remembered, replaced or raised.
 */
export function translate(core: Core, address: number, use: 'code' | 'data' = 'data'): Translation | undefined {
  const { msr, pid, tlb } = core.system;
  const { fixedPage } = core;
  if (fixedPage && !(msr & MSR.PR) && ((address ^ fixedPage.address) & ~0xfff) === 0)
    return { entry: FIXED, physical: fixedPage.physical + (address & 0xfff), space: 0 };
  const first = msr & (use === 'code' ? MSR.IS : MSR.DS) ? 1 : 0;
  for (const space of [first, first ^ 1] as (0 | 1)[]) {
    const entry = tlb.find(address, space, pid);
    if (entry >= 0) return { entry, physical: tlb.real(entry, address), space };
  }
  return undefined;
}

/** Memory at a core's effective addresses. */
export class EffectiveMemory {
  readonly #physical: PhysicalMemory;

  constructor(private readonly core: Core) {
    this.#physical = new PhysicalMemory(core.bus);
  }

  read(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let done = 0;
    for (const { physical, count } of this.#pieces(address, length)) {
      const piece = this.#physical.read(physical, count);
      bytes.set(piece, done);
      done += piece.length;
      if (piece.length < count) break;
    }
    return bytes.subarray(0, done);
  }

  write(address: number, bytes: Uint8Array): number {
    let done = 0;
    for (const { physical, count } of this.#pieces(address, bytes.length)) {
      const written = this.#physical.write(physical, bytes.subarray(done, done + count));
      done += written;
      if (written < count) break;
    }
    return done;
  }

  /** The parts that lie in one page of the smallest size each, up to the first that nothing maps. */
  *#pieces(address: number, length: number): Generator<{ physical: number; count: number }> {
    for (let done = 0; done < length;) {
      const at = (address + done) >>> 0;
      const count = Math.min(length - done, 0x400 - (at & 0x3ff));
      const found = translate(this.core, at);
      if (!found) return;
      yield { physical: found.physical, count };
      done += count;
    }
  }
}

/** The instruction at an effective address; undefined where no memory is mapped for it. */
export function wordAt(core: Core, address: number): number | undefined {
  const found = translate(core, address, 'code');
  const region = found && core.bus.ram.find(found.physical);
  return region && region.target.read(found.physical - region.base, 4);
}
