import { PAGE_SIZE, type CodeWatcher, type SharedMemory } from '../bus/memory.js';
import type { Use } from './tlb.js';

/**
 * A page cache in front of the TLB: for each use, 1,024 slots of 4 KiB pages of RAM, by effective page number. A slot's tag
 * is the page and the context (PID, address space, privilege) that filled it, so that changing those flushes nothing.
 * An access hits when `tag === (address & (0xfffff000 | width - 1) | context)`, which also tests its alignment; the byte
 * is then at `address + delta` of the shared memory. Measured against a full table per privilege state: the same speed,
 * and 24 KiB a core instead of 24 MiB.
 */
export const SLOTS = 1024;

/** Context bits of a tag: they lie below the page number and above the two alignment bits. */
export const contextOf = (pid: number, space: number, user: boolean): number =>
  (pid << 2) | (space << 10) | (user ? 1 << 11 : 0);

/**
 * Where the tables lie, in bytes from `Lookaside.at`: generated code reads them in the shared memory. An entry is a word.
 * `translations` goes with `execute`: where an engine keeps what it made of a page, or 0. `zeroable` goes with `write`: the
 * tags of those pages whose cache blocks dcbz may zero.
 */
// prettier-ignore
export const TABLES = {
  tags:   { read: 0,               write: 8 * SLOTS,  execute: 16 * SLOTS },
  deltas: { read: 4 * SLOTS,       write: 12 * SLOTS, execute: 20 * SLOTS },
  translations: 24 * SLOTS,
  zeroable: 28 * SLOTS,
} as const;
const BYTES = 32 * SLOTS;

/** Makes a context one that no page was remembered for: of an address's lowest bits a tag holds none. */
export const NO_PAGE = 1;

/** A tag in slot i for a page that belongs in another slot: matches nothing. */
const empty = Int32Array.from({ length: SLOTS }, (_, i) => (i ^ 1) << 12);

/** A page outside RAM: its tag, or NO_PAGE, and its physical address. */
interface Elsewhere {
  tag: number;
  physical: number;
}

/** Where a lookaside's tables are, in bytes, in the shared memory. */
export type LookasidePlace = Pick<Lookaside, 'at'>;

export class Lookaside implements CodeWatcher {
  readonly tags: Readonly<Record<Use, Int32Array>>;
  readonly deltas: Readonly<Record<Use, Int32Array>>;
  readonly translations: Int32Array;
  readonly zeroable: Int32Array;
  /** The tables' offset in the shared memory. */
  readonly at: number;

  /** The page that lies elsewhere than in RAM and was last accessed like this: what has no table, since devices are seldom many. */
  readonly elsewhere: Readonly<Record<'read' | 'write', Elsewhere>> = {
    read: { tag: NO_PAGE, physical: 0 },
    write: { tag: NO_PAGE, physical: 0 },
  };

  readonly #allTags: readonly Int32Array[];

  constructor(memory: SharedMemory) {
    this.at = memory.allocate(BYTES, 64);
    const table = (offset: number): Int32Array => new Int32Array(memory.buffer, this.at + offset, SLOTS);
    const { tags, deltas, translations, zeroable } = TABLES;
    this.tags = { execute: table(tags.execute), read: table(tags.read), write: table(tags.write) };
    this.deltas = { execute: table(deltas.execute), read: table(deltas.read), write: table(deltas.write) };
    this.translations = table(translations);
    this.zeroable = table(zeroable);
    this.#allTags = [...Object.values(this.tags), this.zeroable];
    this.flush();
    memory.watchCode(this);
  }

  /**
   * The 4 KiB page of an address, used like this in this context, lies at `host` of the shared memory. `zeroable`: of a page
   * that is written, whether dcbz may zero blocks of it.
   */
  fill(use: Use, address: number, context: number, host: number, zeroable = false): void {
    const page = address & ~0xfff;
    const slot = (address >>> 12) & (SLOTS - 1);
    this.tags[use][slot] = page | context;
    this.deltas[use][slot] = (host & ~0xfff) - page;
    if (use === 'execute') this.translations[slot] = 0;
    if (use === 'write') this.zeroable[slot] = zeroable ? page | context : empty[slot]!;
  }

  /** Where in the shared memory a byte lies that is used like this in this context, or -1 where that is not remembered. */
  find(use: Use, address: number, context: number): number {
    const slot = (address >>> 12) & (SLOTS - 1);
    if (this.tags[use][slot] !== ((address & ~0xfff) | context)) return -1;
    return (address + this.deltas[use][slot]!) >>> 0;
  }

  flush(): void {
    for (const tags of this.#allTags) tags.set(empty);
    this.#forgetElsewhere();
  }

  #forgetElsewhere(): void {
    const { read, write } = this.elsewhere;
    read.tag = write.tag = NO_PAGE;
  }

  /** Forget which pages may be written, so that the next store to each is seen. */
  forgetWritable(): void {
    this.tags.write.set(empty);
    this.zeroable.set(empty);
  }

  /** Stores to a page that code is translated from are not to be missed. */
  protect(page: number): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const tag = this.tags.write[slot]!;
      const host = ((tag & -PAGE_SIZE) + this.deltas.write[slot]!) >>> 0;
      if (host === page) this.tags.write[slot] = this.zeroable[slot] = empty[slot]!;
    }
  }

  changed(): void {}

  /** Forget a range of effective addresses, in every context. */
  invalidate(base: number, size: number): void {
    if (size === 0) return; // a reserved page size maps nothing
    if (size > 16 * 4096) return this.flush();
    this.#forgetElsewhere();
    const last = (base + size - 1) >>> 12;
    for (let page = base >>> 12; page <= last; page++) {
      const slot = page & (SLOTS - 1);
      for (let i = 0; i < this.#allTags.length; i++) this.#allTags[i]![slot] = empty[slot]!;
    }
  }
}
