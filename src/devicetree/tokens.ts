import type { Position } from './tree.js';

/** What a word is. A character literal is a number. */
export type TokenKind =
  'name' | 'label' | 'reference' | 'string' | 'number' | 'byte' | 'keyword' | 'punctuation' | 'unknown' | 'end';

/** A word of the source. */
export interface Token {
  readonly kind: TokenKind;
  /** As it stands in the source. */
  readonly text: string;
  readonly at: Position;
  /** The line it ends in; a string may run over several. */
  readonly endLine: number;
  /** What it says: a name, a label without its colon, the label or path of a reference, a keyword with its slashes. */
  readonly name: string;
  /** The value of a number, a character literal or a byte. */
  readonly value: bigint;
  /** A string's bytes, without a NUL. */
  readonly bytes: Uint8Array;
  /** Where it begins in the text that the preprocessor made. */
  readonly start: number;
}

/** Reads a file that a source names, or gives undefined where there is none. */
export type ReadFile = (path: string) => Uint8Array | undefined;

/**
 * How a word is read: a name may begin with a digit, and two hexadecimal digits in brackets are a byte. dtc changes
 * mode by the words themselves: `{` and `;` expect a name, `[` bytes, and a name, `]` or most keywords values.
 */
export type LexerMode = 'value' | 'name' | 'bytes';

/** The words between slashes, each with the mode that it begins, if one. */
export const keywords: Readonly<Record<string, LexerMode | undefined>> = {
  '/dts-v1/': 'value',
  '/plugin/': undefined,
  '/memreserve/': 'value',
  '/bits/': 'value',
  '/incbin/': undefined,
  '/delete-property/': 'name',
  '/delete-node/': 'name',
  '/omit-if-no-ref/': 'name',
};

/** The signs that begin a mode. */
export const modeAfter: Readonly<Record<string, LexerMode>> = { '{': 'name', ';': 'name', '[': 'bytes' };

/** What words, and that which stands between them, look like; as in dtc, labels and references are the same in every mode. */
export const patterns = {
  blank: /[ \t\n\v\f\r]+/y,
  label: /[a-zA-Z_][a-zA-Z0-9_]*:/y,
  labelReference: /&[a-zA-Z_][a-zA-Z0-9_]*/y,
  pathReference: /&\{\/[a-zA-Z0-9,._+*#?@/-]*\}/y,
  keyword: /\/[a-z][a-z0-9-]*\//y,
  name: /\\?[a-zA-Z0-9,._+*#?@-]+/y,
  number: /(?:0[xX][0-9a-fA-F]+|[0-9]+)(?:ULL|UL|LL|L|U)?/y,
  byte: /[0-9a-fA-F]{2}/y,
  operator: /<<|>>|<=|>=|==|!=|&&|\|\|/y,
  punctuation: /[/{}()[\]<>;:=,?+\-*%~!&|^]/y,
  // A string up to its closing quote; it ends at a backslash before the end of a line.
  stringBody: /[^"\\]*(?:\\(?!\n)[^][^"\\]*)*/y,
  word: /[\p{L}\p{N}_.$@#\\]+|[^]/uy,
};
