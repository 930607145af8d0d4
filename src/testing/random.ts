/**
 * Numbers that look random and are the same for the same seed: what times and places are chosen by, in tests that look for
 * trouble. SplitMix32; not for secrets.
 */
export class Random {
  #state: number;

  /** `seed` is a whole number; its low 32 bits count. `state` is where another one with this seed stood. */
  constructor(
    readonly seed: number,
    state = seed,
  ) {
    this.#state = state | 0;
  }

  /** Where it stands. */
  get state(): number {
    return this.#state;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let word = this.#state ^ (this.#state >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a2d97);
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** One of these. */
  pick<T>(from: readonly T[]): T {
    const found = from[this.integer(0, from.length - 1)];
    if (found === undefined) throw new RangeError('there is nothing to pick from');
    return found;
  }

  /** So many bytes. */
  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.integer(0, 255));
  }
}
