/** Something that wants to be called when the clock reaches a cycle. */
export abstract class Alarm {
  #due = Infinity;
  #clock: Clock | undefined;

  /** The cycle at which `ring` is due, or Infinity while nothing is. */
  get due(): number {
    return this.#due;
  }
  set due(cycle: number) {
    if (cycle === this.#due) return;
    this.#due = cycle;
    this.#clock?.moved();
  }

  /** It is one of this clock's, which has to know when `due` changes, or of none any more. */
  ringsBy(clock: Clock | undefined): void {
    this.#clock = clock;
  }

  /** Called once `clock.now >= due`; it must move `due` on. */
  abstract ring(): void;
}

/**
 * Simulated time, in processor cycles since power-on (an integer below 2^53). It advances by what is executed, and by
 * jumps to the next alarm when nothing is.
 */
export class Clock {
  now = 0;
  readonly #alarms: Alarm[] = [];
  readonly #holders = new Set<object>();
  /** The earliest alarm's cycle; undefined when it has to be looked for. */
  #next: number | undefined;

  add(alarm: Alarm): void {
    this.#alarms.push(alarm);
    alarm.ringsBy(this);
    this.moved();
  }

  remove(alarm: Alarm): void {
    const at = this.#alarms.indexOf(alarm);
    this.release(alarm);
    if (at < 0) return;
    this.#alarms.splice(at, 1);
    alarm.ringsBy(undefined);
    this.moved();
  }

  /** An alarm is due at another cycle than before. */
  moved(): void {
    this.#next = undefined;
  }

  /** How many alarms there are, due or not. */
  get alarms(): number {
    return this.#alarms.length;
  }

  /** Somebody outside owes an input that is due at this very cycle: time must not go on before it is there. */
  get held(): boolean {
    return this.#holders.size > 0;
  }

  /** Stop time for one who waits for such an input, until the same one releases it. */
  hold(holder: object): void {
    this.#holders.add(holder);
  }

  release(holder: object): void {
    this.#holders.delete(holder);
  }

  /** Does this one hold it? */
  heldBy(holder: object): boolean {
    return this.#holders.has(holder);
  }

  /** The cycle of the earliest alarm, or Infinity. */
  get next(): number {
    if (this.#next !== undefined) return this.#next;
    let next = Infinity;
    for (const alarm of this.#alarms) if (alarm.due < next) next = alarm.due;
    this.#next = next;
    return next;
  }

  /** Let time pass in which nothing happens: to this cycle, but not past the next alarm, and never back. */
  skipTo(cycle: number): void {
    this.now = Math.max(this.now, Math.min(cycle, this.next));
  }

  /**
   * Ring every alarm that is due, earliest first; alarms of one cycle ring in the order in which they were added. Gives the
   * cycle of the next.
   */
  ring(): number {
    for (;;) {
      let first: Alarm | undefined;
      for (const alarm of this.#alarms) if (alarm.due <= this.now && (!first || alarm.due < first.due)) first = alarm;
      if (!first) return this.next;
      first.ring();
    }
  }
}
