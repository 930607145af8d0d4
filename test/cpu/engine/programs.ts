// Random programs that do what programs do, and what only bad ones do: functions on several pages that call each other, loops,
// every kind of load and store, traps, system calls, timers, pages mapped otherwise under the code that runs, code rewritten.

import { asm } from '../../../src/isa/assemble.js';
import { FINISHER, size, UART, type Code } from '../../hypervisor/code.js';
import type { Dice } from '../../hypervisor/fuzz.js';
import { ALIAS, Author, CODE, CODE_PAGES, computing, edges, MIDDLE, someWord } from './author.js';
import { handlers, vectors } from './handlers.js';
import { kinds } from './kinds.js';

const STACK = 0x30800;

/** Programs differ in what they do at all: what is rare among everything is then often met with what else is rare. */
export interface Program {
  readonly code: Code;
  readonly kinds: readonly string[];
  /** Words that are run and may be rewritten. */
  readonly slots: readonly number[];
}

function writeFunction(a: Author, number: number, words: number): void {
  const { code, dice } = a;
  a.current = number;
  // What a region takes in where it is called is short
  const short = dice.below(5) < 2;
  a.leaf = short || dice.below(4) === 0;
  code.at(a.starts[number]!);
  const end = code.here + 4 * words - 200;
  if (!a.leaf)
    code.op('mfspr', { rt: 0, spr: 8 }).op('stwu', { rs: 1, ra: 1, d: -32 }).op('stw', { rs: 0, ra: 1, d: 36 });
  const many = 1 + dice.below(short ? 3 : 12);
  for (let i = 0; i < many && code.here < end; i++) {
    if (a.wide.length > 0 && !short && dice.below(2) === 0) dice.of(a.wide)(a);
    else a.some(1, 6);
    a.slots.push(code.here);
    code.word(a.compute());
  }
  if (!a.leaf)
    code.op('lwz', { rt: 0, ra: 1, d: 36 }).op('mtspr', { rs: 0, spr: 8 }).op('addi', { rt: 1, ra: 1, si: 32 });
  code.op('bclr', { bo: 20, bi: 0, lk: 0 });
}

/** A program that never ends by itself. */
export function randomProgram(dice: Dice): Program {
  const a = new Author(dice, kinds);
  const { code, starts } = a;
  code.tlb(0, { ea: 0, pa: 0, size: size.k64 }).tlb(1, { ea: 0, pa: 0, size: size.k64, space: 1 });
  code
    .tlb(2, { ea: FINISHER & -0x1000, pa: UART & -0x1000, size: size.k4 })
    .tlb(3, { ea: UART & -0x1000, pa: UART & -0x1000, size: size.k4 });
  for (let entry = 4; entry < 64; entry++) code.li(29, entry).li(31, 0).op('tlbwe', { rs: 31, ra: 29, ws: 0 });
  code.setSpr('IVPR', 0);
  vectors(code);
  for (let r = 0; r < 31; r++) code.li(r, dice.below(2) === 0 ? dice.of(edges) : dice.word());
  code.label('revive').setSpr('DBCR0', 0).label('main');
  code
    .li(1, STACK)
    .li(13, MIDDLE)
    .li(14, MIDDLE + ALIAS);
  const end = CODE + 0x1000 * CODE_PAGES;
  for (let at = CODE + 4 * dice.below(64); at < end - 0x800; at += 0x100 + 4 * dice.below(500)) starts.push(at);
  const called = Array.from({ length: 2 + dice.below(6) }, () => dice.of(starts));
  for (const start of called) {
    code.li(29, start).mtspr('CTR', 29).op('bcctr', { bo: 20, bi: 0, lk: 1 });
    if (dice.below(4) === 0) code.op('sc');
  }
  code.b('main');
  handlers(code);
  // From behind, so that what may be rewritten is known of those that are called
  for (let i = starts.length - 1; i >= 0; i--) writeFunction(a, i, ((starts[i + 1] ?? end) - starts[i]!) / 4);
  return { code, kinds: a.kinds, slots: a.slots };
}

/** An instruction that computes, for who rewrites code from outside. */
export const otherWord = (dice: Dice): number =>
  dice.below(20) === 0 ? asm('sc') : someWord(dice, dice.of(computing));
