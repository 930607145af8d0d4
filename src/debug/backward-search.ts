import type { Replay } from '../board/inputs.js';
import type { Debuggable } from '../board/machine.js';
import { TargetProbes, type Hit } from './breakpoints.js';
import type { DebuggedMachine } from './processes.js';
import type { Mark } from './timeline.js';

/** A breakpoint or watchpoint that was met on the way. */
export interface Meeting {
  readonly runs: Debuggable;
  readonly hit: Hit;
  /** Steps of its program before the instruction that it is about. */
  readonly steps: number;
}

/**
 * Looks for the last time before now that one of some programs met a probe of its own: from each snapshot on to the next, the newest
 * first. It can be run in slices, and moves the machine; how that is brought to a snapshot is the history's business.
 */
export class BackwardSearch {
  /** What was found, and nothing before that has been looked for. */
  found: Meeting | undefined;
  /** The snapshot behind which there is nothing, as all of it has been searched. */
  searched: Mark | undefined;
  readonly #here: ReadonlyMap<Debuggable, number>;
  readonly #left: Mark[];
  #end: number;
  #stretch: { readonly mark: Mark; readonly replay: Replay } | undefined;

  constructor(
    private readonly machine: DebuggedMachine,
    marks: readonly Mark[],
    private readonly concerns: (runs: Debuggable) => boolean,
    private readonly goTo: (mark: Mark) => Replay,
  ) {
    this.#end = machine.steps;
    this.#here = new Map(machine.debuggables.map((runs) => [runs as Debuggable, runs.steps]));
    this.#left = marks.filter((mark) => mark.steps <= machine.steps);
  }

  /** Search for about so many cycles; true when it is over. */
  run(cycles: number): boolean {
    for (let left = cycles; left > 0;) {
      const mark = this.#stretch?.mark ?? this.#left.pop();
      if (!mark) return true;
      this.#stretch ??= { mark, replay: this.goTo(mark) };
      const { now } = this.machine.clock;
      const goesOn = this.#goesOn(this.#stretch.replay, left);
      left -= Math.max(1, this.machine.clock.now - now);
      if (goesOn) continue;
      if (this.found) return true;
      [this.searched, this.#end, this.#stretch] = [mark, mark.steps, undefined];
    }
    return false;
  }

  /** False where the stretch is at its end. */
  #goesOn(replay: Replay, cycles: number): boolean {
    const { machine } = this;
    const { kind } = replay.run({ steps: this.#end }, cycles);
    const met = machine.debuggables.filter(({ probes }) => probes?.stop);
    for (const runs of met) {
      const { probes } = runs;
      if (!(probes instanceof TargetProbes) || !probes.hit) continue;
      const steps = runs.steps - (probes.hit.breakpoint.kind === 'execute' ? 0 : 1);
      if (this.concerns(runs) && steps < this.#here.get(runs)!) this.found = { runs, hit: probes.hit, steps };
      probes.pass();
    }
    if (kind !== 'stopped' && kind !== 'ran') return false;
    return met.length > 0 || (kind === 'ran' && machine.steps < this.#end);
  }
}
