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

/** Several who hear, each in his turn. */
class Listeners implements Timeline {
  constructor(readonly all: readonly Timeline[]) {}

  turns(activity: Activity, program: Debuggable | undefined): void {
    for (const each of this.all) each.turns(activity, program);
  }

  delivers(trap: Trap, program: Debuggable): void {
    for (const each of this.all) each.delivers(trap, program);
  }
}

const listeners = (timeline: Timeline | undefined): readonly Timeline[] =>
  timeline instanceof Listeners ? timeline.all : timeline ? [timeline] : [];

const together = (all: readonly Timeline[]): Timeline | undefined => (all.length > 1 ? new Listeners(all) : all[0]);

/** Who hears once one more does. */
export const withListener = (timeline: Timeline | undefined, one: Timeline): Timeline | undefined =>
  together([...listeners(timeline).filter((each) => each !== one), one]);

/** Who hears once one does no more. */
export const withoutListener = (timeline: Timeline | undefined, one: Timeline): Timeline | undefined =>
  together(listeners(timeline).filter((each) => each !== one));
