import type { Effect, Lowered } from './effects.js';
import { PLACE, type Value } from './value.js';

/** A word of code with what generated code does for it. */
export interface Placed {
  readonly pc: number;
  readonly lowered: Lowered;
}

/** Where control goes at the end of a block: to a block of the region, by number, or to an address outside of it. */
export type Way = { readonly block: number } | { readonly address: number };

/** Instructions of one page that are always run from the first to the last, unless one traps. */
export interface Block {
  readonly pc: number;
  readonly instructions: readonly Placed[];
  /** Behind its last instruction if that is not a branch that is always taken; undefined if nothing comes behind. */
  readonly next: Way | undefined;
  /** Where its branch goes that has a fixed target. */
  readonly target: Way | undefined;
  /** Where its branch is likely to go that has none: generated code compares. */
  readonly guesses: readonly Guess[];
  /** It is to tell where it goes when no guess is right. */
  readonly learns: boolean;
  /** The interpreter is to go on at `next`'s address with an instruction that generated code does not do. */
  readonly interprets: boolean;
}

export interface Guess {
  /** The address that it is the guess for. */
  readonly address: number;
  readonly block: number;
}

/** Code that is translated as a whole: what can be reached from its first entry, with the functions that it calls. */
export interface Region {
  readonly blocks: readonly Block[];
  /** Blocks that can be entered from outside, all in one page; the first is where the region was asked for. */
  readonly entries: readonly number[];
  /** Instructions. */
  readonly size: number;
}

/** The page of an effective address. */
export const pageOf = (address: number): number => address & -4096;

export const branchOf = ({ lowered }: Placed): Extract<Effect, { kind: 'branch' }> | undefined => {
  const last = lowered.effects.at(-1);
  return last?.kind === 'branch' ? last : undefined;
};

export const fixedTarget = ({ target }: Extract<Effect, { kind: 'branch' }>): number | undefined =>
  target.op === 'const' ? target.n : undefined;

/** Does a branch go where LR says, or CTR? */
export const goesBy = ({ target }: Extract<Effect, { kind: 'branch' }>, register: 'LR' | 'CTR'): boolean =>
  isPlace(target, PLACE[register]);

const isPlace = ({ op, n, a, b }: Value, place: number): boolean =>
  op === 'place' ? n === place : op === 'and' && b?.op === 'const' && b.n === -4 && isPlace(a!, place);

/** Where control goes at the end of a block, whatever decides about it. */
export const waysOf = ({ next, target, guesses }: Block): Way[] => [
  ...[next, target].flatMap((way) => way ?? []),
  ...guesses,
];

export const successorsOf = (block: Block): number[] => [
  ...new Set(waysOf(block).flatMap((way) => ('block' in way ? [way.block] : []))),
];
