import type { Board } from '../board/board.js';
import { enter } from '../board/entry.js';
import { describeEnding, type Ending, type StoppedBy } from '../board/machine.js';
import type { SerialInput } from '../board/serial-input.js';
import { assert } from '../bus/assert.js';
import { hex, type Line } from '../bus/bus.js';
import type { Clock } from '../bus/clock.js';
import { bytesOf, textOf } from '../devicetree/bytes.js';
import { decodeBlob, encodeBlob } from '../devicetree/blob.js';
import type { PartitionConfiguration } from '../devicetree/configuration.js';
import type { Tree } from '../devicetree/tree.js';
import { fits, loadProgram, type BootContents, type BootProblem, type BootState } from '../loader/boot.js';
import type { ImageSymbol } from '../loader/contents.js';
import type { ByteChannel } from './byte-channel.js';
import { ByteChannels } from './byte-channels.js';
import { Doorbell } from './doorbell.js';
import { grantsOf, type Grant } from './grants.js';
import { NO_HANDLES, type Handles } from './management.js';
import { mayAsk, type Ask, type PartitionState, type StopReason } from './lifecycle.js';
import { clearOwn, type Placed } from './placement.js';
import type { Vcpu } from './vcpu.js';
import type { Wiring } from './wiring.js';

/** Bytes that a manager may make a guest's device tree, and that of this process' memory it may take. */
const LARGEST_TREE = 0x100000;

const FALLING_EDGE = 2;

const textValue = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

// TCR[WP] and TCR[WRC] = 11, a system reset (PPC440x5 User's Manual, "Timer Control Register")
const TCR_WP_SHIFT = 30;
const TCR_WRC_SYSTEM = 0x30000000;

/** A partition at work: its virtual board, its vcpus, and where it is in its life. */
export class Partition {
  readonly vcpus: Vcpu[] = [];
  /** What its managers hear of it, and what they tell it by; with or without anybody who listens. Topaz, guest_t. */
  readonly doorbells = {
    stateChange: new Doorbell(),
    watchdogExpiration: new Doorbell(),
    resetRequest: new Doorbell(),
    shutdown: new Doorbell(),
  };
  readonly channels: ByteChannels;
  #state: PartitionState = 'stopped';
  #ending: Ending | undefined;
  #contents: BootContents | undefined;
  /** Cycles that loading its image still takes. */
  #loading = 0;
  /** What its guest may name, besides its byte channels. */
  handles: Handles = NO_HANDLES;
  /** It has asked to be started again, by FH_PARTITION_RESTART, and that is the reset that its processor asks for. */
  restartsItself = false;
  /** It has asked to have the whole board reset, by FH_SYSTEM_RESET. */
  resetsBoard = false;
  /** How often it was started again without having been stopped in between. */
  restarts = 0;
  readonly grants: readonly Grant[];

  constructor(
    readonly config: PartitionConfiguration,
    readonly board: Board,
    /** Where its memory lies on the real board. */
    private readonly places: readonly Placed[],
    private readonly wiring: Wiring,
  ) {
    this.grants = grantsOf(config, board, places);
    const [uic] = board.uics;
    assert(uic !== undefined, 'a partition has an interrupt controller');
    this.channels = new ByteChannels(config.byteChannels, wiring, (line) => uic.line(line));
  }

  get name(): string {
    return this.config.name;
  }

  /** What the image calls its addresses. */
  get symbols(): readonly ImageSymbol[] {
    return this.#contents?.image.symbols ?? [];
  }

  /** Where it is in its life, in Topaz's words. */
  get lifecycle(): PartitionState {
    return this.#state;
  }

  /** Does it take part in the run: does it run, or is it about to? */
  get running(): boolean {
    return this.#state === 'running' || this.#state === 'starting';
  }

