import { PAGE_SIZE, type SharedMemory } from '../bus/memory.js';
import { TLB_ENTRIES } from '../mmu/tlb.js';
import type { Core } from './core.js';
import { R, type Registers, type System } from './state.js';
import { writeTlb } from './supervisor.js';
import type { Trap } from './trap.js';

/**
 * Exits that generated code deals with by itself. What a guest's supervisor does to a register that is nothing but storage
 * changes nothing that the real core goes by, so the engine may emulate it where it stands, and tells afterwards. This is what it
 * is told for that, and what it tells: words in the shared memory.
 */
// prettier-ignore
export const E = {
  // Where the supervisor's registers lie: the guest's own, and those that the real core has for it; the real MSR is FORCED,
  // and of the guest's what is KEPT
  GUEST: 0, REAL: 1, FORCED: 2, KEPT: 3,
  // What an exit costs, and an instruction that is emulated along with it, beside its own cycle; how many of those there may be
  EXIT_CYCLES: 4, AHEAD_CYCLES: 5, AHEAD_MOST: 6,
  // Where the hypervisor wants to look before the guest goes on there: an odd number is nowhere
  AWAITED: 7,
  // Whether the engine may do any of this in the next run
  ALLOWED: 8,
  // Where it is not 0 the hypervisor is to go on; the exit is not over while there are instructions LEFT that may be emulated in it,
  // and AHEAD has how many stand before one that is privileged
  STOPPED: 9, LEFT: 10, AHEAD: 11,
  // Cycles that exits took in this run, and how far what was emulated is logged, in bytes from the log's beginning
  SPENT: 12, LOGGED: 13,
  LOG: 16,
} as const;

/** An entry of the log: the instruction; its address, with AHEAD_BIT where it was emulated in an exit of another's; COUNT before it. */
export const LOG_ENTRY = { WORD: 0, PC: 1, COUNT: 2, WORDS: 3 } as const;
export const AHEAD_BIT = 1;
/** No instruction's address. */
export const NOWHERE = 1;
const ENTRIES = 256;
export const LOG_BYTES = ENTRIES * LOG_ENTRY.WORDS * 4;

/**
 * How many instructions that need no emulation may stand before one that does, for all of them to be emulated in the exit
 * that is being dealt with. Measured on Linux's boot: exits per million instructions are 4,230 without running ahead, 2,920
 * for 0, 2,640 for 1, 2,570 for 2 and 2,410 for 4. What stands between costs as well: under the cost model `ppc440`,
 * emulation adds 29.2 % for 0, 29.3 % for 1, 29.8 % for 2 and 32.4 % for 4.
 */
export const GAP = 2;

/** Whom the engine deals with exits for. */
export interface Emulator {
  /** Hears of what was emulated, where, and of the clock before it: an exit, or an instruction along with one, when the core's clock is next brought up to date. */
  told(word: number, pc: number, cycle: number, ahead: boolean): void;
  /**
   * An access of the guest's has trapped at this point of a run, or, without a trap, the next instruction may be one that would: deal
   * with that, if it is an exit that can be dealt with here. True if it has been, with the clock where the guest may go on, unless
   * STOPPED says that the hypervisor does.
   */
  access(trap: Trap | null): boolean;
}

/** Set for a core whose guest may have its exits dealt with by the engine. */
export class Emulation {
  readonly words: Int32Array;

  constructor(
    memory: SharedMemory,
    /** The machine that the guest believes to have. */
    private readonly guest: Core,
    private readonly hypervisor: Emulator,
  ) {
    const offset = memory.allocate(4 * E.LOG + LOG_BYTES, 64);
    this.words = new Int32Array(memory.buffer, offset, E.LOG + LOG_BYTES / 4);
    this.words[E.GUEST] = guest.system.at;
  }

  /** A run of the engine begins. Whether it may emulate in it. */
  begin(regs: Registers, real: System): boolean {
    const { words } = this;
    if (words[E.ALLOWED] === 0) return false;
    words[E.REAL] = real.at;
    regs.words[R.WAITING] = this.guest.waiting;
    words[E.SPENT] = words[E.LOGGED] = 0;
    regs.words[R.EMULATION] = words.byteOffset;
    return true;
  }

  /** As `Emulator.access`. */
  access(trap: Trap | null): boolean {
    return this.hypervisor.access(trap);
  }

  /** The run that has begun goes on behind something that took so many cycles. */
  goesOn(regs: Registers, spent: number): void {
    this.words[E.SPENT]! += spent;
    regs.words[R.WAITING] = this.guest.waiting;
  }

  /** The hypervisor is to go on. */
  stop(): void {
    this.words[E.STOPPED] = 1;
  }

  /** Is the hypervisor to go on? */
  get stopped(): boolean {
    return this.words[E.STOPPED] !== 0;
  }

  /** tlbwe at this address, on the guest's own TLB: whether what is behind it may be mapped otherwise now. */
  writeTlb(index: number, word: number, value: number, pc: number): boolean {
    const { tlb } = this.guest.system;
    const entry = index & (TLB_ENTRIES - 1);
    const page = (pc & -PAGE_SIZE) >>> 0;
    const isThere = (): boolean =>
      tlb.valid(entry) && tlb.base(entry) < page + PAGE_SIZE && page < tlb.base(entry) + tlb.bytes(entry);
    const wasThere = isThere();
    writeTlb(this.guest, entry, word, value);
    return wasThere || isThere();
  }

  /** Tell what was emulated since this was last called; `zero` is the clock when COUNT was 0. Gives the cycles that exits took in this run. */
  tell(zero: number): number {
    const { words } = this;
    const end = E.LOG + words[E.LOGGED]! / 4;
    words[E.LOGGED] = 0;
    for (let at: number = E.LOG; at < end; at += LOG_ENTRY.WORDS) {
      const pc = words[at + LOG_ENTRY.PC]!;
      const cycle = zero + words[at + LOG_ENTRY.COUNT]!;
      this.hypervisor.told(words[at + LOG_ENTRY.WORD]!, (pc & ~AHEAD_BIT) >>> 0, cycle, (pc & AHEAD_BIT) !== 0);
    }
    return words[E.SPENT]!;
  }
}
