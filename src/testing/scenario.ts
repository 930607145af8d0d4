import timers from 'node:timers/promises';
import { describeEnding, type Ending } from '../board/machine.js';
import { durationCycles, type Duration } from '../devicetree/duration.js';
import {
  HYPERVISOR_STREAM,
  type Act,
  type Pattern,
  type TestPlan,
  type TestScript,
  type TestStep,
  type Wait,
} from '../devicetree/test-plan.js';
import type { Position } from '../devicetree/tree.js';
import type { FaultKind } from '../hypervisor/fault-kinds.js';
import type { Partition } from '../hypervisor/partition.js';
import type { ConsoleStream } from './console-stream.js';
import { BoardError } from './failure.js';
import { inject } from './scenario-faults.js';
import { Random } from './random.js';
import type { TestBoard } from './test-board.js';

/** Why a test failed. */
export interface ScenarioFailure {
  /** What in the source was not met. */
  readonly at: Position;
  /** `hello.greets`: the script and the step; undefined where it is nobody's in particular. */
  readonly step: string | undefined;
  readonly reason: string;
  readonly error: BoardError;
}

/** How a program ends that has not done its work. */
const deadly: readonly FaultKind[] = [
  'machine-check-disabled',
  'no-handler',
  'handler-not-mapped',
  'handler-not-code',
  'handler-faults',
];

/** Where a script is. */
interface Place {
  readonly script: TestScript;
  step: TestStep | undefined;
  /** Rounds of the script that are over. */
  round: number;
  done: boolean;
}

/** What a step is about. */
interface Parties {
  readonly stream: ConsoleStream | undefined;
  readonly partition: string;
}

/** Something was not met that stands elsewhere than the wait of the step that is being taken. */
class Unmet extends Error {
  constructor(
    readonly at: Position,
    readonly place: Place | undefined,
    readonly error: BoardError,
  ) {
    super(error.reason);
  }
}

/**
 * Does with a board that was just switched on what a plan says. Scripts go on side by side; each step acts at the very cycle at
 * which what it waited for came. The same board, plan and seed go the same way.
 */
export class Scenario {
  readonly #places: readonly Place[];
  /** What is forbidden, by the reason that it fails for. */
  readonly #forbidden = new Map<string, Position>();
  /** Resets that steps have waited for, by partition. */
  readonly #resets = new Map<string, number>();
  #failure: ScenarioFailure | undefined;

  constructor(
    private readonly board: TestBoard,
    private readonly plan: TestPlan,
    private readonly seed = plan.seed,
  ) {
    this.#places = plan.scripts.map((script) => ({ script, step: undefined, round: 0, done: false }));
  }

  /** Until all scripts are at their ends. Gives why the test failed, if it did. */
  async run(): Promise<ScenarioFailure | undefined> {
    const { plan, board } = this;
    for (const stream of board.consoles) this.#forbid(stream, plan.never);
    const scripts = this.#places.map((place) => this.#guarded(place, () => this.#play(place)));
    await Promise.all([...scripts, this.#guarded(undefined, () => this.#watch())]);
    return this.#failure;
  }

  /** What fails first is what the test fails by, and all else is given up. */
  async #guarded(place: Place | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      // Where nothing can come any more all fail at once, and a step knows better what it was that did not come.
      if (!place && !(thrown instanceof Unmet)) await timers.setImmediate();
      if (this.#failure) return;
      this.#failure = this.#failureOf(thrown, place);
      this.board.abandon('the test is over');
    }
  }

  #failureOf(thrown: unknown, place: Place | undefined): ScenarioFailure {
    const unmet = thrown instanceof Unmet ? thrown : undefined;
    const error = unmet?.error ?? this.#boardError(thrown);
    const { script, step } = (unmet ? unmet.place : place) ?? {};
    const forbidden = this.#forbidden.get(error.reason);
    const at = unmet?.at ?? forbidden ?? step?.wait?.at ?? step?.at ?? this.plan.at;
    const name = forbidden || !script || !step ? undefined : `${script.name}.${step.name}`;
    const reason = error.reason.replaceAll(LINE_END, '$');
    return { at, step: name, reason: `${reason}${this.#bound(error, step)}`, error };
  }

