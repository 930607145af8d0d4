import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Machine, Progress } from '../board/machine.js';
import type { Mux } from '../console/mux.js';

/** How a run is bounded, and how it deals with an idle machine. */
export interface SessionOptions {
  readonly machine: Machine;
  readonly mux: Mux;
  /** Cycles a second of the simulated processor: what an idle machine's time is worth in wall time. */
  readonly frequency: number;
  /** Somebody may type at any time: idle time passes as wall time does. Otherwise it is jumped over. */
  readonly live: () => boolean;
  /** Runs the machine in its place, for a debugger; in slices of at most so many cycles. */
  readonly driver?: Driver;
  /** Somebody has a command line, and could start what was stopped. */
  readonly attended: () => boolean;
  readonly maxInstructions?: number;
  /** Seconds of wall time. */
  readonly timeout?: number;
  /** Aborted when the person wants to leave. */
  readonly leave: AbortSignal;
  /** Whether everything that the run was for has appeared. */
  readonly done: () => boolean;
  /**
   * The script that is still being read: called while the machine cannot go on without its next character. `wait` takes so
   * many milliseconds at most, and ends early for whatever wakes the session.
   */
  readonly feed: (wait: (milliseconds: number) => Promise<void>) => Promise<void>;
  /** Called before the machine is left to wait for outside input. */
  readonly settle: () => void;
}

/** Whoever runs a machine for a debugger. */
export interface Driver {
  run(cycles: number): Progress;
  /** The longest slice, in cycles: after each it is seen whether the debugger wants to stop. */
  readonly longest: number;
  /** Whether a machine that has ended is still looked at. */
  readonly lingers: boolean;
}

/** Why a session ended. */
export type SessionEnd =
  | { readonly kind: 'ended'; readonly progress: Extract<Progress, { kind: 'ended' }> }
  | { readonly kind: 'left' }
  | { readonly kind: 'done' } // everything that was waited for has appeared
  | { readonly kind: 'instructions' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'nothing-to-do' }; // idle, nothing scheduled, and nobody can type

/** In milliseconds. Node would have to load `performance` first. */
const wallTime = (): number => Number(process.hrtime.bigint()) / 1e6;

// Wall time, in milliseconds
const SLICE_TARGET = 8;
const SHORTEST_WAIT = 2;
const LONGEST_WAIT = 1000;
/** A script is over, nothing is printed, and the machine does next to nothing: after so many seconds of its time, that is all. */
const QUIET_SECONDS = 600;
/** Next to nothing: less than this part of the time. */
const QUIET_LOAD = 0.02;

/** Runs a machine in slices, so that keys, ptys and limits are looked at in between. Slices leave no trace in the run. */
export class Session {
  #slice = 200_000;
  readonly #started = wallTime();
  #quietSince: { cycle: number; retired: number; printed: number };

  constructor(private readonly options: SessionOptions) {
    this.#quietSince = this.#quietMark();
    options.leave.addEventListener('abort', () => this.wake());
  }

  async run(): Promise<SessionEnd> {
    const { mux, leave } = this.options;
    for (;;) {
      const progress = this.#runSlice();
      mux.flush();
      await mux.congested();
      const end = this.#over(progress);
      if (end) return end;
      if (progress.kind === 'stopped') await this.#wait(LONGEST_WAIT);
      else if (progress.kind === 'starved') await this.#starve();
      else if (progress.kind === 'idle') await this.#idle(progress.until);
      else if (progress.kind === 'ended') await this.#idle(Infinity);
      else await nextTurn();
      if (leave.aborted) return { kind: 'left' };
    }
  }

  /** As many cycles as take a few milliseconds, and no more instructions than are allowed: each takes a cycle at least. */
  #runSlice(): Progress {
    const { machine, driver, maxInstructions = Infinity } = this.options;
    const start = wallTime();
    this.#slice = Math.min(this.#slice, driver?.longest ?? Infinity);
    const cycles = Math.min(this.#slice, maxInstructions - machine.retired);
    const progress = (driver ?? machine).run(cycles);
    const took = wallTime() - start;
    if (progress.kind === 'ran' && cycles === this.#slice) {
      const wanted = (this.#slice * SLICE_TARGET) / Math.max(took, 0.1);
      this.#slice = Math.round(Math.min(4 * this.#slice, Math.max(10_000, wanted)));
    }
    return progress;
  }

  #over(progress: Progress): SessionEnd | undefined {
    const { machine, maxInstructions = Infinity, timeout = Infinity, live } = this.options;
    if (progress.kind === 'ended' && !this.#lingers(progress)) return { kind: 'ended', progress };
    if (this.options.done()) return { kind: 'done' };
    if (machine.retired >= maxInstructions) return { kind: 'instructions' };
    if (wallTime() - this.#started >= timeout * 1000) return { kind: 'timeout' };
    if (progress.kind !== 'idle' || live()) return undefined;
    return progress.until === Infinity || this.#quiet() ? { kind: 'nothing-to-do' } : undefined;
  }

  /** Does a machine that has ended stay, for somebody who can start what was stopped or has a debugger at it? */
  #lingers({ startable = false }: Extract<Progress, { kind: 'ended' }>): boolean {
    return (startable && this.options.attended()) || (this.options.driver?.lingers ?? false);
  }

  async #starve(): Promise<void> {
    this.options.settle();
    await this.options.feed((milliseconds) => this.#wait(milliseconds));
  }

  /** Nobody has to wait for an idle machine but a person, for whom its time passes as on a clock. */
  async #idle(until: number): Promise<void> {
    const { machine, frequency, live, settle } = this.options;
    if (!live()) {
      machine.skip(until);
      return nextTurn();
    }
    settle();
    const begin = wallTime();
    const due = ((until - machine.clock.now) / frequency) * 1000;
    if (due > SHORTEST_WAIT) await this.#wait(due);
    const passed = due <= SHORTEST_WAIT ? due : wallTime() - begin;
    machine.skip(Math.min(until, machine.clock.now + Math.round((passed / 1000) * frequency)));
  }

  /** A pause that ends early when somebody types or leaves, and when time is up. */
  #wait(milliseconds: number): Promise<void> {
    const { timeout = Infinity } = this.options;
    const left = this.#started + timeout * 1000 - wallTime();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        this.#woken = false;
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, Math.min(milliseconds, left, LONGEST_WAIT)));
      this.#wake = done;
      if (this.#woken) done();
    });
  }

  #wake: (() => void) | undefined;
  #woken = false;

  /** Something was typed, or somebody leaves: an idle machine has to look. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  #quietMark() {
    const { machine, mux } = this.options;
    const printed = mux.streams.reduce((sum, stream) => sum + stream.history.total, 0);
    return { cycle: machine.clock.now, retired: machine.retired, printed };
  }

  #quiet(): boolean {
    const { machine, frequency } = this.options;
    const now = this.#quietMark();
    const since = this.#quietSince;
    const cycles = now.cycle - since.cycle;
    const busy = now.retired - since.retired > QUIET_LOAD * cycles && cycles > frequency;
    if (now.printed !== since.printed || machine.waitingInput > 0 || busy) {
      this.#quietSince = now;
      return false;
    }
    return cycles > QUIET_SECONDS * frequency;
  }
}
