import timers from 'node:timers/promises';
import type { Progress } from '../board/machine.js';
import type { Hypervisor } from '../hypervisor/hypervisor.js';
import type { Vcpu } from '../hypervisor/vcpu.js';

/** Something that a test waits for. */
export interface Wait<T> {
  /** What for, as the rest of a sentence that begins with "waited for". */
  readonly what: string;
  /** It fails when the clock comes to this cycle; asked once more before. */
  readonly deadline: number;
  /** Has it come? Undefined: not yet. Asked whenever something may have happened. */
  look(): T | undefined;
  /** The next cycle at which it wants to be asked whatever happens; Infinity: none. */
  readonly next?: () => number;
  /** The machine is to stop at this point. */
  readonly point?: Point;
  /** Time alone brings it: an idle machine is no reason to give up. */
  readonly timed?: boolean;
}

interface Pending {
  readonly wait: Wait<unknown>;
  /** Where in the test it is waited. */
  readonly from: Error;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A point that a run comes to: a cycle, or so many instructions of all these processors together since power-on. */
export type Point = { readonly cycle: number } | { readonly instructions: number; readonly of: readonly Vcpu[] };

/** Something to be done at a point. */
interface Appointment {
  readonly at: Point;
  act(): void;
}

/** Instructions that were retired since power-on. */
export const retiredBy = (vcpus: readonly Vcpu[]): number =>
  vcpus.reduce((sum, { steps, events }) => sum + steps - events, 0);

/** The longest that the machine runs in one go, in cycles: in between others in this process have their turn. */
const SLICE = 8_000_000;

/**
 * Runs a machine as long as somebody waits for something, and stops it at the very cycle at which that has come. How it is
 * sliced does not depend on wall time, nor does it matter to the guests.
 */
export class Driver {
  readonly #pending = new Set<Pending>();
  readonly #appointments: Appointment[] = [];
  #running = false;
  /** Something forbidden has happened: whoever waits hears of it. */
  #objection: string | undefined;
  /** No wait goes on beyond this cycle. */
  limit = Infinity;

  constructor(
    readonly machine: Hypervisor,
    /** Makes an error of a sentence. */
    private readonly fail: (reason: string) => Error,
  ) {}

