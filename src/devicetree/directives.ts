import { unescape } from './escape.js';
import { BadCondition, holds } from './condition.js';
import { parseDefinition, sameMacro } from './definition.js';
import type { Inclusion, OpenFile } from './inclusion.js';
import type { Expander } from './macros.js';
import { lineIndex, positionIn } from './origin.js';
import { matchLength, type Piece, pieceAt, pieces } from './preprocessing-token.js';
import type { Report } from './report.js';

const patterns = {
  marker: /#(?:line)?[ \t]+([0-9]+)[ \t]+"((?:[^\\"]|\\.)*)"(?:[ \t]+[0-9]+)*(?:[ \t\r]*(?:\n|$))?/y,
  line: /#[ \t]*line[ \t]+([0-9]+)[ \t\r]*(?:\n|$)/y,
  directive: /#[ \t]*([a-z]+)(?=[ \t\r\n"<(!\\]|\/[*/]|$)(?![ \t]*[=;])/y,
  plain:
    /(?:(?:[ \t\v\f\r\n]|\/\*(?:[^*\\]|\*(?!\/))*\*\/|\/\/[^\n\\]*\n)*((?!__)[A-Za-z_$][A-Za-z0-9_$]*|\.?[0-9](?:[eEpP][+-]|[A-Za-z0-9_.])*|"[^"\\\n]*"|<<|>>|<=|>=|==|!=|&&|\|\||\.\.\.|[-<>{}[\]();:=,.&@+*%!|^~?])){1,250}/y,
  include: /\/include\/[ \t\n\v\f\r]*"([^"\n]*)"/y,
  file: /[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)/y,
  rest: /(?:[^\n\\]|\\\r?\n|\\)*/y,
  skipped: /(?:"(?:[^"\\\n]|\\[^\n])*"|\/(?![*/])|[^"\n/]|")+/y,
} as const;

/** Reads files word by word, and does what their directives say. */
export class Directives {
  expander!: Expander;

  constructor(
    readonly inclusion: Inclusion,
    readonly report: Report,
  ) {}

  get #file(): OpenFile {
    return this.inclusion.file;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#file.offset;
    return pattern.exec(this.#file.view.text);
  }

  #error(offset: number, message: string, remedy: string): void {
    this.report.error('dts-preprocessor', positionIn(this.#file.view, offset), message, remedy);
  }

  /**
   * Passes as many words as can be told to mean nothing to a preprocessor, while it knows only macros of its own: their names begin with
   * two underscores. Gives the last of them, with all that stands before it since the word before the first for its gap.
   */
  plain(): Piece | undefined {
    const file = this.#file;
    const found = file.apart || this.inclusion.definitions > 0 ? null : this.#match(patterns.plain);
    if (!found) return undefined;
    const { view, offset: gap } = file;
    const text = found[1]!;
    file.offset += found[0].length;
    file.begins = false;
    const { offset: end } = file;
    const offset = end - text.length;
    return { kind: pieceAt(text, 0).kind, text, view, offset, gap, end, space: offset > gap, fresh: true };
  }

  /** The next word of the source outside of directives; at its end, again and again, `end`. */
  next(): Piece {
    for (;;) {
      const file = this.#file;
      const gap = file.offset;
      this.#skipGap(pieces.gap);
      const { text } = file.view;
      if (file.offset >= text.length) {
        if (this.#close()) continue;
        const { view, offset } = file;
        return { kind: 'end', text: '', view, offset, gap, end: offset, space: true, fresh: true };
      }
      const special = text.charAt(file.offset);
      if (special === '#' && file.begins && this.#directive()) continue;
      if (special === '/' && this.#slash()) continue;
      return this.#piece(gap);
    }
  }

  /** Passes what stands between words; a line break outside of a comment begins a line. */
  #skipGap(pattern: RegExp): void {
    const file = this.#file;
    const { text } = file.view;
    const length = matchLength(pattern, text, file.offset);
    if (length === 0) return;
    const gap = text.slice(file.offset, file.offset + length);
    const plain = gap.includes('/') ? gap.replaceAll(/\/\*[^]*?\*\//g, '') : gap;
    file.begins ||= /(?<!\\)\r?\n/.test(plain);
    file.offset += length;
  }

  #piece(gap: number): Piece {
    const file = this.#file;
    const { view, offset, apart } = file;
    const open = matchLength(pieces.openComment, view.text, offset) > 0;
    const { kind, text } = open ? { kind: 'sign' as const, text: view.text.slice(offset) } : pieceAt(view.text, offset);
    const end = offset + text.length;
    file.offset = end;
    file.begins = false;
    file.apart = false;
    return { kind, text, view, offset, gap, end, space: offset > gap, fresh: true, ...(apart && { apart }) };
  }

  /** A `/include/`, or a last comment for which the preprocessor needs no new line. */
  #slash(): boolean {
    const file = this.#file;
    const found = this.#match(patterns.include);
    if (found) {
      const { offset } = file;
      file.offset += found[0].length;
      file.begins = false;
      this.inclusion.include(found[1] ?? '', offset, 'include', false);
      return true;
    }
    if (file.how !== 'header' || !file.view.text.startsWith('//', file.offset)) return false;
    file.offset = file.view.text.length;
    return true;
  }

  #close(): boolean {
    const open = this.#file.conditionals.pop();
    if (open) {
      this.#error(open.offset, "this conditional has no '#endif'", "write '#endif' at its end");
      this.#file.conditionals.length = 0;
    }
    return this.inclusion.close();
  }

  #directive(): boolean {
    if (this.#marker()) return true;
    const found = this.#match(patterns.directive);
    const run = found ? this.#directives[found[1]!] : undefined;
    if (!found || !run) return false;
    const { offset } = this.#file;
    this.#file.offset += found[0].length;
    run(offset);
    return true;
  }

  // prettier-ignore
  readonly #directives: Readonly<Record<string, ((at: number) => void) | undefined>> = {
    define:  (at) => this.#define(at),
    undef:   (at) => this.#undef(at),
    include: (at) => this.#include(at),
    if:      (at) => this.#if(at, this.#condition(at)),
    ifdef:   (at) => this.#if(at, this.#isDefined(at, true)),
    ifndef:  (at) => this.#if(at, this.#isDefined(at, false)),
    elif:    (at) => this.#otherwise(at, 'elif'),
    else:    (at) => this.#otherwise(at, 'else'),
    endif:   (at) => this.#endif(at),
    error:   (at) => this.#say(at, 'error'),
    warning: (at) => this.#say(at, 'warning'),
    pragma:  () => void this.#rest(),
    ident:   () => void this.#rest(),
  };

