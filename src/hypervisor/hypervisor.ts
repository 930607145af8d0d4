import { buildBoard, type Board, type Environment } from '../board/board.js';
import { stopsHere, type Machine, type ProgramState, type Progress } from '../board/machine.js';
import { Replayable } from '../board/inputs.js';
import type { Injection } from '../board/injection.js';
import { Outputs } from '../board/outputs.js';
import { SerialInput } from '../board/serial-input.js';
import { assert } from '../bus/assert.js';
import type { Device, Line } from '../bus/bus.js';
import type { Clock } from '../bus/clock.js';
import { Ram } from '../bus/memory.js';
import type { Core } from '../cpu/core.js';
import { deviceName, physicalReg } from '../devicetree/addresses.js';
import type { PartitionConfiguration } from '../devicetree/configuration.js';
import type { Node } from '../devicetree/tree.js';
import type { BootProblem } from '../loader/boot.js';
import { ExitAccount } from './accounting.js';
import { Announcer } from './announcer.js';
import { explain, type FaultReport } from './fault-report.js';
import { faultSubject } from './fault-subject.js';
import { guestTree } from './guest-tree.js';
import { isAsk, refusal, type Ask } from './lifecycle.js';
import { connect } from './management.js';
import { Partition } from './partition.js';
import type { GuestFiles, HypervisorOptions } from './options.js';
import { PeerInput } from './peer-input.js';
import { PidPool } from './pid-pool.js';
import { attachBeside, placeAll, type Placed } from './placement.js';
import { beginTurn, isOver, runGuest, showOnCore } from './run.js';
import type { Observation } from './settle.js';
import { programState, worstEnding } from './program-state.js';
import { Scheduler } from './scheduler.js';
import { suffer } from './injection.js';
import { TimeShares } from './time-shares.js';
import { Vcpu } from './vcpu.js';

export type { GuestFiles, HypervisorOptions } from './options.js';

type Turn = { readonly vcpu: Vcpu; readonly end: number };

/** The board with a hypervisor on it: partitions take turns on its core. */
export class Hypervisor extends Replayable implements Machine {
  readonly clock: Clock;
  readonly board: Board;
  readonly partitions: readonly Partition[];
  /** What it has said to the outside. */
  readonly outputs = new Outputs();
  /** Called for every exit, before it is handled. */
  observers: ((observation: Observation) => void)[] = [];
  /** The time that partitions spend without the core. */
  readonly timeShares: TimeShares;
  readonly #core: Core;
  readonly #scheduler: Scheduler<Vcpu>;
  readonly #redirected = new Map<Node, { line: Line | undefined }>();
  readonly #announcer: Announcer;
  readonly #pids = new PidPool();
  readonly #shared: readonly Placed[];
  /** Partitions that do not run from power-on, though their configuration has them do so. */
  #heldBack: readonly string[] = [];
  #last: Vcpu | undefined;
  #retired = 0;
  /** Whose turn it is, and until which cycle. */
  #turn: Turn | undefined;

  constructor(private readonly options: HypervisorOptions) {
    super();
    const { clock, configuration, tree } = options;
    this.clock = clock;
    for (const node of configuration.partitions.flatMap((p) => p.devices))
      this.#redirected.set(node, { line: undefined });
    this.board = buildBoard(tree, this.#boardEnvironment());
    const [core] = this.board.cores;
    assert(core !== undefined, 'the board has a core');
    this.#core = core;
    const places = placeAll(this.board.bus.ram.regions, configuration);
    this.#shared = places.shared;
    this.partitions = configuration.partitions.map((config, i) => this.#build(config, i + 1, places.partitions[i]!));
    const vcpus = this.partitions.flatMap((p) => p.vcpus);
    connect(this.partitions);
    this.#scheduler = new Scheduler(vcpus, clock, configuration.quantum);
    this.timeShares = new TimeShares(clock, vcpus);
    this.#announcer = new Announcer(this.partitions, {
      log: (line) => this.#say(line),
      fault: (report) => this.outputs.say('fault') && options.fault?.(report),
      explain: (vcpu) => explain(faultSubject(this, vcpu, vcpu.partition.ending)),
    });
  }

