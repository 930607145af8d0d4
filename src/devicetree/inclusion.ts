import { joinPath } from './paths.js';
import { positionIn, type View, viewOf } from './origin.js';
import type { Report } from './report.js';
import type { ReadFile } from './tokens.js';

/** An open `#if`. */
export interface Conditional {
  readonly offset: number;
  /** One of its groups has been read, or is being read. */
  taken: boolean;
  /** It has its `#else`. */
  closing: boolean;
}

/** An open file. */
export interface OpenFile {
  view: View;
  /** How it was named: on the command line, by `/include/`, or by `#include`. */
  readonly how: 'main' | 'include' | 'header';
  offset: number;
  /** Nothing but blanks stands before the offset in its line. */
  begins: boolean;
  /** No word of it, or none since the end of a file that it includes, has been read. */
  apart: boolean;
  readonly conditionals: Conditional[];
  /** How many macros had been defined and taken back when it was opened. */
  readonly definitions: number;
}

/** As many files as dtc takes by `/include/`, and as deep as GNU cpp goes. */
const MAX_FILES = 200;
const MAX_HEADERS = 4000;

/** The files of a source that are open. */
export class Inclusion {
  readonly #files: OpenFile[] = [];
  readonly #texts = new Map<string, string>();
  #included = 0;
  #headers = 0;
  #full = false;
  /** Counts definitions of macros, for telling whether a file that includes itself can ever come to an end. */
  definitions = 0;

  constructor(
    readonly read: ReadFile,
    readonly report: Report,
    readonly paths: readonly string[],
  ) {}

  get file(): OpenFile {
    return this.#files.at(-1)!;
  }

  get main(): View {
    return this.#files[0]!.view;
  }

  open(view: View, how: OpenFile['how']): void {
    if (how === 'header') this.#headers++;
    else this.#included++;
    const { definitions } = this;
    const apart = this.#files.length > 0;
    this.#files.push({ view, how, offset: 0, begins: true, apart, conditionals: [], definitions });
  }

  /** Closes a file at its end; false where it is the last. */
  close(): boolean {
    if (this.#files.length === 1) return false;
    this.#files.pop();
    this.file.apart = true;
    return true;
  }

  /** Opens a file that is named at an offset of the current one; `<name>` is looked for in the include paths alone. */
  include(name: string, offset: number, how: 'include' | 'header', angled: boolean): void {
    const { view } = this.file;
    const at = positionIn(view, offset);
    if (this.#full) return;
    const near = angled ? [] : [joinPath(view.path, name)];
    const candidates = [...near, ...this.paths.map((path) => joinPath(`${path}/.`, name))];
    const path = candidates.find((candidate) => this.#text(candidate) !== undefined);
    if (path === undefined) {
      const remedy = angled ? 'give its folder with -I DIR' : `write it, or correct '${name}'`;
      this.report.error('dts-include-missing', at, `'${candidates[0] ?? name}' cannot be read`, remedy);
      return;
    }
    if (this.#endless(path, how)) {
      this.report.error('dts-include-cycle', at, `'${path}' includes itself`, 'break the circle of includes');
      return;
    }
    const many = how === 'include' && this.#included >= MAX_FILES;
    if (many || this.#headers >= MAX_HEADERS || this.#files.length > MAX_FILES) {
      this.#full = how === 'header';
      const limit = many ? MAX_FILES : MAX_HEADERS;
      const deep = !many && this.#headers < MAX_HEADERS;
      const message = deep
        ? `'${path}' is included more than ${MAX_FILES} files deep`
        : `'${path}' is the file number ${limit + 1} of this tree`;
      const remedy = deep ? 'guard it by #ifndef' : `include at most ${limit - 1} files`;
      this.report.error('dts-include-depth', at, message, remedy);
      return;
    }
    this.open(viewOf(path, this.#text(path)!, { kind: 'include', name: path, at, outer: view.via }), how);
  }

  /** A file that is open already is read again only where macros may have it end. */
  #endless(path: string, how: 'include' | 'header'): boolean {
    const last = this.#files.findLast((file) => file.view.path === path);
    return last !== undefined && (how === 'include' || last.definitions === this.definitions);
  }

  #text(path: string): string | undefined {
    const known = this.#texts.get(path);
    if (known !== undefined) return known;
    const bytes = this.read(path);
    if (!bytes) return undefined;
    const text = new TextDecoder().decode(bytes);
    this.#texts.set(path, text);
    return text;
  }
}