  /** A promise of what is waited for. The machine runs until it is there, or until the deadline. */
  wait<T>(wait: Wait<T>): Promise<T> {
    const from = new Error();
    return new Promise<T>((resolve, reject) => {
      this.#pending.add({ wait, from, resolve: resolve as (value: unknown) => void, reject });
      if (this.#running) return this.halt();
      this.#running = true;
      void this.#drive();
    });
  }

  /** Do something when the machine comes to this point, if it is run until then. */
  at(at: Point, act: () => void): void {
    this.#appointments.push({ at, act });
    if (this.#running) this.halt();
  }

  /** Has the machine come to this point? */
  reached(point: Point): boolean {
    if ('cycle' in point) return this.machine.clock.now >= point.cycle;
    return retiredBy(point.of) >= point.instructions;
  }

  /** Have the machine not run beyond this point. Instructions are steps, with events between them: it stops at it or before. */
  #boundBy(point: Point): void {
    if ('cycle' in point) return;
    const { machine } = this;
    const left = point.instructions - retiredBy(point.of);
    const [only] = point.of;
    if (only && point.of.length === 1) only.stopAt = Math.min(only.stopAt, only.steps + left);
    else machine.stopAtStep = Math.min(machine.stopAtStep, machine.steps + left);
  }

  /** No appointment is kept any more, and nothing is objected to: the machine is at another moment. */
  forget(): void {
    this.#appointments.length = 0;
    this.#objection = undefined;
  }

  /** Fail whatever is waited for, at this very cycle. */
  object(reason: string): void {
    this.#objection ??= reason;
    this.halt();
  }

  /** Something has happened: have the machine stop behind the instruction that it is at. It leaves no trace in the run. */
  halt(): void {
    const { machine } = this;
    const [core] = machine.cores;
    const vcpu = machine.debuggables.find((each) => each.machine.regs === core?.regs);
    if (vcpu) vcpu.lastStep = 0;
    core?.attention();
  }

  async #drive(): Promise<void> {
    let slices = 0;
    try {
      while (this.#pending.size > 0) {
        if (this.#settle()) {
          await timers.setImmediate(); // whoever has waited goes on first
          continue;
        }
        this.#advance();
        slices += 1;
        if (slices % 4 === 0) await timers.setImmediate();
      }
    } catch (error) {
      for (const { reject, from } of this.#take()) reject(placed(error, from));
    } finally {
      this.#running = false;
    }
  }

  #take(): Pending[] {
    const all = [...this.#pending];
    this.#pending.clear();
    return all;
  }

  /** Tell those whose wait is over; true if there were any. */
  #settle(): boolean {
    const { now } = this.machine.clock;
    if (this.#objection) {
      const error = this.fail(this.#objection);
      this.#objection = undefined;
      for (const { reject, from } of this.#take()) reject(placed(error, from));
      return true;
    }
    let settled = false;
    for (const pending of this.#pending) {
      const { deadline, what } = pending.wait;
      if (this.#looks(pending)) settled = true;
      else if (now >= Math.min(deadline, this.limit)) {
        settled = true;
        this.#reject(pending, `waited for ${what}, and it did not come`);
      }
    }
    return settled;
  }

  #advance(): void {
    const { machine } = this;
    const { clock } = machine;
    if (this.#keepsAppointment()) return;
    const waits = [...this.#pending].map(({ wait }) => wait);
    const points = [...this.#appointments.map(({ at }) => at), ...waits.flatMap(({ point }) => point ?? [])];
    const cycles = points.map((point) => ('cycle' in point ? point.cycle : Infinity));
    const bounds = waits.flatMap(({ deadline, next }) => [deadline, next?.() ?? Infinity]);
    const target = Math.min(...bounds, ...cycles, this.limit);
    for (const point of points) this.#boundBy(point);
    const progress = machine.run(Math.max(1, Math.min(SLICE, target - clock.now)));
    machine.stopAtStep = Infinity;
    for (const vcpu of machine.debuggables) vcpu.stopAt = Infinity;
    if (progress.kind === 'idle' || progress.kind === 'ended') this.#rest(progress, target);
  }

  /** Do the first thing that is due, if there is any. */
  #keepsAppointment(): boolean {
    const first = this.#appointments.findIndex(({ at }) => this.reached(at));
    const [due] = first < 0 ? [] : this.#appointments.splice(first, 1);
    due?.act();
    return due !== undefined;
  }

  /** Nothing is done before some cycle, if ever. */
  #rest(progress: Extract<Progress, { kind: 'idle' | 'ended' }>, target: number): void {
    const until = progress.kind === 'idle' ? progress.until : Infinity;
    if (until === Infinity) this.#giveUp(progress.kind);
    if (this.#pending.size === 0) return;
    this.machine.skip(Math.min(until, target));
  }

  /** Nothing will happen any more by itself. */
  #giveUp(kind: 'idle' | 'ended'): void {
    const later = [...this.#pending].some(({ wait }) => wait.timed); // whoever waits for time may do something then
    if (later || this.#appointments.some(({ at }) => 'cycle' in at)) return;
    const why =
      kind === 'ended' ? 'no partition runs any more' : 'every partition waits, and nothing is going to wake one';
    for (const pending of this.#pending) {
      if (this.#looks(pending)) continue;
      this.#reject(pending, `waited for ${pending.wait.what}, and it will not come: ${why}`);
    }
  }

  /** Has it come, or has it become clear that it will not? Then whoever waits is told. */
  #looks(pending: Pending): boolean {
    const { wait, resolve, reject, from } = pending;
    try {
      const value = wait.look();
      if (value === undefined) return false;
      resolve(value);
    } catch (error) {
      reject(placed(error, from));
    }
    return this.#pending.delete(pending);
  }

  #reject(pending: Pending, reason: string): void {
    this.#pending.delete(pending);
    pending.reject(placed(this.fail(reason), pending.from));
  }
}

/** An error with the test's line that waited as its place, and none of hv440's own. */
function placed(error: unknown, from: Error): Error {
  const failed = error instanceof Error ? error : new Error(String(error));
  const frames = (from.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line) && !line.includes(OWN_FOLDER));
  failed.stack = [`${failed.name}: ${failed.message}`, ...frames].join('\n');
  return failed;
}

const OWN_FOLDER = new URL('.', import.meta.url).pathname;
