import { assert } from './assert.js';
import type { Width } from './bus.js';
import { swapperOf, type SwapWords } from './swap-words.js';

const WASM_PAGE = 65536;
export const PAGE_SIZE = 4096;

/** So many bytes are worth a module of their own. */
const MANY = 65536;

/**
 * For generated code: how many keep translations of code in pages whose numbers end in these bits, 16 bits each. Where it is 0
 * nobody does. It lies behind the page that stays unused.
 */
export const TRANSLATED_MARKS = { at: PAGE_SIZE, count: 4096 } as const;

const FIRST_FREE = TRANSLATED_MARKS.at + 2 * TRANSLATED_MARKS.count;

const pageOf = (at: number): number => at - (at % PAGE_SIZE);

/** Who has to know of pages that code is translated from. Offsets are of the shared memory. */
export interface CodeWatcher {
  /** The page at this offset may no longer be written without a call of `wrote`. */
  protect(page: number): void;
  /** Some of such a page has changed. */
  changed(at: number, size: number): void;
}

/**
 * The one shared memory that plain code, generated code and later worker threads all see. It holds processor state,
 * and guest memory as 32-bit words in host order: the byte of guest offset `a` lives at `a ^ 3`, the halfword at `a ^ 2`.
 */
export class SharedMemory {
  /** For generated code to import. */
  readonly wasm: WebAssembly.Memory;
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly halves: Uint16Array;
  readonly bytes: Uint8Array;
  /** One byte a 4 KiB page: how many keep translations of code in it. */
  readonly #translated: Uint8Array;
  readonly #watchers: CodeWatcher[] = [];
  #swap: SwapWords | undefined;
  #used = FIRST_FREE; // offset 0 stays unused, so that 0 can mean "nothing"
  #end: number;

  /** `size` is in bytes, at most 4 GiB less 64 KiB. */
  constructor(size: number) {
    const pages = Math.ceil(size / WASM_PAGE);
    this.wasm = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.buffer = this.wasm.buffer;
    this.#end = this.buffer.byteLength;
    this.words = new Int32Array(this.buffer);
    this.halves = new Uint16Array(this.buffer);
    this.bytes = new Uint8Array(this.buffer);
    this.#translated = new Uint8Array((pages * WASM_PAGE) / PAGE_SIZE);
  }

