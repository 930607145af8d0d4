import { Replay, type Moment, type RecordedInput } from '../board/inputs.js';
import type { Debuggable, Progress } from '../board/machine.js';
import { Snapshots, type Snapshot } from '../board/snapshot.js';
import type { Probes } from '../cpu/probes.js';
import { TargetProbes, type Breakpoint, type Hit } from './breakpoints.js';
import type { Debugger } from './debugger.js';
import type { BackwardEnd, History } from './history.js';
import type { DebuggedMachine } from './processes.js';
import type { Target } from './target.js';
import { Timeline, type Mark } from './timeline.js';

export interface HistoryOptions {
  /** Bytes of memory for snapshots. Default 256 MiB. */
  readonly limit?: number;
  /** Steps between two snapshots; older ones are thinned out. Default two million. */
  readonly distance?: number;
  /** Told when what came after a moment of the past is given up, since somebody changed something there. */
  readonly onDiverge?: () => void;
}

const DEFAULT_LIMIT = 256 * 2 ** 20;
const DEFAULT_DISTANCE = 2_000_000;

/** The machine stands in its past: where it came from, and what is still to happen. */
interface Past {
  readonly present: Moment & { readonly snapshot: Snapshot };
  readonly replay: Replay;
}

/** A breakpoint or watchpoint that was met on the way. */
interface Meeting {
  readonly runs: Debuggable;
  readonly hit: Hit;
  /** Steps of its program before the instruction that it is about. */
  readonly steps: number;
}

/** Which instruction wrote an address last. */
export interface Write {
  readonly pc: number;
  readonly target: Target;
  /** Steps of the whole machine before it: for `goTo`. */
  readonly steps: number;
  readonly cycle: number;
}

/**
 * A machine's past: snapshots of it, and the inputs between them, by which it goes the same way again. A moment is named by the
 * steps that all programs have made, which each instruction, interrupt, hypercall and reset counts on by one.
 */
export class MachineHistory implements History {
  readonly timeline: Timeline;
  readonly bookmarks = new Map<string, Moment>();
  readonly #snapshots: Snapshots;
  readonly #inputs: RecordedInput[] = [];
  readonly #distance: number;
  #past: Past | undefined;
  /** A debugger has changed something since the last snapshot. */
  #byHand = false;
  /** What reaches the machine now is from the inputs. */
  #replaying = false;
  #arrived = false;