  /** How it ended; undefined while it has not, and before its first start. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Whether it is left to somebody else to have it run: it was never started, it is paused, or it was stopped by a command. */
  get heldBack(): boolean {
    if (this.#state !== 'stopped') return this.#state === 'paused';
    return this.#ending === undefined || (this.#ending.kind === 'stopped' && this.#ending.by === 'shell');
  }

  /** The device tree that its guest gets at the next start; undefined before the first loading. */
  get tree(): Tree | undefined {
    return this.#contents?.tree;
  }

  /** Switch it off and on with its board: as at power-on, but that its guest's tree stays as its managers made it. */
  powerCycle(start: boolean): void {
    assert(this.#contents !== undefined, 'a partition is loaded at power-on');
    clearOwn(this.places);
    for (const input of this.inputs) input.discard();
    this.resetsBoard = false;
    const problem = this.powerOn(this.#contents, start);
    assert(problem === undefined, 'what fitted once fits again');
  }

  /** Load the guest at power-on, which takes no time, and let it run or leave it to be started; says why it does not fit. */
  powerOn(contents: BootContents, start: boolean): BootProblem | undefined {
    const boot = this.#load(contents);
    if ('problem' in boot) return boot;
    this.#contents = contents;
    this.#ending = undefined;
    this.#change('starting');
    this.#enter(boot);
    if (start) this.#started();
    else this.#change('stopped');
    if (!start) this.doorbells.resetRequest.ring();
    return undefined;
  }

  /**
   * Start, stop, pause, resume or restart it; false where its state forbids that. An entry has it start with its memory as
   * it is; otherwise memory is clean and the image is loaded again.
   */
  ask(ask: Ask, by: StoppedBy, entry?: number): boolean {
    if (!mayAsk(ask, this.#state, by)) return false;
    if (ask === 'start') this.#begin(entry);
    else if (ask === 'stop') this.#stop({ by, reason: 'stop' });
    else if (ask === 'restart') this.#restart({ by, reason: 'restart' });
    else if (ask === 'pause') this.#stand('pausing', 'paused');
    else this.#stand('resuming', 'running');
    return true;
  }

  /** It is over, by what the guest itself did. The first ending counts. */
  end(ending: Ending, why: StopReason = { by: 'self', reason: 'stop' }): void {
    if (!this.running) return;
    this.#ending = ending;
    this.#tell(why);
    this.#hold(true);
    this.#change('stopping');
    this.#change('stopped');
  }

  /** Its processor asked for a reset: start from clean memory and devices, or be done. */
  resetRequested(): void {
    if (this.restartsItself) return this.#restart({ by: 'self', reason: 'restart' });
    const expired = this.vcpus.find((v) => v.machine.timers.resetRequest);
    const { onReset, watchdogTimeout } = this.config;
    const why: StopReason = expired
      ? { by: 'watchdog', reason: `vcpu-${expired.index}` }
      : { by: 'self', reason: 'restart' };
    const action = (expired && watchdogTimeout) ?? (onReset === 'restart' ? 'partition-reset' : undefined);
    if (action === 'partition-reset') return this.#restart(why);
    if (action === 'partition-stop') return this.end({ kind: 'stopped', by: 'watchdog' }, why);
    if (action === undefined) {
      this.end({ kind: 'reset' }, why);
      return this.doorbells.resetRequest.ring();
    }
    expired!.machine.timers.resetRequest = undefined;
    this.doorbells.watchdogExpiration.ring();
  }

  /** Let loading go on for at most so many cycles, which pass; it runs once that is done. */
  load(cycles: number, clock: Clock): void {
    const took = Math.min(cycles, this.#loading);
    this.#loading -= took;
    clock.now += took;
    if (this.#loading === 0) this.#started();
  }

  /**
   * Loading an image costs the guest a cycle a word, in its own turns, so that one that only resets itself uses up its share
   * like any other.
   */
  #begin(entry?: number): void {
    assert(this.#contents !== undefined, 'a partition is started after power-on');
    const { image, initrd, tree } = this.#contents;
    this.#ending = undefined;
    this.#change('starting');
    if (entry === undefined) clearOwn(this.places);
    const boot =
      entry === undefined
        ? this.#load(this.#contents)
        : loadProgram(this.board.bus.ram, { image: { ...image, segments: [], entry }, tree });
    assert(!('problem' in boot), 'what fitted once fits again');
    const loaded = image.segments.reduce((sum, { size }) => sum + size, initrd?.length ?? 0);
    this.#loading = entry === undefined ? Math.ceil(loaded / 4) : 0;
    this.#enter(boot);
    if (this.#loading === 0) this.#started();
  }

  /** Load the guest and replace the words of its image that are to be others; each must be the one that is expected. */
  #load(contents: BootContents): BootState | BootProblem {
    const { ram } = this.board.bus;
    const boot = loadProgram(ram, contents);
    if ('problem' in boot) return boot;
    for (const { address, expected, word } of this.config.imagePatches) {
      const region = ram.find(address);
      const found = region?.target.read(address - region.base, 4);
      if (!region || found !== expected)
        return { problem: `image-patch expects ${hex(expected)} at ${hex(address)}, and there is ${hex(found ?? 0)}` };
      region.target.write(address - region.base, 4, word);
    }
    return boot;
  }

  /** Everything but memory as after power-on, and the processor at the entry. Its time has not begun. */
  #enter(boot: BootState): void {
    this.restartsItself = false;
    this.board.reset();
    for (const { uart } of this.wiring.passed) uart.reset();
    this.channels.reset();
    for (const vcpu of this.vcpus) vcpu.reset();
    const [boot0] = this.board.cores;
    assert(boot0 !== undefined, 'a partition has a processor');
    enter(boot0, boot);
    this.#hold(true);
  }

  #started(): void {
    const { watchdogAutostartPeriod: period } = this.config;
    this.#hold(false);
    for (const { timers, system } of this.board.cores) {
      timers.reset();
      if (period === undefined) continue;
      system.set('tcr', (period << TCR_WP_SHIFT) | TCR_WRC_SYSTEM);
      timers.changed();
    }
    this.#change('running');
  }

  #stop(why: StopReason): void {
    this.#change('stopping');
    this.#ending = { kind: 'stopped', by: why.by };
    this.#tell(why);
    this.#silence();
    this.#change('stopped');
  }

  #restart(why: StopReason): void {
    if (this.#state !== 'stopped') this.#change('stopping');
    this.#tell(why);
    if (why.by === 'shell' || why.by === 'manager') this.#silence();
    this.restarts += 1;
    this.#begin();
  }

  /** Nothing of it goes on: no timer runs, its devices of the board are quiet, and what was typed to it is lost. */
  #silence(): void {
    this.#hold(true);
    for (const { uart, input } of this.wiring.passed) {
      uart.reset();
      input.discard();
    }
    for (const input of this.inputs) input.discard();
  }

  /** Its devices take what is typed even while it is paused; its time base and timers stand still. */
  #stand(over: PartitionState, state: 'paused' | 'running'): void {
    this.#change(over);
    this.#hold(state === 'paused');
    this.#change(state);
  }

  #hold(held: boolean): void {
    for (const { timers } of this.board.cores) timers.hold(held);
  }

  #tell({ by, reason }: StopReason): void {
    this.setProperty(['hypervisor'], 'fsl,hv-stopped-by', textValue(by));
    this.setProperty(['hypervisor'], 'fsl,hv-reason-stopped', textValue(reason));
  }

