import type { SharedMemory } from '../bus/memory.js';
import { R, type Registers, type System } from './state.js';

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

/** What was emulated: an exit, or an instruction along with one. */
export interface Emulated {
  readonly word: number;
  readonly pc: number;
  /** The clock before it. */
  readonly cycle: number;
  readonly ahead: boolean;
}

/** Whom a core emulates privileged instructions for. */
export interface EmulatedMachine {
  readonly system: System;
  /** MSR bits of which any lets an interrupt through that is there now. */
  readonly waiting: number;
}

/** Set for a core whose guest may have its exits dealt with by the engine. */
export class Emulation {
  readonly words: Int32Array;

  constructor(
    memory: SharedMemory,
    private readonly guest: EmulatedMachine,
    /** Hears of each in turn, when the core next brings its clock up to date. */
    private readonly told: (emulated: Emulated) => void,
  ) {
    const offset = memory.allocate(4 * E.LOG + LOG_BYTES, 64);
    this.words = new Int32Array(memory.buffer, offset, E.LOG + LOG_BYTES / 4);
    this.words[E.GUEST] = guest.system.words.byteOffset;
  }

  /** A run of the engine begins. */
  begin(regs: Registers, real: System): void {
    const { words } = this;
    if (words[E.ALLOWED] === 0) return;
    words[E.REAL] = real.words.byteOffset;
    regs.words[R.WAITING] = this.guest.waiting;
    words[E.SPENT] = words[E.LOGGED] = 0;
    regs.words[R.EMULATION] = words.byteOffset;
  }

  /** Is the hypervisor to go on? */
  get stopped(): boolean {
    return this.words[E.STOPPED] !== 0;
  }

  /** Tell what was emulated since this was last called; `zero` is the clock when COUNT was 0. Gives the cycles that exits took in this run. */
  tell(zero: number): number {
    const { words } = this;
    const end = E.LOG + words[E.LOGGED]! / 4;
    words[E.LOGGED] = 0;
    for (let at: number = E.LOG; at < end; at += LOG_ENTRY.WORDS) {
      const pc = words[at + LOG_ENTRY.PC]!;
      this.told({
        word: words[at + LOG_ENTRY.WORD]!,
        pc: (pc & ~AHEAD_BIT) >>> 0,
        cycle: zero + words[at + LOG_ENTRY.COUNT]!,
        ahead: (pc & AHEAD_BIT) !== 0,
      });
    }
    return words[E.SPENT]!;
  }
}
