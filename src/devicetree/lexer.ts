import { unescape } from './escape.js';
import { joinPath } from './paths.js';
import type { Report } from './report.js';
import {
  keywords,
  type LexerMode,
  modeAfter,
  patterns,
  type SourceFile,
  type Token,
  type TokenKind,
} from './tokens.js';
import type { Position } from './tree.js';

/** Reads a file that a source names, or gives undefined where there is none. */
export type ReadFile = (path: string) => Uint8Array | undefined;

/** As many files as dtc takes in one tree. */
const MAX_FILES = 200;

/** Splits a source, and the files it includes, into words with their places. */
export class Lexer {
  #mode: LexerMode = 'value';
  readonly #open: SourceFile[] = [];
  #opened = 0;

  constructor(
    text: string,
    file: string,
    readonly read: ReadFile,
    readonly report: Report,
  ) {
    this.#push(text, file);
  }

  /** Reads on from a word again, in another mode; false where the file it stands in is no longer open. */
  rewind(token: Token, mode: LexerMode): boolean {
    const { source } = token;
    if (source !== this.#file) return false;
    source.offset = token.start;
    source.line = token.at.line;
    source.lineStart = token.start - (token.at.col - 1);
    this.#mode = mode;
    return true;
  }

  next(): Token {
    for (;;) {
      this.#skip();
      if (this.#file.offset < this.#file.text.length) return this.#scan();
      if (this.#open.length === 1) return this.#token('end', this.#file.offset);
      this.#open.pop();
    }
  }

  get #file(): SourceFile {
    return this.#open.at(-1)!;
  }

  #push(text: string, path: string): void {
    this.#opened++;
    this.#open.push({ text, path, name: path, offset: 0, line: 1, lineStart: 0 });
  }

  /** Where an offset of the current file stands that has not been passed yet. */
  #at(offset: number): Position {
    const { name: file, text, line, lineStart, offset: from } = this.#file;
    const passed = text.slice(from, offset);
    const last = passed.lastIndexOf('\n');
    if (last < 0) return { file, line, col: offset - lineStart + 1 };
    return { file, line: line + passed.split('\n').length - 1, col: offset - from - last };
  }

  #advance(end: number): void {
    const file = this.#file;
    const { line, col } = this.#at(end);
    Object.assign(file, { offset: end, line, lineStart: end - (col - 1) });
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#file.offset;
    return pattern.exec(this.#file.text);
  }

  /** Passes what stands between words, and opens the files that are included there. */
  #skip(): void {
    while (this.#skipBlank() || this.#skipComment() || this.#skipDirective());
  }