  /** The words of the line from here on. */
  #line(): Piece[] {
    const file = this.#file;
    const { text } = file.view;
    const line: Piece[] = [];
    for (;;) {
      const gap = file.offset;
      this.#skipGap(pieces.blank);
      const comment = text.startsWith('//', file.offset) ? matchLength(patterns.rest, text, file.offset) : 0;
      file.offset += comment;
      if (file.offset >= text.length || text.charAt(file.offset) === '\n') return line;
      const piece = this.#piece(gap);
      const broken = piece.kind === 'string' && /(?<!\\)\n/.test(piece.text);
      if (broken) file.offset = piece.offset + 1;
      line.push({ ...piece, ...(broken && { kind: 'sign', text: '"' }), fresh: false, apart: false });
    }
  }

  /** The text of the line from here on. */
  #rest(): string {
    const rest = this.#match(patterns.rest)![0];
    this.#file.offset += rest.length;
    return rest.replaceAll(/\\\r?\n/g, ' ').trim();
  }

  /** A line marker names the file and line of the line behind it. */
  #marker(): boolean {
    const file = this.#file;
    const { view, offset } = file;
    const index = lineIndex(view, offset);
    const first = view.starts[index] === offset ? this.#match(patterns.marker) : null;
    const found = first ?? this.#match(patterns.line);
    if (!found) return false;
    const [whole, line = '', quoted] = found;
    const at = positionIn(view, offset);
    let { name } = view;
    if (quoted !== undefined) {
      const remedy = 'give it one or two digits';
      const bad = (): void =>
        this.report.error('dts-escape', at, String.raw`\x has no hexadecimal digit behind it`, remedy);
      const bytes = unescape(quoted, bad);
      const message = 'the file name of this line marker has a NUL in it';
      if (bytes.includes(0)) this.report.error('dts-line-marker', at, message, 'take it out');
      name = new TextDecoder().decode(bytes);
    }
    file.offset += whole.length;
    file.begins = true;
    const number = Math.max(1, Math.min(Number(line), 0x7fffffff));
    const next = lineIndex(view, file.offset);
    file.view = { ...view, name, shift: number - (next + 1) };
    return true;
  }

  #define(at: number): void {
    const line = this.#line();
    const { view } = this.#file;
    const macro = parseDefinition(line, positionIn(view, line[0]?.offset ?? at));
    if (typeof macro === 'string') return this.#error(line[0]?.offset ?? at, macro, 'write #define NAME VALUE');
    const { macros } = this.expander;
    const before = macros.get(macro.name);
    if (before && !sameMacro(before, macro)) {
      const { file, line: number, col } = before.at;
      const message = `macro '${macro.name}' is defined otherwise already, at ${file}:${number}:${col}`;
      const remedy = `write '#undef ${macro.name}' before this if it is meant`;
      this.report.warning('dts-macro', macro.at, message, remedy);
    }
    macros.set(macro.name, macro);
    this.inclusion.definitions++;
  }

  /** The one name that a directive takes. */
  #name(at: number, directive: string): string | undefined {
    const [name] = this.#line();
    if (name?.kind === 'name') return name.text;
    this.#error(at, `'#${directive}' names no macro`, `write #${directive} NAME`);
    return undefined;
  }

  #undef(at: number): void {
    const name = this.#name(at, 'undef');
    if (name !== undefined && this.expander.macros.delete(name)) this.inclusion.definitions++;
  }

  #include(at: number): void {
    const file = this.#file;
    const direct = this.#match(patterns.file);
    if (direct) {
      file.offset += direct[0].length;
      this.#line();
      return this.inclusion.include(direct[1] ?? direct[2] ?? '', at, 'header', direct[2] !== undefined);
    }
    const words = this.expander.expand(this.#line());
    const text = words.map((word, i) => (i > 0 && word.space ? ' ' : '') + word.text).join('');
    const [, quoted, angled] = /^(?:"([^"]*)"|<([^>]*)>)/.exec(text) ?? [];
    const name = quoted ?? angled;
    if (name === undefined) return this.#error(at, "'#include' names no file", 'write #include "file" or <file>');
    this.inclusion.include(name, at, 'header', angled !== undefined);
  }

  #isDefined(at: number, wanted: boolean): boolean {
    const name = this.#name(at, wanted ? 'ifdef' : 'ifndef');
    return name !== undefined && this.expander.macros.has(name) === wanted;
  }

  #condition(at: number): boolean {
    const words = this.expander.expand(this.#answered(this.#line()));
    try {
      return holds(words);
    } catch (trouble) {
      if (!(trouble instanceof BadCondition)) throw trouble;
      const message = `this condition cannot be worked out: ${trouble.message}`;
      this.#error(at, message, 'write whole numbers, names, defined(NAME) and C operators');
      return false;
    }
  }

  /** The words of a condition with each `defined NAME` answered. */
  #answered(line: readonly Piece[]): Piece[] {
    const answered: Piece[] = [];
    for (let i = 0; i < line.length; i++) {
      const word = line[i]!;
      const bracket = line[i + 1]?.text === '(' && line[i + 3]?.text === ')';
      const name = word.text === 'defined' ? line[bracket ? i + 2 : i + 1] : undefined;
      if (name?.kind !== 'name') answered.push(word);
      else {
        answered.push({ ...word, kind: 'number', text: this.expander.macros.has(name.text) ? '1' : '0' });
        i += bracket ? 3 : 1;
      }
    }
    return answered;
  }

  #if(offset: number, taken: boolean): void {
    this.#line();
    this.#file.conditionals.push({ offset, taken, closing: false });
    if (!taken) this.#skip();
  }

  /** `#else` and `#elif` where the group before them was read. */
  #otherwise(at: number, directive: 'elif' | 'else'): void {
    this.#line();
    if (this.#belongs(at, directive)) this.#skip();
  }

  /** Whether an `#else` or `#elif` has its `#if`. */
  #belongs(at: number, directive: 'elif' | 'else'): boolean {
    const conditional = this.#file.conditionals.at(-1);
    if (!conditional) {
      this.#error(at, `'#${directive}' has no '#if' before it`, 'take it out, or write the #if');
      return false;
    }
    if (conditional.closing) this.#error(at, `'#${directive}' stands behind '#else'`, 'write it before the #else');
    if (directive === 'else') conditional.closing = true;
    return true;
  }

  #endif(at: number): void {
    this.#line();
    if (this.#file.conditionals.pop()) return;
    this.#error(at, "'#endif' has no '#if' before it", 'take it out, or write the #if');
  }

  /** Passes the groups of a conditional that are not meant, up to behind the directive that ends them. */
  #skip(): void {
    const file = this.#file;
    const { text } = file.view;
    for (let depth = 0; ;) {
      this.#skipGap(pieces.gap);
      if (file.offset >= text.length) return;
      const found = file.begins ? this.#match(patterns.directive) : null;
      const directive = found?.[1] ?? '';
      const at = file.offset;
      if (/^(?:if|ifdef|ifndef)$/.test(directive)) depth++;
      if (directive === 'endif' && depth-- === 0) {
        file.offset += found![0].length;
        return this.#endif(at);
      }
      if (depth === 0 && (directive === 'else' || directive === 'elif')) {
        file.offset += found![0].length;
        if (this.#begins(at, directive)) return;
      }
      file.begins = false;
      file.offset += matchLength(patterns.skipped, text, file.offset);
      if (file.offset === at) file.offset = text.length; // a comment without an end
    }
  }

  /** Whether the group behind an `#else` or `#elif` is the one that is meant. */
  #begins(at: number, directive: 'elif' | 'else'): boolean {
    const conditional = this.#file.conditionals.at(-1)!;
    this.#belongs(at, directive);
    if (conditional.taken || (directive === 'elif' && !this.#condition(at))) return false;
    conditional.taken = true;
    this.#line();
    return true;
  }

  #say(at: number, severity: 'error' | 'warning'): void {
    const text = this.#rest();
    const place = positionIn(this.#file.view, at);
    this.report[severity]('dts-told', place, `the source says: ${text}`, `mend that, or take the #${severity} out`);
  }
}
