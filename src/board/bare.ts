import { assert } from '../bus/assert.js';
import { Ram, type SharedMemory } from '../bus/memory.js';
import type { Clock } from '../bus/clock.js';
import type { Core, Delivered } from '../cpu/core.js';
import { deliver } from '../cpu/deliver.js';
import type { Probes } from '../cpu/probes.js';
import type { Engine } from '../cpu/engine/engine.js';
import type { Trap, TrapKind } from '../cpu/trap.js';
import type { Tree } from '../devicetree/tree.js';
import { loadProgram, type BootContents, type BootProblem } from '../loader/boot.js';
import { buildBoard, type Board } from './board.js';
import { enter } from './entry.js';
import {
  describeEnding,
  stopsHere,
  type Debuggable,
  FRUITLESS_LIMIT,
  type Ending,
  type Machine,
  type ProgramState,
  type Progress,
} from './machine.js';
import { Replayable } from './inputs.js';
import { Outputs } from './outputs.js';
import type { Timeline } from './timeline.js';
import { TrapWatch } from './trap-watch.js';
import type { TrapWitness } from './trap-witness.js';
import type { InputRecord, SerialInput } from './serial-input.js';

export interface BareOptions {
  readonly memory: SharedMemory;
  readonly clock: Clock;
  readonly engine: Engine;
  /** The board's device tree, checked; it is also what the program gets. */
  readonly tree: Tree;
  /** Where a port's bytes go, by stream name. */
  transmit(stream: string): (byte: number) => void;
  readonly recordInput: (record: InputRecord) => void;
  /** Start again after a reset instead of ending. */
  readonly restart: boolean;
}

/** A board with one program on it and no hypervisor: every trap is the hardware's business. */
export class BareMachine extends Replayable implements Machine, Debuggable {
  readonly clock: Clock;
  readonly name = 'board/cpu0';
  held = false;
  readonly board: Board;
  #ending: Ending | undefined;
  #stopAt = Infinity;
  #finished: number | undefined;
  /** The traps that the program took; for a person who wonders. */
  readonly traps = new TrapWatch();
  /** It faults in a loop: the same translation fails again and again. */
  repeats = false;
  #timeline: Timeline | undefined;
  #witness: TrapWitness | undefined;
  /** A trap that a debugger wanted to look at before anything is done about it. */
  #met: Trap | undefined;
  #contents: BootContents | undefined;
  /** Since power-on or `resetAccounts`. */
  readonly account = { since: 0, retiredBefore: 0, idleCycles: 0, interrupts: new Map<TrapKind, number>() };
  /** Deliveries since an instruction was last retired. */
  #fruitless = 0;
  /** What had been retired when the engine delivered a trap behind which it had not retired anything yet. */
  #deliveredAt: number | undefined;
  /** Interrupts taken and resets. */
  #events = 0;
  /** What it has said to the outside. */
  readonly outputs = new Outputs();

  constructor(private readonly options: BareOptions) {
    super();
    const { memory, clock, engine, tree } = options;
    this.clock = clock;
    this.board = buildBoard(tree, {
      memory,
      clock,
      engine,
      ram: (_, size) => Ram.allocate(memory, size),
      transmit: (name) => this.outputs.counted(streamOf(name), options.transmit(streamOf(name))),
      streamOf,
      recordInput: options.recordInput,
      finish: (status) => {
        this.#finished = status;
        this.#core.requestReset('system'); // it stops behind this very instruction
      },
    });
    this.#listen();
  }

  get timeline(): Timeline | undefined {
    return this.#timeline;
  }
  /** Who hears how its time is spent. */
  set timeline(timeline: Timeline | undefined) {
    this.#timeline = timeline;
    this.#listen();
  }

  get witness(): TrapWitness | undefined {
    return this.#witness;
  }
  set witness(witness: TrapWitness | undefined) {
    this.#witness = witness;
    this.#listen();
  }

