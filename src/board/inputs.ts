import { assert } from '../bus/assert.js';
import type { Clock } from '../bus/clock.js';
import type { Injection } from './injection.js';
import type { Debuggable, Progress } from './machine.js';
import type { SerialInput } from './serial-input.js';

/** What a debugger changes; `processor` is a name as `Debuggable` has it, or that of a board's core. */
export type Amendment =
  | { readonly kind: 'held'; readonly processor: string; readonly held: boolean }
  /** `value` in hexadecimal digits. */
  | { readonly kind: 'register'; readonly processor: string; readonly register: string; readonly value: string }
  | {
      readonly kind: 'memory';
      readonly processor: string;
      readonly space: 'effective' | 'physical';
      readonly address: number;
      readonly bytes: readonly number[];
    };

/** What reaches a machine from outside: a run is its configuration and these. */
export type Input =
  | Amendment
  | { readonly kind: 'typed'; readonly stream: string; readonly bytes: readonly number[] }
  | { readonly kind: 'scripted'; readonly stream: string; readonly more: boolean }
  /** Counts begin anew, as by `stats reset`. */
  | { readonly kind: 'recount' }
  /** Of a partition, or of the bare board: start, stop, pause, resume, restart. */
  | { readonly kind: 'asked'; readonly ask: string; readonly partition: string }
  /** Something is done to it that no program asked for. */
  | { readonly kind: 'injected'; readonly injection: Injection }
  /** The run ends here, in a state of this hash. */
  | { readonly kind: 'end'; readonly hash: string };

/** Where a machine was when something happened to it: enough to come there again. */
export interface Moment {
  readonly cycle: number;
  /** Of all its programs. */
  readonly steps: number;
  /** What its last `run` gave; `ran` where time was skipped since then. */
  readonly standing: Progress['kind'];
}

/** An input and when it came. */
export type RecordedInput = Input & Moment;

/** A machine that can go the same way again: all that reaches it from outside comes through here, and can be listened to. */
export abstract class Replayable {
  abstract readonly clock: Clock;
  /** Steps of all programs: instructions, interrupts, hypercalls, resets. */
  abstract readonly steps: number;
  /** It stops when `steps` reaches this. */
  stopAtStep = Infinity;
  /** What the last `run` gave; `ran` where time was skipped since then. */
  standing: Progress['kind'] = 'ran';
  /** Who is told of every input, before it takes effect; not of one that is had again. */
  readonly listeners: ((input: Input) => void)[] = [];
  /** Does what a debugger has asked for; gives how many bytes, of memory, could be written. */
  amender: ((amendment: Amendment) => number) | undefined;
  #again = false;

  /** Something to do at a cycle, before anything else happens there. */
  appointment: { readonly cycle: number; keep(): void } | undefined;

  run(cycles: number): Progress {
    const left = this.#untilAppointment();
    const progress = this.advance(Math.min(cycles, left));
    this.standing = progress.kind;
    if (left !== Infinity) this.#untilAppointment();
    return progress;
  }

  skip(cycle: number): void {
    this.standing = 'ran';
    this.pass(Math.min(cycle, this.clock.now + this.#untilAppointment()));
  }

  /** How many cycles there are left, if there is one; it is kept where there are none. */
  #untilAppointment(): number {
    const { appointment, clock } = this;
    if (!appointment) return Infinity;
    if (clock.now < appointment.cycle) return appointment.cycle - clock.now;
    this.appointment = undefined;
    appointment.keep();
    return Infinity;
  }

  type(stream: string, bytes: Uint8Array): boolean {
    if (!this.streams.includes(stream)) return false;
    this.tell({ kind: 'typed', stream, bytes: [...bytes] });
    return this.input(stream)?.type(bytes) ?? false;
  }

  scripted(stream: string, more: boolean): void {
    this.tell({ kind: 'scripted', stream, more });
    this.input(stream)?.expectMore(more);
  }

  /** Do something to it that no program asked for; says why that cannot be. */
  inject(injection: Injection): string | undefined {
    this.tell({ kind: 'injected', injection });
    return this.suffer(injection);
  }

  /** A debugger changes something. Gives how many bytes, of memory, could be written. */
  amend(amendment: Amendment): number {
    assert(this.amender !== undefined, 'somebody can amend the machine');
    this.tell(amendment);
    return this.amender(amendment);
  }

  /** Have an input take effect that was told of in an earlier run; nobody is told of it. */
  apply(input: Input): void {
    this.#again = true;
    try {
      this.#take(input);
    } finally {
      this.#again = false;
    }
  }

  #take(input: Input): void {
    if (input.kind === 'typed') this.type(input.stream, Uint8Array.from(input.bytes));
    else if (input.kind === 'scripted') this.scripted(input.stream, input.more);
    else if (input.kind === 'recount') this.resetAccounts();
    else if (input.kind === 'asked') this.obey(input.ask, input.partition);
    else if (input.kind === 'injected') this.inject(input.injection);
    else if (input.kind !== 'end') this.amend(input);
  }

