import type { Ending, Progress } from '../board/machine.js';
import { amenderOf } from './amendments.js';
import { TargetProbes, type Breakpoint, type Hit } from './breakpoints.js';
import type { Backward, History } from './history.js';
import type { TrapStop } from './traps/stops.js';
import { processesOf, type DebuggedMachine } from './processes.js';
import type { Process, Target } from './target.js';

/** Why a target stands still. */
export type StopEvent =
  | { readonly kind: 'breakpoint' | 'watchpoint'; readonly target: Target; readonly hit: Hit }
  | { readonly kind: 'step'; readonly target: Target }
  | { readonly kind: 'trap'; readonly target: Target; readonly stop: TrapStop }
  | { readonly kind: 'interrupt'; readonly target: Target } // somebody asked for it
  | { readonly kind: 'moved'; readonly target: Target } // to another moment of its past, as somebody asked
  | { readonly kind: 'present'; readonly target: Target } // it ran in its past, and comes to where it left that
  | { readonly kind: 'beginning'; readonly target: Target } // there is no earlier history
  | { readonly kind: 'ended'; readonly process: Process; readonly ending: Ending };

/** How a target is to run on. */
export type Resumption =
  | { readonly kind: 'run' }
  | { readonly kind: 'step'; readonly count: number } // so many steps, each an instruction, interrupt or hypercall
  | { readonly kind: 'range'; readonly from: number; readonly to: number }; // step while the pc is in [from, to)

/** Somebody who debugs: a GDB connection, a prompt. Each has breakpoints of its own, and hears of stops in its targets. */
export interface Client {
  /** The targets that it may stop and run. */
  readonly scope: readonly Target[];
  /** Called behind the slice in which something of the scope stopped; the targets of the events are stopped. */
  stopped(events: readonly StopEvent[]): void;
}

/** Whoever stops targets at traps. */
export interface TrapStopper {
  /** Why this target has been stopped, if it has: told once. */
  take(target: Target): TrapStop | undefined;
  /** Something stopped: what was asked for until the next stop is over. */
  settle(): void;
  /** The machine is about to move in its past, and nothing of that is to be told; what is given is called behind it. */
  mute(): () => void;
  /** What comes after this moment will not be as it was. */
  diverge(): void;
}

/** Cycles that are run backwards without hearing whether it is to stop: some tens of milliseconds. */
const BACKWARD_SLICE = 500_000;

/** State of a target that can run. */
interface Running {
  readonly target: Target;
  /** How it runs; undefined while it is stopped. */
  resumption: Resumption | undefined;
  probes: TargetProbes | undefined;
}

/**
 * Runs a machine so that clients can stop it, look at it and change it. With nothing to stop at it runs as it would
 * by itself, to the instruction; while all of it is stopped, no time passes for it. A part that runs while another is
 * stopped is a different run: the stopped vcpus are held back from the core.
 */
export class Debugger {
  readonly processes: readonly Process[];
  /** Reverse execution, where there is one. */
  history: History | undefined;
  /** Stops at traps, where somebody follows them. */
  traps: TrapStopper | undefined;
  /** Called when something runs again that was stopped: whoever drives the machine has to look. */
  onResume: () => void = () => {};
  readonly #running: readonly Running[];
  readonly #clients = new Map<
    Client,
    readonly { readonly breakpoint: Breakpoint; readonly targets: ReadonlySet<Target> }[]
  >();
  readonly #ended = new Set<Process>();
  #backward: { readonly way: Backward; readonly target: Target } | undefined;

  constructor(readonly machine: DebuggedMachine) {
    this.processes = processesOf(machine);
    machine.amender = amenderOf(this.targets);
    this.#running = this.targets
      .filter(({ runs }) => runs)
      .map((target) => ({ target, resumption: { kind: 'run' }, probes: undefined }));
  }

  get targets(): readonly Target[] {
    return this.processes.flatMap((process) => process.targets);
  }

  join(client: Client): void {
    this.#clients.set(client, []);
  }

  /** A client goes, and its breakpoints with it. What it stopped stays stopped. */
  leave(client: Client): void {
    this.#clients.delete(client);
    this.#place();
  }

  get clients(): readonly Client[] {
    return [...this.#clients.keys()];
  }

  /** All breakpoints of a client, each with the targets that it is for. */
  setBreakpoints(
    client: Client,
    breakpoints: readonly { breakpoint: Breakpoint; targets: ReadonlySet<Target> }[],
  ): void {
    this.#clients.set(client, breakpoints);
    this.#place();
  }

  #place(): void {
    const all = [...this.#clients.values()].flat();
    for (const running of this.#running) {
      const own = all.filter(({ targets }) => targets.has(running.target)).map(({ breakpoint }) => breakpoint);
      if (own.length === 0 && !running.probes) continue;
      running.probes =
        own.length === 0 ? undefined : new TargetProbes(running.target, running.target.runs!, own, running.probes);
      running.target.runs!.probes = running.probes;
    }
  }

  isStopped(target: Target): boolean {
    return this.#running.every((running) => running.target !== target || running.resumption === undefined);
  }

  /** Let targets run; those not named go on as they are. */
  resume(resumptions: ReadonlyMap<Target, Resumption>): void {
    for (const running of this.#running) {
      const resumption = resumptions.get(running.target);
      if (!resumption || running.target.process.ending) continue;
      const { runs } = running.target;
      running.resumption = resumption;
      running.probes?.pass();
      runs!.stopAt = stopAt(resumption, runs!.steps);
    }
    this.onResume();
  }

  /** Does anything run, forwards or backwards? */
  get busy(): boolean {
    const runs = this.#running.some(({ resumption, target }) => resumption && !target.process.ending);
    return this.#backward !== undefined || runs;
  }

  /**
   * Run back to the last stop of these targets, as `History.continueBack` says; the clients are told as of other stops, of the
   * beginning at `target`. False where there is no history, or something runs.
   */
  goBack(targets: readonly Target[], target: Target): boolean {
    if (!this.history || this.busy) return false;
    this.#backward = { way: this.history.goBack(targets), target };
    this.onResume();
    return true;
  }

  /** Stop going back, where it has got to; false where it does not. */
  stopBack(): boolean {
    this.#backward?.way.stop();
    const went = this.#backward !== undefined;
    this.#backward = undefined;
    return went;
  }

  #runBack({ way, target }: { readonly way: Backward; readonly target: Target }): Progress {
    const end = way.run(BACKWARD_SLICE);
    if (!end) return { kind: 'ran' };
    this.#backward = undefined;
    this.#tell([end.kind === 'stopped' ? end.event : { kind: 'beginning', target }]);
    return { kind: 'stopped' };
  }