  /** Where somebody hears of every trap, the engine delivers none by itself. */
  #listen(): void {
    const heard = this.#timeline !== undefined || this.#witness !== undefined;
    this.#core.onDelivered = heard ? undefined : (delivered) => this.#delivered(delivered);
  }

  /** The engine has delivered traps as `#deliver` would have. */
  #delivered({ counts, trap, pc, msr, pid, fruitless }: Delivered): void {
    const core = this.#core;
    for (const [kind, count] of counts) {
      this.account.interrupts.set(kind, (this.account.interrupts.get(kind) ?? 0) + count);
      this.#events += count;
    }
    this.traps.took({ trap, pc, msr, pid });
    core.watchSelfBranch = true;
    this.#deliveredAt = fruitless ? core.retired : undefined;
  }

  get #core(): Core {
    const core = this.board.cores[0];
    assert(core !== undefined, 'a board has a core');
    return core;
  }

  /** Load a program and put the core at its entry; says why where it does not fit. */
  start(contents: BootContents): BootProblem | undefined {
    const boot = loadProgram(this.board.bus.ram, contents);
    if ('problem' in boot) return boot;
    this.#contents = contents;
    this.board.reset();
    enter(this.#core, boot);
    this.#core.watchSelfBranch = true;
    this.traps.reset();
    this.repeats = false;
    this.#met = undefined;
    return undefined;
  }

  /** Of whoever stops it first. */
  get stopAt(): number {
    return Math.min(this.#stopAt, this.stopAtStep);
  }
  set stopAt(steps: number) {
    this.#stopAt = steps;
  }

  protected advance(cycles: number): Progress {
    const end = this.clock.now + cycles;
    const core = this.#core;
    while (!this.#ending) {
      const left = end - this.clock.now;
      if (this.held || stopsHere(this)) return { kind: 'stopped' };
      if (this.#met) {
        this.#deliver(this.#met);
        continue;
      }
      if (left <= 0) return { kind: 'ran' };
      if (this.clock.held) return { kind: 'starved' };
      this.witness?.resumes();
      if (this.witness?.stop) return { kind: 'stopped' };
      const before = core.retired;
      this.timeline?.turns('guest', this);
      const stop = core.run(Math.min(left, this.stopAt - this.steps));
      if (core.retired !== before) this.#fruitless = 0;
      if (core.retired === this.#deliveredAt) this.#fruitless += 1;
      this.#deliveredAt = undefined;
      if (this.#finished !== undefined) this.#ending = { kind: 'finished', status: this.#finished };
      else if (this.steps >= this.stopAt) {
        // An interrupt that came with the last step waits, and so does what a system call has raised
        if (stop.kind === 'trap' && stop.trap.kind === 'system-call') this.#met = stop.trap;
        return { kind: 'stopped' };
      } else if (stop.kind === 'trap') this.#meet(stop.trap);
      else if (stop.kind === 'reset') this.#reset();
      else if (stop.kind === 'checkstop') this.#checkstop();
      else if (stop.kind === 'idle' && core.canBeInterrupted) return { kind: 'idle', until: this.clock.next };
      else if (stop.kind === 'idle' || (stop.kind === 'self-branch' && !core.canBeInterrupted))
        this.#ending = { kind: 'halted' };
      else if (stop.kind === 'self-branch') core.watchSelfBranch = false; // something may yet interrupt it
    }
    return { kind: 'ended', ending: this.#ending };
  }

  protected pass(cycle: number): void {
    const { now } = this.clock;
    this.timeline?.turns('idle', undefined);
    this.clock.skipTo(cycle);
    this.account.idleCycles += this.clock.now - now;
  }

  resetAccounts(): void {
    this.tell({ kind: 'recount' });
    const { account, clock } = this;
    account.since = clock.now;
    account.retiredBefore = this.retired;
    account.idleCycles = 0;
    account.interrupts.clear();
  }

  retry(): void {
    if (this.#met?.kind !== 'system-call') this.#met = undefined;
  }

  #meet(trap: Trap): void {
    this.witness?.meets(trap);
    if (this.witness?.stop) this.#met = trap;
    else this.#deliver(trap);
  }

  /** Entering a handler takes a cycle, so that a program that only traps makes time pass too. */
  #deliver(trap: Trap): void {
    const core = this.#core;
    this.#met = undefined;
    if (this.traps.note(trap, core, this.#fruitless)) this.repeats = true;
    this.timeline?.delivers(trap, this);
    this.witness?.delivers(trap);
    this.account.interrupts.set(trap.kind, (this.account.interrupts.get(trap.kind) ?? 0) + 1);
    deliver(trap, core.regs, core.system);
    core.contextChanged();
    core.watchSelfBranch = true;
    this.clock.now += 1;
    this.#events += 1;
    this.witness?.delivered();
    if (++this.#fruitless >= FRUITLESS_LIMIT) this.#ending = { kind: 'fault-loop' };
  }

  #checkstop(): void {
    if (this.#core.trap) this.traps.note(this.#core.trap, this.#core, this.#fruitless);
    this.#ending = { kind: 'checkstop' };
  }

  #reset(): void {
    this.#events += 1;
    if (!this.options.restart || !this.#contents) {
      this.#ending = { kind: 'reset' };
      return;
    }
    this.#startAgain(this.#contents);
  }

  /** Start the program again from its image, whatever has become of it. */
  restart(): void {
    this.tell({ kind: 'asked', ask: 'restart', partition: 'board' });
    this.#events += 1;
    this.#ending = undefined;
    this.#finished = undefined;
    this.#fruitless = 0;
    if (this.#contents) this.#startAgain(this.#contents);
  }

  #startAgain(contents: BootContents): void {
    for (const { target } of this.board.bus.ram.regions) target.clearDirty();
    this.start(contents);
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  get cores(): readonly Core[] {
    return [this.#core];
  }

  save() {
    const { since, retiredBefore, idleCycles, interrupts } = this.account;
    return {
      now: this.clock.now,
      board: this.board.save(),
      life: { ending: this.#ending, finished: this.#finished, fruitless: this.#fruitless, events: this.#events },
      met: this.#met,
      traps: this.traps.save(),
      repeats: this.repeats,
      account: { since, retiredBefore, idleCycles, interrupts: [...interrupts] },
      said: this.outputs.save(),
    };
  }

  restore(saved: ReturnType<BareMachine['save']>): void {
    this.clock.now = saved.now;
    this.board.restore(saved.board);
    this.#ending = saved.life.ending;
    this.#finished = saved.life.finished;
    this.#fruitless = saved.life.fruitless;
    this.#events = saved.life.events;
    this.#met = saved.met;
    this.traps.restore(saved.traps);
    this.repeats = saved.repeats;
    const { interrupts, ...counts } = saved.account;
    Object.assign(this.account, counts);
    this.account.interrupts.clear();
    for (const [kind, count] of interrupts) this.account.interrupts.set(kind, count);
    this.outputs.restore(saved.said);
    for (const core of this.cores) core.contextChanged();
  }

  protected input(stream: string): SerialInput | undefined {
    return this.board.ports.find((p) => p.input.stream === stream)?.input;
  }

  protected obey(ask: string): void {
    if (ask === 'restart') this.restart();
  }

  protected suffer(): string {
    return 'only partitions can have something injected, and this is a bare board';
  }

  get streams(): readonly string[] {
    return this.board.ports.map((p) => streamOf(p.name));
  }

  get waitingInput(): number {
    return this.board.ports.reduce((sum, p) => sum + p.input.waiting, 0);
  }

  get machine(): Core {
    return this.#core;
  }

  get debuggables(): readonly Debuggable[] {
    return [this];
  }

  get steps(): number {
    return this.#core.retired + this.#events;
  }

  get probes(): Probes | undefined {
    return this.#core.probes;
  }
  set probes(probes: Probes | undefined) {
    this.#core.probeWith(probes);
  }

  get retired(): number {
    return this.#core.retired;
  }

  get programs(): readonly ProgramState[] {
    const { regs, waits } = this.#core;
    const active = waits ? 'waiting for an interrupt' : 'running';
    const { last } = this.traps;
    return [
      {
        name: 'board',
        state: this.#ending ? describeEnding(this.#ending) : active,
        ending: this.#ending,
        down: this.#ending && describeEnding(this.#ending),
        pc: regs.pc,
        lastTrap: last && `${last.trap.kind} at 0x${last.pc.toString(16)}`,
      },
    ];
  }
}

const streamOf = (name: string): string => `board/${name}`;
