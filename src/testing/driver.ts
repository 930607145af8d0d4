import timers from 'node:timers/promises';
import type { Progress } from '../board/machine.js';
import type { Hypervisor } from '../hypervisor/hypervisor.js';

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
  /** Time alone brings it: an idle machine is no reason to give up. */
  readonly timed?: boolean;
}

interface Pending {
  readonly wait: Wait<unknown>;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Something to be done at a cycle. */
interface Appointment {
  readonly cycle: number;
  act(): void;
}

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
    return new Promise<T>((resolve, reject) => {
      this.#pending.add({ wait, resolve: resolve as (value: unknown) => void, reject });
      if (this.#running) return this.halt();
      this.#running = true;
      void this.#drive();
    });
  }

  /** Do something when the clock comes to this cycle, if the machine is run until then. */
  at(cycle: number, act: () => void): void {
    this.#appointments.push({ cycle, act });
    this.#appointments.sort((a, b) => a.cycle - b.cycle);
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
      for (const { reject } of this.#take()) reject(error as Error);
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
      for (const { reject } of this.#take()) reject(error);
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
    const [first] = this.#appointments;
    if (first && first.cycle <= clock.now) {
      this.#appointments.shift();
      first.act();
      return;
    }
    const waits = [...this.#pending].map(({ wait }) => wait);
    const bounds = waits.flatMap(({ deadline, next }) => [deadline, next?.() ?? Infinity]);
    const target = Math.min(...bounds, this.limit, first?.cycle ?? Infinity);
    const progress = machine.run(Math.max(1, Math.min(SLICE, target - clock.now)));
    if (progress.kind === 'idle' || progress.kind === 'ended') this.#rest(progress, target);
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
    if (this.#appointments.length > 0) return;
    const why =
      kind === 'ended' ? 'no partition runs any more' : 'every partition waits, and nothing is going to wake one';
    for (const pending of this.#pending) {
      const { timed = false, what } = pending.wait;
      if (this.#looks(pending) || timed) continue;
      this.#reject(pending, `waited for ${what}, and it will not come: ${why}`);
    }
  }

  /** Has it come, or has it become clear that it will not? Then whoever waits is told. */
  #looks(pending: Pending): boolean {
    const { wait, resolve, reject } = pending;
    try {
      const value = wait.look();
      if (value === undefined) return false;
      resolve(value);
    } catch (error) {
      reject(error as Error);
    }
    return this.#pending.delete(pending);
  }

  #reject(pending: Pending, reason: string): void {
    this.#pending.delete(pending);
    pending.reject(this.fail(reason));
  }
}