  /**
   * Change the device tree that its guest gets at the next start; nodes of the path that are not there are made. False, with
   * nothing changed, where the tree would no longer fit into its memory or become larger than 1 MiB.
   */
  setProperty(path: readonly string[], name: string, value: Uint8Array): boolean {
    const contents = this.#contents;
    assert(contents !== undefined, 'a partition has a tree from power-on');
    const added: (() => void)[] = [];
    let node = contents.tree.root;
    for (const step of path) {
      const parent = node;
      const known = parent.child(step);
      node = known ?? parent.add(step);
      if (!known) added.push(() => parent.children.pop());
    }
    const before = node.get(name);
    node.set(name, value);
    if (encodeBlob(contents.tree).length <= LARGEST_TREE && fits(this.board.bus.ram, contents)) return true;
    if (before) node.set(name, before.value, before.form);
    else node.properties.delete(name);
    for (const undo of added.toReversed()) undo();
    return false;
  }

  /** Managers hear of a state that lasts: running, paused, stopped. */
  #change(state: PartitionState): void {
    this.#state = state;
    if (state === 'running' || state === 'paused' || state === 'stopped') this.doorbells.stateChange.ring();
  }

  /** What was granted to it that this guest-physical address lies in. */
  grant(physical: number): Grant | undefined {
    return this.grants.find(({ base, size }) => physical >= base && physical < base + size);
  }

  /** An input of its interrupt controller, active high. */
  line({ line, type }: { readonly line: number; readonly type: number }): Line {
    const [uic] = this.board.uics;
    assert(uic !== undefined, 'a partition has an interrupt controller');
    const input = uic.line(line);
    if (type !== FALLING_EDGE) return input;
    input.set(true);
    return { set: (asserted) => input.set(!asserted) };
  }

  byteChannel(handle: number): ByteChannel | undefined {
    return this.channels.byHandle(handle);
  }

  /** What its ports and channels are typed at by, the console first. */
  get inputs(): readonly SerialInput[] {
    const ports = this.board.ports.map((p): [string, SerialInput] => [p.name, p.input]);
    const { stdout } = this.config;
    return [...ports, ...this.channels.inputs]
      .toSorted(([a], [b]) => Number(b === stdout) - Number(a === stdout))
      .map(([, input]) => input);
  }

  /** All of it but memory. */
  save() {
    const { restartsItself, resetsBoard, restarts, tree } = this;
    const { channels, congested, inputs, peers } = this.channels.save();
    return {
      life: { state: this.#state, ending: this.#ending, loading: this.#loading, restartsItself, resetsBoard, restarts },
      tree: tree && textOf(encodeBlob(tree)),
      channels,
      congested,
      board: this.board.save(),
      inputs,
      ...(peers && { peers }),
      vcpus: this.vcpus.map((vcpu) => vcpu.save()),
    };
  }

  restore({ life, tree, board, vcpus, ...channels }: ReturnType<Partition['save']>): void {
    this.#state = life.state;
    this.#ending = life.ending;
    this.#loading = life.loading;
    this.restartsItself = life.restartsItself;
    this.resetsBoard = life.resetsBoard;
    this.restarts = life.restarts;
    const contents = this.#contents;
    assert(contents !== undefined, 'a partition is loaded at power-on');
    if (tree !== undefined && tree !== textOf(encodeBlob(contents.tree)))
      this.#contents = { ...contents, tree: decodeBlob(bytesOf(tree), `${this.name}.dtb`) };
    this.channels.restoreChannels(channels);
    this.vcpus.forEach((vcpu, i) => vcpu.restore(vcpus[i]!));
    this.board.restore(board);
    this.channels.restoreInputs(channels);
  }

  /** `running`, `waiting for an interrupt`, `paused`, or how it ended. */
  get state(): string {
    if (this.#state === 'stopped') return this.#ending ? describeEnding(this.#ending) : 'waits to be started';
    if (this.#state !== 'running') return this.#state;
    return this.vcpus.every((v) => v.waits) ? 'waiting for an interrupt' : 'running';
  }
}
