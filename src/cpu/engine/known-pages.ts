import { PAGE_SIZE } from '../../bus/memory.js';
import type { TranslatedPage } from './code-cache.js';

/**
 * Pages of code that have a table of translations, for generated code that finds them by itself (`cold-refill.ts`): words in the
 * shared memory, an entry for each of SLOTS kinds of addresses. The last that was asked for is there.
 */
export const KNOWN = { ADDRESS: 0, HOST: 1, TABLE: 2, WORDS: 4 } as const;
const SLOTS = 1024;
export const KNOWN_BYTES = 4 * KNOWN.WORDS * SLOTS;
/** Beside the page in ADDRESS: it is a user's. PRESENT tells it from an empty entry. */
export const USER = 1 << 11;
export const PRESENT = 1;
/** The slot is the page's number, another half of them for users. */
export const SLOT_MASK = SLOTS - 1;
export const USER_SLOT = SLOTS / 2;

export class KnownPages {
  readonly #words: Int32Array;

  /** The words lie `at` bytes into the memory. */
  constructor(memory: { readonly buffer: SharedArrayBuffer }, at: number) {
    this.#words = new Int32Array(memory.buffer, at, KNOWN_BYTES / 4);
  }

  put({ base, host, user, table }: TranslatedPage): void {
    const slot = ((base / PAGE_SIZE) ^ (user ? USER_SLOT : 0)) & SLOT_MASK;
    const at = slot * KNOWN.WORDS;
    this.#words[at + KNOWN.ADDRESS] = base | (user ? USER : 0) | PRESENT;
    this.#words[at + KNOWN.HOST] = host;
    this.#words[at + KNOWN.TABLE] = table;
  }

  clear(): void {
    this.#words.fill(0);
  }
}
