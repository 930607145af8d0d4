import type { TimeBaseRate } from './timers.js';
import type { Trap } from './trap.js';

/** Facts that differ between processors of the family. */
export interface CoreModel {
  /** Processor version register. */
  readonly pvr: number;
  /** Processor number, PIR. */
  readonly number: number;
  readonly rate: TimeBaseRate;
}

/** Traps that the engine has delivered by itself: how many of each kind, in the order in which the kinds first came. */
export interface Delivered {
  readonly counts: readonly (readonly ['system-call' | 'program', number])[];
  /** The last one. */
  readonly trap: Trap;
  readonly pc: number;
  readonly msr: number;
  readonly pid: number;
  /** No instruction has been retired since. */
  readonly fruitless: boolean;
}

/** A page that a hypervisor keeps mapped for a guest's supervisor, in all address spaces and whatever the TLB says. */
export interface FixedPage {
  /** Effective; a multiple of 4096. */
  readonly address: number;
  /** On the guest's own bus. */
  readonly physical: number;
  readonly executable: boolean;
}
