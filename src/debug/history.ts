import type { Progress } from '../board/machine.js';
import type { StopEvent } from './debugger.js';
import type { Target } from './target.js';

/** How a run backwards ended. */
export type BackwardEnd = { readonly kind: 'stopped'; readonly event: StopEvent } | { readonly kind: 'beginning' }; // there is no earlier history

/** A run backwards on its way, in slices; nothing else moves the machine until it is over. */
export interface Backward {
  /** Go on for about so many cycles; how it ended, when it has. */
  run(cycles: number): BackwardEnd | undefined;
  /** Give it up: the machine stands where nothing was met behind, which is as far as it has got. */
  stop(): void;
}

/**
 * What goes backwards: snapshots and replay. A debugger that has one offers reverse execution; the machine is stopped when it
 * is called, and stands at another point of its past, in exactly the state of then, when it returns.
 */
export interface History {
  /** Does the machine stand in its past? */
  readonly inPast: boolean;
  /** Run the machine as `Machine.run` does: in its past, as it went then, up to the present. */
  run(cycles: number): Progress;
  /** Has the last `run` come back to the present? Then it stands there, and this is asked once. */
  takeEnd(): boolean;
  /** One step of a target back, or several: to before its last instruction, interrupt or hypercall. */
  stepBack(target: Target, count?: number): BackwardEnd;
  /**
   * Back to the last stop of these targets: before an instruction with a breakpoint, or before the one that accessed what is
   * watched.
   */
  continueBack(targets: readonly Target[]): BackwardEnd;
  /** The same in slices. */
  goBack(targets: readonly Target[]): Backward;
}
