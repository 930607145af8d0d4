import type { Trap } from '../cpu/trap.js';
import { emulate } from './emulate.js';
import { detailOf } from './exit-detail.js';
import type { Exit, ExitKind, Outcome } from './exit.js';
import { handle } from './handle.js';
import { aheadDetail } from './run-ahead.js';
import type { Vcpu } from './vcpu.js';

/** What observers are told of: every exit of every guest, as it is handled. */
export interface Observation {
  readonly vcpu: Vcpu;
  readonly exit: Exit;
  /** The clock when the guest left the core. */
  readonly cycle: number;
}

export type Observer = (observation: Observation) => void;

/** Costs in cycles, from the configuration. */
export interface Costs {
  exitCycles(kind: ExitKind): number;
  /** What every further instruction costs that is emulated in the same exit, beside its own cycle. */
  readonly runAheadCycles: number;
  /** How many those may be. */
  readonly runAhead: number;
}

/** The guest has left its own instructions, by a trap or without one; what it got done there counts from `gotOnAt` on. */
export function hasLeft(vcpu: Vcpu, trap: Trap | undefined): void {
  const { retired } = vcpu.core;
  if (retired !== vcpu.gotOnAt) vcpu.fruitless = 0;
  vcpu.gotOnAt = retired;
  vcpu.takeBusError();
  if (trap) vcpu.stopped(trap);
}

/** Handle an exit and charge it to the guest. */
export function settle(exit: Exit, vcpu: Vcpu, costs: Costs, observers: readonly Observer[]): Outcome {
  const { clock } = vcpu.machine;
  const cycle = clock.now;
  vcpu.exit = undefined;
  const detail = detailOf(exit, vcpu);
  vcpu.recent.record(exit.kind, detail, vcpu.machine.regs.pc, cycle);
  for (const observe of observers) observe({ vcpu, exit, cycle });
  clock.now += costs.exitCycles(exit.kind);
  vcpu.witness?.handles(exit, false);
  const outcome = handle(exit, vcpu);
  vcpu.witness?.handled();
  vcpu.account.charge(exit.kind, detail, clock.now - cycle);
  vcpu.aheadLeft = costs.runAhead;
  vcpu.ahead = 0;
  return outcome;
}

/** A privileged instruction. */
export const EMULATE: Exit = { kind: 'emulate' };

/** Emulate one more instruction before the guest has the core back. */
export function emulateAhead(word: number, vcpu: Vcpu, costs: Costs): Outcome {
  const { clock } = vcpu.machine;
  const cycle = clock.now;
  const detail = aheadDetail(word);
  vcpu.aheadLeft -= 1;
  clock.now += costs.runAheadCycles;
  vcpu.witness?.handles(EMULATE, true);
  const outcome = emulate(vcpu);
  vcpu.witness?.handled();
  vcpu.account.chargeAhead(detail, clock.now - cycle);
  return outcome;
}
