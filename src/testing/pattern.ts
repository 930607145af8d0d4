/** What is looked for in a console's output: text as it is, or a regular expression (`^` and `$` are a line's ends). */
export type Pattern = string | RegExp;

/** What was found, and when. */
export interface Match {
  /** All that matched; of `line`, the whole line. */
  readonly text: string;
  /** What the groups of the regular expression matched, from the first on. */
  readonly groups: readonly (string | undefined)[];
  /** Its named groups. */
  readonly named: Readonly<Record<string, string | undefined>>;
  /** The cycle at which this was known: that of its last character, if it was waited for. */
  readonly cycle: number;
}

/** A match without its time, and where it ends in the text. */
export interface Found extends Omit<Match, 'cycle'> {
  readonly end: number;
}

/** A pattern as messages show it. */
export const shown = (pattern: Pattern): string =>
  typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern);

/** Regular expressions are matched anew each time, and `^` and `$` are the ends of lines. */
const compiled = (pattern: RegExp): RegExp => new RegExp(pattern.source, `${pattern.flags.replaceAll(/[gym]/g, '')}m`);

/** A growing text is searched for something, each time from where nothing can have been missed. */
export class Search {
  readonly #regexp: RegExp | undefined;
  /** Nothing that ends before this can match. */
  #seen: number;
  #found: Found | undefined;

  constructor(
    readonly pattern: Pattern,
    /** A line that it is in, rather than the text itself. */
    readonly whole: 'line' | 'text',
    private from: number,
  ) {
    this.#regexp = typeof pattern === 'string' ? undefined : compiled(pattern);
    this.#seen = from;
  }

  /**
   * Look at what has been added to the text since the last time; once found, it stays found. Of lines, one that is not complete
   * counts where nothing more is to be expected.
   */
  finds(text: string, quiet = false): Found | undefined {
    return (this.#found ??= this.whole === 'line' ? this.#lookForLine(text, quiet) : this.#lookForText(text));
  }

  /** The text begins anew. */
  restart(): void {
    this.from = this.#seen = 0;
  }

  #lookForLine(text: string, quiet: boolean): Found | undefined {
    for (;;) {
      const newline = text.indexOf('\n', this.#seen);
      if (newline < 0 && !quiet) return undefined;
      const line = text.slice(this.#seen, newline < 0 ? text.length : newline);
      const found = this.#in(line);
      if (found) return { ...found, text: line, end: newline < 0 ? text.length : newline + 1 };
      if (newline < 0) return undefined;
      this.#seen = newline + 1;
    }
  }

  #lookForText(text: string): Found | undefined {
    const { pattern, from } = this;
    if (typeof pattern === 'string') {
      const at = text.indexOf(pattern, Math.max(from, this.#seen - pattern.length + 1));
      this.#seen = text.length;
      return at < 0 ? undefined : { text: pattern, groups: [], named: {}, end: at + pattern.length };
    }
    const start = text.endsWith('\n') ? from : this.#windowOf(text);
    const found = this.#in(text.slice(start));
    return found && { ...found, end: start + found.end };
  }

  /** Amid a line a match is looked for in the last lines only; at its end, in all of the text. */
  #windowOf(text: string): number {
    const near = text.length - WINDOW;
    if (near <= this.from) return this.from;
    const line = text.lastIndexOf('\n', near);
    return Math.max(this.from, line + 1);
  }

  #in(text: string): Found | undefined {
    const { pattern } = this;
    if (typeof pattern === 'string') {
      const at = text.indexOf(pattern);
      return at < 0 ? undefined : { text: pattern, groups: [], named: {}, end: at + pattern.length };
    }
    const match = this.#regexp!.exec(text);
    if (!match) return undefined;
    const [all, ...groups] = match;
    return { text: all, groups, named: { ...match.groups }, end: match.index + all.length };
  }
}

/** Characters, at least, in which a match amid a line is looked for. */
const WINDOW = 2048;
