import { assert } from '../bus/assert.js';

/** Whoever holds real PIDs lets go of one when others need it more. */
export interface PidOwner {
  dropPid(real: number): void;
}

const LAST = 255;

/**
 * The real core's PIDs 1 to 255. Each stands for a vcpu, one of its privilege states and one of its own PIDs; 0 stays
 * unused, since entries of PID 0 would match for everybody. When all are given away, whoever holds the most lets go of the
 * one that it has not used for longest: a guest that goes through all of its PIDs takes them from itself, not from its
 * neighbours.
 */
export class PidPool {
  readonly #holders: (PidOwner | undefined)[] = Array.from({ length: LAST + 1 }, () => undefined);
  readonly #held = new Map<PidOwner, number>();
  readonly #lastUse = new Float64Array(LAST + 1);
  #free = Array.from({ length: LAST }, (_, i) => LAST - i);
  #uses = 0;

  /** A PID that nobody else has. */
  allocate(owner: PidOwner): number {
    if (this.#free.length === 0) this.#reclaim();
    const real = this.#free.pop();
    assert(real !== undefined, 'a PID that was taken back is free');
    this.#holders[real] = owner;
    this.#held.set(owner, this.heldBy(owner) + 1);
    this.used(real);
    return real;
  }

  /** It is in use now, so it will be the last to be taken back. */
  used(real: number): void {
    this.#lastUse[real] = ++this.#uses;
  }

  /** How many PIDs somebody holds. */
  heldBy(owner: PidOwner): number {
    return this.#held.get(owner) ?? 0;
  }

  /** Give one back. */
  release(real: number): void {
    const owner = this.#holders[real];
    assert(owner !== undefined, 'only a PID that is held is given back');
    this.#holders[real] = undefined;
    this.#held.set(owner, this.heldBy(owner) - 1);
    this.#free.push(real);
  }

  /** Who of these owners holds what, by number, or -1; the PIDs in the order of their last use; those that are free. */
  save(owners: readonly PidOwner[]) {
    const byUse = Array.from({ length: LAST }, (_, i) => i + 1).toSorted(
      (a, b) => this.#lastUse[a]! - this.#lastUse[b]!,
    );
    return {
      holders: this.#holders.map((owner) => (owner ? owners.indexOf(owner) : -1)),
      byUse: byUse.filter((real) => this.#holders[real] !== undefined),
      free: [...this.#free],
    };
  }

  restore({ holders, byUse, free }: ReturnType<PidPool['save']>, owners: readonly PidOwner[]): void {
    this.#held.clear();
    for (const [real, number] of holders.entries()) {
      const owner = owners[number];
      this.#holders[real] = owner;
      if (owner) this.#held.set(owner, this.heldBy(owner) + 1);
    }
    this.#free = [...free];
    for (const real of byUse) this.used(real);
  }

  #reclaim(): void {
    const most = Math.max(...this.#held.values());
    let oldest = 0;
    for (let real = 1; real <= LAST; real++) {
      if (this.heldBy(this.#holders[real]!) !== most) continue;
      if (oldest === 0 || this.#lastUse[real]! < this.#lastUse[oldest]!) oldest = real;
    }
    const owner = this.#holders[oldest]!;
    this.release(oldest);
    owner.dropPid(oldest);
  }
}
