import type { Trap } from '../cpu/trap.js';

/**
 * Looks on, for a debugger, while a processor's traps are dealt with. Where there is none nothing is asked; where there is
 * one the run is the same, to the instruction.
 */
export interface TrapWitness {
  /** The processor is not to run on: a debugger wants to look at what has just been told. */
  readonly stop: boolean;
  /** The bare board's processor trapped, and nothing has been done about it yet. */
  meets(trap: Trap): void;
  /** It is about to enter its handler for a trap. */
  delivers(trap: Trap): void;
  /** It is there. */
  delivered(): void;
  /** The program is about to have the processor, maybe once more since the last trap. */
  resumes(): void;
}
