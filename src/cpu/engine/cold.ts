import { TABLES, type LookasidePlace } from '../../mmu/lookaside.js';
import { R } from '../state.js';
import { ENTRY_BITS, FINISH, PARAMETERS, RESUMED, WHY, writeCount, type Why } from './dispatch.js';
import { EffectWriter } from './emit-effects.js';
import { LEFT, REGISTERS } from './emit-values.js';
import type { Variant } from './printed.js';
import { lowerCold } from './lower-cold.js';
import { Places } from './places.js';
import { TABLE_WORDS, type SprTables } from './spr-tables.js';
import { Body, op, type Label } from './wasm-encoder.js';

/** The third parameter: where to begin, perhaps with RESUMED. */
const PC = 2;
const PAGE = ~0xfff | 3;
const FLAGS = RESUMED | FINISH;

/** Where tables lie behind the decoding table, in bytes, and how long all are together. */
const DECODING_BYTES = 2 * 64 * 2048;
export const TABLE_PLACES = {
  readSpr: DECODING_BYTES,
  writeSpr: DECODING_BYTES + 4 * TABLE_WORDS,
  end: DECODING_BYTES + 8 * TABLE_WORDS,
} as const;

/** Where the interpreter finds what it needs, in the shared memory. */
export interface ColdSetting {
  readonly lookaside: LookasidePlace;
  /** From a decoding index to a variant's number, 16 bits each. */
  readonly decoding: number;
  readonly sprs: SprTables;
  /** A power of 2: a place is reported that has been wanted so often, and again each time that it has been so often more. */
  readonly hot: number;
}

/**
 * The interpreter for code that is not translated, itself WebAssembly: (registers, left, pc) → why. A branch's target that has
 * a translation is gone on with there; others are counted, in the table that translations are found in.
 */
export function coldInterpreter(variants: readonly Variant[], setting: ColdSetting): Body {
  return new ColdInterpreter(variants, setting).body;
}

class ColdInterpreter {
  readonly body = new Body(PARAMETERS);
  readonly #writer: EffectWriter;
  readonly #code = this.body.local();
  /** Page of the pc, and how far from it its bytes lie in memory. */
  readonly #page = this.body.local();
  readonly #delta = this.body.local();
  readonly #scratch = this.body.local();

  constructor(
    variants: readonly Variant[],
    private readonly setting: ColdSetting,
  ) {
    const { body } = this;
    this.#writer = new EffectWriter(body, setting.lookaside, false);
    this.#writer.pc = () => body.get(PC);
    this.#writer.code = this.#code;
    this.#writer.misaligned = true;
    const arrive = body.loop();
    this.#stopAtLimit();
    this.#loadContext();
    this.#arrive();
    const next = body.loop();
    this.#stopAtLimit();
    this.#fetch(arrive);
    this.#dispatch(variants, { arrive, next });
    body.end();
    body.end();
    body.op(op.unreachable);
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

  #leave(why: Why): void {
    const { body } = this;
    body.get(REGISTERS);
    body.get(PC);
    body.memory(op.store, 4 * R.PC);
    writeCount(body, () => body.get(LEFT));
    body.const(why);
    body.op(op.return);
  }

  #loadContext(): void {
    this.body.get(REGISTERS);
    this.body.memory(op.load, 4 * R.DATA_CONTEXT);
    this.body.set(this.#writer.context);
  }

  /** At a branch's target, or in another page: go on with its translation, or count it. */
  #arrive(): void {
    const { body } = this;
    const { lookaside } = this.setting;
    const [slot, resumed, entry, table] = [body.local(), body.local(), body.local(), body.local()];
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
    body.tee(table);
    body.op(op.eqz, op.or);
    body.if();
    this.#leave(WHY.COLD);
    body.end();

    body.get(table);
    body.get(PC);
    body.const(0xffc);
    body.op(op.and, op.add);
    body.tee(table);
    body.memory(op.load, 0);
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
    this.#countWanted(resumed, entry, table);
    this.#rememberPage(slot);
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

  #rememberPage(slot: number): void {
    const { body } = this;
    body.get(PC);
    body.const(~0xfff);
    body.op(op.and);
    body.set(this.#page);
    body.get(slot);
    body.memory(op.load, this.setting.lookaside.at + TABLES.deltas.execute);
    body.set(this.#delta);
  }

  #fetch(arrive: Label): void {
    const { body } = this;
    body.get(PC);
    body.get(this.#page);
    body.op(op.xor);
    body.const(PAGE);
    body.op(op.and);
    body.brIf(arrive);
    body.get(PC);
    body.get(this.#delta);
    body.op(op.add);
    body.memory(op.load, 0);
    body.set(this.#code);
  }

  /** A case for each variant; number 0 is for what is none. */
  #dispatch(variants: readonly Variant[], loops: { arrive: Label; next: Label }): void {
    const { body } = this;
    const refused = body.block();
    const labels = variants.map(() => body.block()).reverse();
    body.get(this.#code);
    body.const(26);
    body.op(op.shru);
    body.const(11);
    body.op(op.shl);
    body.get(this.#code);
    body.const(0x7ff);
    body.op(op.and, op.or);
    body.const(1);
    body.op(op.shl);
    body.memory(op.load16u, this.setting.decoding);
    body.brTable([refused, ...labels], refused);
    for (const { instruction, options } of variants) {
      body.end();
      this.#case(lowerCold(instruction, options, this.setting.sprs), refused, loops);
    }
    body.end();
    this.#leave(WHY.INTERPRET);
  }

  #case(
    { effects, flow }: ReturnType<typeof lowerCold>,
    refused: Label,
    { arrive, next }: { arrive: Label; next: Label },
  ): void {
    const { body } = this;
    if (flow === 'interpret') return body.br(refused);
    this.#writer.effects(effects, Places.none, {
      refuse: () => body.brIf(refused),
      behind: () => body.op(op.drop),
    });
    body.get(LEFT);
    body.const(1);
    body.op(op.sub);
    body.set(LEFT);
    const last = effects.at(-1);
    const remaps = effects.some(({ kind }) => kind === 'tlb'); // perhaps the page of the pc
    if (last?.kind === 'branch') {
      this.#writer.value(last.target, Places.none);
      body.set(this.#scratch);
      if (last.condition) {
        this.#writer.value(last.condition, Places.none);
        body.if();
      }
      body.get(this.#scratch);
      body.set(PC);
      body.br(arrive);
      if (last.condition) body.end();
      else return;
    }
    body.get(PC);
    body.const(remaps ? 4 | RESUMED : 4);
    body.op(op.add);
    body.set(PC);
    body.br(remaps ? arrive : next);
  }
}
