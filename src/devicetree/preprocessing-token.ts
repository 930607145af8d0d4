import { type Origin, positionIn, type View } from './origin.js';
import type { Position } from './tree.js';

/** What the C preprocessor tells apart; `end` is the end of a text or of a line. */
export type PieceKind = 'name' | 'number' | 'string' | 'character' | 'sign' | 'end';

/** A word as the C preprocessor sees it (C11, 6.4). */
export interface Piece {
  readonly kind: PieceKind;
  readonly text: string;
  readonly view: View;
  /** Where it stands; of a word from a macro's body, where the outermost macro is used. */
  readonly offset: number;
  /** Where the blanks before it begin. */
  readonly gap: number;
  readonly end: number;
  /** Blanks stand before it. */
  readonly space: boolean;
  /** It stands in a file as it is here, and not in a macro or its arguments. */
  readonly fresh: boolean;
  /** A macro begins or ends before it. */
  readonly edge?: boolean;
  /** A file begins or ends before it. */
  readonly apart?: boolean;
  /** It is the name of a macro that it is part of, and is never replaced any more. */
  readonly painted?: boolean;
  /** The macros it comes from. */
  readonly via?: Origin | undefined;
}

export const placeOfPiece = ({ view, offset, via }: Piece): Position => positionIn(view, offset, via ?? view.via);

/** Words and what stands between them; `gap` goes over lines, `blank` only over those that a backslash joins. */
export const pieces = {
  gap: /(?:[ \t\v\f\r\n]+|\/\*[^]*?\*\/|\/\/[^\n]*\n|\\\r?\n)+/y,
  blank: /(?:[ \t\v\f\r]+|\/\*[^]*?\*\/|\\\r?\n)+/y,
  openComment: /\/\*|\/\//y,
  name: /[A-Za-z_$][A-Za-z0-9_$]*/y,
  number: /\.?[0-9](?:[eEpP][+-]|[A-Za-z0-9_.])*/y,
  string: /"(?:[^"\\]|\\[^])*"/y,
  character: /'(?:[^'\\\n]|\\[^\n])*'/y,
  sign: /##|<<|>>|<=|>=|==|!=|&&|\|\||\.\.\.|[^]/uy,
} as const;

const kinds = ['name', 'number', 'string', 'character', 'sign'] as const;

/** The word at an offset; there has to be a character. */
export function pieceAt(text: string, offset: number): { kind: PieceKind; text: string } {
  for (const kind of kinds) {
    pieces[kind].lastIndex = offset;
    const found = pieces[kind].exec(text);
    if (found) return { kind, text: found[0] };
  }
  return { kind: 'end', text: '' };
}

/** How long the match of a pattern at an offset is. */
export function matchLength(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0].length ?? 0;
}

/** Whether two words would read as one if nothing stood between them (as GNU cpp's avoid_paste has it). */
export function wouldJoin(left: Piece, right: Piece): boolean {
  const next = right.text.charAt(0);
  if (left.kind === 'name') return right.kind !== 'sign';
  if (left.kind === 'number') return right.kind !== 'sign' ? right.kind !== 'string' : /[.+-]/.test(next);
  return left.kind === 'sign' && (joined[left.text] ?? '').includes(next);
}

const joined: Readonly<Record<string, string>> = {
  '>': '>=',
  '<': '<=%:',
  '+': '+=',
  '-': '->=',
  '/': '/*=',
  '&': '&=',
  '|': '|=',
  '#': '#%',
  '=': '=',
  '!': '=',
};
