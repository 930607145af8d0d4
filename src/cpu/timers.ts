import { Alarm, type Clock } from '../bus/clock.js';
import { TCR, TSR } from '../isa/registers.js';
import { DBCR0, EXCEPTIONS } from './debug-registers.js';
import { R, S, type Registers, type System } from './state.js';

/** How the time base follows the processor's clock: `ticks` of it in `cycles` cycles, as a reduced fraction. */
export interface TimeBaseRate {
  readonly ticks: number;
  readonly cycles: number;
}

/** The rate for two frequencies in Hz (cpu node: timebase-frequency, clock-frequency). */
export function timeBaseRate(timebase: number, clock: number): TimeBaseRate {
  const divisor = greatestCommonDivisor(timebase, clock);
  return { ticks: timebase / divisor, cycles: clock / divisor };
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** What the watchdog's third time-out asks for, TCR[WRC]. */
export type ResetKind = 'core' | 'chip' | 'system';
const resetKinds: readonly (ResetKind | undefined)[] = [undefined, 'core', 'chip', 'system'];
export const resetKind = (field: number): ResetKind | undefined => resetKinds[field & 3];

/**
 * Time base, decrementer, fixed interval timer and watchdog (PPC440x5 User's Manual, "Timer Facilities"). They are not
 * stepped: state is brought up to date when somebody looks, and an alarm is set only for what can be noticed.
 */
export class Timers extends Alarm {
  /** Everything a snapshot needs besides TSR, TCR and DECAR. Ticks are of the time base, unshifted by `offset`. */
  readonly state = {
    /** Added to the ticks since power-on to give the 64-bit time base. */
    offset: 0n,
    /** The decrementer's value at tick `decAt`; it counts down from there and stops at 0. */
    dec: 0,
    decAt: 0,
    /** Up to this tick the fixed interval and watchdog edges have been seen. */
    seen: 0,
    /** The bits of TCR[WRC] that have been set; none can be taken back. */
    watchdogReset: 0,
    /** Somebody holds them, as those of a paused partition. */
    held: false,
    /** The cycle since which they have stood still, if they do; and for how many cycles they did before. */
    stoodSince: null as number | null,
    stood: 0,
  };
  /** Set when the watchdog has asked for a reset; whoever runs the core takes it. */
  resetRequest: ResetKind | undefined;

  constructor(
    readonly clock: Clock,
    readonly system: System,
    readonly rate: TimeBaseRate,
  ) {
    super();
  }

  reset(): void {
    this.debugChanged(); // debug control is off now
    Object.assign(this.state, {
      offset: -BigInt(this.#ticks),
      dec: 0,
      decAt: this.#ticks,
      seen: this.#ticks,
      watchdogReset: 0,
    });
    this.resetRequest = undefined;
    this.#schedule();
  }

  save() {
    return { ...this.state, due: this.due, resetRequest: this.resetRequest };
  }

  restore({ due, resetRequest, ...state }: ReturnType<Timers['save']>): void {
    Object.assign(this.state, state);
    this.due = due;
    this.resetRequest = resetRequest;
  }

  /** The 64-bit time base. */
  get timeBase(): bigint {
    return BigInt.asUintN(64, BigInt(this.#ticks) + this.state.offset);
  }

  #halves = { of: 0n, low: 0, high: 0 };

  /** Have generated code read the time base by itself in a run that begins now, where that is its beginning's and a tick for each cycle. */
  show({ words }: Registers): void {
    const { rate, state } = this;
    words[R.ASK_TIME] = -1;
    if (rate.ticks !== rate.cycles || state.stoodSince !== null) return;
    if (this.#halves.of !== state.offset) {
      const half = (bits: bigint): number => Number(BigInt.asUintN(32, bits));
      this.#halves = { of: state.offset, low: half(state.offset), high: half(state.offset >> 32n) };
    }
    const ticks = this.clock.now - state.stood;
    const low = (ticks % 2 ** 32) + this.#halves.low;
    words[R.TBL] = low;
    words[R.TBU] = Math.floor(ticks / 2 ** 32) + this.#halves.high + (low >= 2 ** 32 ? 1 : 0);
    words[R.ASK_TIME] = 0;
  }

  /** Replace the low (TBL) or high (TBU) half of the time base. */
  setTimeBase(half: 'low' | 'high', value: number): void {
    this.update();
    const now = this.timeBase;
    const bits = BigInt(value >>> 0);
    const next = half === 'low' ? ((now >> 32n) << 32n) | bits : (bits << 32n) | (now & 0xffffffffn);
    this.state.offset = next - BigInt(this.#ticks);
    const rises = (period: number): boolean => (~now & next & BigInt(period / 2)) !== 0n; // counts, though nothing ticked
    if (rises(this.#fitPeriod)) this.system.words[S.tsr]! |= TSR.FIS;
    if (rises(this.#watchdogPeriod)) this.#watchdogExpired();
    this.#schedule();
  }

  get decrementer(): number {
    this.update();
    return this.state.dec;
  }
  set decrementer(value: number) {
    this.update();
    this.state.dec = value >>> 0;
    this.#schedule();
  }

  /** After a write to TCR or TSR. */
  changed(): void {
    this.update();
    const { words } = this.system;
    this.state.watchdogReset |= (words[S.tcr]! >>> 28) & 3;
    words[S.tcr] = (words[S.tcr]! & ~0x30000000) | (this.state.watchdogReset << 28);
    this.#schedule();
  }

  /** After a change of DBCR0 or the DBSR: with DBCR0[FT] all timers stand still while an event is recorded. */
  debugChanged(): void {
    const { state, clock } = this;
    const { words } = this.system;
    const stands = state.held || ((words[S.dbcr0]! & DBCR0.FT) !== 0 && (words[S.dbsr]! & EXCEPTIONS) !== 0);
    if (stands === (state.stoodSince !== null)) return;
    this.update();
    if (state.stoodSince !== null) state.stood += clock.now - state.stoodSince;
    state.stoodSince = stands ? clock.now : null;
    this.#schedule();
  }

  /** Have all of them stand still, the time base too, or go on as if no time had passed. */
  hold(held: boolean): void {
    this.state.held = held;
    this.debugChanged();
  }

  ring(): void {
    this.update();
    this.#schedule();
  }

  /** Bring TSR and the decrementer up to this cycle. */
  update(): void {
    const ticks = this.#ticks;
    this.#decrement(ticks);
    this.#countEdges(ticks);
  }

  #decrement(ticks: number): void {
    const { state } = this;
    const { words } = this.system;
    let passed = ticks - state.decAt;
    state.decAt = ticks;
    if (state.dec === 0 || passed < state.dec) {
      state.dec = state.dec === 0 ? 0 : state.dec - passed;
      return;
    }
    words[S.tsr]! |= TSR.DIS;
    passed -= state.dec;
    const reload = words[S.decar]! >>> 0;
    state.dec = words[S.tcr]! & TCR.ARE && reload !== 0 ? reload - (passed % reload) : 0;
  }

  /** The FIT and the watchdog act on 0-to-1 transitions of a chosen bit of the time base. */
  #countEdges(ticks: number): void {
    const { state, system } = this;
    const { words } = system;
    const [from, to] = [state.seen, ticks];
    state.seen = ticks;
    if (to === from) return;
    const [start, passed] = [this.#at(from), to - from];
    if (edges(start, passed, this.#fitPeriod) > 0) words[S.tsr]! |= TSR.FIS;
    for (let left = Math.min(3, edges(start, passed, this.#watchdogPeriod)); left > 0; left--) this.#watchdogExpired();
  }

  /** The ladder: next time-out enabled, interrupt, reset. */
  #watchdogExpired(): void {
    const { words } = this.system;
    const tsr = words[S.tsr]!;
    if ((tsr & TSR.ENW) === 0) words[S.tsr] = tsr | TSR.ENW;
    else if ((tsr & TSR.WIS) === 0) words[S.tsr] = tsr | TSR.WIS;
    else if (this.state.watchdogReset !== 0) {
      this.resetRequest = resetKind(this.state.watchdogReset);
      words[S.tsr] = (tsr & ~0x30000000) | (this.state.watchdogReset << 28); // TSR[WRS]: who reset
    }
  }

  /** When does the next thing happen that a program or its processor would notice? */
  #schedule(): void {
    const { state } = this;
    const { words } = this.system;
    const [tcr, tsr] = [words[S.tcr]!, words[S.tsr]!];
    let tick = Infinity;
    if (state.dec !== 0 && tcr & TCR.DIE && !(tsr & TSR.DIS)) tick = state.decAt + state.dec;
    if (tcr & TCR.FIE && !(tsr & TSR.FIS)) tick = Math.min(tick, this.#nextEdge(this.#fitPeriod));
    if ((tcr & TCR.WIE && !(tsr & TSR.WIS)) || state.watchdogReset)
      tick = Math.min(tick, this.#nextEdge(this.#watchdogPeriod));
    const rings = tick !== Infinity && state.stoodSince === null;
    this.due = rings ? this.#cycleOf(tick) + state.stood : Infinity;
  }

  #nextEdge(period: number): number {
    const at = this.#at(this.state.seen);
    const phase = Number(BigInt.asUintN(64, at - BigInt(period / 2)) % BigInt(period));
    return this.state.seen + period - phase;
  }

  /** TCR[FP]: 2^13, 2^17, 2^21 or 2^25 ticks. */
  get #fitPeriod(): number {
    return 2 ** (13 + 4 * ((this.system.words[S.tcr]! >>> 24) & 3));
  }

  /** TCR[WP]: 2^21, 2^25, 2^29 or 2^33 ticks. */
  get #watchdogPeriod(): number {
    return 2 ** (21 + 4 * ((this.system.words[S.tcr]! >>> 30) & 3));
  }

  #at(ticks: number): bigint {
    return BigInt.asUintN(64, BigInt(ticks) + this.state.offset);
  }

  get #ticks(): number {
    const { ticks, cycles } = this.rate;
    const now = (this.state.stoodSince ?? this.clock.now) - this.state.stood;
    return Math.floor(now / cycles) * ticks + Math.floor(((now % cycles) * ticks) / cycles);
  }

  /** The first cycle at which so many ticks have passed. */
  #cycleOf(tick: number): number {
    const { ticks, cycles } = this.rate;
    return Math.floor(tick / ticks) * cycles + Math.ceil(((tick % ticks) * cycles) / ticks);
  }
}

/** How often the bit of weight `period / 2` rises while a counter goes on from `from` by `passed`. */
function edges(from: bigint, passed: number, period: number): number {
  const phase = Number((from + BigInt(period / 2)) % BigInt(period));
  return Math.floor((phase + passed) / period);
}