  get moment(): Moment {
    return { cycle: this.clock.now, steps: this.steps, standing: this.standing };
  }

  protected tell(input: Input): void {
    if (this.standing === 'stopped') this.settle();
    if (this.#again) return;
    for (const listen of this.listeners) listen(input);
  }

  /**
   * Bring it, where a debugger stopped it, to the state in which everybody finds it who comes to this moment: what is due at this
   * cycle has happened, and what it was stopped in the middle of has not.
   */
  settle(): void {
    for (const each of this.debuggables) each.retry();
    for (const each of this.debuggables) each.leave?.();
    this.endTurn();
    if (this.clock.next <= this.clock.now) this.clock.ring();
  }

  /** Whoever has the processor gives it up, if that is what he would do first. */
  protected endTurn(): void {}

  abstract readonly debuggables: readonly Debuggable[];
  /** The streams that can be typed at. */
  abstract readonly streams: readonly string[];
  abstract resetAccounts(): void;
  protected abstract advance(cycles: number): Progress;
  protected abstract pass(cycle: number): void;
  protected abstract input(stream: string): SerialInput | undefined;
  /** Says why it cannot be. */
  protected abstract suffer(injection: Injection): string | undefined;
  /** Do as was asked of a partition, or of the board. */
  protected abstract obey(ask: string, partition: string): void;
}

/** Where a replay is to stop: at a step of all programs, or a cycle. */
export interface ReplayEnd {
  readonly steps?: number;
  readonly cycle?: number;
}

/** The longest that is run without asking `interrupted`. */
const SLICE = 10_000_000;

/**
 * Has a machine go on with inputs that were recorded, each at its moment, in any slices. What the machine's `run` gives where
 * it cannot go on is given on; idle time is skipped.
 */
export class Replay {
  #next = 0;

  constructor(
    private readonly machine: Replayable,
    private readonly inputs: readonly RecordedInput[],
    from = 0,
  ) {
    this.#next = from;
  }

  /** Has it come to the end that was recorded? */
  get ended(): boolean {
    const input = this.inputs[this.#next];
    return input?.kind === 'end' && this.#reached(input);
  }

  /** The number of the next input. */
  get position(): number {
    return this.#next;
  }

  /** Go on to the end that is given, but for so many cycles at most. `stopped` at a step, or by a debugger's probes. */
  run({ steps = Infinity, cycle = Infinity }: ReplayEnd, cycles = Infinity): Progress {
    const { machine } = this;
    const end = Math.min(cycle, machine.clock.now + cycles);
    for (;;) {
      const input = this.inputs[this.#next];
      const arrived = machine.steps >= steps;
      // What a debugger did to a machine that stood at this step is done to whoever comes to it
      if (input && this.#reached(input) && (!arrived || input.standing === 'stopped')) {
        if (input.kind === 'end' && input.standing === 'stopped') machine.settle();
        if (input.kind === 'end') return { kind: 'stopped' };
        machine.apply(input);
        this.#next += 1;
        continue;
      }
      if (arrived) return { kind: 'stopped' };
      const { now } = machine.clock;
      if (now >= end && !(input && input.cycle <= now)) return { kind: 'ran' };
      const target = Math.min(end, input?.cycle ?? Infinity);
      const stopAt = input?.standing === 'stopped' ? Math.min(steps, Math.max(input.steps, machine.steps + 1)) : steps;
      machine.stopAtStep = stopAt;
      const progress = machine.run(Math.min(SLICE, Math.max(1, target - now)));
      machine.stopAtStep = Infinity;
      if (progress.kind === 'idle') {
        if (input && this.#reached(input)) continue;
        const to = Math.min(progress.until, target);
        if (to === Infinity) return progress;
        machine.skip(to);
      } else if (progress.kind === 'stopped') {
        if (machine.steps >= steps || !(input?.standing === 'stopped' && machine.steps >= input.steps)) return progress;
      } else if (progress.kind !== 'ran' && !(input && this.#reached(input))) {
        if (progress.kind !== 'ended' || !input || input.cycle <= machine.clock.now) return progress;
        machine.skip(target); // somebody starts something again
      }
    }
  }

  /** Has the machine come to where an input was made? */
  #reached(input: RecordedInput): boolean {
    const { clock, standing, steps } = this.machine;
    if (clock.now < input.cycle) return false;
    if (clock.now > input.cycle || input.standing === 'ran') return true;
    return input.standing === 'stopped' ? steps >= input.steps : standing === input.standing;
  }
}
