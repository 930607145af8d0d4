import { PAGE_SIZE } from '../../bus/memory.js';
import type { Core } from '../core.js';

/**
 * Where a core's bus has memory, for generated code that finds pages by itself (`cold-refill.ts`), and which pages it is about to
 * write, for those who keep account of that. Words in the shared memory: how many regions there are, 0 where pages are not to be
 * found so; the regions; how many pages are logged; their numbers in the shared memory, and above INDEX_SHIFT which region's they are.
 */
export const MAP = { COUNT: 0, REGIONS: 1, LOGGED: 65, LOG: 66, WORDS: 128 } as const;
/** A region's words: numbers of pages of 4 KiB, the first of them physical, and what is added to such a number for one of the shared memory. */
export const REGION = { FIRST: 0, PAGES: 1, DELTA: 2, READ_ONLY: 3, WORDS: 4 } as const;
export const MOST_REGIONS = (MAP.LOGGED - MAP.REGIONS) / REGION.WORDS;
export const MOST_LOGGED = MAP.WORDS - MAP.LOG;
export const INDEX_SHIFT = 20;

export class RamMap {
  readonly #words: Int32Array;
  /** As many as are in the map. */
  #known = 0;

  /** The words lie `at` bytes into the shared memory. */
  constructor(
    private readonly core: Core,
    at: number,
  ) {
    this.#words = new Int32Array(core.memory.buffer, at, MAP.WORDS);
  }

  /** The engine runs: a debugger has to see each access to what it watches. */
  begin(): void {
    const { bus, probes, fixedPage } = this.core;
    const { length } = bus.ram.regions;
    if (length !== this.#known) this.#put();
    this.#words[MAP.COUNT] = probes || fixedPage || length > MOST_REGIONS ? 0 : length;
  }

  /** The engine has run. */
  end(): void {
    const words = this.#words;
    if (words[MAP.LOGGED] === 0) return;
    const { regions } = this.core.bus.ram;
    for (let i = 0; i < words[MAP.LOGGED]!; i++) {
      const entry = words[MAP.LOG + i]!;
      const { target } = regions[entry >>> INDEX_SHIFT]!;
      target.touch((entry & ((1 << INDEX_SHIFT) - 1)) * PAGE_SIZE - target.offset);
    }
    words[MAP.LOGGED] = 0;
  }

  #put(): void {
    const { regions } = this.core.bus.ram;
    this.#known = regions.length;
    regions.slice(0, MOST_REGIONS).forEach(({ base, size, target }, i) => {
      const first = base / PAGE_SIZE;
      const delta = target.offset / PAGE_SIZE - first;
      this.#words.set([first, size / PAGE_SIZE, delta, target.readOnly ? 1 : 0], MAP.REGIONS + i * REGION.WORDS);
    });
  }
}
