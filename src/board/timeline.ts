import type { Trap } from '../cpu/trap.js';
import type { Debuggable } from './machine.js';

/** What the core does: run a program's instructions, do something on its behalf, give the core to it, or nothing. */
export type Activity = 'guest' | 'hypervisor' | 'world-switch' | 'idle';

/** Hears how a machine spends its time. The clock says when; nothing that it does may change the run. */
export interface Timeline {
  /** From now on the core does this, for this program (undefined: for none). May be said again. */
  turns(activity: Activity, program: Debuggable | undefined): void;
  /** A program is about to enter its handler for a trap. */
  delivers(trap: Trap, program: Debuggable): void;
}
