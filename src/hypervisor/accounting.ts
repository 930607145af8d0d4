import type { ExitKind } from './exit.js';

/** How often, and for how many cycles in all, each kind of exit happened. */
export class ExitAccount {
  readonly #kinds = new Map<ExitKind, { count: number; cycles: number }>();
  /** Cycles in which the core belonged to this guest: its instructions, its exits and what was done for it. */
  cycles = 0;
  /** Instructions that it retired itself or that were emulated for it. */
  retired = 0;

  /** An exit cost so many cycles from the guest's last instruction until it may run again. */
  charge(kind: ExitKind, cycles: number): void {
    const entry = this.#kinds.get(kind) ?? { count: 0, cycles: 0 };
    entry.count += 1;
    entry.cycles += cycles;
    this.#kinds.set(kind, entry);
  }

  /** By kind, the most frequent first. */
  get exits(): { kind: ExitKind; count: number; cycles: number }[] {
    return [...this.#kinds].map(([kind, entry]) => ({ kind, ...entry })).toSorted((a, b) => b.count - a.count);
  }
}
