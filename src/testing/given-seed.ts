/** Where the seed stands that `hv440 test --seed` gives: the library may be loaded more than once in a process. */
const KEY = Symbol.for('hv440.seed');

const place = globalThis as { [KEY]?: number };

/** From now on boards without a seed of their own begin with this one. */
export function giveSeed(seed: number): void {
  place[KEY] = seed;
}

/** The seed that was given, or else 1. */
export const givenSeed = (): number => place[KEY] ?? 1;
