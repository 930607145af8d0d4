import type { Ram } from './memory.js';

/**
 * A physical address, 36 bits wide (0 to 0xf_ffff_ffff). A plain number, never put through `| 0`.
 * PPC440x5 User's Manual, "Memory Management", real address.
 */
export type Physical = number & { readonly __physical?: never };

export type Width = 1 | 2 | 4;

/** A device sees offsets into its own registers, never addresses. Values are unsigned. */
export interface Device {
  /** What the guest does: may take a byte out of a FIFO or acknowledge an interrupt. */
  read(offset: number, width: Width): number;
  write(offset: number, width: Width, value: number): void;
  /** What a debugger does: the value a read would give, with nothing changed. */
  peek(offset: number, width: Width): number;
}

/** A device whose registers are device control registers (mfdcr, mtdcr); offsets count registers. */
export interface DcrDevice {
  readDcr(offset: number): number;
  writeDcr(offset: number, value: number): void;
  peekDcr(offset: number): number;
}

/** One end of an interrupt wire. */
export interface Line {
  set(asserted: boolean): void;
}

/** A stretch of physical address space and what answers there. */
export interface Region<T> {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  readonly target: T;
}

/** Address ranges that may not overlap, each with what answers there. */
export class AddressMap<T> {
  readonly #regions: Region<T>[] = [];
  #last: Region<T> | undefined;
  /** Between these there is nothing: the gap that was last met. */
  #gap = { from: 0, to: 0 };

  /** Throws when the range overlaps one that is already there; configurations are checked before they get here. */
  attach(name: string, base: number, size: number, target: T): void {
    const clash = this.#regions.find((r) => base < r.base + r.size && r.base < base + size);
    if (clash) throw new Error(`${name} at ${hex(base)} overlaps ${clash.name} at ${hex(clash.base)}`);
    this.#regions.push({ name, base, size, target });
    this.#gap = { from: 0, to: 0 };
  }

  find(address: number): Region<T> | undefined {
    const last = this.#last;
    if (last && address >= last.base && address < last.base + last.size) return last;
    if (address >= this.#gap.from && address < this.#gap.to) return undefined;
    return this.#search(address);
  }

  #search(address: number): Region<T> | undefined {
    let [from, to] = [0, Infinity];
    for (const region of this.#regions) {
      const end = region.base + region.size;
      if (address >= region.base && address < end) return (this.#last = region);
      if (end <= address) from = Math.max(from, end);
      else to = Math.min(to, region.base);
    }
    this.#gap = { from, to };
    return undefined;
  }

  get regions(): readonly Region<T>[] {
    return this.#regions;
  }
}

/** What a processor is plugged into: memory and devices by physical address, device control registers by number. */
export class Bus {
  readonly ram = new AddressMap<Ram>();
  readonly devices = new AddressMap<Device>();
  readonly dcrs = new AddressMap<DcrDevice>();

  /** Buses that lead to the same devices share what is known of broken ones. */
  constructor(private readonly refusals: Map<Device, number> = new Map()) {}

  /** The memory that answers a store: none where memory is only read. */
  writable(address: number): Region<Ram> | undefined {
    const region = this.ram.find(address);
    return region?.target.readOnly ? undefined : region;
  }

  /** A fault: a device answers so many accesses with a bus error; Infinity: all, and 0: none any more. */
  refuse(device: Device, count: number): void {
    if (count > 0) this.refusals.set(device, count);
    else this.refusals.delete(device);
  }

  /** Does a device answer this access with a bus error? Called once for each. */
  refuses(device: Device): boolean {
    if (this.refusals.size === 0) return false;
    const left = this.refusals.get(device);
    if (left === undefined) return false;
    this.refuse(device, left - 1);
    return true;
  }

  /** The bases of devices that answer with bus errors, each with how often; undefined where there are none. */
  saveRefusals(): [number, number][] | undefined {
    const broken = this.devices.regions.flatMap(({ base, target }): [number, number][] => {
      const left = this.refusals.get(target);
      return left === undefined ? [] : [[base, left]];
    });
    return broken.length > 0 ? broken : undefined;
  }

  restoreRefusals(saved: readonly (readonly [number, number])[] = []): void {
    for (const { base, target } of this.devices.regions)
      this.refuse(target, saved.find(([at]) => at === base)?.[1] ?? 0);
  }

  /** For a bus that leads to the same devices. */
  get sharedRefusals(): Map<Device, number> {
    return this.refusals;
  }
}

export const hex = (value: number): string => `0x${value.toString(16)}`;
