import { SLOTS, TABLES, type LookasidePlace } from '../../mmu/lookaside.js';
import { R } from '../state.js';
import { LEFT, REGISTERS } from './emit-values.js';
import { op, type Body } from './wasm-encoder.js';

/** How control gets from one piece of generated code to the next: through the table of the code's page, by tail calls. */

/** What a region's function takes: where the registers lie, how many instructions may be run, which entry. */
export const PARAMETERS = 3;
export const ENTRY = 2;

/** The function of the table that interprets whatever has no translation: (registers, left, pc). */
export const COLD_INDEX = 0;
/** Set in the pc that it is given where nobody wants the place more than before: code goes on there after an exit. */
export const RESUMED = 1;
/** Set with it where a translation is not to be gone on with, though there may be one: it would take too many cycles. */
export const FINISH = 2;

/** Why generated code came back; the pc and the count are then in their words. */
export const WHY = {
  /** The code at the pc has no translation, and is in no page that has a table yet, or has been wanted often. */
  COLD: 0,
  /** The interpreter is to do the instruction at the pc. */
  INTERPRET: 1,
  /** There are no cycles left. */
  BUDGET: 2,
  /** XER[SO] is set, which was taken for 0. */
  OVERFLOW: 3,
  /** The branch at SITE has often gone where nobody guessed, the last time to the pc. */
  TARGET: 4,
  /** Nothing is to be run now behind what was done last. */
  STOPPED: 5,
} as const;
export type Why = (typeof WHY)[keyof typeof WHY];

/** A translation in a page's table: the number of its function and that of its entry. */
export const translation = (index: number, entry: number): number => index * 1024 + entry;
export const ENTRY_BITS = 10;

/** COUNT <- LIMIT less what is left, which `left` puts on the stack. */
export function writeCount(body: Body, left: () => void): void {
  body.get(REGISTERS);
  body.get(REGISTERS);
  body.memory(op.load, 4 * R.LIMIT);
  left();
  body.op(op.sub);
  body.memory(op.store, 4 * R.COUNT);
}

/** `found` <- the translation of the code at `target` as the lookaside has its page now, or what is not above 0. */
export function writeLookup(body: Body, lookaside: LookasidePlace, target: number, found: number): void {
  body.get(target);
  body.const(10);
  body.op(op.shru);
  body.const(0xffc);
  body.op(op.and);
  body.tee(found);
  body.memory(op.load, lookaside.at + TABLES.tags.execute);
  body.get(target);
  body.const(~0xfff | 3);
  body.op(op.and);
  body.get(REGISTERS);
  body.memory(op.load, 4 * R.CODE_CONTEXT);
  body.op(op.or, op.eq);
  body.if();
  body.get(found);
  body.memory(op.load, lookaside.at + TABLES.translations);
  body.get(target);
  body.const(0xffc);
  body.op(op.and, op.add);
  body.memory(op.load, 0);
  body.set(found);
  body.else();
  body.const(0);
  body.set(found);
  body.end();
}

/** Whether the page of an effective address is mapped to what has its translations listed at `translations`, on the stack. */
export function writeIsMapped(body: Body, lookaside: LookasidePlace, page: number, translations: number): void {
  const slot = lookaside.at + 4 * ((page >>> 12) & (SLOTS - 1));
  body.const(0);
  body.memory(op.load, slot + TABLES.tags.execute);
  body.get(REGISTERS);
  body.memory(op.load, 4 * R.CODE_CONTEXT);
  body.const(page);
  body.op(op.or, op.eq);
  body.const(0);
  body.memory(op.load, slot + TABLES.translations);
  body.const(translations);
  body.op(op.eq, op.and);
}

/** Go to the translation in `found` if there is one, else to the interpreter with the pc that `address` puts on the stack. */
export function writeGo(body: Body, found: number, address: () => void): void {
  body.get(found);
  body.const(0);
  body.op(op.gts);
  body.if();
  body.get(REGISTERS);
  body.get(LEFT);
  body.get(found);
  body.const((1 << ENTRY_BITS) - 1);
  body.op(op.and);
  body.get(found);
  body.const(ENTRY_BITS);
  body.op(op.shru, op.returnCallIndirect, PARAMETERS, 0);
  body.end();
  writeInterpret(body, () => body.get(LEFT), address);
}

/** Go to the interpreter. */
export function writeInterpret(body: Body, left: () => void, pc: () => void): void {
  body.get(REGISTERS);
  left();
  pc();
  body.const(COLD_INDEX);
  body.op(op.returnCallIndirect, PARAMETERS, 0);
}
