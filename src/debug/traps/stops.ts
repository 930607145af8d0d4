import type { Debugger, TrapStopper } from '../debugger.js';
import { unknownProgram, type Program } from '../program.js';
import type { Process, Target } from '../target.js';
import { isTrap, kindsOf, type Interrupted, type TrapRecord } from './record.js';
import { TrapRecorder, type TrapPoint } from './recorder.js';
import { headLines, recordLines, resumeLines, stageLines } from './text.js';

/** Why a target was stopped at a trap, and what there is to show of it. */
export interface TrapStop {
  readonly record: TrapRecord;
  readonly reason: 'trap-step' | 'trap-into' | 'trap-finish' | Catch;
  readonly lines: readonly string[];
}

/** A wish to stop at every trap of some kinds. */
export interface Catch {
  readonly number: number;
  /** As `kindsOf` names them; none: any trap. */
  readonly kinds: readonly string[];
  readonly process: Process | undefined;
  /** Asked when the trap has been dealt with. */
  readonly condition?: (target: Target, record: TrapRecord) => boolean;
  /** As it was asked for. */
  readonly text: string;
}

/** Until the next stop: to the end of the next trap, to the next thing that is done, or out of the handler. */
type Wish =
  | { readonly kind: 'trap-step' | 'trap-into'; readonly target: Target | undefined }
  | { readonly kind: 'trap-finish'; readonly target: Target; readonly depth: number };

/** How many traps are remembered. */
const KEPT = 1000;

/** Follows the traps of all processors: remembers the last ones, and stops where somebody wants to see them. */
export class TrapStops implements TrapStopper {
  readonly #recorders = new Map<Target, TrapRecorder>();
  /** By number, those too that come after the moment of the past that the machine stands at. */
  readonly #records = new Map<number, TrapRecord>();
  readonly #counter = { next: 1, moment: (): number => this.debug.machine.steps };
  readonly #stops = new Map<Target, TrapStop>();
  readonly #catches = new Map<number, Catch>();
  /** Of the record that is being stepped into, how many stages have been shown. */
  #shown: { readonly record: TrapRecord; readonly stages: number } | undefined;
  #wish: Wish | undefined;
  #nextCatch = 1;

  constructor(
    private readonly debug: Debugger,
    private readonly programs: ReadonlyMap<Process, Program> = new Map(),
  ) {
    debug.traps = this;
    this.follow(true);
  }

