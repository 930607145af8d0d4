import type { RowSink } from './line-program.js';

/** The file of a row that ends a sequence: the addresses behind it have no source. */
export const NO_SOURCE = 0xffffffff;

const STATEMENT = 1;

/** Rows of line programs, as columns: a kernel has more than a million. */
export class LineRows implements RowSink {
  /** Source files by their number. */
  readonly files: string[] = [];
  length = 0;
  readonly #numbers = new Map<string, number>();
  /** Four words a row: address, file, line, column << 1 | statement. */
  #words = new Uint32Array(4096);
  #sequences: { readonly from: number; readonly first: number; readonly count: number }[] = [];
  #first = 0;

  file(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.files.length);
    this.files.push(name);
    return this.files.length - 1;
  }

  row(address: number, file: number, line: number, column: number, statement: boolean): void {
    const at = 4 * this.length++;
    if (at === this.#words.length) {
      const words = new Uint32Array(2 * at);
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[at] = address;
    this.#words[at + 1] = file;
    this.#words[at + 2] = line;
    this.#words[at + 3] = column * 2 + (statement ? STATEMENT : 0);
  }

  end(address: number): void {
    this.row(address, NO_SOURCE, 0, 0, false);
    const count = this.length - this.#first;
    if (count > 1) this.#sequences.push({ from: this.addressOf(this.#first), first: this.#first, count });
    this.#first = this.length;
  }

  /** Put the sequences of real code into the order of their addresses, and drop the others. */
  sort(isCode: (address: number) => boolean): void {
    const kept = this.#sequences.filter(({ from }) => isCode(from)).toSorted((a, b) => a.from - b.from);
    const words = new Uint32Array(4 * kept.reduce((sum, { count }) => sum + count, 0));
    let at = 0;
    for (const { first, count } of kept) {
      words.set(this.#words.subarray(4 * first, 4 * (first + count)), at);
      at += 4 * count;
    }
    this.#words = words;
    this.#sequences = [];
    this.length = words.length / 4;
  }

  addressOf(row: number): number {
    return this.#words[4 * row]!;
  }

  fileOf(row: number): number {
    return this.#words[4 * row + 1]!;
  }

  lineOf(row: number): number {
    return this.#words[4 * row + 2]!;
  }

  columnOf(row: number): number {
    return this.#words[4 * row + 3]! >>> 1;
  }

  isStatement(row: number): boolean {
    return (this.#words[4 * row + 3]! & STATEMENT) !== 0;
  }

  get usedFiles(): ReadonlySet<number> {
    const used = new Set<number>();
    for (let row = 0; row < this.length; row++) if (this.fileOf(row) !== NO_SOURCE) used.add(this.fileOf(row));
    return used;
  }

  /** The row that says where the instruction at this address comes from, or -1. */
  at(address: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.addressOf(middle) <= address) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return -1;
    const row = this.lastOfAddress(low - 1);
    return this.fileOf(row) === NO_SOURCE ? -1 : row;
  }

  /**
   * Of the rows of one address, of which each is the whole of a line that has no code there, the one that counts: the last
   * at which a statement begins, or else the last. The end of one sequence gives way to the beginning of the next.
   */
  lastOfAddress(row: number): number {
    const address = this.addressOf(row);
    let last = row;
    while (last + 1 < this.length && this.addressOf(last + 1) === address) last++;
    for (let at = last; at >= 0 && this.addressOf(at) === address; at--) {
      if (this.fileOf(at) === NO_SOURCE) break;
      if (this.isStatement(at)) return at;
    }
    return last;
  }

  /** The first row of a higher address. */
  next(row: number): number {
    const address = this.addressOf(row);
    let next = row + 1;
    while (next < this.length && this.addressOf(next) === address) next++;
    return next;
  }
}