  /** The real board. What is given to a partition has its interrupt wire led there. */
  #boardEnvironment(): Environment {
    const { memory, clock, engine, recordInput } = this.options;
    const streamOf = (name: string): string => this.#streamOfBoardPort(name);
    return {
      memory,
      clock,
      engine,
      ram: (_, size) => Ram.allocate(memory, size),
      transmit: (name) => this.#transmit(streamOf(name)),
      streamOf,
      recordInput,
      finish: () => {},
      redirect: (node) => {
        const wire = this.#redirected.get(node);
        return wire && { set: (asserted) => wire.line?.set(asserted) };
      },
    };
  }

  #transmit(stream: string): (byte: number) => void {
    return this.outputs.counted(stream, this.options.transmit(stream));
  }

  #say(line: string): void {
    if (this.outputs.say('log')) this.options.log(line);
  }

  /** A port that was given to a partition is that partition's stream. */
  #streamOfBoardPort(name: string): string {
    const owner = this.options.configuration.partitions.find((p) => p.devices.some((d) => deviceName(d) === name));
    return `${owner?.name ?? 'board'}/${name}`;
  }

  #build(config: PartitionConfiguration, guestId: number, places: readonly Placed[]): Partition {
    const { memory, clock, engine, tree, recordInput } = this.options;
    const streamOf = (name: string): string => `${config.name}/${name}`;
    const virtual = guestTree(config, tree, guestId);
    const finish = (status: number): void => {
      partition.end({ kind: 'finished', status });
    };
    const board = buildBoard(virtual, {
      memory,
      clock,
      engine,
      refusals: this.board.bus.sharedRefusals,
      ram: (base) => {
        const at = places[config.memory.findIndex((m) => m.base === base)];
        assert(at !== undefined, 'every range of a partition’s memory has a place');
        return at.ram;
      },
      transmit: (name) => this.#transmit(streamOf(name)),
      streamOf,
      recordInput,
      finish,
      provide: (node, line) => this.#passThrough(config, node, line),
    });
    const pages = attachBeside(board.bus, config, places);
    const frequency = virtual.find('/cpus/cpu@0')?.cell('clock-frequency') ?? 0;
    const cyclesPerCharacter = Math.max(1, Math.round((frequency * 10) / 115200));
    const partition: Partition = new Partition(config, board, places, {
      cyclesPerCharacter,
      transmit: (name) => this.#transmit(streamOf(name)),
      input: (name, channel) => new SerialInput(streamOf(name), channel, clock, recordInput),
      peerInput: (channel) => new PeerInput(channel, clock),
      passed: this.board.ports.filter((port) => config.devices.some((d) => deviceName(d) === port.name)),
    });
    for (let i = 0; i < config.vcpus; i++) {
      partition.vcpus.push(new Vcpu(partition, i, board, this.#core, this.#pids, new ExitAccount(), pages[i]));
    }
    return partition;
  }

  /** The board's own device for a node that was given to this partition, with its interrupt led to the guest's controller. */
  #passThrough(config: PartitionConfiguration, node: Node, line: Line): Device | undefined {
    const given = config.devices.find((d) => deviceName(d) === deviceName(node));
    const wire = given && this.#redirected.get(given);
    const [reg] = physicalReg(node);
    if (!wire || !reg) return undefined;
    wire.line = line;
    return this.board.bus.devices.find(reg.base)?.target;
  }

  /**
   * Load every partition's guest and start those that start by themselves, unless they are held back; files by partition
   * name. Says why for the first that does not fit.
   */
  start(files: ReadonlyMap<string, GuestFiles>, heldBack: readonly string[] = []): BootProblem | undefined {
    this.#heldBack = heldBack;
    for (const [i, partition] of this.partitions.entries()) {
      const { name, config } = partition;
      const guest = files.get(name);
      assert(guest !== undefined, `${name} has an image`);
      const tree = guestTree(config, this.options.tree, i + 1);
      const starts = this.#startsAtPowerOn(partition);
      const problem = partition.powerOn({ ...guest, tree }, starts);
      if (problem) return { problem: `partition '${name}': ${problem.problem}` };
      if (starts) continue;
      this.#announcer.known(partition, true);
      this.#say(`partition '${name}' waits to be started`);
    }
    return undefined;
  }

  /** Start, stop, pause, resume or restart a partition while the others go on; says why where its state forbids that. */
  ask(ask: Ask, partition: Partition): string | undefined {
    const { name, lifecycle } = partition;
    this.tell({ kind: 'asked', ask, partition: name });
    if (!partition.ask(ask, 'shell')) return refusal(name, ask, lifecycle);
    this.timeShares.give(this.#turn?.vcpu);
    this.#announcer.look();
    return undefined;
  }

  protected advance(cycles: number): Progress {
    const end = this.clock.now + cycles;
    while (this.clock.now < end) {
      if (this.stopAtStep !== Infinity && this.steps >= this.stopAtStep) return { kind: 'stopped' };
      if (this.clock.held) return { kind: 'starved' };
      if (!this.partitions.some((p) => p.running)) return this.#ended;
      if (this.#allHeld) return { kind: 'stopped' };
      if (this.#turn?.vcpu.held) this.#turn = undefined; // a debugger took the core from it
      this.#turn ??= this.#nextTurn();
      if (!this.#turn) {
        if (this.clock.next > this.clock.now) return { kind: 'idle', until: this.clock.next };
        this.clock.ring();
        continue;
      }
      const { vcpu } = this.#turn;
      if (this.stopAtStep !== Infinity) vcpu.lastStep = vcpu.steps + this.stopAtStep - this.steps;
      if (this.#runTurn(this.#turn, end)) this.#turn = undefined;
      this.#resetIfAsked();
      this.#announcer.look();
      const stops = stopsHere(vcpu);
      vcpu.lastStep = Infinity;
      if (stops) return { kind: 'stopped' };
    }
    return { kind: 'ran' };
  }

  /** A privileged guest has asked for it: everything is as at power-on, but for simulated time. */
  #resetIfAsked(): void {
    const asker = this.partitions.find((p) => p.resetsBoard);
    if (!asker) return;
    this.#say(`the board was reset by partition '${asker.name}'`);
    this.#turn = undefined;
    this.board.reset();
    for (const { ram } of this.#shared) ram.clearDirty();
    for (const partition of this.partitions) {
      const starts = this.#startsAtPowerOn(partition);
      partition.powerCycle(starts);
      this.#announcer.known(partition, !starts);
    }
  }

  #startsAtPowerOn = ({ name, config }: Partition): boolean => config.autoStart && !this.#heldBack.includes(name);

  /** Whose turn it is now. Giving the core to another costs cycles, which are the newcomer's. */
  #nextTurn(): Turn | undefined {
    const share = this.#scheduler.next();
    this.timeShares.give(share?.client);
    if (!share) return undefined;
    const { worldSwitchCycles } = this.options.configuration;
    const { client: vcpu, cycles } = share;
    const turn = { vcpu, end: this.clock.now + cycles };
    if (vcpu !== this.#last) {
      this.clock.now += worldSwitchCycles;
      vcpu.account.cycles += worldSwitchCycles;
      vcpu.account.worldSwitchCycles += worldSwitchCycles;
      vcpu.account.worldSwitches += 1;
    }
    this.#last = vcpu;
    beginTurn(vcpu);
    return turn;
  }

  /** Go on with a turn; true when it is over. Where `run` stops in between leaves no trace. */
  #runTurn({ vcpu, end }: Turn, pause: number): boolean {
    const { account } = vcpu;
    const cycle = this.clock.now;
    const retired = this.#core.retired + vcpu.machine.retired;
    const over = runGuest(vcpu, { end, pause }, this.options.configuration, this.observers);
    account.cycles += this.clock.now - cycle;
    const done = this.#core.retired + vcpu.machine.retired - retired;
    account.retired += done;
    this.#retired += done;
    return over;
  }

  protected override endTurn(): void {
    if (this.#turn && isOver(this.#turn)) this.#turn = undefined;
    this.#announcer.look();
  }

  get debuggables(): readonly Vcpu[] {
    return this.partitions.flatMap((p) => p.vcpus);
  }

  get #allHeld(): boolean {
    return this.partitions.every((p) => !p.running || p.vcpus.every((v) => v.held));
  }

  get #ended(): Progress {
    const startable = this.partitions.some((p) => p.heldBack);
    return { kind: 'ended', ending: worstEnding(this.partitions), ...(startable && { startable }) };
  }

  /** What became of a partition, and why; of one that goes on, how things stand. Undefined: it ended as it should. */
  explain(name: string): FaultReport | undefined {
    const partition = this.partitions.find((p) => p.name === name);
    const [vcpu] = partition?.vcpus ?? [];
    return partition && vcpu && explain(faultSubject(this, vcpu, partition.ending));
  }

  get cores(): readonly Core[] {
    return [this.#core, ...this.partitions.flatMap((p) => p.board.cores)];
  }

  save() {
    this.timeShares.settle();
    const vcpus = this.debuggables;
    const number = (vcpu: Vcpu | undefined): number => (vcpu ? vcpus.indexOf(vcpu) : -1);
    return {
      now: this.clock.now,
      board: this.board.save(),
      partitions: this.partitions.map((partition) => partition.save()),
      pids: this.#pids.save(vcpus.map(({ shadowTlb }) => shadowTlb)),
      timeShares: this.timeShares.save(),
      scheduler: this.#scheduler.save(),
      announced: this.#announcer.save(),
      last: number(this.#last),
      onCore: vcpus.findIndex(({ machine }) => machine.regs === this.#core.regs),
      turn: this.#turn && { vcpu: number(this.#turn.vcpu), end: this.#turn.end },
      retired: this.#retired,
      said: this.outputs.save(),
    };
  }

  restore(saved: ReturnType<Hypervisor['save']>): void {
    const vcpus = this.debuggables;
    this.clock.now = saved.now;
    showOnCore(this.#core, vcpus[saved.onCore]);
    this.board.restore(saved.board);
    this.partitions.forEach((partition, i) => partition.restore(saved.partitions[i]!));
    this.#pids.restore(
      saved.pids,
      vcpus.map(({ shadowTlb }) => shadowTlb),
    );
    this.timeShares.restore(saved.timeShares);
    this.#scheduler.restore(saved.scheduler);
    this.#announcer.restore(saved.announced);
    this.#last = vcpus[saved.last];
    this.#turn = saved.turn && { vcpu: vcpus[saved.turn.vcpu]!, end: saved.turn.end };
    this.#retired = saved.retired;
    this.outputs.restore(saved.said);
    for (const core of this.cores) core.contextChanged();
  }

  protected pass(cycle: number): void {
    this.clock.skipTo(cycle);
  }

  protected input(stream: string): SerialInput | undefined {
    return this.#inputs.find((i) => i.stream === stream);
  }

  protected obey(ask: string, name: string): void {
    const partition = this.partitions.find((p) => p.name === name);
    if (partition && isAsk(ask)) this.ask(ask, partition);
  }

  protected suffer(injection: Injection): string | undefined {
    const problem = suffer(injection, this.partitions, (stream) => this.input(stream));
    this.timeShares.give(this.#turn?.vcpu);
    this.#announcer.look();
    return problem;
  }

  get steps(): number {
    let steps = 0;
    for (const { vcpus } of this.partitions) for (const vcpu of vcpus) steps += vcpu.steps;
    return steps;
  }

  /** Every partition's, then those of board ports that nobody was given. */
  get #inputs(): SerialInput[] {
    return [...this.partitions.flatMap((p) => p.inputs), ...this.board.ports.map((p) => p.input)];
  }

  get streams(): readonly string[] {
    const passed = this.board.ports.map((p) => p.input.stream).filter((s) => !s.startsWith('board/'));
    return [...this.partitions.flatMap((p) => p.inputs.map((i) => i.stream)), ...passed];
  }

  get waitingInput(): number {
    return this.#inputs.reduce((sum, input) => sum + input.waiting, 0);
  }

  get retired(): number {
    return this.#retired;
  }

  resetAccounts(): void {
    this.tell({ kind: 'recount' });
    this.timeShares.reset();
    for (const { account } of this.partitions.flatMap((p) => p.vcpus)) account.reset();
  }

  get programs(): readonly ProgramState[] {
    return this.partitions.map(programState);
  }
}
