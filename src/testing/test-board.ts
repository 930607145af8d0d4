import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Amendment, RecordedInput } from '../board/inputs.js';
import type { Injection } from '../board/injection.js';
import { recordingLine, recordingStart } from '../board/recording.js';
import { Snapshots, snapshotOf, stateHash } from '../board/snapshot.js';
import { findStream } from '../console/names.js';
import { amenderOf } from '../debug/amendments.js';
import { processesOf } from '../debug/processes.js';
import { didYouMean } from '../devicetree/suggest.js';
import type { Finding } from '../devicetree/finding.js';
import type { FaultReport } from '../hypervisor/fault-report.js';
import type { Hypervisor } from '../hypervisor/hypervisor.js';
import type { Ask } from '../hypervisor/lifecycle.js';
import { report, type MachineReport } from '../hypervisor/report.js';
import { UsageError } from '../launch/errors.js';
import { differences, type Identity } from '../launch/identity.js';
import { ConsoleStream, type Within } from './console-stream.js';
import { Driver, type Point } from './driver.js';
import { cyclesOf, type Duration } from './duration.js';
import { BoardError, type Circumstances } from './failure.js';
import { Injector } from './injector.js';
import { injectorHost } from './injector-host.js';
import { Random } from './random.js';
import { TestPartition } from './test-partition.js';
import { TestSnapshot } from './test-snapshot.js';

/** What a board is made of; `boot` makes one. */
export interface BoardParts {
  readonly frequency: number;
  readonly identity: Identity;
  /** How `hv440 replay` is to have the same machine again. */
  readonly again: {
    readonly command: 'boot';
    readonly what: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly embedded: true;
  };
  /** For choices. */
  readonly seed: number;
  /** Warnings and notes of the checks. */
  readonly findings: readonly Finding[];
  /** Default of `within`. */
  readonly within: Duration;
  /** No run goes on beyond this. */
  readonly limit?: Duration;
  /** Where recordings of failures go. */
  readonly artifacts: string | undefined;
  /** Makes the machine, and has it say to the board what it says. */
  launch(ears: {
    transmit(stream: string): (byte: number) => void;
    log(line: string): void;
    fault(report: FaultReport): void;
  }): Hypervisor;
}

/** Where the hypervisor's own lines are: `partition 'p' ended with status 0`. */
const HYPERVISOR = 'hv';

/** So long without a character, and a line is taken for whole. */
const SILENCE = '10 ms';

/** How often a condition is looked at. */
const EVERY = '10 us';

/** A point that a run can go to. */
export type Until =
  | (() => boolean)
  | { readonly cycle: number }
  /** So many instructions since power-on: of one partition, or of all. */
  | { readonly instructions: number; readonly partition?: string };

/** A board with partitions under test. Its time goes on only while something of it is awaited. */
export class TestBoard {
  readonly hypervisor: Hypervisor;
  /** Warnings and notes about the configuration. */
  readonly findings: readonly Finding[];
  readonly #driver: Driver;
  readonly #streams = new Map<string, ConsoleStream>();
  readonly #partitions: ReadonlyMap<string, TestPartition>;
  #faults: FaultReport[] = [];
  #inputs: RecordedInput[] = [];
  #random: Random;
  readonly #snapshots: Snapshots;

