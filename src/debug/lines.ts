import { isElf, readHeader } from '../loader/elf.js';
import { gunzip, isGzip } from '../loader/gzip.js';
import { codeSections, sectionContents, type CodeSection } from '../loader/sections.js';
import { readSymbols } from '../loader/symbols.js';
import { readLinePrograms } from './dwarf/line-program.js';
import { LineRows, NO_SOURCE } from './dwarf/line-rows.js';
import { readUnits } from './dwarf/units.js';

/** Where code comes from. Lines and columns count from 1; column 0: the compiler does not say. */
export interface SourceLine {
  /** Absolute, or as the compiler was given it where it does not say in which directory it ran. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The addresses from this one up to `to` (not included) belong to this line without a break. */
  readonly from: number;
  readonly to: number;
  /** The compiler recommends `from` as a place to stop: a statement begins there. */
  readonly statement: boolean;
}

/** Where a line's code begins. */
export interface LinePlace {
  /** The line asked for, or the next one that has code. */
  readonly line: number;
  /**
   * In ascending order: the first address of each function's code for it; every one where other functions have the line
   * inline.
   */
  readonly addresses: readonly number[];
}

/** Addresses and source lines of a program, by the DWARF (versions 2 to 5) in its ELF. */
export class LineTable {
  private constructor(
    private readonly rows: LineRows,
    /** Where functions begin, in ascending order. */
    private readonly functions: readonly number[],
  ) {}

  /** The table of an ELF, which may be in gzip; undefined where it has none. */
  static read(bytes: Uint8Array): LineTable | undefined {
    const elf = isGzip(bytes) ? gunzip(bytes, 'the image') : bytes;
    if (!(elf instanceof Uint8Array) || elf.length < 52 || !isElf(elf)) return undefined;
    const debug = sectionContents(elf, [
      '.debug_line',
      '.debug_info',
      '.debug_abbrev',
      '.debug_str',
      '.debug_line_str',
    ]);
    if (debug['.debug_line'].length === 0) return undefined;
    const strings = { strings: debug['.debug_str'], lineStrings: debug['.debug_line_str'] };
    const units = readUnits(debug['.debug_info'], debug['.debug_abbrev'], strings);
    const rows = new LineRows();
    readLinePrograms(debug['.debug_line'], strings, units, rows);
    rows.sort(isCode(codeSections(elf)));
    const functions = readSymbols(elf, readHeader(elf)).filter(({ kind }) => kind === 'function');
    return rows.length > 0 ? new LineTable(rows, [...new Set(functions.map(({ address }) => address))]) : undefined;
  }

  /** Every source file that code comes from. */
  get files(): readonly string[] {
    return [...this.rows.usedFiles].map((file) => this.rows.files[file]!);
  }

  /** Files whose name ends in this one's steps: `main.c`, `lib/main.c`, or a whole path. The shortest first. */
  find(name: string): readonly string[] {
    const wanted = name.replace(/^(\.?\/)+/, '');
    const found = this.files.filter((file) => file === name || file === wanted || file.endsWith(`/${wanted}`));
    return found.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
  }

  /** The source of the instruction at this address. */
  at(address: number): SourceLine | undefined {
    const { rows } = this;
    const row = rows.at(address);
    if (row < 0 || rows.lineOf(row) === 0) return undefined;
    return this.#stretch(row);
  }

  /** All stretches of code that have a source, in the order of their addresses. */
  *[Symbol.iterator](): Generator<SourceLine> {
    const { rows } = this;
    for (let row = 0; row < rows.length;) {
      const here = rows.lastOfAddress(row);
      if (rows.fileOf(here) !== NO_SOURCE && rows.lineOf(here) !== 0) yield this.#stretch(here);
      row = rows.next(this.#lastOfLine(here));
    }
  }

  /** Where the code of a line begins; if it has none, of the next line of the file that has. `file` as in `files`. */
  places(file: string, line: number): LinePlace | undefined {
    const { rows } = this;
    const number = rows.files.indexOf(file);
    let best = Infinity;
    let addresses: number[] = [];
    for (let row = 0; row < rows.length; row++) {
      const at = rows.lineOf(row);
      if (rows.fileOf(row) !== number || !rows.isStatement(row) || at < line || at > best) continue;
      if (at < best) addresses = [];
      best = at;
      const before = rows.at(rows.addressOf(row) - 1);
      if (before < 0 || !this.#sameLine(before, row)) addresses.push(rows.addressOf(row));
    }
    return addresses.length > 0
      ? { line: best, addresses: this.#firstOfFunctions(addresses, number, best) }
      : undefined;
  }

  /** Loops come back to a line by other ways than its first instruction; a function that is inline comes as often as it is. */
  #firstOfFunctions(addresses: readonly number[], file: number, line: number): number[] {
    const seen = new Set<number>();
    return [...new Set(addresses)].filter((address) => {
      const start = this.#functionOf(address);
      if (start === undefined || !this.#isOwnLine(start, file, line)) return true;
      if (seen.has(start)) return false;
      seen.add(start);
      return true;
    });
  }

  #functionOf(address: number): number | undefined {
    return this.functions.findLast((start) => start <= address);
  }

  /** Is it a line of this function's own source: behind its first, and before that of any other function of the file? */
  #isOwnLine(start: number, file: number, line: number): boolean {
    const { rows } = this;
    const firstLine = (address: number): number => {
      const row = rows.at(address);
      return row >= 0 && rows.fileOf(row) === file ? rows.lineOf(row) : 0;
    };
    const first = firstLine(start);
    return (
      first > 0 &&
      first <= line &&
      !this.functions.some((other) => first < firstLine(other) && firstLine(other) <= line)
    );
  }

  /** The lines of a file that have code, in ascending order. */
  lines(file: string): readonly number[] {
    const { rows } = this;
    const number = rows.files.indexOf(file);
    const found = new Set<number>();
    for (let row = 0; row < rows.length; row++)
      if (rows.fileOf(row) === number && rows.isStatement(row)) found.add(rows.lineOf(row));
    found.delete(0);
    return [...found].toSorted((a, b) => a - b);
  }

  #stretch(row: number): SourceLine {
    const { rows } = this;
    const first = this.#firstOfLine(row);
    const after = rows.next(this.#lastOfLine(row));
    return {
      file: rows.files[rows.fileOf(row)]!,
      line: rows.lineOf(row),
      column: rows.columnOf(first),
      from: rows.addressOf(first),
      to: rows.addressOf(after),
      statement: rows.isStatement(first),
    };
  }

  #sameLine(a: number, b: number): boolean {
    const { rows } = this;
    return rows.fileOf(a) === rows.fileOf(b) && rows.lineOf(a) === rows.lineOf(b);
  }

  #firstOfLine(row: number): number {
    const { rows } = this;
    let first = row;
    for (;;) {
      const before = rows.at(rows.addressOf(first) - 1);
      if (before < 0 || !this.#sameLine(before, row)) return first;
      first = before;
    }
  }

  #lastOfLine(row: number): number {
    const { rows } = this;
    let last = row;
    for (;;) {
      const next = rows.next(last);
      const after = next < rows.length ? rows.lastOfAddress(next) : last;
      if (after === last || !this.#sameLine(after, row)) return last;
      last = after;
    }
  }
}

/** Is it code of the file? What the linker has dropped stays in debug information, at addresses that mean nothing. */
function isCode(sections: readonly CodeSection[]): (address: number) => boolean {
  if (sections.length === 0) return () => true;
  return (at) => sections.some(({ address, bytes }) => at >= address && at < address + bytes.length);
}
