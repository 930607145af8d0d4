import { Places } from './places.js';
import type { Value } from './value.js';

/** What an instruction does, in order. Whatever may refuse comes before anything is changed. */
export type Effect =
  | { readonly kind: 'set'; readonly place: number; readonly value: Value }
  | { readonly kind: 'register'; readonly number: Value; readonly value: Value } // one that only its word tells
  | { readonly kind: 'compare'; readonly field: number; readonly signed: boolean; readonly a: Value; readonly b: Value }
  | { readonly kind: 'field'; readonly field: number; readonly value: Value } // a CR field as a number
  | { readonly kind: 'bit'; readonly bit: number; readonly value: Value } // of the CR
  | { readonly kind: 'load'; readonly width: 8 | 16 | 32; readonly address: Value }
  | { readonly kind: 'store'; readonly width: 8 | 16 | 32; readonly address: Value; readonly value: Value }
  | { readonly kind: 'storeConditional'; readonly address: Value; readonly value: Value }
  | { readonly kind: 'loadMultiple'; readonly first: number; readonly address: Value }
  | { readonly kind: 'storeMultiple'; readonly first: number; readonly address: Value }
  | { readonly kind: 'transfer'; readonly access: 'read' | 'write'; readonly first: Value; readonly address: Value } // from a register that only the word tells to r31
  | { readonly kind: 'touch'; readonly access: 'read' | 'write'; readonly address: Value }
  | { readonly kind: 'zero'; readonly address: Value } // the cache block
  | { readonly kind: 'word'; readonly word: number; readonly value: Value } // of the registers
  | { readonly kind: 'system'; readonly word: number; readonly value: Value } // of the supervisor's
  | { readonly kind: 'tlb'; readonly entry: Value; readonly word: Value; readonly value: Value }
  // The interpreter is to do this instruction; `denied`: since it is privileged
  | { readonly kind: 'refuse'; readonly condition: Value; readonly denied?: true }
  | {
      readonly kind: 'branch';
      readonly target: Value;
      readonly condition: Value | undefined;
      /** Whether it would do nothing but go to itself for ever, if it did go to itself. */
      readonly repeats: Value;
    };

/** May a branch turn out to go to itself for ever, which somebody may watch for? The interpreter does that one. */
export const mayRepeat = ({ repeats, target }: Extract<Effect, { kind: 'branch' }>): boolean =>
  !(repeats.op === 'const' && repeats.n === 0) && target.op !== 'const';

/** What generated code may take for granted. It finds out when it is entered, and leaves when it is not so. */
export interface Assumptions {
  /** MSR[PR]. */
  readonly user: boolean;
  /** XER[SO] is 0. */
  readonly noOverflow: boolean;
}

/** An instruction as generated code does it. */
export interface Lowered {
  readonly effects: readonly Effect[];
  /**
   * What comes behind it: the next instruction; that or another (the last effect is a branch); or another look at what was
   * taken for granted. `interpret`: generated code does not do this instruction.
   */
  readonly flow: 'next' | 'branch' | 'look' | 'interpret';
  /** Cycles; a system call takes a second one to be delivered. */
  readonly cycles: number;
  /** Whoever it goes to is expected to come back to the next instruction. */
  readonly call: boolean;
  /** The places that it changes. */
  readonly changes: Places;
  /** Those that it looks at; beside them the CR fields that memory may not have, where it looks at `all` of the CR. */
  readonly needs: Places;
  readonly needsAll: boolean;
  /** It may leave the region before it has done anything. */
  readonly refuses: boolean;
}

export const INTERPRET: Lowered = {
  effects: [],
  flow: 'interpret',
  cycles: 0,
  call: false,
  changes: Places.none,
  needs: Places.none,
  needsAll: false,
  refuses: false,
};

/** A word that is no instruction: whatever comes behind it is as likely data. */
export const ILLEGAL: Lowered = { ...INTERPRET };

/** The values that an effect uses. */
export function operandsOf(effect: Effect): Value[] {
  switch (effect.kind) {
    case 'compare':
      return [effect.a, effect.b];
    case 'load':
    case 'loadMultiple':
    case 'storeMultiple':
    case 'touch':
    case 'zero':
      return [effect.address];
    case 'tlb':
      return [effect.entry, effect.word, effect.value];
    case 'register':
      return [effect.number, effect.value];
    case 'transfer':
      return [effect.first, effect.address];
    case 'store':
    case 'storeConditional':
      return [effect.address, effect.value];
    case 'refuse':
      return [effect.condition];
    case 'branch':
      return [...(effect.condition ? [effect.condition] : []), effect.target, effect.repeats];
    default:
      return [effect.value];
  }
}

export function countUse(value: Value): void {
  value.uses += 1;
  if (value.uses > 1) return;
  for (const operand of [value.a, value.b, value.c]) if (operand) countUse(operand);
}
