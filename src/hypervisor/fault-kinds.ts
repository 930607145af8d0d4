import type { Ending } from '../board/machine.js';
import type { TakenTrap } from '../board/trap-watch.js';

/** What a program died of; each has a chapter of this name in docs/faults.md. */
export type FaultKind =
  | 'machine-check-disabled'
  | 'no-handler'
  | 'handler-not-mapped'
  | 'handler-not-code'
  | 'handler-faults'
  | 'waits-forever'
  | 'branches-forever'
  | 'reset'
  | 'none';

/** For each kind what it means, and what to look at first. */
// prettier-ignore
export const faultKinds: Readonly<Record<FaultKind, { readonly meaning: string; readonly suggestion: string }>> = {
  'machine-check-disabled': {
    meaning: 'a machine check while MSR[ME] was clear stops a 440 for good',
    suggestion: 'see where the jump to this address comes from (LR, CTR, SRR0); set MSR[ME] and IVOR1 early, so that a handler can report it',
  },
  'no-handler': {
    meaning: 'it trapped before it had set up a handler: IVPR and the IVOR are as after reset',
    suggestion: 'mend the access that is shown; to have such traps reported by the program itself, set IVPR and IVOR0 to IVOR15 first of all',
  },
  'handler-not-mapped': {
    meaning: 'the handler of its trap cannot be entered: no TLB entry lets the processor fetch it',
    suggestion: 'map the page of the handlers with a TLB entry that is never replaced (TID 0, address space 0, SX), and check IVPR and the IVOR',
  },
  'handler-not-code': {
    meaning: 'where the handler of its trap should be there is no instruction',
    suggestion: 'check IVPR and the IVOR; if they are right something has overwritten the handler: a stack that grew into it, or a wild store',
  },
  'handler-faults': {
    meaning: 'its handler raises the same fault again, with every register as it was the time before',
    suggestion: 'a handler of TLB misses, its stack and its tables must lie in pages that are always mapped',
  },
  'waits-forever': {
    meaning: 'it waits at MSR[WE] for an interrupt, and none that it enabled can come',
    suggestion: 'set MSR[EE] (or CE) together with MSR[WE], and enable a source: TCR[DIE] or TCR[FIE], or a line in the UIC’s enable register',
  },
  'branches-forever': {
    meaning: 'it branches to itself, and no interrupt that it enabled can come',
    suggestion: 'a program that ends so has halted on purpose or after a panic: its last lines say which, and LR who called; a finisher would end it with a status',
  },
  reset: {
    meaning: 'it reset its processor, by DBCR0[RST] or because its watchdog was not served, and is not to start again',
    suggestion: 'on-reset = "restart" (with `run`: --reboot) starts it again; where a watchdog did it, TSR[WRS] is set, and TSR[WIS] must be cleared more often',
  },
  none: {
    meaning: 'it has not ended',
    suggestion: 'Ctrl-A : programs says what each partition does',
  },
};

/** Which traps there were, and what became of the program. */
export interface Death {
  readonly ending: Ending | undefined;
  readonly last: TakenTrap | undefined;
  readonly origin: TakenTrap | undefined;
  /** The same translation failed again and again. */
  readonly repeats: boolean;
  /** It waits by MSR[WE]. */
  readonly waits: boolean;
  /** IVPR and the IVOR of the first trap are 0. */
  readonly noHandler: boolean;
}

/** What a program died of; undefined where it ended as it should. */
export function kindOf({ ending, last, repeats, waits, noHandler }: Death): FaultKind | undefined {
  if (repeats) return 'handler-faults';
  switch (ending?.kind) {
    case undefined:
      return 'none';
    case 'checkstop':
      return 'machine-check-disabled';
    case 'reset':
      return 'reset';
    case 'halted':
      return waits ? 'waits-forever' : 'branches-forever';
    case 'fault-loop':
      if (noHandler) return 'no-handler';
      if (last?.trap.kind === 'program') return 'handler-not-code';
      return last?.trap.kind.startsWith('instruction-') ? 'handler-not-mapped' : 'handler-faults';
    case 'stopped':
      return ending.by === 'watchdog' ? 'reset' : undefined;
    case 'finished':
      return undefined;
  }
}
