import { MSR } from '../isa/registers.js';
import type { Core } from './core.js';
import { DBCR0, DBSR, EVENT, EXCEPTIONS } from './debug-registers.js';
import { S, type System } from './state.js';
import type { Level } from './trap.js';

/**
 * Debug modes (PPC440x5 User's Manual, "Debug Modes"). In internal debug mode a recorded event is an exception, whose interrupt
 * waits for MSR[DE]; in trace mode, the absence of any other, it is recorded and no more. External debug mode and debug
 * wait mode stop the processor for a tool at the JTAG port, which asks for the latter itself; there is none here, so
 * DBCR0[EDM] and MSR[DWE] are kept and do nothing, and DBSR[UDE], that tool's own event, is never set.
 */
export const internalMode = (system: System): boolean => (system.words[S.dbcr0]! & DBCR0.IDM) !== 0;

/** In internal debug mode with MSR[DE] off: events that would be too many, or could not be returned from, do not occur. */
export const withheld = (system: System): boolean => internalMode(system) && (system.msr & MSR.DE) === 0;

/** Is there an exception whose debug interrupt comes as soon as MSR[DE] lets it? */
export const debugExceptionExists = (system: System): boolean =>
  internalMode(system) && (system.words[S.dbsr]! & EXCEPTIONS) !== 0;

/** Put events into the DBSR. True if their interrupt is to come at once: the instruction that they are for is suppressed. */
export function record(core: Core, events: number): boolean {
  const { system } = core;
  system.words[S.dbsr]! |= events | (withheld(system) ? DBSR.IDE : 0);
  core.timers.debugChanged();
  return internalMode(system) && (system.msr & MSR.DE) !== 0;
}

/** An interrupt of this level is being entered: in internal debug mode only those that are not critical count. */
export function recordInterrupt(system: System, level: Level): void {
  const { words } = system;
  if (!(words[S.dbcr0]! & EVENT.IRPT) || (internalMode(system) && level !== 'base')) return;
  words[S.dbsr]! |= EVENT.IRPT | (withheld(system) ? DBSR.IDE : 0);
}
