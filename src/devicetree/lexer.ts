import { unescape } from './escape.js';
import type { ExpandedText } from './expanded-text.js';
import { readIgnore, type Ignore } from './ignores.js';
import type { Report } from './report.js';
import { keywords, type LexerMode, modeAfter, patterns, type Token, type TokenKind } from './tokens.js';
import type { Position } from './tree.js';

const NO_BYTES = new Uint8Array(0);

/** Splits a source, as the preprocessor has left it, into words with their places. */
export class Lexer {
  #mode: LexerMode = 'value';
  #offset = 0;
  readonly #text: string;
  /** Comments that ignore findings, by where they begin; those with nothing before them in their line wait for a word. */
  readonly #ignores = new Map<number, Ignore>();
  #waiting: { readonly at: Position; readonly start: number; readonly end: number }[] = [];
  #before: Pick<Position, 'file' | 'line'> | undefined;

  constructor(
    readonly source: ExpandedText,
    readonly report: Report,
  ) {
    this.#text = source.text;
  }

  /** Reads on from a word again, in another mode. */
  rewind(token: Token, mode: LexerMode): void {
    this.#offset = token.start;
    this.#mode = mode;
  }

  next(): Token {
    while (this.#skipBlank() || this.#skipComment());
    const token = this.#offset < this.#text.length ? this.#scan() : this.#token('end', this.#offset);
    if (this.#waiting.length > 0) this.#ignore(token.at);
    this.#before = { file: token.at.file, line: token.endLine };
    return token;
  }

  /** The comments that ignore findings, in the order of the source. */
  get ignores(): Ignore[] {
    return [...this.#ignores.values()];
  }

  #ignore(next: Position): void {
    for (const { at, start, end } of this.#waiting) {
      const said = readIgnore(this.#text.slice(start, end));
      const trails = this.#before?.file === at.file && this.#before.line === at.line;
      const { file, line } = trails ? at : next;
      if (said) this.#ignores.set(start, { at, about: { file, line }, ...said });
    }
    this.#waiting = [];
  }

  /** The path of the file in which a word stands. */
  path({ start }: Token): string {
    return this.source.path(start);
  }

  #at(offset: number): Position {
    return this.source.at(offset);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#offset;
    return pattern.exec(this.#text);
  }

  #skipBlank(): boolean {
    const blank = this.#match(patterns.blank);
    if (blank) this.#offset += blank[0].length;
    return blank !== null;
  }

  #skipComment(): boolean {
    const text = this.#text;
    const offset = this.#offset;
    if (text.startsWith('/*', offset)) return this.#endComment(text.indexOf('*/', offset + 2) + 2, 2, '*/');
    if (text.startsWith('//', offset)) return this.#endComment(text.indexOf('\n', offset) + 1, 1, 'a new line');
    return false;
  }

  #endComment(end: number, length: number, closer: string): boolean {
    const limit = this.source.limit(this.#offset);
    const closed = end >= length && end <= limit;
    if (!closed) {
      const remedy = `end it with ${closer}`;
      this.report.error('dts-unclosed', this.#at(this.#offset), 'the file ends within this comment', remedy);
    }
    const start = this.#offset;
    this.#offset = closed ? end : limit;
    if (this.#text.startsWith('hv440-ignore', start + 2 + this.#blanks(start + 2)))
      this.#waiting.push({ at: this.#at(start), start, end: this.#offset });
    return true;
  }

  /** How many blanks there are from an offset on. */
  #blanks(offset: number): number {
    let end = offset;
    while (/\s/.test(this.#text.charAt(end))) end++;
    return end - offset;
  }

  #badEscape(at: Position): void {
    this.report.error('dts-escape', at, String.raw`\x has no hexadecimal digit behind it`, 'give it one or two digits');
  }

  #token(kind: TokenKind, end: number, what: Partial<Pick<Token, 'name' | 'value' | 'bytes'>> = {}): Token {
    const start = this.#offset;
    const text = this.#text.slice(start, end);
    const at = this.#at(start);
    this.#offset = end;
    const endLine = text.includes('\n') ? this.source.line(end - 1) : at.line;
    const none = { name: text, value: 0n, bytes: NO_BYTES };
    return { kind, text, at, endLine, ...none, ...what, start };
  }

  #scan(): Token {
    const first = this.#text.charAt(this.#offset);
    if (first === '"') return this.#string();
    if (first === "'") return this.#character();
    return this.#word() ?? this.#byMode() ?? this.#sign();
  }

  /** The words that are the same in every mode. */
  #word(): Token | undefined {
    const offset = this.#offset;
    const label = this.#match(patterns.label)?.[0];
    if (label) return this.#token('label', offset + label.length, { name: label.slice(0, -1) });
    const first = this.#text.charAt(offset);
    if (first !== '&' && first !== '/') return undefined; // as of all that follow
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
    const offset = this.#offset;
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
    const at = this.#at(this.#offset);
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
    const offset = this.#offset;
    const sign = this.#match(patterns.operator)?.[0] ?? this.#match(patterns.punctuation)?.[0];
    if (!sign) return this.#token('unknown', offset + this.#match(patterns.word)![0].length);
    if (sign === ']' && this.#mode === 'bytes') this.#mode = 'value';
    this.#mode = modeAfter[sign] ?? this.#mode;
    return this.#token('punctuation', offset + sign.length);
  }

  #string(): Token {
    const text = this.#text;
    const offset = this.#offset;
    const limit = this.source.limit(offset);
    patterns.stringBody.lastIndex = offset + 1;
    let end = offset + 1 + patterns.stringBody.exec(text)![0].length;
    if (end >= limit || text.charAt(end) !== '"') {
      this.report.error('dts-unclosed', this.#at(offset), 'this string has no closing quote', 'write " at its end');
      end = this.#endOfLine();
      return this.#token('string', end, { bytes: unescape(text.slice(offset + 1, end), () => undefined) });
    }
    const bytes = unescape(text.slice(offset + 1, end), (bad) => this.#badEscape(this.#at(offset + 1 + bad)));
    return this.#token('string', end + 1, { bytes });
  }

  #endOfLine(): number {
    const limit = this.source.limit(this.#offset);
    const end = this.#text.indexOf('\n', this.#offset);
    return end < 0 || end > limit ? limit : end;
  }

  /** As dtc reads them: to the last quote without a backslash before it, if there is one. */
  #character(): Token {
    const offset = this.#offset;
    const text = this.#text.slice(0, this.source.limit(offset));
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
