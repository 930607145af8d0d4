import { assert } from './assert.js';
import type { Region } from './bus.js';
import { PAGE_SIZE, type Ram } from './memory.js';

/** A page of 4 KiB as it was, as words in host order; undefined for one of zeros. Never changed once it is there. */
export type Page = Int32Array | undefined;

const PAGE_WORDS = PAGE_SIZE / 4;
/** Pages are listed in chunks, so that two images share the lists of all that is the same. */
const CHUNK = 64;

/** All memory of a board at one moment. Images share what has not changed between them. */
export class MemoryImage {
  constructor(
    /** Pages in the order of the board's memory. */
    readonly chunks: readonly (readonly Page[])[],
    readonly length: number,
  ) {}

  page(number: number): Page {
    return this.chunks[Math.floor(number / CHUNK)]?.[number % CHUNK];
  }

  /** The pages that are not all zeros, with their numbers. */
  *pages(): Generator<readonly [number, Int32Array]> {
    for (const [i, chunk] of this.chunks.entries())
      for (const [j, page] of chunk.entries()) if (page) yield [i * CHUNK + j, page];
  }

  static of(length: number, page: (number: number) => Page): MemoryImage {
    const chunks = Array.from({ length: Math.ceil(length / CHUNK) }, (_, i) =>
      Array.from({ length: Math.min(CHUNK, length - i * CHUNK) }, (_, j) => page(i * CHUNK + j)),
    );
    return new MemoryImage(chunks, length);
  }
}

/** Takes images of a board's memory, each at the cost of what was written since the last, and puts them back. */
export class MemoryImages {
  readonly #rams: readonly Ram[];
  readonly #places: readonly { readonly ram: Ram; readonly page: number }[];
  /** What memory was when last an image was taken or put back; what has been written since is marked. */
  #base: MemoryImage | undefined;

  constructor(regions: readonly Region<Ram>[]) {
    this.#rams = regions.map(({ target }) => target);
    this.#places = this.#rams.flatMap((ram) =>
      Array.from({ length: ram.size / PAGE_SIZE }, (_, page) => ({ ram, page })),
    );
  }

  /** Bytes of the board's memory. */
  get bytes(): number {
    return this.#places.length * PAGE_SIZE;
  }

  /**
   * Memory as it is. Whoever remembers pages as writable has to forget that, before the next instruction: the first store to a
   * page has to be seen.
   */
  take(): MemoryImage {
    const before = this.#base;
    const image = before ? this.#since(before) : MemoryImage.of(this.#places.length, (n) => this.#copy(n));
    this.#begin(image);
    return image;
  }

  /** Memory as it is, without a trace: for whoever takes one only. */
  copy(): MemoryImage {
    return MemoryImage.of(this.#places.length, (n) => this.#copy(n));
  }

  /** Make memory what it was. The same holds as for `take`. */
  put(image: MemoryImage): void {
    assert(image.length === this.#places.length, 'an image is of a memory of the same size');
    const base = this.#base;
    for (const [i, chunk] of image.chunks.entries()) {
      const same = base?.chunks[i] === chunk;
      for (const [j, page] of chunk.entries()) {
        const number = i * CHUNK + j;
        const { ram, page: at } = this.#places[number]!;
        const written = ram.changed[at] !== 0;
        if (base ? written || (!same && base.page(number) !== page) : page || ram.dirty[at] !== 0)
          ram.putPage(at, page);
      }
    }
    this.#begin(image);
  }

  #begin(image: MemoryImage): void {
    for (const { changed } of this.#rams) changed.fill(0);
    this.#base = image;
  }

  #since(before: MemoryImage): MemoryImage {
    const chunks = before.chunks.map((chunk, i) => {
      let copy: Page[] | undefined;
      for (let j = 0; j < chunk.length; j++) {
        const { ram, page } = this.#places[i * CHUNK + j]!;
        if (ram.changed[page] === 0) continue;
        copy ??= [...chunk];
        copy[j] = this.#copy(i * CHUNK + j);
      }
      return copy ?? chunk;
    });
    return new MemoryImage(chunks, before.length);
  }

  #copy(number: number): Page {
    const { ram, page } = this.#places[number]!;
    if (ram.dirty[page] === 0) return undefined;
    const words = ram.pageWords(page);
    return words.some((word) => word !== 0) ? words.slice() : undefined;
  }
}

/** The bytes of a page in guest order. */
export function pageBytes(page: Int32Array): Uint8Array {
  const bytes = new Uint8Array(PAGE_SIZE);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < PAGE_WORDS; i++) view.setInt32(4 * i, page[i]!);
  return bytes;
}

/** A page from its bytes in guest order. */
export function pageOfBytes(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, PAGE_SIZE);
  const words = new Int32Array(PAGE_WORDS);
  for (let i = 0; i < PAGE_WORDS; i++) words[i] = view.getInt32(4 * i);
  return words;
}
