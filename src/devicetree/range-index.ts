import type { Range } from './addresses.js';

/** Things at ranges, to be asked which of them share a byte with another range. */
export class RangeIndex<T extends { readonly range: Range }> {
  /** By base; of the same base, in the order given. */
  readonly #sorted: readonly { readonly entry: T; readonly at: number }[];
  /** The furthest end of each and all before it. */
  readonly #reach: readonly number[];

  constructor(entries: readonly T[]) {
    const placed = entries.map((entry, at) => ({ entry, at })).filter(({ entry }) => entry.range.size > 0);
    this.#sorted = placed.sort((a, b) => a.entry.range.base - b.entry.range.base || a.at - b.at);
    let reach = 0;
    this.#reach = this.#sorted.map(({ entry: { range } }) => (reach = Math.max(reach, range.base + range.size)));
  }

  /** Those that share a byte with the range, in the order in which they were given. */
  overlapping({ base, size }: Range): T[] {
    const found: { readonly entry: T; readonly at: number }[] = [];
    for (let i = this.#before(base + size) - 1; i >= 0 && this.#reach[i]! > base; i--) {
      const one = this.#sorted[i]!;
      if (one.entry.range.base + one.entry.range.size > base) found.push(one);
    }
    return found.sort((a, b) => a.at - b.at).map(({ entry }) => entry);
  }

  /** How many begin before an address. */
  #before(address: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle]!.entry.range.base < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
