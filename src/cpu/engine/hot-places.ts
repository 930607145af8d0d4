import type { TranslatedPage } from './code-cache.js';

/** A place, and where its address led when it was last wanted. */
export interface Place {
  readonly page: TranslatedPage;
  readonly pc: number;
  readonly context: number;
}

/** A hot one: how often it has been reported again, and how many instructions had been retired when it was last. */
interface Reported extends Place {
  again: number;
  at: number;
}

/** So many hot places are translated together at most. One that is reported again does not wait any more. */
const BATCH = 16;
/**
 * The first translations take 20 ms, most of it for V8 to get to know the translator. So nothing is translated before so many reports of
 * one place, or of all, or so many traps that translated code might have delivered by itself: interpreting has taken some milliseconds by
 * then, and there is more to come. Linux has come to its prompt before.
 */
const PATIENCE = { place: 6, all: 28, traps: 2048 };
/** A loop of so few instructions is soon through: reports of it count for little. */
const SHORT = { instructions: 4, part: 1 / 16 };

/** Hot places that wait to be translated together: a module for each would take longer. */
export class HotPlaces {
  readonly #waiting: Reported[] = [];
  /** What interpreting has cost so far; undefined where nobody is patient any more. */
  #spent: { reports: number; traps: number } | undefined;
  readonly #batch: number;

  /** `hot`: how often a place is wanted from one report to the next. */
  constructor(
    private readonly hot: number,
    { patient, alone }: { readonly patient: boolean; readonly alone: boolean },
  ) {
    this.#spent = patient ? { reports: 0, traps: 0 } : undefined;
    this.#batch = alone ? 1 : BATCH;
  }

  /** A place is reported when so many instructions had been retired. Gives what is to be translated now: nothing, or all that wait. */
  report(place: Place, retired: number): readonly Place[] {
    const again = this.#note(place, retired);
    if (this.#isEarly(again) || (again === 0 && this.#waiting.length < this.#batch)) return [];
    this.#spent = undefined;
    return this.#waiting.splice(0);
  }

  #isEarly(again: number): boolean {
    if (!this.#spent) return false;
    const { reports, traps } = this.#spent;
    return again < PATIENCE.place && reports < PATIENCE.all && traps < PATIENCE.traps;
  }

  /** How often it has been reported before. */
  #note(place: Place, retired: number): number {
    const known = this.#waiting.find(({ page, pc }) => page === place.page && pc === place.pc);
    const isShort = known !== undefined && retired - known.at < SHORT.instructions * this.hot;
    const counts = isShort ? SHORT.part : 1;
    if (this.#spent) this.#spent.reports += counts;
    if (!known) this.#waiting.push({ ...place, again: 0, at: retired });
    else Object.assign(known, { again: known.again + counts, at: retired });
    return known?.again ?? 0;
  }

  /** The plain interpreter raised a trap that translated code might have delivered by itself. */
  trapped(): void {
    if (this.#spent) this.#spent.traps += 1;
  }
}
