import type { Lookaside } from '../../mmu/lookaside.js';
import { R } from '../state.js';
import {
  ENTRY_BITS,
  FINISH,
  RESUMED,
  WHY,
  writeCount,
  writeGo,
  writeInterpret,
  writeLookup,
  type Why,
} from './dispatch.js';
import type { Assumptions } from './effects.js';
import type { EffectWriter } from './emit-effects.js';
import { LEFT, REGISTERS } from './emit-values.js';
import type { Places } from './places.js';
import { pageOf, type Block } from './region.js';
import { op, type Body, type Label } from './wasm-encoder.js';

/** What code is translated for. */
export interface Setting {
  readonly lookaside: Lookaside;
  readonly assumptions: Assumptions;
  /** For each page of the region, by its effective address, where the translations of its words are listed in the shared memory. */
  readonly translations: ReadonlyMap<number, number>;
  /** A branch that has gone so often where nobody guessed tells its target: a power of 2. */
  readonly learning: number;
}

/** A place outside the body that several ways out of it share. */
interface Exit {
  readonly label: Label;
  readonly write: () => void;
}

/** The ways out of a region: each writes back what has changed. Equal ones are shared, and lie behind everything else. */
export class Exits {
  readonly #exits = new Map<string, Exit>();
  /** Where the region is being left: word of the page and instructions not run, for exits to the interpreter. */
  readonly #at: number;
  /** The local of the address to go on at. */
  readonly target: number;
  readonly #scratch: number;

  constructor(
    private readonly body: Body,
    private readonly writer: EffectWriter,
    private readonly setting: Setting,
    /** The page that is being written for. */
    public page: number,
  ) {
    this.#at = body.local();
    this.target = body.local();
    this.#scratch = body.local();
  }

  #exit(key: string, write: () => void): Label {
    let exit = this.#exits.get(key);
    if (!exit) this.#exits.set(key, (exit = { label: this.body.labelAround(), write }));
    return exit.label;
  }

  /** If the region is left for the interpreter now: it goes on here, and so many instructions counted have not been run. */
  mark(pc: number, uncounted: number): void {
    this.body.const((uncounted << ENTRY_BITS) | ((pc >>> 2) & 1023));
    this.body.set(this.#at);
  }

  /** Back to whoever called; the pc and what was not run are as `mark` said. */
  leave(why: Why, changed: Places): Label {
    const page = this.page;
    return this.#exit(`${why} ${page} ${changed.key}`, () => {
      const { body } = this;
      this.writer.spill(changed);
      body.get(REGISTERS);
      this.#markedPc(page);
      body.memory(op.store, 4 * R.PC);
      writeCount(body, () => this.#unspent());
      body.const(why);
      body.op(op.return);
    });
  }

  /** The interpreter for cold code goes on where `mark` said: perhaps fewer cycles may be spent than the block takes. */
  finish(changed: Places): Label {
    const page = this.page;
    return this.#exit(`finish ${page} ${changed.key}`, () => {
      this.writer.spill(changed);
      writeInterpret(
        this.body,
        () => this.#unspent(),
        () => this.#markedPc(page, RESUMED | FINISH),
      );
    });
  }

  #markedPc(page: number, bits = 0): void {
    const { body } = this;
    body.get(this.#at);
    body.const(1023);
    body.op(op.and);
    body.const(2);
    body.op(op.shl);
    body.const(page | bits);
    body.op(op.or);
  }

  #unspent(): void {
    const { body } = this;
    body.get(LEFT);
    body.get(this.#at);
    body.const(ENTRY_BITS);
    body.op(op.shru, op.add);
  }

  /** On to an address of this page, whose mapping cannot have changed meanwhile. */
  within(address: number, changed: Places): Label {
    return this.#exit(`within ${address} ${changed.key}`, () => {
      const { body } = this;
      this.writer.spill(changed);
      body.const(0);
      body.memory(op.load, this.setting.translations.get(pageOf(address))! + (address & 0xffc));
      body.set(this.#scratch);
      this.#go(() => body.const(address));
    });
  }

  /** On to the address in `#target`, wherever it is. */
  dispatch(changed: Places): Label {
    return this.#exit(`dispatch ${changed.key}`, () => {
      this.writer.spill(changed);
      writeLookup(this.body, this.setting.lookaside, this.target, this.#scratch);
      this.#go(() => this.body.get(this.target));
    });
  }

  /** Go to the translation in `#scratch` if there is one; else leave. */
  #go(address: () => void): void {
    writeGo(this.body, this.#scratch, address);
  }

  /**
   * Each time that a branch has gone elsewhere so many times, its target is told; what counts that is the word of the branch in
   * the table of translations, unless the branch is an entry itself.
   */
  learn({ instructions }: Block, changed: Places): void {
    const { body } = this;
    const { pc } = instructions.at(-1)!;
    const at = this.setting.translations.get(this.page)! + (pc & 0xffc);
    body.const(0);
    body.memory(op.load, at);
    body.const(1);
    body.op(op.sub);
    body.tee(this.#scratch);
    body.const(0);
    body.op(op.lts);
    body.if();
    body.const(0);
    body.get(this.#scratch);
    body.memory(op.store, at);
    body.get(this.#scratch);
    body.const(this.setting.learning - 1);
    body.op(op.and, op.eqz);
    body.brIf(
      this.#exit(`learn ${pc} ${changed.key}`, () => {
        this.writer.spill(changed);
        body.get(REGISTERS);
        body.const(pc);
        body.memory(op.store, 4 * R.SITE);
        body.get(REGISTERS);
        body.get(this.target);
        body.memory(op.store, 4 * R.PC);
        writeCount(body, () => body.get(LEFT));
        body.const(WHY.TARGET);
        body.op(op.return);
      }),
    );
    body.end();
  }

  /** What all these labels stand for: at the end of the body. */
  close(): void {
    for (const { write } of this.#exits.values()) {
      this.body.closeAround();
      write();
    }
    this.body.op(op.unreachable);
  }
}
