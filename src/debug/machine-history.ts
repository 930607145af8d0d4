import { Replay, type Moment, type RecordedInput, type ReplayEnd } from '../board/inputs.js';
import type { Debuggable, Progress } from '../board/machine.js';
import type { Recording } from '../board/recording.js';
import { Snapshots, snapshotOf, stateHash, type Snapshot } from '../board/snapshot.js';
import type { Probes } from '../cpu/probes.js';
import { BackwardSearch, type Meeting } from './backward-search.js';
import { TargetProbes, type Breakpoint } from './breakpoints.js';
import type { Debugger } from './debugger.js';
import type { Backward, BackwardEnd, History } from './history.js';
import type { DebuggedMachine } from './processes.js';
import type { Target } from './target.js';
import { Timeline, type Mark } from './timeline.js';

export interface HistoryOptions {
  /** Bytes of memory for snapshots. Default 256 MiB. */
  readonly limit?: number;
  /** Steps between two snapshots; older ones are thinned out. Default two million. */
  readonly distance?: number;
  /**
   * Told when what came after a moment of the past is given up, since somebody changes something there, and how many inputs came
   * before it.
   */
  readonly onDiverge?: (inputs: number) => void;
  /** A run that was recorded, from its power-on: it is the past, and the machine stands at its beginning. */
  readonly recording?: Pick<Exclude<Recording, { problem: string }>, 'inputs' | 'complete'>;
  /** Told when the machine first comes to the end of that recording; undefined where its state there is not recorded. */
  readonly onEnd?: (same: boolean | undefined) => void;
}

const DEFAULT_LIMIT = 256 * 2 ** 20;
const DEFAULT_DISTANCE = 2_000_000;
/** Steps of a program before where it goes back to, at which there is a snapshot for whoever goes on stepping back. */
const NEAR = 10_000;

/** Where the past ends: with the state that the machine has there, or, if it was never there yet, with what is recorded of it. */
type Present = Moment & ({ readonly snapshot: Snapshot } | { readonly end: RecordedInput & { readonly kind: 'end' } });

/** The machine stands in its past: where it came from, and what is still to happen. */
interface Past {
  readonly present: Present;
  readonly replay: Replay;
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
  /** A snapshot shortly before where a program stepped back to last. */
  #near: Mark | undefined;
  #arrived = false;

  constructor(
    private readonly machine: DebuggedMachine,
    private readonly debug: Debugger,
    private readonly options: HistoryOptions = {},
  ) {
    this.timeline = new Timeline(options.limit ?? DEFAULT_LIMIT);
    this.#distance = options.distance ?? DEFAULT_DISTANCE;
    this.#snapshots = new Snapshots(machine);
    // Before whoever records: what comes after this moment is given up first
    machine.listeners.unshift((input) => {
      this.#diverge();
      this.#inputs.push({ ...input, ...machine.moment });
    });
    this.#mark();
    const { recording } = options;
    if (recording) this.#past = this.#recorded(recording);
  }

  get inPast(): boolean {
    return this.#past !== undefined;
  }

  /** The way of a recording; of one that breaks off, to its last input. */
  #recorded({ inputs, complete }: NonNullable<HistoryOptions['recording']>): Past | undefined {
    const last = inputs.at(-1);
    if (!last) return undefined;
    this.#inputs.push(...inputs.filter(({ kind }) => kind !== 'end'));
    const { cycle, steps, standing } = last;
    const end = {
      kind: 'end',
      hash: complete && last.kind === 'end' ? last.hash : '',
      cycle,
      steps,
      standing,
    } as const;
    const present = { cycle, steps, standing, end };
    return { present, replay: this.#replayFrom(0, present) };
  }

