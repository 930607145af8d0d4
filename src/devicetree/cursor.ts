import type { Lexer } from './lexer.js';
import type { Report } from './report.js';
import type { LexerMode, Token } from './tokens.js';

/** Leaves a statement that cannot be read; whoever reads statements catches it. */
export class Unreadable extends Error {}

/** The next word of a source, and what can be asked of it. */
export class Cursor {
  token: Token;
  previous: Token;
  /** Labels in text that was passed over: a reference to one is not a mistake of its own. */
  readonly lostLabels = new Set<string>();

  constructor(
    readonly lexer: Lexer,
    readonly report: Report,
  ) {
    this.token = lexer.next();
    this.previous = this.token;
  }

  /** Whether the next word is this keyword or sign. */
  is(word: string): boolean {
    const { kind, text } = this.token;
    return (kind === 'punctuation' || kind === 'keyword') && text === word;
  }

  advance(): Token {
    this.previous = this.token;
    this.token = this.lexer.next();
    return this.previous;
  }

  accept(word: string): Token | undefined {
    return this.is(word) ? this.advance() : undefined;
  }

  acceptKind(kind: Token['kind']): Token | undefined {
    return this.token.kind === kind ? this.advance() : undefined;
  }

  expect(word: string, where: string, remedy = `write '${word}' there`): Token {
    return this.accept(word) ?? this.fail(`'${word}' ${where}`, remedy);
  }

  expectKind(kind: Token['kind'], what: string, remedy: string): Token {
    return this.acceptKind(kind) ?? this.fail(what, remedy);
  }

  /** Reports the next word as not what was expected. */
  complain(expected: string, remedy: string): void {
    const { kind, text, at } = this.token;
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    const found = kind === 'end' ? 'the end of the source' : kind === 'string' ? `the string ${shown}` : `'${shown}'`;
    this.report.error('dts-syntax', at, `expected ${expected}, found ${found}`, remedy);
  }

  fail(expected: string, remedy: string): never {
    this.complain(expected, remedy);
    throw new Unreadable();
  }

  /** The `;` behind a statement. Where it is missing at the end of a line, goes on as if it stood there. */
  endStatement(what: string): void {
    if (this.accept(';')) return;
    const { previous, token } = this;
    const runsOver = previous.kind === 'string' && previous.endLine > previous.at.line;
    const quote = `close the string that begins in line ${previous.at.line}, if it is not meant to run over the line`;
    const remedy = runsOver ? quote : `end ${what} with ';'`;
    const nextLine = token.at.line > previous.endLine || token.at.file !== previous.at.file;
    if (!this.is('}') && !nextLine) this.fail(`';' after ${what}`, remedy);
    this.complain(`';' after ${what}`, remedy);
    this.#reread('name');
  }

  /** The `;` behind a closing brace; where it is missing, goes on as if it stood there. */
  endBody(what: string): void {
    if (this.accept(';')) return;
    this.complain(`';' after ${what}`, "write '};' at its end");
    this.#reread('name');
  }

  /** Reads the next word again in another mode. */
  #reread(mode: LexerMode): void {
    if (this.token.kind === 'end' || this.token.kind === 'punctuation') return;
    this.lexer.rewind(this.token, mode);
    this.token = this.lexer.next();
  }

  /** Passes over a statement with all that is in braces in it, up to behind its `;` or before the `}` around it. */
  skipStatement(): void {
    for (let depth = 0; this.token.kind !== 'end';) {
      if (depth === 0 && this.is('}')) return;
      const { kind, text, name } = this.advance();
      if (kind === 'label') this.lostLabels.add(name);
      if (kind !== 'punctuation') continue;
      if (text === '{') depth++;
      if (text === '}') depth--;
      if (text === ';' && depth === 0) return;
    }
  }
}
