import { PAGE_SIZE } from '../../bus/memory.js';
import { TABLES, type LookasidePlace } from '../../mmu/lookaside.js';
import { R } from '../state.js';
import { ENTRY_BITS, FINISH, PARAMETERS, RESUMED, WHY, writeCount, type Why } from './dispatch.js';
import { EffectWriter, imports, MEET } from './emit-effects.js';
import { LEFT, REGISTERS } from './emit-values.js';
import type { SprTables } from './spr-tables.js';
import { Body, op, type Label } from './wasm-encoder.js';

/** The third parameter: where to begin, perhaps with RESUMED. */
export const PC = 2;
const PAGE = ~0xfff | 3;
const FLAGS = RESUMED | FINISH;

export const WORD = 4;

/** What has the lookaside remember a page (`cold-refill.ts`), among the functions of its module: (registers, address, one of USES). */
export const REFILL = 2;
export const USES = { read: 0, write: 1, execute: 2 } as const;
/**
 * What that gives: the lookaside has the page now; there is nothing for it to have, and the plain interpreter is to do the access;
 * or those who know more have to be asked.
 */
export const REFILLED = { UNKNOWN: 0, DONE: 1, REFUSED: 2 } as const;

/** Where the interpreter finds what it needs, in the shared memory. */
export interface ColdSetting {
  readonly lookaside: LookasidePlace;
  /** From a decoding index to a variant's number, 16 bits each. */
  readonly decoding: number;
  readonly sprs: SprTables;
  /** From a variant's number to its reach (`reach.ts`), a byte each. */
  readonly reach: number;
  /** A `RamMap`. */
  readonly ram: number;
  /** Of `KnownPages`. */
  readonly known: number;
  /** A power of 2: a place is reported that has been wanted so often, and again each time that it has been so often more. */
  readonly hot: number;
}

/** Where an instruction goes on. */
export interface Onward {
  /** The next one. */
  readonly next: Label;
  /** Wherever the pc says: most branches stay in their page. */
  readonly branch: Label;
  /** There, when anything may have changed. */
  readonly away: Label;
  /** Wherever the pc says, when LEFT says how far. */
  readonly arrive: Label;
}

/**
 * How the interpreter for cold code gets from one instruction to the next: within a page, up to as many as may be run, there is
 * one number that changes; everything else is found out where it arrives.
 */
export abstract class ColdRun {
  readonly body = new Body(PARAMETERS);
  protected readonly writer: EffectWriter;
  /** The word of the instruction that is being run. */
  protected readonly code = this.body.local();
  /** Where it lies in memory; how far from its address. */
  protected readonly at = this.body.local();
  readonly #delta = this.body.local();
  /** Where the page ends, or what may be run of it: LEFT is what is left there. */
  readonly #end = this.body.local();
  /** The page's address, and the table of its translations. */
  readonly #page = this.body.local();
  readonly #table = this.body.local();

  constructor(protected readonly setting: ColdSetting) {
    const { body } = this;
    this.writer = new EffectWriter(body, setting.lookaside, false);
    this.writer.pc = () => this.pc();
    this.writer.count = () => {
      body.get(REGISTERS);
      body.memory(op.load, 4 * R.LIMIT);
      this.left();
      body.op(op.sub);
    };
    this.writer.code = this.code;
    this.writer.misaligned = true;
  }

  /** The whole body; `write` has what is done with an instruction, which goes to one of these. */
  protected loop(write: (ways: Onward) => void): void {
    const { body } = this;
    const arrive = body.loop();
    this.#stopAtLimit();
    this.#loadContext();
    this.#arrive(arrive);
    const away = body.block();
    const next = body.loop();
    const branch = body.block();
    this.#fetch(arrive);
    write({ next, branch, away, arrive });
    body.end();
    this.#arriveNear(next);
    body.end();
    body.end();
    // LEFT <- what is left behind the instruction, which has set the pc
    this.left();
    body.const(1);
    body.op(op.sub);
    body.set(LEFT);
    body.br(arrive);
    body.end();
    body.op(op.unreachable);
  }