  /** Follow traps, or let go of them: what was recorded stays. */
  follow(on: boolean): void {
    for (const recorder of this.#recorders.values()) recorder.detach();
    this.#recorders.clear();
    if (!on) return;
    for (const target of this.debug.targets.filter(({ runs }) => runs))
      this.#recorders.set(target, new TrapRecorder(target, this.#counter, this.#hear));
  }

  get follows(): boolean {
    return this.#recorders.size > 0;
  }

  mute(): () => void {
    const { steps } = this.debug.machine;
    const before = [...this.#recorders.values()].map((recorder) => recorder.mute());
    return () => {
      for (const restore of before) restore();
      if (before.length > 0 && this.debug.machine.steps !== steps) this.#moved();
    };
  }

  /**
   * The machine is at another moment of its past: what was going on is over. Later traps are kept, and have the same numbers when
   * they happen again.
   */
  #moved(): void {
    const past = this.#past();
    const first = Math.min(this.#counter.next, ...this.#records.keys());
    this.#counter.next = past.length > 0 ? past.at(-1)!.number + 1 : first;
    for (const [target, recorder] of this.#recorders)
      recorder.standBehind(past.findLast((record) => record.target === target));
    this.#stops.clear();
    this.#shown = undefined;
  }

  /** What has happened up to now, the oldest first. */
  #past(): TrapRecord[] {
    const past = [...this.#records.values()].filter(({ target, steps }) => steps < target.runs!.steps);
    return past.sort((a, b) => a.number - b.number);
  }

  diverge(): void {
    for (const number of this.#records.keys()) if (number >= this.#counter.next) this.#records.delete(number);
  }

  programOf = (target: Target): Program => this.programs.get(target.process) ?? unknownProgram;

  /** Stop at the end of the next trap, or at each thing that is done: of a target, or of any. */
  arm(kind: 'trap-step' | 'trap-into', target: Target | undefined): void {
    this.#wish = { kind, target };
  }

  /** Stop when the target's program returns from the handler that it is in; false if it is in none. */
  armFinish(target: Target): boolean {
    const depth = this.handlers(target).length;
    if (depth > 0) this.#wish = { kind: 'trap-finish', target, depth };
    return depth > 0;
  }

  settle(): void {
    this.#wish = undefined;
  }

  catch(wanted: Omit<Catch, 'number'>): Catch {
    const made = { ...wanted, number: this.#nextCatch++ };
    this.#catches.set(made.number, made);
    return made;
  }

  get catches(): readonly Catch[] {
    return [...this.#catches.values()];
  }

  /** Take a catch back; without a number, all. False if there is none of that number. */
  uncatch(number?: number): boolean {
    if (number !== undefined) return this.#catches.delete(number);
    this.#catches.clear();
    return true;
  }

  take(target: Target): TrapStop | undefined {
    const stop = this.#stops.get(target);
    this.#stops.delete(target);
    const recorder = this.#recorders.get(target);
    if (recorder) recorder.stop = false;
    return stop;
  }

  /** The handlers that a target's program is in, the outermost first. */
  handlers(target: Target): readonly Interrupted[] {
    return this.#recorders.get(target)?.handlers ?? [];
  }

  /** The trap that a target is in the middle of. */
  open(target: Target): TrapRecord | undefined {
    return this.#recorders.get(target)?.open;
  }

  /** The last traps that a filter lets through, the newest last. */
  last(count: number, filter: (record: TrapRecord) => boolean = () => true): readonly TrapRecord[] {
    return this.#past().filter(filter).slice(-count);
  }

  lines(record: TrapRecord): string[] {
    return recordLines(record, this.programOf(record.target));
  }

  #hear = (point: TrapPoint, record: TrapRecord): boolean => {
    if (point === 'resume') this.#keep(record);
    const reason = this.#reason(point, record);
    if (reason === undefined) return false;
    const lines = typeof reason === 'object' ? this.lines(record) : this.#linesSince(record);
    this.#stops.set(record.target, { record, reason, lines });
    return true;
  };

  #keep(record: TrapRecord): void {
    this.#records.set(record.number, record);
    if (this.#records.size < 2 * KEPT) return;
    for (const number of [...this.#records.keys()].slice(0, KEPT)) this.#records.delete(number);
  }

  #reason(point: TrapPoint, record: TrapRecord): TrapStop['reason'] | undefined {
    const wish = this.#wish;
    if (wish && (wish.target ?? record.target) === record.target && this.#fulfills(wish, point, record))
      return wish.kind;
    return point === 'resume' && isTrap(record) ? this.catches.find((each) => this.#caught(each, record)) : undefined;
  }

  #fulfills(wish: Wish, point: TrapPoint, record: TrapRecord): boolean {
    switch (wish.kind) {
      case 'trap-step':
        return point === 'resume' && isTrap(record);
      case 'trap-into':
        return isTrap(record);
      case 'trap-finish':
        return point === 'resume' && this.handlers(wish.target).length < wish.depth;
      default:
        return wish satisfies never;
    }
  }

  #caught({ kinds, process, condition }: Catch, record: TrapRecord): boolean {
    const { target } = record;
    if (process && process !== target.process) return false;
    const own = kindsOf(record);
    return (kinds.length === 0 || kinds.some((kind) => own.includes(kind))) && (condition?.(target, record) ?? true);
  }

  /** What has happened since somebody was shown this trap last. */
  #linesSince(record: TrapRecord): string[] {
    const program = this.programOf(record.target);
    const known = this.#shown?.record === record ? this.#shown.stages : undefined;
    this.#shown = { record, stages: record.stages.length };
    const head = known === undefined ? headLines(record, program) : [];
    return [...head, ...stageLines(record, program, known ?? 0), ...resumeLines(record, program)];
  }
}
