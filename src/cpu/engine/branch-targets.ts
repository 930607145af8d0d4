/** What is looked at before generated code is made for it, how many of every so many times, and how often this is done. */
const SAMPLES = 32;
const EVERY = 17;
const ROUNDS = 3;
const MOST = 32;

/** Where a branch goes that has no fixed target, as far as it has been looked at. */
export class BranchTargets {
  readonly #seen = new Map<number, number>();
  #samples = 0;
  #rounds = 0;
  /** The targets to compare with, those that were seen most often first. */
  chosen: readonly number[] = [];

  /** It is not looked at any more. */
  get isSettled(): boolean {
    return this.#rounds === ROUNDS;
  }

  /** It goes somewhere that is not chosen. Gives how often it may do so till the next look, or 0 if there is a new choice. */
  add(target: number): number {
    this.#seen.set(target, (this.#seen.get(target) ?? 0) + 1);
    if (++this.#samples < SAMPLES) return EVERY;
    const often = [...this.#seen].sort(([, a], [, b]) => b - a).map(([address]) => address);
    this.chosen = [...new Set([...this.chosen, ...often])].slice(0, MOST);
    this.#seen.clear();
    this.#samples = 0;
    this.#rounds++;
    return 0;
  }
}