  /** The address of the instruction that is being run, on the stack. */
  protected pc(): void {
    const { body } = this;
    body.get(this.at);
    body.get(this.#delta);
    body.op(op.sub);
  }

  /** What is left before it. */
  protected left(): void {
    const { body } = this;
    body.get(LEFT);
    body.get(this.#end);
    body.get(this.at);
    body.op(op.sub);
    body.const(2);
    body.op(op.shru, op.add);
  }

  #stopAtLimit(): void {
    const { body } = this;
    body.get(LEFT);
    body.const(0);
    body.op(op.les);
    body.if();
    body.get(PC);
    body.const(~FLAGS);
    body.op(op.and);
    body.set(PC);
    this.#leave(WHY.BUDGET);
    body.end();
  }

  /** At an address that is come to. */
  #leave(why: Why): void {
    this.back(
      why,
      () => this.body.get(PC),
      () => this.body.get(LEFT),
    );
  }

  protected back(why: Why, pc: () => void, left: () => void): void {
    const { body } = this;
    body.get(REGISTERS);
    pc();
    body.memory(op.store, 4 * R.PC);
    writeCount(body, left);
    body.const(why);
    body.op(op.return);
  }

  #loadContext(): void {
    this.body.get(REGISTERS);
    this.body.memory(op.load, 4 * R.DATA_CONTEXT);
    this.body.set(this.writer.context);
  }

  /** At a branch's target, or in another page: go on with its translation, or count it. */
  #arrive(again: Label): void {
    const { body } = this;
    const { lookaside } = this.setting;
    const [slot, resumed, entry, place] = [body.local(), body.local(), body.local(), body.local()];
    body.get(PC);
    body.const(FLAGS);
    body.op(op.and);
    body.tee(resumed);
    body.get(PC);
    body.op(op.xor);
    body.set(PC);
    body.get(PC);
    body.const(10);
    body.op(op.shru);
    body.const(0xffc);
    body.op(op.and);
    body.tee(slot);
    body.memory(op.load, lookaside.at + TABLES.tags.execute);
    body.get(PC);
    body.const(PAGE);
    body.op(op.and);
    body.get(REGISTERS);
    body.memory(op.load, 4 * R.CODE_CONTEXT);
    body.op(op.or, op.ne);
    body.get(slot);
    body.memory(op.load, lookaside.at + TABLES.translations);
    body.tee(this.#table);
    body.op(op.eqz, op.or);
    body.if();
    body.get(REGISTERS);
    body.get(PC);
    body.const(USES.execute);
    body.call(imports.length + REFILL);
    body.const(REFILLED.DONE);
    body.op(op.eq);
    body.tee(entry);
    body.op(op.eqz);
    body.if();
    body.get(PC);
    body.call(MEET);
    body.set(entry);
    body.end();
    body.get(entry);
    body.if();
    body.get(PC);
    body.get(resumed);
    body.op(op.or);
    body.set(PC);
    body.br(again);
    body.end();
    this.#leave(WHY.COLD);
    body.end();

    this.#lookUp(place);
    body.tee(entry);
    body.const(0);
    body.op(op.gts);
    body.get(resumed);
    body.const(FINISH);
    body.op(op.and, op.eqz, op.and);
    body.if();
    body.get(REGISTERS);
    body.get(LEFT);
    body.get(entry);
    body.const((1 << ENTRY_BITS) - 1);
    body.op(op.and);
    body.get(entry);
    body.const(ENTRY_BITS);
    body.op(op.shru, op.returnCallIndirect, PARAMETERS, 0);
    body.end();
    this.#countWanted(resumed, entry, place);
    body.get(PC);
    body.const(-PAGE_SIZE);
    body.op(op.and);
    body.set(this.#page);
    this.#begin(slot);
  }

  /** The word of the pc in the page's table, on the stack; `place` is where it lies. */
  #lookUp(place: number): void {
    const { body } = this;
    body.get(this.#table);
    body.get(PC);
    body.const(0xffc);
    body.op(op.and, op.add);
    body.tee(place);
    body.memory(op.load, 0);
  }

  #countWanted(resumed: number, entry: number, place: number): void {
    const { body } = this;
    body.get(resumed);
    body.op(op.eqz);
    body.if();
    body.get(place);
    body.get(entry);
    body.const(1);
    body.op(op.sub);
    body.tee(entry);
    body.memory(op.store, 0);
    body.get(entry);
    body.const(this.setting.hot - 1);
    body.op(op.and, op.eqz);
    body.if();
    this.#leave(WHY.COLD);
    body.end();
    body.end();
  }

  /**
   * At a branch's target in the same page, with a whole page's instructions to be run yet, which is neither translated nor wanted
   * often enough: there is nothing to be found out anew. All others fall through.
   */
  #arriveNear(next: Label): void {
    const { body } = this;
    const [place, entry, at, left] = [body.local(), body.local(), body.local(), body.local()];
    body.get(PC);
    body.get(this.#page);
    body.op(op.xor);
    body.const(PAGE_SIZE);
    body.op(op.ltu);
    body.if();
    this.#lookUp(place);
    body.const(1);
    body.op(op.sub);
    body.tee(entry);
    body.const(0);
    body.op(op.lts);
    body.get(entry);
    body.const(this.setting.hot - 1);
    body.op(op.and);
    body.const(0);
    body.op(op.ne, op.and);
    body.get(LEFT);
    body.get(PC);
    body.get(this.#delta);
    body.op(op.add);
    body.const(WORD);
    body.op(op.sub);
    body.tee(at);
    body.get(this.at);
    body.op(op.sub);
    body.const(2);
    body.op(op.shrs, op.add);
    body.tee(left);
    body.const(PAGE_SIZE / WORD);
    body.op(op.ges, op.and);
    body.if();
    body.get(place);
    body.get(entry);
    body.memory(op.store, 0);
    body.get(at);
    body.set(this.at);
    body.get(left);
    body.set(LEFT);
    body.br(next);
    body.end();
    body.end();
  }

  /** `#at` <- the word before the one to begin at, and `#end` as far as may be gone on. */
  #begin(slot: number): void {
    const { body } = this;
    const room = body.local(); // words up to the end of the page, or as many as may be run
    body.get(slot);
    body.memory(op.load, this.setting.lookaside.at + TABLES.deltas.execute);
    body.tee(this.#delta);
    body.get(PC);
    body.op(op.add);
    body.const(WORD);
    body.op(op.sub);
    body.set(this.at);
    body.const(PAGE_SIZE);
    body.get(PC);
    body.const(PAGE_SIZE - 1);
    body.op(op.and, op.sub);
    body.const(2);
    body.op(op.shru);
    body.tee(room);
    body.get(LEFT);
    body.get(room);
    body.get(LEFT);
    body.op(op.lts, op.select);
    body.tee(room);
    body.const(2);
    body.op(op.shl);
    body.get(this.at);
    body.op(op.add);
    body.const(WORD);
    body.op(op.add);
    body.set(this.#end);
    body.get(LEFT);
    body.get(room);
    body.op(op.sub);
    body.set(LEFT);
  }

  #fetch(arrive: Label): void {
    const { body } = this;
    body.get(this.at);
    body.const(WORD);
    body.op(op.add);
    body.tee(this.at);
    body.get(this.#end);
    body.op(op.eq);
    body.if();
    this.pc();
    body.set(PC);
    body.br(arrive);
    body.end();
    body.get(this.at);
    body.memory(op.load, 0);
    body.set(this.code);
  }
}
