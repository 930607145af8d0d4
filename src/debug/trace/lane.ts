import type { Clock } from '../../bus/clock.js';
import type { Track } from './tracks.js';

/** A stretch of time in which one thing was done. */
export interface Slice {
  /** What is shown: what is done, or what that is about. */
  name: string;
  readonly activity: string;
  readonly track: Track;
  readonly partition: string | undefined;
  /** Cycles; `to` is not included. */
  readonly from: number;
  readonly to: number;
}

interface Open extends Omit<Slice, 'to'> {
  /** Its name until it is known what it is about. */
  readonly plain: string;
}

/**
 * What one track shows: slices that follow one another without a gap. What took no time is no slice, and what goes on behind
 * it was never interrupted: where a run stops in between must leave no trace. A slice is told once the next one has begun to
 * take time.
 */
export class Lane {
  #before: (Open & Slice) | undefined;
  #open: Open | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly track: Track,
    private readonly tell: (slice: Slice) => void,
  ) {}

  /** From now on something else, or more of the same. */
  turn(activity: string, partition: string | undefined, plain = activity): void {
    const { now } = this.clock;
    const same = (open: Open | undefined): open is Open =>
      open?.activity === activity && open.name === plain && open.partition === partition;
    if (same(this.#open)) return;
    this.#shut(now);
    const { track } = this;
    const before = this.#before;
    if (same(before) && before.to === now) {
      const { to: _, ...again } = before;
      this.#open = again;
      this.#before = undefined;
    } else this.#open = { name: plain, plain, activity, track, partition, from: now };
  }

  /** What is done now is about this. If it was about something else before, that is over. */
  about(name: string): void {
    const open = this.#open;
    if (!open) return;
    if (open.name === open.plain || open.from === this.clock.now) open.name = name;
    else {
      this.#shut(this.clock.now);
      this.#open = { ...open, name, from: this.clock.now };
    }
  }

  /** The end. */
  close(): void {
    this.#shut(this.clock.now);
    if (this.#before) this.tell(this.#before);
    this.#before = undefined;
  }

  #shut(now: number): void {
    const open = this.#open;
    this.#open = undefined;
    if (!open || open.from >= now) return; // a debugger may go back in time
    if (this.#before) this.tell(this.#before);
    this.#before = { ...open, to: now };
  }
}