  constructor(
    private readonly machine: DebuggedMachine,
    private readonly debug: Debugger,
    private readonly options: HistoryOptions = {},
  ) {
    this.timeline = new Timeline(options.limit ?? DEFAULT_LIMIT);
    this.#distance = options.distance ?? DEFAULT_DISTANCE;
    this.#snapshots = new Snapshots(machine);
    machine.listeners.push((input) => {
      if (this.#replaying) return;
      this.#diverge();
      this.#inputs.push({ ...input, ...machine.moment });
    });
    debug.inputs.push(() => this.#changed());
    this.#mark(false);
  }

  /** Where it stands, and what it could go back to and on to. */
  get extent(): { readonly first: Moment; readonly now: Moment; readonly last: Moment } {
    const { moment: now } = this.machine;
    return { first: this.timeline.marks[0] ?? now, now, last: this.#past?.present ?? now };
  }

  run(cycles: number): Progress {
    if (this.#byHand) this.#mark(true);
    if (this.#past) return this.#runInPast(this.#past, cycles);
    const progress = this.machine.run(cycles);
    if (this.machine.steps - (this.timeline.marks.at(-1)?.steps ?? 0) >= this.#distance) this.#mark(false);
    return progress;
  }

  takeEnd(): boolean {
    const arrived = this.#arrived;
    this.#arrived = false;
    return arrived;
  }

  stepBack(target: Target): BackwardEnd {
    const { runs } = target;
    if (!runs) return { kind: 'beginning' };
    return this.#toStep(runs, runs.steps - 1)
      ? { kind: 'stopped', event: { kind: 'step', target } }
      : this.#toBeginning();
  }

  continueBack(targets: readonly Target[]): BackwardEnd {
    const heard = this.debug.traps?.mute();
    const found = this.#lastMeeting((runs) => targets.some((target) => target.runs === runs));
    heard?.();
    if (!found) return this.#toBeginning();
    this.#toStep(found.runs, found.steps);
    const target = targets.find(({ runs }) => runs === found.runs)!;
    const kind = found.hit.breakpoint.kind === 'execute' ? 'breakpoint' : 'watchpoint';
    return { kind: 'stopped', event: { kind, target, hit: found.hit } };
  }

  /** To a moment by the steps of all programs; false, with nothing changed, where that is before all that is known. */
  goTo(steps: number): boolean {
    const present = this.#past?.present ?? this.machine.moment;
    if (steps >= present.steps) {
      if (this.#past) this.#toPresent(this.#past);
      return steps === present.steps;
    }
    const mark = this.#markBefore((m) => m.steps - steps);
    return mark !== undefined && this.#goOn(mark, (replay) => replay.run({ steps }));
  }

  /** To a moment by the clock: the first at which something could be seen at this cycle or after it. */
  goToCycle(cycle: number): boolean {
    const present = this.#past?.present ?? { cycle: this.machine.clock.now };
    if (cycle >= present.cycle) {
      if (this.#past) this.#toPresent(this.#past);
      return cycle === present.cycle;
    }
    const mark = this.timeline.before((m) => m.cycle <= cycle);
    return mark !== undefined && this.#goOn(mark, (replay) => replay.run({ cycle }));
  }

  /** Which instruction wrote one of these bytes last before now; the machine stays where it is. */
  lastWrite(watched: Omit<Breakpoint, 'kind'>, targets: readonly Target[]): Write | undefined {
    const heard = this.debug.traps?.mute();
    const here = { past: this.#past, snapshot: this.#snapshots.take(), standing: this.machine.standing };
    const { position } = this.#past?.replay ?? { position: this.#inputs.length };
    const breakpoint: Breakpoint = { ...watched, kind: 'write' };
    const own = targets.filter(({ runs }) => runs);
    const restore = this.#probing(
      own.map((target) => [target.runs!, new TargetProbes(target, target.runs!, [breakpoint])]),
    );
    const found = this.#lastMeeting((runs) => own.some((target) => target.runs === runs));
    restore();
    const target = own.find(({ runs }) => runs === found?.runs);
    const moment = found && target && this.#toStep(found.runs, found.steps) ? this.machine.moment : undefined;
    this.#put(here.snapshot, here.standing);
    this.#past = here.past && { ...here.past, replay: new Replay(this.machine, this.#inputs, position) };
    heard?.();
    return moment && found && target && { pc: found.hit.pc, target, steps: moment.steps, cycle: moment.cycle };
  }

  #runInPast(past: Past, cycles: number): Progress {
    const { present, replay } = past;
    const progress = this.#replayed(() => replay.run({ steps: present.steps }, cycles));
    const stuck = progress.kind === 'idle' || progress.kind === 'ended' || progress.kind === 'starved';
    if (this.machine.steps < present.steps && !stuck) return progress;
    this.#toPresent(past);
    this.#arrived = true;
    return { kind: 'stopped' };
  }

  #replayed(run: () => Progress): Progress {
    this.#replaying = true;
    try {
      return run();
    } finally {
      this.#replaying = false;
    }
  }

  #mark(barrier: boolean): void {
    const each = this.machine.debuggables.map(({ steps }) => steps);
    const snapshot = this.#snapshots.take();
    this.timeline.add({ ...this.machine.moment, each, snapshot, inputs: this.#inputs.length, barrier });
    this.#byHand = false;
  }

  /** A debugger has written to registers or memory, or holds a processor back. */
  #changed(): void {
    this.#diverge();
    this.#byHand = true;
  }

  /** What came after this moment of the past will not be: something else happens here. */
  #diverge(): void {
    const past = this.#past;
    if (!past) return;
    const { steps, clock, outputs } = this.machine;
    this.timeline.forgetAfter(steps, clock.now);
    this.#inputs.length = past.replay.position;
    for (const [name, at] of this.bookmarks) if (at.steps > steps) this.bookmarks.delete(name);
    outputs.diverge();
    this.#past = undefined;
    this.#byHand = true;
    this.options.onDiverge?.();
  }

  #leavePresent(): Moment & { readonly snapshot: Snapshot } {
    if (this.#byHand) this.#mark(true);
    return this.#past?.present ?? { ...this.machine.moment, snapshot: this.#snapshots.take() };
  }

  #toPresent({ present }: Past): void {
    this.#put(present.snapshot, present.standing);
    this.#past = undefined;
  }

  #toBeginning(): BackwardEnd {
    const [first] = this.timeline.marks;
    if (first) this.#goOn(first, () => ({ kind: 'stopped' }));
    return { kind: 'beginning' };
  }

  /** To where a program has made so many steps and no more. */
  #toStep(runs: Debuggable, steps: number): boolean {
    const i = this.machine.debuggables.indexOf(runs as never);
    const mark = this.#markBefore((m) => m.each[i]! - steps);
    if (!mark) return false;
    return this.#goOn(mark, (replay) => {
      runs.stopAt = steps;
      const progress = replay.run({});
      runs.stopAt = Infinity;
      return progress;
    });
  }

