// Who writes a random program: what is kept of it while it is written, and the choices that all kinds of code share.

import { instructionsOf } from '../../../src/isa/instructions.js';
import { insert, type Instruction } from '../../../src/isa/spec.js';
import { Code } from '../../hypervisor/code.js';
import type { Dice } from '../../hypervisor/fuzz.js';

/** Functions lie in these pages, also to be reached at `ALIAS` above; data and the stack in those. */
export const CODE = 0x10000;
export const CODE_PAGES = 8;
export const DATA = 0x20000;
export const DATA_PAGES = 4;
export const ALIAS = 0x40000000;
/** r13 and r14 hold this place of the data, by its address and by the other. */
export const MIDDLE = DATA + 0x1800;

export const features = new Set(['fpu', 'isel'] as const);
export const all = instructionsOf(features);
export const computing = all.filter(
  ({ name }) =>
    !/^((l|st)[a-z]+\.?|b|ba|bc|bca|bclr|bcctr|sc|tw|twi|rf.*|tlb.*|m[ft](msr|spr|dcr)|mftb|wrtee.?|dc.*|ic.*)$/.test(
      name,
    ),
);

export const isFloat = ({ requires }: Instruction): boolean => requires === 'fpu';
const whole = computing.filter((instruction) => !isFloat(instruction));

const working = [0, 3, 4, 5, 6, 7, 8, 9, 10, 16, 17, 18, 19, 20] as const;
export const edges = [0, 1, -1, 31, 32, 0x7f, 0x80, 0x7fff, -0x8000, 0x7fffffff, -0x80000000] as const;

/** Some word of an instruction, with registers that programs work with. */
export function someWord(dice: Dice, { match, fields }: Instruction): number {
  return fields.reduce((word, f) => {
    const value = /^r[tsab]$/.test(f.name) ? dice.of(working) : dice.word();
    return (word | insert(value, f)) >>> 0;
  }, match);
}

export type Kind = {
  readonly write: (author: Author) => void;
  readonly weight?: number;
  /** It may stand in a loop: no labels that others know, no calls. */
  readonly simple?: boolean;
  readonly always?: boolean;
};

export class Author {
  readonly code = new Code();
  /** Where functions begin. */
  readonly starts: number[] = [];
  /** Words that may be rewritten without harm. */
  readonly slots: number[] = [];
  readonly simple: ((author: Author) => void)[];
  readonly wide: ((author: Author) => void)[];
  readonly kinds: string[];
  /** The number of the function that is being written, and whether it may call. */
  current = 0;
  leaf = false;
  /** Does it compute with floating-point numbers? No engine does that in place, so that most programs had better not. */
  readonly floats: boolean;
  #labels = 0;

  constructor(
    readonly dice: Dice,
    kinds: Readonly<Record<string, Kind>>,
  ) {
    this.floats = dice.below(4) === 0;
    const often = dice.of([2, 3, 5]);
    const chosen = Object.entries(kinds).filter(([, { always }]) => always || dice.below(often) === 0);
    this.kinds = chosen.map(([name]) => name);
    const list = (isSimple: boolean) =>
      chosen.flatMap(([, { write, weight = 1, simple }]) =>
        (simple ?? false) === isSimple ? Array.from({ length: weight }, () => write) : [],
      );
    this.simple = list(true);
    this.wide = list(false);
  }

  label(): string {
    return `label ${this.#labels++}`;
  }

  register(): number {
    return this.dice.of(working);
  }

  /** A distance from the middle of the data. */
  distance(bytes = 4): number {
    const { dice } = this;
    switch (dice.below(8)) {
      case 0: // over the end of a page, or beside it
        return dice.below(13) * 0x400 - 0x1800 + dice.below(8) - 4;
      case 1:
        return dice.below(0x3000) - 0x1800;
      default:
        return (dice.below(64) - 32) * bytes;
    }
  }

  base(): number {
    return this.dice.of([13, 13, 13, 14]);
  }

  /** A place of the code, mostly one that may be rewritten. */
  place(): number {
    const { dice } = this;
    const place =
      this.slots.length > 0 && dice.below(5) > 0 ? dice.of(this.slots) : CODE + 4 * dice.below(1024 * CODE_PAGES);
    return dice.below(4) === 0 ? place + ALIAS : place;
  }

  some(least: number, most: number, of = this.simple): void {
    for (let left = least + this.dice.below(most - least + 1); left > 0; left--) this.dice.of(of)(this);
  }

  compute(): number {
    const instruction = this.dice.of(this.floats ? computing : whole);
    return someWord(this.dice, instruction);
  }

  /** rt <- the address of what comes `words` behind these two instructions. */
  ahead(rt: number, words: number): void {
    this.code.li(rt, this.code.here + 8 + 4 * words);
  }
}