  #replayFrom(position: number, present: Present | undefined = this.#past?.present): Replay {
    const end = present && 'end' in present ? [present.end] : [];
    return new Replay(this.machine, [...this.#inputs, ...end], position);
  }

  /** Where it stands, and what it could go back to and on to. */
  get extent(): { readonly first: Moment; readonly now: Moment; readonly last: Moment } {
    const { moment: now } = this.machine;
    return { first: this.timeline.marks[0] ?? now, now, last: this.#past?.present ?? now };
  }

  run(cycles: number): Progress {
    if (this.#past) return this.#runInPast(this.#past, cycles);
    const progress = this.machine.run(cycles);
    if (this.machine.steps >= this.#nextMark) this.#mark();
    return progress;
  }

  /** Steps at which there is to be another snapshot. */
  get #nextMark(): number {
    return (this.timeline.marks.at(-1)?.steps ?? 0) + this.#distance;
  }

  takeEnd(): boolean {
    const arrived = this.#arrived;
    this.#arrived = false;
    return arrived;
  }

  stepBack(target: Target, count = 1): BackwardEnd {
    const { runs } = target;
    if (!runs) return { kind: 'beginning' };
    return this.#toStep(runs, runs.steps - count)
      ? { kind: 'stopped', event: { kind: 'step', target } }
      : this.#toBeginning();
  }

  continueBack(targets: readonly Target[]): BackwardEnd {
    for (const back = this.goBack(targets); ;) {
      const end = back.run(Infinity);
      if (end) return end;
    }
  }

  goBack(targets: readonly Target[]): Backward {
    const { steps } = this.machine;
    const heard = this.debug.traps?.mute();
    const search = this.#search((runs) => targets.some((target) => target.runs === runs));
    return {
      run: (cycles) => {
        if (!search.run(cycles)) return undefined;
        heard?.();
        return this.#toMeeting(search.found, targets);
      },
      stop: () => {
        if (search.searched) this.#goBackTo(search.searched, this.#leavePresent());
        else this.goTo(steps);
        heard?.();
      },
    };
  }

  #toMeeting(found: Meeting | undefined, targets: readonly Target[]): BackwardEnd {
    const target = targets.find(({ runs }) => found && runs === found.runs);
    if (!found || !target) return this.#toBeginning();
    this.#toStep(found.runs, found.steps);
    const kind = found.hit.breakpoint.kind === 'execute' ? 'breakpoint' : 'watchpoint';
    return { kind: 'stopped', event: { kind, target, hit: found.hit } };
  }

  /** To a moment by the steps of all programs; false, with nothing changed, where that is before all that is known. */
  goTo(steps: number): boolean {
    const present = this.#past?.present ?? this.machine.moment;
    if (steps >= present.steps) return this.toPresent() && steps === this.machine.steps;
    const mark = this.#markBefore((m) => m.steps - steps);
    return mark !== undefined && this.#goOn(mark, { steps }, () => this.machine.steps >= steps);
  }

  /** To a moment by the clock: the first at which something could be seen at this cycle or after it. */
  goToCycle(cycle: number): boolean {
    const { clock } = this.machine;
    const present = this.#past?.present ?? { cycle: clock.now };
    if (cycle >= present.cycle) return this.toPresent() && cycle === clock.now;
    const mark = this.timeline.before((m) => m.cycle <= cycle);
    return mark !== undefined && this.#goOn(mark, { cycle }, () => clock.now >= cycle);
  }

  /** To where the past ends. */
  toPresent(): true {
    const past = this.#past;
    const mark = this.timeline.marks.at(-1);
    if (past && 'end' in past.present && mark) this.#goOn(mark, {}, () => false);
    if (this.#past) this.#arrive(this.#past);
    return true;
  }

  /** Which instruction wrote one of these bytes last before now; the machine stays where it is. */
  lastWrite(watched: Omit<Breakpoint, 'kind'>, targets: readonly Target[]): Write | undefined {
    const heard = this.debug.traps?.mute();
    const here = { past: this.#past, snapshot: this.#snapshots.take(), standing: this.machine.standing };
    const position = this.#position;
    const breakpoint: Breakpoint = { ...watched, kind: 'write' };
    const own = targets.filter(({ runs }) => runs);
    const restore = this.#probing(
      own.map((target) => [target.runs!, new TargetProbes(target, target.runs!, [breakpoint])]),
    );
    const search = this.#search((runs) => own.some((target) => target.runs === runs));
    search.run(Infinity);
    const { found } = search;
    restore();
    const target = own.find(({ runs }) => runs === found?.runs);
    const moment = found && target && this.#toStep(found.runs, found.steps) ? this.machine.moment : undefined;
    this.#put(here.snapshot, here.standing);
    this.#past = here.past && { ...here.past, replay: this.#replayFrom(position, here.past.present) };
    heard?.();
    return moment && found && target && { pc: found.hit.pc, target, steps: moment.steps, cycle: moment.cycle };
  }

  /** How many inputs have come up to here. */
  get #position(): number {
    return this.#past?.replay.position ?? this.#inputs.length;
  }

  #runInPast(past: Past, cycles: number): Progress {
    const { present, replay } = past;
    const progress = replay.run('end' in present ? {} : { steps: present.steps }, cycles);
    if (this.machine.steps >= this.#nextMark) this.#mark();
    const stuck = progress.kind === 'idle' || progress.kind === 'ended' || progress.kind === 'starved';
    const there = 'end' in present ? replay.ended : this.machine.steps >= present.steps;
    if (!there && !stuck) return progress;
    this.#arrive(past);
    this.#arrived = true;
    return { kind: 'stopped' };
  }

  #mark(): void {
    this.timeline.add(this.#here());
  }

  #here(): Mark {
    const each = this.machine.debuggables.map(({ steps }) => steps);
    return { ...this.machine.moment, each, snapshot: this.#snapshots.take(), inputs: this.#position };
  }

  /** What came after this moment of the past will not be: something else happens here. */
  #diverge(): void {
    const past = this.#past;
    if (!past) return;
    const { steps, clock, outputs } = this.machine;
    this.timeline.forgetAfter(steps, clock.now);
    this.#near = undefined;
    this.#inputs.length = past.replay.position;
    for (const [name, at] of this.bookmarks) if (at.steps > steps) this.bookmarks.delete(name);
    outputs.diverge();
    this.debug.traps?.diverge();
    this.#past = undefined;
    this.options.onDiverge?.(this.#inputs.length);
  }

  #leavePresent(): Present {
    return this.#past?.present ?? { ...this.machine.moment, snapshot: this.#snapshots.take() };
  }

  /** The past has come to its end. */
  #arrive({ present, replay }: Past): void {
    if ('snapshot' in present) {
      const heard = this.debug.traps?.mute();
      this.#put(present.snapshot, present.standing);
      heard?.();
    }
    this.#past = undefined;
    if (!('end' in present)) return;
    const { hash } = present.end;
    const same = replay.ended && stateHash(snapshotOf(this.machine)) === hash;
    this.options.onEnd?.(hash === '' ? undefined : same);
  }