  /** The last snapshot that comes before a moment; `distance` is negative before it, and 0 at it. */
  #markBefore(distance: (mark: Mark) => number): Mark | undefined {
    return (
      this.timeline.before((m) => distance(m) < 0 || (m.barrier && distance(m) === 0)) ??
      this.timeline.marks.find((m) => distance(m) === 0)
    );
  }

  /** Go back to a snapshot and on from there, with no stop on the way but what `run` says. */
  #goOn(mark: Mark, run: (replay: Replay) => Progress): boolean {
    const present = this.#leavePresent();
    const heard = this.debug.traps?.mute();
    const restore = this.#probing([]);
    this.#put(mark.snapshot, mark.standing);
    const replay = new Replay(this.machine, this.#inputs, mark.inputs);
    const { kind } = this.#replayed(() => run(replay));
    this.#past = { present, replay };
    restore();
    heard?.();
    return kind === 'stopped' || kind === 'ran';
  }

  #put(snapshot: Snapshot, standing: Progress['kind']): void {
    this.#snapshots.restore(snapshot);
    this.machine.standing = standing;
    this.#forgetProbes();
  }

  #forgetProbes(): void {
    for (const { probes } of this.machine.debuggables) if (probes instanceof TargetProbes) probes.forget();
  }

  /** Have only these probes, until what is given is called. */
  #probing(probes: readonly (readonly [Debuggable, Probes])[]): () => void {
    const before = this.machine.debuggables.map((runs): [Debuggable, Probes | undefined] => [runs, runs.probes]);
    for (const [runs] of before) runs.probes = probes.find(([own]) => own === runs)?.[1];
    return () => {
      for (const [runs, own] of before) runs.probes = own;
      this.#forgetProbes();
    };
  }

  /** The last time before now that one of these programs met a probe of its own; the machine stands anywhere behind it. */
  #lastMeeting(concerns: (runs: Debuggable) => boolean): Meeting | undefined {
    const present = this.#leavePresent();
    const now = this.machine.steps;
    const here = new Map(this.machine.debuggables.map((runs) => [runs as Debuggable, runs.steps]));
    const marks = this.timeline.marks.filter((mark) => mark.steps <= now);
    let end = now;
    for (const mark of marks.toReversed()) {
      this.#put(mark.snapshot, mark.standing);
      const replay = new Replay(this.machine, this.#inputs, mark.inputs);
      this.#past = { present, replay };
      const last = this.#meetings(replay, end).findLast(({ runs, steps }) => concerns(runs) && steps < here.get(runs)!);
      if (last) return last;
      end = mark.steps;
    }
    return undefined;
  }

  /** All that is met from here up to a step. */
  #meetings(replay: Replay, end: number): Meeting[] {
    const found: Meeting[] = [];
    const { machine } = this;
    for (;;) {
      const progress = this.#replayed(() => replay.run({ steps: end }));
      const met = machine.debuggables.filter(({ probes }) => probes?.stop);
      for (const runs of met) {
        const { probes } = runs;
        if (!(probes instanceof TargetProbes) || !probes.hit) continue;
        const before = probes.hit.breakpoint.kind === 'execute' ? 0 : 1;
        found.push({ runs, hit: probes.hit, steps: runs.steps - before });
        probes.pass();
      }
      if (met.length === 0 || (progress.kind !== 'stopped' && progress.kind !== 'ran')) return found;
    }
  }
}