  /** What a step that has waited in vain was given. */
  #bound({ reason }: BoardError, step: TestStep | undefined): string {
    if (!reason.endsWith('it did not come')) return '';
    const { limit } = this.plan;
    if (!step) return `; its limit is ${shown(limit)}`;
    return step.within ? ` within ${shown(step.within)}` : ` before the limit of the test, ${shown(limit)}`;
  }

  #boardError(thrown: unknown): BoardError {
    if (thrown instanceof BoardError) return thrown;
    if (!(thrown instanceof Error)) throw thrown;
    return this.board.fail(thrown.message);
  }

  async #play(place: Place): Promise<void> {
    const { script } = place;
    const random = new Random(seedFor(this.seed, script.name));
    const stream = script.stream === undefined ? undefined : this.#stream(script.stream);
    if (stream) this.#forbid(stream, script.never);
    for (; place.round < script.repeat; place.round++)
      for (const step of script.steps) {
        place.step = step;
        await this.#take(place, step, { stream, partition: step.partition ?? script.partition ?? '' }, random);
      }
    place.done = true;
  }

  #stream = (name: string): ConsoleStream => this.board.console(name === HYPERVISOR_STREAM ? 'hv' : name);

  #forbid(stream: ConsoleStream, patterns: readonly Pattern[]) {
    return patterns.map((pattern) => {
      const ban = stream.never(compiled(pattern));
      this.#forbidden.set(ban.reason, pattern.at);
      return ban;
    });
  }

  async #take(place: Place, step: TestStep, parties: Parties, random: Random): Promise<void> {
    const { stream } = parties;
    const bans = stream ? this.#forbid(stream, step.never) : [];
    if (step.wait) await this.#wait(step.wait, this.#within(step), parties, random);
    for (const ban of bans) ban.lift();
    for (const act of step.acts) {
      try {
        this.#do(act, parties);
      } catch (error) {
        throw new Unmet(act.at, place, this.#boardError(error));
      }
    }
  }

  /** What is left of the test's time, or of the step's own. */
  #within(step: TestStep): string {
    const left = Math.max(0, this.#cycles(this.plan.limit) - this.board.cycle);
    return `${Math.min(left, step.within ? this.#cycles(step.within) : left)} cycles`;
  }

  #cycles = (duration: Duration): number => durationCycles(duration, this.board.frequency);

  async #wait(wait: Wait, within: string, { stream, partition }: Parties, random: Random): Promise<void> {
    const { board } = this;
    switch (wait.kind) {
      case 'output':
        await stream?.expect(compiled(wait.pattern), { within });
        return;
      case 'time': {
        const cycles = this.#cycles(wait.duration);
        return board.run(`${wait.random ? random.integer(0, cycles) : cycles} cycles`);
      }
      case 'instructions':
        return board.runUntil({ instructions: wait.count, partition }, { within });
      case 'exit':
        await board.partition(partition).expectExit(wait.status, { within });
        return;
      case 'fault':
        await board.partition(partition).expectFault(wait.fault === 'any' ? undefined : wait.fault, { within });
        return;
      case 'reset':
        await board.until(`a reset of partition '${partition}'`, () => this.#wasReset(partition), { within });
        return;
      case 'state': {
        const what = `partition '${partition}' to be ${wait.state}`;
        await board.until(what, () => this.#partition(partition)?.lifecycle === wait.state || undefined, { within });
      }
    }
  }

  #partition = (name: string): Partition | undefined => this.board.hypervisor.partitions.find((p) => p.name === name);

  /** Was it reset since this was asked with this answer the last time? */
  #wasReset(name: string): true | undefined {
    const { restarts = 0, ending, lifecycle } = this.#partition(name) ?? {};
    const all = restarts + (ending?.kind === 'reset' ? 1 : 0);
    const seen = this.#resets.get(name) ?? 0;
    if (all <= seen || lifecycle === 'starting') return undefined;
    this.#resets.set(name, seen + 1);
    return true;
  }

  #do(act: Act, { stream, partition }: Parties): void {
    if (act.kind === 'send') stream?.send(act.bytes);
    else if (act.kind === 'recount') this.board.hypervisor.resetAccounts();
    else if (act.kind === 'inject') inject(this.board, act, stream?.name ?? '', partition);
    else if (act.kind === 'ask') this.board.partition(partition)[act.ask]();
    else if (act.kind === 'max-exits') this.#compareExits(act, partition);
    else this.#compareShare(act, partition);
  }

  #compareShare({ kind, percent }: Extract<Act, { kind: 'min-share' | 'max-share' }>, partition: string): void {
    const { share } = this.board.partition(partition);
    if (kind === 'min-share' ? share >= percent : share <= percent) return;
    const had = `partition '${partition}' has had ${share.toFixed(2)} % of the core`;
    throw this.board.fail(`${had}, and is to have ${percent} % ${kind === 'min-share' ? 'at least' : 'at most'}`);
  }

  #compareExits({ exit, most }: Extract<Act, { kind: 'max-exits' }>, partition: string): void {
    const { exits } = this.board.partition(partition);
    const count = exit ? (exits[exit] ?? 0) : Object.values(exits).reduce((sum, each) => sum + each, 0);
    if (count <= most) return;
    const what = `${count} exits${exit ? ` of the kind ${exit}` : ''}`;
    const kinds = Object.entries(exits).map(([kind, many]) => `${kind} ${many}`);
    throw this.board.fail(`partition '${partition}' has made ${what}, and may make ${most} (${kinds.join(', ')})`);
  }

  /** Until all scripts are at their ends: nothing dies that nobody expects to, and nobody waits for what cannot come. */
  async #watch(): Promise<void> {
    const { limit } = this.plan;
    const within = `${this.#cycles(limit) + 1} cycles`; // steps come first, which know better what they wait for
    const over = (): true | undefined => {
      this.#look();
      return this.#places.every(({ done }) => done) || undefined;
    };
    await this.board.until('the end of the test', over, { within });
  }

  #look(): void {
    const { board, plan } = this;
    const dead = board.faults.find(
      ({ program, kind }) => deadly.includes(kind) && !plan.mayFault.includes(program) && !this.#foresees(program),
    );
    if (dead) {
      const reason = `partition '${dead.program}' died, and no step expects that: ${dead.meaning}`;
      throw new Unmet(plan.at, undefined, board.fail(reason));
    }
    for (const place of this.#places) {
      const { script, step, done } = place;
      if (done || step?.wait?.kind !== 'output' || script.stream === HYPERVISOR_STREAM) continue;
      const ending = this.#silenced(script.partition ?? '');
      if (!ending) continue;
      const reason = `it waits for what partition '${script.partition}' prints, which ${describeEnding(ending)}`;
      throw new Unmet(step.wait.at, place, board.fail(reason));
    }
  }

  /** How a partition ended that nobody is going to start again. */
  #silenced(name: string): Ending | undefined {
    const ending = this.#partition(name)?.ending;
    const managed = this.board.hypervisor.partitions.some(({ config }) =>
      config.managedPartitions.some((one) => one.partition === name),
    );
    return managed || this.#mayStart(name) ? undefined : ending;
  }

  /** Does a step of the test expect this partition to end? */
  #foresees = (partition: string): boolean =>
    this.#steps(partition, () => 0).some(({ wait }) => ['fault', 'reset', 'exit'].includes(wait?.kind ?? ''));

  /** Is there a step to come that starts it? */
  #mayStart = (partition: string): boolean =>
    this.#steps(partition, ({ script, step, round, done }) => {
      if (round + 1 < script.repeat || !step) return 0;
      return done ? script.steps.length : script.steps.indexOf(step);
    }).some(({ acts }) => acts.some((act) => act.kind === 'ask' && act.ask.endsWith('start')));

  /** The steps about a partition, of each script from some step on. */
  #steps(partition: string, from: (place: Place) => number): TestStep[] {
    return this.#places.flatMap((place) =>
      place.script.steps.slice(from(place)).filter((step) => (step.partition ?? place.script.partition) === partition),
    );
  }
}

/** A seed for one script, so that scripts do not choose alike (FNV-1a). */
const seedFor = (seed: number, name: string): number =>
  [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5 ^ seed);

/** `$` is the end of a line that is over, so that nothing matches that may yet become longer. */
const compiled = (pattern: Pattern): string | RegExp =>
  'text' in pattern
    ? decoded(pattern.text)
    : new RegExp(decoded(pattern.regex).replaceAll(/\\.|\[(?:\\.|[^\]])*\]|\$/gs, endOfLine));

const LINE_END = '(?=\\n)';

const endOfLine = (part: string): string => (part === '$' ? LINE_END : part);

/** Text of a tree, which has a character for each byte, as the UTF-8 that it is. */
const decoded = (text: string): string => Buffer.from(text, 'latin1').toString();

const shown = (duration: Duration): string => {
  if ('cycles' in duration) return `${duration.cycles} cycles`;
  const { seconds } = duration;
  return seconds >= 1 ? `${seconds} s` : `${Number((seconds * 1000).toPrecision(12))} ms`;
};