  #toBeginning(): BackwardEnd {
    const [first] = this.timeline.marks;
    if (first) this.#goOn(first, { steps: first.steps }, () => true);
    return { kind: 'beginning' };
  }

  /** To where a program has made so many steps and no more. */
  #toStep(runs: Debuggable, steps: number): boolean {
    const i = this.machine.debuggables.indexOf(runs as never);
    let mark = this.#markBefore((m) => m.each[i]! - steps);
    if (!mark) return false;
    const to = (from: Mark, end: number): boolean => {
      runs.stopAt = end;
      const found = this.#goOn(from, {}, () => runs.steps >= end);
      runs.stopAt = Infinity;
      return found;
    };
    if (steps - mark.each[i]! > 2 * NEAR && to(mark, steps - NEAR)) mark = this.#near = this.#here();
    return to(mark, steps);
  }

  /** The last snapshot that comes before a moment; `distance` is negative before it, and 0 at it. */
  #markBefore(distance: (mark: Mark) => number): Mark | undefined {
    const mark = this.timeline.before((m) => distance(m) < 0) ?? this.timeline.marks.find((m) => distance(m) === 0);
    const near = this.#near;
    return near && mark && distance(near) < 0 && near.steps > mark.steps ? near : mark;
  }

  /** Go back to a snapshot and on from there until it is `there`, with no stop on the way. */
  #goOn(mark: Mark, end: ReplayEnd, there: () => boolean): boolean {
    const present = this.#leavePresent();
    const heard = this.debug.traps?.mute();
    const restore = this.#probing([]);
    const replay = this.#goBackTo(mark, present);
    let progress: Progress;
    for (;;) {
      const next = this.#nextMark;
      progress = replay.run({ ...end, steps: Math.min(end.steps ?? Infinity, next) });
      if (progress.kind !== 'stopped' || this.machine.steps < next || there() || replay.ended) break;
      this.#mark(); // nobody has been there yet
    }
    restore();
    heard?.();
    return progress.kind === 'stopped' || progress.kind === 'ran';
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

  /** Looks for the last time before now that one of these programs met a probe of its own. */
  #search(concerns: (runs: Debuggable) => boolean): BackwardSearch {
    const present = this.#leavePresent();
    return new BackwardSearch(this.machine, this.timeline.marks, concerns, (mark) => this.#goBackTo(mark, present));
  }

  #goBackTo(mark: Mark, present: Present): Replay {
    this.#put(mark.snapshot, mark.standing);
    const replay = this.#replayFrom(mark.inputs, present);
    this.#past = { present, replay };
    return replay;
  }
}