  /** For `boot`. */
  constructor(private readonly parts: BoardParts) {
    this.findings = parts.findings;
    this.#random = new Random(parts.seed);
    this.inject = new Injector(injectorHost(this, (injection) => this.#host.inject(injection)));
    this.hypervisor = parts.launch({
      transmit: (name) => {
        let stream: ConsoleStream | undefined;
        return (byte) => (stream ??= this.#stream(name)).print(byte);
      },
      log: (line) => {
        this.#driver?.halt();
        for (const byte of new TextEncoder().encode(`${line}\n`)) this.#stream(HYPERVISOR).print(byte);
      },
      fault: (found) => {
        this.#faults.push(found);
        this.#driver?.halt();
      },
    });
    const { hypervisor } = this;
    for (const name of hypervisor.streams) this.#stream(name);
    this.#stream(HYPERVISOR);
    hypervisor.listeners.push((input) => this.#inputs.push({ ...input, ...hypervisor.moment }));
    this.#driver = new Driver(hypervisor, (reason) => this.fail(reason));
    if (parts.limit !== undefined) this.#driver.limit = this.#cycles(parts.limit);
    this.#snapshots = new Snapshots(hypervisor);
    const [, ...processes] = processesOf(hypervisor);
    hypervisor.amender = amenderOf(processes.flatMap(({ targets }) => targets));
    this.#partitions = new Map(
      hypervisor.partitions.map((partition, i) => {
        partition.doorbells.stateChange.attach({ set: (asserted) => asserted && this.#driver.halt() });
        const ask = (what: Ask): void => this.#refuse(hypervisor.ask(what, partition));
        return [
          partition.name,
          new TestPartition(partition, { ...this.#host, hypervisor, targets: processes[i]!.targets, ask }),
        ];
      }),
    );
  }

  readonly #host = {
    faults: (): readonly FaultReport[] => this.#faults,
    wait: async <T>(
      what: string,
      within: Duration | undefined,
      look: () => T | undefined,
      next = (): number => Infinity,
    ): Promise<T> =>
      this.#driver.wait({ what, look, next, deadline: this.cycle + this.#cycles(within ?? this.parts.within) }),
    amend: (amendment: Amendment): void => void this.hypervisor.amend(amendment),
    inject: (injection: Injection): void => this.#refuse(this.hypervisor.inject(injection)),
    fail: (reason: string): Error => this.fail(reason),
  };

  /** What it is of: its configuration and its images. */
  get identity(): Identity {
    return this.parts.identity;
  }

  /** The clock: cycles since power-on. */
  get cycle(): number {
    return this.hypervisor.clock.now;
  }

  /** Cycles a second. */
  get frequency(): number {
    return this.parts.frequency;
  }

  /** The same in seconds. */
  get seconds(): number {
    return this.cycle / this.parts.frequency;
  }

  /**
   * A console by its name: a partition's (its first console), `partition:port`, a stream as the multiplexer has it
   * (`linux/serial@ef600300`), or `hv` for what the hypervisor has to say. Throws where there is none.
   */
  console(name: string): ConsoleStream {
    const partition = this.hypervisor.partitions.find((p) => p.name === name || p.config.label === name);
    const [first] = partition?.inputs ?? [];
    if (first) return this.#stream(first.stream);
    const found = findStream(name.replace(':', '/'), [...this.#streams.values()]);
    if (!('problem' in found)) return found;
    throw new UsageError(found.problem);
  }

  /** All consoles there are. */
  get consoles(): readonly ConsoleStream[] {
    return [...this.#streams.values()];
  }

  /** A partition by its name. Throws where there is none. */
  partition(name: string): TestPartition {
    const found = this.#partitions.get(name);
    if (found) return found;
    const names = [...this.#partitions.keys()];
    throw new UsageError(`there is no partition '${name}'; ${didYouMean(name, names)}`);
  }

  get partitions(): readonly TestPartition[] {
    return [...this.#partitions.values()];
  }

  /** Let so much virtual time pass. */
  async run(duration: Duration): Promise<void> {
    const end = this.cycle + this.#cycles(duration);
    return this.#until(`${duration}`, end, Infinity);
  }

  /** Let the machine go on to a point; a condition is looked at every 10 microseconds of virtual time. */
  async runUntil(
    until: Until,
    { within, every = EVERY }: { readonly within?: Duration; readonly every?: Duration } = {},
  ): Promise<void> {
    const deadline = this.cycle + this.#cycles(within ?? this.parts.within);
    if (typeof until === 'function') return this.#untilTrue(until, deadline, Math.max(1, this.#cycles(every)));
    if ('cycle' in until) return this.#until(`cycle ${until.cycle}`, until.cycle, Infinity);
    const point = this.#pointOf(until);
    const what = `${until.instructions} instructions${until.partition === undefined ? '' : ` of partition '${until.partition}'`}`;
    await this.#driver.wait({ what, deadline, point, look: () => this.#driver.reached(point) || undefined });
  }

  /** Faults that happen now. */
  readonly inject: Injector;

  /** Faults that happen so much later, if the board is run until then. */
  after(time: Duration): Injector {
    return this.at({ cycle: this.cycle + this.#cycles(time) });
  }

  /** Faults that happen at a point to come: a cycle, or so many instructions since power-on of a partition, or of all. */
  at(moment: Exclude<Until, () => boolean>): Injector {
    return this.#injectorAt('cycle' in moment ? moment : this.#pointOf(moment));
  }

  /** Numbers for choices; the same ones for the same seed. A snapshot brings them back to where they were. */
  get random(): Random {
    return this.#random;
  }

  /** Begin with other numbers. */
  seed(seed: number): void {
    this.#random = new Random(seed);
  }

  /**
   * Wait until `look` gives something: it is asked whenever a search finds what it looks for, a partition changes its state or
   * dies, and is known at that very cycle. `what` is the rest of a sentence that begins with "waited for".
   */
  until<T>(what: string, look: () => T | undefined, { within }: Within = {}): Promise<T> {
    return this.#host.wait(what, within, look);
  }

  /** Nobody is to wait for anything any more: all that do fail for this reason. */
  abandon(reason: string): void {
    this.#driver.object(reason);
  }

  /** All that is counted, as `--stats json` prints it. */
  stats(): MachineReport {
    return report(this.hypervisor);
  }

  /** What died, or faults in a loop; the oldest first. */
  get faults(): readonly FaultReport[] {
    return this.#faults;
  }

  /** The board as it is now. */
  snapshot(): TestSnapshot {
    const { standing } = this.hypervisor;
    const streams = Object.fromEntries([...this.#streams].map(([name, stream]) => [name, stream.save()]));
    const { seed, state } = this.#random;
    const test = { inputs: this.#inputs, standing, streams, faults: this.#faults, random: { seed, state } };
    return new TestSnapshot(this.#snapshots.take(), this.parts.identity, structuredClone(test));
  }

  /** Be again what it was, with its consoles. Throws where the snapshot is of another configuration. */
  restore(snapshot: TestSnapshot): void {
    const different = differences(snapshot.identity, this.parts.identity);
    if (different.length > 0)
      throw new UsageError(['the snapshot is of another configuration', ...different].join('\n  '));
    const { inputs, standing, streams, faults, random } = snapshot.test;
    this.#driver.forget();
    this.#snapshots.restore(snapshot.machine);
    this.hypervisor.outputs.diverge(); // what it says from here on is heard, though it may have said it before
    this.hypervisor.standing = standing;
    this.#inputs = [...inputs];
    this.#faults = [...faults];
    this.#random = new Random(random.seed, random.state);
    for (const [name, stream] of this.#streams) stream.restore(streams[name]);
    for (const partition of this.#partitions.values()) partition.forget();
  }

  /** The run so far, from power-on: a file for `hv440 replay`. */
  recording(): string {
    const { hypervisor } = this;
    const { identity, again } = this.parts;
    if (hypervisor.standing === 'stopped') hypervisor.settle(); // as whoever replays it finds it
    const end = { kind: 'end', hash: stateHash(snapshotOf(hypervisor)), ...hypervisor.moment } as const;
    return [recordingStart({ identity, again }), ...[...this.#inputs, end].map(recordingLine)].join('');
  }

  /** An error for this moment, with all that is known of it; it writes a recording, so that the same run can be had again. */
  fail(reason: string): BoardError {
    return new BoardError(reason, this.#circumstances());
  }

  #stream(name: string): ConsoleStream {
    const known = this.#streams.get(name);
    if (known) return known;
    const stream = new ConsoleStream(name, {
      cycle: () => (this.#driver ? this.cycle : 0), // while it is being switched on
      silence: this.#cycles(SILENCE),
      type: (bytes) => {
        if (!this.hypervisor.type(name, bytes)) throw new UsageError(`nothing can be typed at '${name}'`);
      },
      wait: this.#host.wait,
      halt: () => this.#driver.halt(),
      object: (reason) => this.#driver.object(reason),
    });
    this.#streams.set(name, stream);
    return stream;
  }

  #cycles(duration: Duration): number {
    const cycles = cyclesOf(duration, this.parts.frequency);
    if (typeof cycles === 'number') return cycles;
    throw new UsageError(cycles.problem);
  }

  #refuse(problem: string | undefined): void {
    if (problem !== undefined) throw new UsageError(problem);
  }

  async #until(what: string, cycle: number, deadline: number): Promise<void> {
    const look = (): true | undefined => (this.cycle >= cycle ? true : undefined);
    await this.#driver.wait({ what, deadline, look, next: () => cycle, timed: true });
  }

  async #untilTrue(condition: () => boolean, deadline: number, every: number): Promise<void> {
    const start = this.cycle;
    let next = start;
    const look = (): true | undefined => {
      if (this.cycle < next) return undefined;
      next = start + (Math.floor((this.cycle - start) / every) + 1) * every;
      return condition() || undefined;
    };
    const what = `the condition ${condition.toString()}`;
    await this.#driver.wait({ what, deadline, look, next: () => next, timed: true });
  }

  #injectorAt(point: Point): Injector {
    const at = (moment: Point, act: () => void): void => this.#driver.at(moment, act);
    return new Injector(
      injectorHost(
        this,
        (injection) => this.#host.inject(injection),
        (act) => at(point, act),
      ),
    );
  }

  #pointOf({ instructions, partition }: { readonly instructions: number; readonly partition?: string }): Point {
    if (partition !== undefined) this.partition(partition);
    const of = this.hypervisor.debuggables.filter((v) => partition === undefined || v.partition.name === partition);
    return { instructions, of };
  }

  #circumstances(): Circumstances {
    const { hypervisor, cycle } = this;
    return {
      cycle,
      frequency: this.parts.frequency,
      seed: this.#random.seed,
      consoles: this.consoles.map(({ name, lines }) => ({ name, lines })),
      faults: this.#faults,
      partitions: hypervisor.programs.map(
        ({ name, state, pc }) => `partition '${name}': ${state}, pc 0x${pc.toString(16)}`,
      ),
      recording: this.#keep(),
    };
  }

  /** Write the run so far to a file; its path. */
  #keep(): string | undefined {
    const { artifacts } = this.parts;
    if (artifacts === undefined) return undefined;
    try {
      const file = join(mkdtempSync(join(artifacts, 'failure-')), 'recording.hv440');
      writeFileSync(file, this.recording());
      return file;
    } catch {
      return undefined;
    }
  }
}