  /** Stop targets where they are. */
  stop(targets: Iterable<Target>): void {
    const wanted = new Set(targets);
    for (const running of this.#running) if (wanted.has(running.target)) halt(running);
  }

  /** Run the machine as `Machine.run` does. What stopped is told to the clients before this returns. */
  run(cycles: number): Progress {
    if (this.#backward) return this.#runBack(this.#backward);
    if (this.#running.every(({ resumption, target }) => !resumption || target.process.ending)) {
      if (!this.processes.every((p) => p.ending)) return { kind: 'stopped' };
    }
    this.#hold();
    const progress = this.history ? this.history.run(cycles) : this.machine.run(cycles);
    const events = [...this.#stops(), ...this.#endings(), ...this.#presents()];
    if (events.length > 0) this.#tell(events);
    return progress.kind === 'stopped' && events.length === 0 ? { kind: 'ran' } : progress;
  }

  /** Vcpus that are stopped while others run are kept from the core. */
  #hold(): void {
    for (const { resumption, target } of this.#running) {
      const held = resumption === undefined;
      if (target.runs!.held === held || target.process.ending) continue;
      if (!held && this.history?.inPast) continue; // it goes as it went then
      this.machine.amend({ kind: 'held', processor: target.name, held });
    }
  }

  /** Write a register: an input of the run, as what is typed is one. */
  writeRegister({ name: processor }: Target, register: string, value: bigint): void {
    this.machine.amend({ kind: 'register', processor, register, value: BigInt.asUintN(64, value).toString(16) });
  }

  /** Write memory; gives how many bytes could be written. */
  writeMemory({ name: processor }: Target, space: Breakpoint['space'], address: number, bytes: Uint8Array): number {
    return this.machine.amend({ kind: 'memory', processor, space, address, bytes: [...bytes] });
  }

  #stops(): StopEvent[] {
    const events: StopEvent[] = [];
    for (const running of this.#running) {
      const event = running.resumption && (this.#trapEvent(running.target) ?? stopEvent(running));
      if (!event) continue;
      events.push(event);
      halt(running);
    }
    return events;
  }

  /** All that ran stops where the past ends. */
  #presents(): StopEvent[] {
    if (!this.history?.takeEnd()) return [];
    const running = this.#running.filter(({ resumption }) => resumption);
    running.forEach(halt);
    return running.slice(0, 1).map(({ target }) => ({ kind: 'present', target }));
  }

  #trapEvent(target: Target): StopEvent | undefined {
    const stop = this.traps?.take(target);
    return stop && { kind: 'trap', target, stop };
  }

  #endings(): StopEvent[] {
    const events: StopEvent[] = [];
    for (const process of this.processes) {
      const { ending } = process;
      if (!ending) this.#ended.delete(process);
      else if (!this.#ended.has(process)) {
        this.#ended.add(process);
        events.push({ kind: 'ended', process, ending });
      }
    }
    return events;
  }

  #tell(events: readonly StopEvent[]): void {
    if (events.some(({ kind }) => kind !== 'step')) this.traps?.settle(); // GDB steps away from a breakpoint before it continues
    for (const client of this.clients) {
      const own = events.filter((event) => concerns(event, client.scope));
      if (own.length > 0) client.stopped(own);
    }
  }
}

const concerns = (event: StopEvent, scope: readonly Target[]): boolean =>
  'target' in event ? scope.includes(event.target) : scope.some(({ process }) => process === event.process);

const stopAt = (resumption: Resumption, steps: number): number => {
  if (resumption.kind === 'run') return Infinity;
  return steps + (resumption.kind === 'step' ? resumption.count : 1);
};

/** Why it stands where it is, if it does; a step within its range goes on. */
function stopEvent({ target, probes, resumption }: Running): StopEvent | undefined {
  const runs = target.runs!;
  if (probes?.stop && probes.hit) return { kind: probes.stop.kind, target, hit: probes.hit };
  if (runs.steps < runs.stopAt) return undefined;
  const pc = target.registers.get('pc');
  if (resumption?.kind === 'range' && resumption.from <= pc && pc < resumption.to) {
    runs.stopAt = runs.steps + 1;
    return undefined;
  }
  return { kind: 'step', target };
}

function halt(running: Running): void {
  running.resumption = undefined;
  running.probes?.pass();
  running.target.runs!.stopAt = Infinity;
}