  #skipBlank(): boolean {
    const blank = this.#match(patterns.blank);
    if (blank) this.#advance(this.#file.offset + blank[0].length);
    return blank !== null;
  }

  #skipComment(): boolean {
    const { text, offset } = this.#file;
    if (text.startsWith('/*', offset)) return this.#endComment(text.indexOf('*/', offset + 2) + 2, 2, '*/');
    if (text.startsWith('//', offset)) return this.#endComment(text.indexOf('\n', offset) + 1, 1, 'a new line');
    return false;
  }

  #endComment(end: number, length: number, closer: string): boolean {
    const { text, offset } = this.#file;
    const closed = end >= length;
    if (!closed) {
      const remedy = `end it with ${closer}`;
      this.report.error('dts-unclosed', this.#at(offset), 'the file ends within this comment', remedy);
    }
    this.#advance(closed ? end : text.length);
    return true;
  }

  #skipDirective(): boolean {
    const { offset, lineStart, text } = this.#file;
    const first = text.charAt(offset);
    if (first !== '#' && first !== '/') return false;
    const begins = text.slice(lineStart, offset).trim() === '';
    if (first === '#' && !begins) return false;
    const marker = first === '#' && offset === lineStart ? this.#match(patterns.lineMarker) : null;
    if (marker) return this.#mark(marker);
    const include = this.#match(patterns.include);
    if (include) return this.#include(include);
    const directive = first === '#' ? this.#match(patterns.directive) : null;
    if (!directive) return false;
    const remedy = 'run the C preprocessor over the source first; only #include "file" is understood here';
    const message = `'${directive[0].trim()}' is for the C preprocessor`;
    this.report.error('dts-preprocessor', this.#at(offset), message, remedy);
    this.#advance(offset + directive[0].length);
    return true;
  }

  /** A line marker names the file and line of the line behind it. */
  #mark([whole, line = '', quoted = '']: RegExpExecArray): boolean {
    const file = this.#file;
    const at = this.#at(file.offset);
    const bytes = unescape(quoted, () => this.#badEscape(at));
    if (bytes.includes(0)) {
      this.report.error('dts-line-marker', at, 'the file name of this line marker has a NUL in it', 'take it out');
    }
    this.#advance(file.offset + whole.length);
    file.name = new TextDecoder().decode(bytes);
    file.line = Math.max(1, Math.min(Number(line), 0x7fffffff));
    return true;
  }

  #include([whole, name = '']: RegExpExecArray): boolean {
    const file = this.#file;
    const at = this.#at(file.offset);
    this.#advance(file.offset + whole.length);
    const path = joinPath(file.path, name);
    if (this.#open.some((open) => open.path === path)) {
      this.report.error('dts-include-cycle', at, `'${path}' includes itself`, 'break the circle of includes');
      return true;
    }
    if (this.#opened >= MAX_FILES) {
      const message = `'${path}' is the file number ${MAX_FILES + 1} of this tree`;
      this.report.error('dts-include-depth', at, message, `include at most ${MAX_FILES - 1} files`);
      return true;
    }
    const bytes = this.read(path);
    if (bytes) this.#push(new TextDecoder().decode(bytes), path);
    else this.report.error('dts-include-missing', at, `'${path}' cannot be read`, `write it, or correct '${name}'`);
    return true;
  }

  #badEscape(at: Position): void {
    this.report.error('dts-escape', at, String.raw`\x has no hexadecimal digit behind it`, 'give it one or two digits');
  }

  #token(kind: TokenKind, end: number, what: Partial<Pick<Token, 'name' | 'value' | 'bytes'>> = {}): Token {
    const source = this.#file;
    const start = source.offset;
    const at = this.#at(start);
    const text = source.text.slice(start, end);
    this.#advance(end);
    const none = { name: text, value: 0n, bytes: new Uint8Array(0) };
    return { kind, text, at, endLine: source.line, ...none, ...what, source, start };
  }

  #scan(): Token {
    const first = this.#file.text.charAt(this.#file.offset);
    if (first === '"') return this.#string();
    if (first === "'") return this.#character();
    return this.#word() ?? this.#byMode() ?? this.#sign();
  }

  /** The words that are the same in every mode. */
  #word(): Token | undefined {
    const { offset } = this.#file;
    const label = this.#match(patterns.label)?.[0];
    if (label) return this.#token('label', offset + label.length, { name: label.slice(0, -1) });
    const path = this.#match(patterns.pathReference)?.[0];
    if (path) return this.#token('reference', offset + path.length, { name: path.slice(2, -1) });
    const reference = this.#match(patterns.labelReference)?.[0];
    if (reference) return this.#token('reference', offset + reference.length, { name: reference.slice(1) });
    const keyword = this.#match(patterns.keyword)?.[0];
    if (!keyword) return undefined;
    const known = Object.hasOwn(keywords, keyword);
    this.#mode = (known && keywords[keyword]) || this.#mode;
    return this.#token(known ? 'keyword' : 'unknown', offset + keyword.length);
  }

  #byMode(): Token | undefined {
    const { offset } = this.#file;
    if (this.#mode === 'name') {
      const name = this.#match(patterns.name)?.[0];
      if (!name) return undefined;
      this.#mode = 'value';
      return this.#token('name', offset + name.length, { name: name.replace(/^\\/, '') });
    }
    if (this.#mode === 'bytes') {
      const byte = this.#match(patterns.byte)?.[0];
      return byte ? this.#token('byte', offset + 2, { value: BigInt(`0x${byte}`) }) : undefined;
    }
    const number = this.#match(patterns.number)?.[0];
    return number ? this.#token('number', offset + number.length, { value: this.#number(number) }) : undefined;
  }

  #number(text: string): bigint {
    const at = this.#at(this.#file.offset);
    const digits = text.replace(/[UL]+$/, '');
    const octal = /^0[0-9]/.test(digits);
    if (octal && /[89]/.test(digits)) {
      const message = `'${text}' begins with 0 and is octal, but has a digit above 7`;
      this.report.error('dts-number', at, message, 'take the leading 0 away, or write it in hexadecimal');
      return 0n;
    }
    const significant = digits.replace(/^0[xX]?0*/, '');
    const value = significant.length > 22 ? 1n << 64n : BigInt(octal ? `0o${significant || '0'}` : digits);
    if (value >> 64n === 0n) return value;
    this.report.error('dts-number', at, `'${text}' needs more than 64 bits`, 'write at most 0xffffffffffffffff');
    return (1n << 64n) - 1n;
  }

  #sign(): Token {
    const { offset } = this.#file;
    const sign = this.#match(patterns.operator)?.[0] ?? this.#match(patterns.punctuation)?.[0];
    if (!sign) return this.#token('unknown', offset + this.#match(patterns.word)![0].length);
    if (sign === ']' && this.#mode === 'bytes') this.#mode = 'value';
    this.#mode = modeAfter[sign] ?? this.#mode;
    return this.#token('punctuation', offset + sign.length);
  }

  #string(): Token {
    const { text, offset } = this.#file;
    let end = offset + 1;
    while (end < text.length && text.charAt(end) !== '"') {
      if (text.charAt(end) === '\\' && text.charAt(end + 1) === '\n') break;
      end += text.charAt(end) === '\\' ? 2 : 1;
    }
    if (text.charAt(end) !== '"') {
      this.report.error('dts-unclosed', this.#at(offset), 'this string has no closing quote', 'write " at its end');
      end = this.#endOfLine();
      return this.#token('string', end, { bytes: unescape(text.slice(offset + 1, end), () => undefined) });
    }
    const bytes = unescape(text.slice(offset + 1, end), (bad) => this.#badEscape(this.#at(offset + 1 + bad)));
    return this.#token('string', end + 1, { bytes });
  }

  #endOfLine(): number {
    const end = this.#file.text.indexOf('\n', this.#file.offset);
    return end < 0 ? this.#file.text.length : end;
  }

  /** As dtc reads them: to the last quote without a backslash before it, if there is one. */
  #character(): Token {
    const { text, offset } = this.#file;
    const at = this.#at(offset);
    let quote = text.indexOf("'", offset + 1);
    let end = quote;
    while (quote >= 0 && text.charAt(quote - 1) === '\\') {
      quote = text.indexOf("'", quote + 1);
      if (quote >= 0) end = quote;
    }
    if (end < 0) {
      this.report.error('dts-unclosed', at, 'this character literal has no closing quote', "write ' at its end");
      return this.#token('number', this.#endOfLine());
    }
    const bytes = unescape(text.slice(offset + 1, end), (bad) => this.#badEscape(this.#at(offset + 1 + bad)));
    if (bytes.length !== 1) {
      const message = `${text.slice(offset, end + 1)} holds ${bytes.length} bytes instead of 1`;
      this.report.error('dts-character', at, message, 'write one character between the quotes');
    }
    return this.#token('number', end + 1, { value: BigInt(bytes[0] ?? 0) });
  }
}
