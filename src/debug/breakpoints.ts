import type { Debuggable } from '../board/machine.js';
import type { Bus } from '../bus/bus.js';
import type { Probes, ProbeStop } from '../cpu/probes.js';
import type { Access } from '../cpu/trap.js';
import type { Use } from '../mmu/tlb.js';
import type { Target } from './target.js';

/**
 * A place at which to stop: before an instruction, or behind one that reads or writes bytes. It is exact in every engine, is
 * kept outside the guest's memory and debug registers, and a stop at it leaves no trace in the run.
 */
export interface Breakpoint {
  readonly kind: 'execute' | 'write' | 'read' | 'access';
  /**
   * `effective`: the target's addresses, whatever its translation makes of them (any PID, either address space).
   * `physical`: of the target's own physical addresses (guest-physical in a partition), whatever maps them.
   */
  readonly space: 'effective' | 'physical';
  readonly address: number;
  /** The bus whose physical addresses are meant, if not the target's own. */
  readonly bus?: Bus;
  /** Bytes watched; of an instruction 4. */
  readonly length: number;
  /** Stop only if this holds; asked with the registers as they are before the instruction (execute) or the access. */
  readonly condition?: (target: Target) => boolean;
}

/** What a stop at a breakpoint or watchpoint was about. */
export interface Hit {
  readonly breakpoint: Breakpoint;
  /** The instruction that is about to run, or that has accessed what is watched. */
  readonly pc: number;
  /** Of a watchpoint: what was done, from which address on. */
  readonly access?: Access;
  readonly address: number;
  /** Of a watchpoint: the bytes that are watched, before the instruction. */
  readonly before: Uint8Array;
}

const PAGE = ~0xfff;

/** Do two stretches of bytes have one in common? */
const meets = ({ address, length }: { address: number; length: number }, from: number, bytes: number): boolean =>
  from < address + length && address < from + bytes;

const watches = ({ kind }: Breakpoint, access: Access): boolean => kind === access || kind === 'access';

/** The breakpoints of one target, as its cores are asked. */
export class TargetProbes implements Probes {
  stop: ProbeStop | undefined;
  /** What the stop was about. */
  hit: Hit | undefined;
  readonly #placed: readonly Placed[];
  /** The step before which a breakpoint was met last, and its address: it has been reported and is passed now. */
  #met: { step: number; address: number };

  constructor(
    private readonly target: Target,
    private readonly runs: Debuggable,
    breakpoints: readonly Breakpoint[],
    before?: TargetProbes,
  ) {
    this.#placed = breakpoints.map((breakpoint) => new Placed(breakpoint, target));
    this.#met = before ? before.#met : { step: -1, address: 0 };
  }

  /** What it stands before is passed without a stop: before it runs on from where somebody has seen it. */
  pass(): void {
    this.stop = undefined;
    this.hit = undefined;
    this.#met = { step: this.runs.steps, address: this.target.registers.get('pc') };
  }

  /** It stands at another moment: what was met there is not known. */
  forget(): void {
    this.stop = undefined;
    this.hit = undefined;
    this.#met = { step: -1, address: 0 };
  }

  guards(use: Use, address: number, host: number): boolean {
    return this.#placed.some((placed) => placed.usedBy(use) && placed.onPage(address, host));
  }

  meetsInstruction(address: number, host: number): void {
    const here = this.#placed.filter((p) => p.breakpoint.kind === 'execute' && p.covers(address, 4, host, -1));
    if (here.length === 0) return;
    const { steps } = this.runs;
    if (this.#met.step === steps && this.#met.address === address) return;
    this.#met = { step: steps, address };
    const found = here.find(({ breakpoint: { condition } }) => condition?.(this.target) ?? true);
    if (!found) return;
    this.stop = { kind: 'breakpoint', address };
    this.hit = { breakpoint: found.breakpoint, pc: address, address, before: new Uint8Array() };
  }

  meetsAccess(access: Access, address: number, bytes: number, host: number, physical: number): void {
    if (this.stop) return; // the instruction's first access tells
    const found = this.#placed.find(
      (p) =>
        p.breakpoint.kind !== 'execute' &&
        watches(p.breakpoint, access) &&
        p.covers(address, bytes, host, physical) &&
        (p.breakpoint.condition?.(this.target) ?? true),
    );
    if (!found) return;
    const { breakpoint } = found;
    const pc = this.target.registers.get('pc');
    // A word that holds a watched byte begins before it: what is told lies in what is watched
    const first = breakpoint.space === 'effective' ? Math.max(address, breakpoint.address) : breakpoint.address;
    this.stop = { kind: 'watchpoint', address: first, access };
    this.hit = { breakpoint, pc, access, address: first, before: found.bytes() };
  }
}

/** A breakpoint with the place of its physical addresses in the shared memory, if it has any there. */
class Placed {
  /** Where it lies in the shared memory; -1 where it is effective or a device's. */
  readonly #host: number;

  constructor(
    readonly breakpoint: Breakpoint,
    private readonly target: Target,
  ) {
    const { bus } = breakpoint.bus ? breakpoint : target.core;
    const region = breakpoint.space === 'physical' ? bus?.ram.find(breakpoint.address) : undefined;
    this.#host = region ? region.target.offset + (breakpoint.address - region.base) : -1;
  }

  usedBy(use: Use): boolean {
    const { kind } = this.breakpoint;
    return kind === use || (kind === 'access' && use !== 'execute');
  }

  onPage(address: number, host: number): boolean {
    const { space, length } = this.breakpoint;
    const from = space === 'effective' ? this.breakpoint.address : this.#host;
    const page = space === 'effective' ? (address & PAGE) >>> 0 : (host & PAGE) >>> 0;
    return from >= 0 && meets({ address: from, length }, page, 0x1000);
  }

  covers(address: number, bytes: number, host: number, physical: number): boolean {
    const { space, length } = this.breakpoint;
    if (space === 'effective') return meets(this.breakpoint, address, bytes);
    if (host >= 0) return this.#host >= 0 && meets({ address: this.#host, length }, host, bytes);
    return meets(this.breakpoint, physical, bytes);
  }

  /** The watched bytes as they are, where they are memory. */
  bytes(): Uint8Array {
    const { space, address, length } = this.breakpoint;
    const memory = space === 'effective' ? this.target.effective : this.target.physical;
    return memory.read(address, Math.min(length, 64));
  }
}
