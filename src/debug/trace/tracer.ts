import { BareMachine } from '../../board/bare.js';
import type { Debuggable } from '../../board/machine.js';
import { withListener, type Activity, type Timeline } from '../../board/timeline.js';
import { syndrome, type Trap } from '../../cpu/trap.js';
import { detailName, detailOf, NO_DETAIL } from '../../hypervisor/exit-detail.js';
import type { Observation } from '../../hypervisor/settle.js';
import { symbolAt, type ImageSymbol } from '../../loader/image.js';
import { MSR } from '../../isa/registers.js';
import type { DebuggedMachine } from '../processes.js';
import { ConsoleLines } from './console-lines.js';
import { passes, type EventName, type TraceFilter } from './filter.js';
import { watchInterrupts } from './interrupts.js';
import { Lane, type Slice } from './lane.js';
import { Tracks, type Track } from './tracks.js';
import type { TraceEvent, TraceWriter } from './writer.js';

export interface TracerOptions {
  readonly writer: TraceWriter;
  readonly filter: TraceFilter;
  /** Cycles a second. */
  readonly frequency: number;
  /** By program: `board`, or a partition's name. */
  readonly symbols: ReadonlyMap<string, readonly ImageSymbol[]>;
}

/** An event without its time. */
export interface Happening {
  readonly event: EventName;
  /** Of an exit or a trap. */
  readonly kind?: string;
  readonly partition: string;
  readonly name: string;
  readonly track: Track;
  readonly args: Readonly<Record<string, unknown>>;
}

const partitionOf = (name: string): string => name.replace(/\/.*/, '');
const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

/**
 * Writes down how a machine spends its time: on the core's track and on one for each vcpu, slices that follow one another
 * without a gap and add up to the clock; and what happens as instants. It only listens.
 */
export class Tracer implements Timeline {
  readonly #tracks: Tracks;
  readonly #console: ConsoleLines;
  readonly #core: Lane;
  readonly #vcpus = new Map<string, Lane>();
  /** What the core does, and for whom; undefined before it does anything. */
  #activity: Activity | undefined;
  #owner: string | undefined;

  constructor(
    private readonly machine: DebuggedMachine,
    private readonly options: TracerOptions,
  ) {
    this.#tracks = new Tracks(machine, (event) => options.writer.name(event));
    this.#console = new ConsoleLines((stream, text, from) => this.#printed(stream, text, from));
    const tell = (slice: Slice): void => this.#sliced(slice);
    this.#core = new Lane(machine.clock, this.#tracks.core, tell);
    if (machine instanceof BareMachine) machine.timeline = withListener(machine.timeline, this);
    else {
      for (const { name } of machine.debuggables)
        this.#vcpus.set(name, new Lane(machine.clock, this.#tracks.vcpu(name), tell));
      this.#attend(machine);
    }
    watchInterrupts(machine, (partition, kind, name, args) => {
      this.happens({ event: 'interrupt', kind, partition, name, track: this.#tracks.interrupts(partition), args });
    });
  }

  #attend(machine: Exclude<DebuggedMachine, BareMachine>): void {
    for (const vcpu of machine.debuggables) vcpu.timeline = withListener(vcpu.timeline, this);
    machine.observers.push((observation) => this.#exits(observation));
    machine.timeShares.onOwner = (owner, standings) => {
      if (owner === undefined) this.turns('idle', undefined);
      else if (owner.name !== this.#owner || this.#activity === 'idle') this.turns('world-switch', owner);
      machine.debuggables.forEach(({ name }, i) => {
        const standing = standings[i]!;
        if (standing !== 'has-core') this.#vcpus.get(name)!.turn(standing, partitionOf(name));
      });
    };
  }

  turns(activity: Activity, program: Debuggable | undefined): void {
    if (activity === this.#activity && program?.name === this.#owner) return;
    this.#activity = activity;
    this.#owner = program?.name;
    const partition = program && partitionOf(program.name);
    this.#core.turn(activity, partition, activity === 'guest' ? program?.name : undefined);
    if (program) this.#vcpus.get(program.name)?.turn(activity, partition);
  }

  delivers(trap: Trap, program: Debuggable): void {
    const { regs, system } = program.machine;
    const partition = partitionOf(program.name);
    const esr = syndrome(trap);
    this.happens({
      event: 'interrupt',
      kind: trap.kind,
      partition,
      name: `take ${trap.kind}`,
      track: this.#tracks.interrupts(partition),
      args: {
        ...this.#where(partition, regs.pc),
        state: system.msr & MSR.PR ? 'user' : 'supervisor',
        ...('address' in trap && { address: hex(trap.address) }),
        ...(esr !== undefined && { esr: hex(esr) }),
      },
    });
  }

  #exits({ vcpu, exit }: Observation): void {
    const { kind } = exit;
    const partition = vcpu.partition.name;
    const detail = detailOf(exit, vcpu);
    const about = detail === NO_DETAIL ? undefined : detailName(detail, vcpu);
    const name = about === undefined ? kind : `${kind}: ${about}`;
    this.#core.about(name);
    this.#vcpus.get(vcpu.name)?.about(name);
    this.happens({
      event: 'exit',
      kind: exit.kind === 'reflect' ? exit.trap.kind : kind,
      partition,
      name,
      track: this.#tracks.vcpu(vcpu.name),
      args: {
        kind,
        ...(about !== undefined && { about }),
        ...this.#where(partition, vcpu.machine.regs.pc),
        ...('physical' in exit && { physical: hex(exit.physical) }),
        ...('address' in exit && { address: hex(exit.address) }),
      },
    });
  }

  /** A byte was sent. */
  sent(stream: string, byte: number): void {
    this.#console.put(stream, byte, this.machine.clock.now);
  }

  #printed(stream: string, text: string, from: number): void {
    const partition = partitionOf(stream);
    const track = this.#tracks.console(stream);
    this.happens({ event: 'console', partition, name: text, track, args: { begun: from } });
  }

  happens({ event, kind, partition, name, track, args }: Happening): void {
    if (!passes(this.options.filter, event, kind, partition)) return;
    const { now } = this.machine.clock;
    const shown = { ...args, cycle: now };
    this.#write({ name, cat: event, ph: 'i', s: 't', ts: this.#micros(now), ...track, args: shown });
  }

  /** End all slices at the present cycle, and the trace. */
  close(): void {
    this.#console.flush();
    for (const lane of [this.#core, ...this.#vcpus.values()]) lane.close();
    this.options.writer.close(this.#micros(this.machine.clock.now));
  }

  #where(program: string, pc: number): { readonly pc: string; readonly symbol?: string } {
    const found = symbolAt(this.options.symbols.get(program) ?? [], pc);
    if (!found) return { pc: hex(pc) };
    return { pc: hex(pc), symbol: found.offset === 0 ? found.name : `${found.name}+0x${found.offset.toString(16)}` };
  }

  #sliced({ name, track, partition, from, to, activity }: Slice): void {
    if (!passes(this.options.filter, 'slice', undefined, partition)) return;
    const ts = this.#micros(from);
    const dur = Math.round((this.#micros(to) - ts) * 1000) / 1000;
    const args = { activity, cycle: from, cycles: to - from };
    this.#write({ name, cat: 'slice', ph: 'X', ts, dur, ...track, args });
  }

  #write(event: TraceEvent): void {
    this.options.writer.add(event);
  }

  /** Whole nanoseconds, as microseconds. */
  #micros(cycle: number): number {
    return Math.round((cycle / this.options.frequency) * 1e9) / 1000;
  }
}