  /** Be told what happens to pages that code is translated from. */
  watchCode(watcher: CodeWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Are translations kept of code in the page of this offset? Then whoever writes to it calls `wrote`. */
  isTranslated(at: number): boolean {
    return this.#translated[at >>> 12] !== 0;
  }

  /** One more keeps translations of code in the page of this offset, or one less. */
  countTranslations(at: number, change: 1 | -1): void {
    this.#translated[at >>> 12]! += change;
    this.halves[TRANSLATED_MARKS.at / 2 + ((at >>> 12) & (TRANSLATED_MARKS.count - 1))]! += change;
    if (change === 1) for (const watcher of this.#watchers) watcher.protect(pageOf(at));
  }

  /** Bytes at this offset have changed, or are about to: translations of them are let go of. */
  wrote(at: number, size: number): void {
    for (let page = pageOf(at); page < at + size; page += PAGE_SIZE) {
      if (!this.isTranslated(page)) continue;
      const [from, to] = [Math.max(page, at), Math.min(page + PAGE_SIZE, at + size)];
      for (const watcher of this.#watchers) watcher.changed(from, to - from);
    }
  }

  /** Read `width` bytes in guest order at any offset, unsigned. */
  read(at: number, width: Width): number {
    if (width === 1) return this.bytes[(at ^ 3) >>> 0]!;
    if ((at & (width - 1)) === 0) return width === 4 ? this.words[at >>> 2]! >>> 0 : this.halves[(at ^ 2) >>> 1]!;
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + this.bytes[((at + i) ^ 3) >>> 0]!;
    return value;
  }

  write(at: number, width: Width, value: number): void {
    if (width === 1) this.bytes[(at ^ 3) >>> 0] = value;
    else if ((at & (width - 1)) !== 0) {
      for (let i = 0; i < width; i++) this.bytes[((at + i) ^ 3) >>> 0] = value >>> (8 * (width - 1 - i));
    } else if (width === 4) this.words[at >>> 2] = value;
    else this.halves[(at ^ 2) >>> 1] = value;
  }

  /** Copy bytes in guest order to any offset. */
  put(at: number, bytes: Uint8Array): void {
    const whole = (at & 3) === 0 ? bytes.length & ~3 : 0;
    const swapped = whole < MANY ? 0 : whole & ~7;
    if (swapped > 0) {
      this.bytes.set(bytes.subarray(0, swapped), at);
      this.#swap ??= swapperOf(this.wasm);
      this.#swap(at, at + swapped);
    }
    const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = swapped; i < whole; i += 4) this.words[(at + i) >>> 2] = from.getInt32(i);
    for (let i = whole; i < bytes.length; i++) this.bytes[((at + i) ^ 3) >>> 0] = bytes[i]!;
  }

  /** Bytes that are not reserved yet. */
  get free(): number {
    return this.#end - this.#used;
  }

  /** Reserve `size` bytes and return their offset, a multiple of `alignment` (a power of two, at least 4). */
  allocate(size: number, alignment = PAGE_SIZE): number {
    const offset = Math.ceil(this.#used / alignment) * alignment;
    assert(offset + size <= this.#end, `shared memory is full: ${size} more bytes wanted`);
    this.#used = offset + size;
    return offset;
  }

  /** The same for whole pages of guest memory, from the end on: where all else lies does not depend on how much there is. */
  allocateGuest(size: number): number {
    assert(size % PAGE_SIZE === 0 && size <= this.free, `shared memory is full: ${size} more bytes wanted`);
    this.#end -= size;
    return this.#end;
  }
}

/**
 * Guest memory: a window of the shared memory. Offsets are in guest byte order (big-endian); loaders and devices that
 * move data come through here. Whoever writes through the shared memory itself (an engine) calls `touch` for the page.
 */
export class Ram {
  /** One byte a 4 KiB page, 1 once the page may have been written since the last `clearDirty`. */
  readonly dirty: Uint8Array;
  /** The same since an image of memory was last taken (`memory-image.ts`). */
  readonly changed: Uint8Array;

  /** `offset` is the window's place in the shared memory, `size` its length; both multiples of 4096. */
  constructor(
    readonly memory: SharedMemory,
    readonly offset: number,
    readonly size: number,
    marks?: { readonly dirty: Uint8Array; readonly changed: Uint8Array },
    /** A processor's store is answered as where nothing is; whoever else has a way to the bytes may change them. */
    readonly readOnly = false,
  ) {
    assert(offset % PAGE_SIZE === 0 && size % PAGE_SIZE === 0, 'a RAM window is made of whole pages');
    this.dirty = marks?.dirty ?? new Uint8Array(size / PAGE_SIZE);
    this.changed = marks?.changed ?? new Uint8Array(size / PAGE_SIZE);
  }

  static allocate(memory: SharedMemory, size: number): Ram {
    return new Ram(memory, memory.allocateGuest(size), size);
  }

  /** A part of this memory as memory of its own: same bytes, same dirty marks; on request one that is only read. */
  window(start: number, size: number, readOnly = false): Ram {
    assert(start >= 0 && start + size <= this.size, 'a window lies within its RAM');
    const part = (marks: Uint8Array): Uint8Array => marks.subarray(start / PAGE_SIZE, (start + size) / PAGE_SIZE);
    const marks = { dirty: part(this.dirty), changed: part(this.changed) };
    return new Ram(this.memory, this.offset + start, size, marks, readOnly);
  }

  /** The page of this offset is about to be written. */
  touch(offset: number): void {
    this.dirty[offset >>> 12] = 1;
    this.changed[offset >>> 12] = 1;
  }

  /** The words of a page, in host order: memory itself. */
  pageWords(page: number): Int32Array {
    const start = (this.offset + page * PAGE_SIZE) >>> 2;
    return this.memory.words.subarray(start, start + PAGE_SIZE / 4);
  }

  /** Replace a page by words in host order, or by zeros. */
  putPage(page: number, words: Int32Array | undefined): void {
    if (words) this.pageWords(page).set(words);
    else this.pageWords(page).fill(0);
    this.touch(page * PAGE_SIZE);
    this.memory.wrote(this.offset + page * PAGE_SIZE, PAGE_SIZE);
  }

  /** Read `width` bytes, big-endian, at any alignment; unsigned. */
  read(offset: number, width: Width): number {
    return this.memory.read(this.offset + offset, width);
  }

  write(offset: number, width: Width, value: number): void {
    this.touch(offset);
    this.touch(offset + width - 1);
    this.memory.write(this.offset + offset, width, value);
    this.memory.wrote(this.offset + offset, width);
  }

  /** Copy bytes in guest order into this memory. */
  load(offset: number, bytes: Uint8Array): void {
    assert(offset >= 0 && offset + bytes.length <= this.size, 'loaded bytes lie within RAM');
    this.memory.put(this.offset + offset, bytes);
    this.#touchRange(offset, bytes.length);
  }

  fill(offset: number, size: number, value: number): void {
    const { bytes } = this.memory;
    const start = this.offset + offset;
    const end = start + size;
    const whole = Math.min(Math.ceil(start / 4) * 4, end);
    const rest = Math.max(Math.floor(end / 4) * 4, whole);
    bytes.fill(value, whole, rest);
    for (let at = start; at < whole; at++) bytes[(at ^ 3) >>> 0] = value;
    for (let at = rest; at < end; at++) bytes[(at ^ 3) >>> 0] = value;
    this.#touchRange(offset, size);
  }

  /** A copy of bytes, in guest order. */
  slice(offset: number, size: number): Uint8Array {
    return Uint8Array.from({ length: size }, (_, i) => this.memory.bytes[((this.offset + offset + i) ^ 3) >>> 0]!);
  }

  /** Zero every page that may have been written, and only those: what a restart needs. */
  clearDirty(): void {
    for (let page = 0; page < this.dirty.length; page++) {
      if (this.dirty[page] === 0) continue;
      const start = (this.offset + page * PAGE_SIZE) >>> 2;
      this.memory.words.fill(0, start, start + PAGE_SIZE / 4);
      this.memory.wrote(this.offset + page * PAGE_SIZE, PAGE_SIZE);
      this.dirty[page] = 0;
      this.changed[page] = 1;
    }
  }

  #touchRange(offset: number, size: number): void {
    if (size === 0) return;
    for (const marks of [this.dirty, this.changed]) marks.fill(1, offset >>> 12, ((offset + size - 1) >>> 12) + 1);
    this.memory.wrote(this.offset + offset, size);
  }
}
