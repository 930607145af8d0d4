import { R } from '../state.js';
import { RESUMED, WHY, writeCount } from './dispatch.js';
import type { Effect } from './effects.js';
import { FORESEE, imports, INTERPRET, ON_NEXT } from './emit-effects.js';
import { LEFT, REGISTERS } from './emit-values.js';
import type { Instruction } from '../../isa/spec.js';
import { ColdRun, PC, REFILL, REFILLED, USES, WORD, type ColdSetting, type Onward } from './cold-run.js';
import type { listVariants, Variant } from './printed.js';
import { EMULATED, EMULATOR } from './cold-emulation.js';
import { lowerCold } from './lower-cold.js';
import { Places } from './places.js';
import { KNOWN_BYTES } from './known-pages.js';
import { MAP } from './ram-map.js';
import { TABLE_WORDS } from './spr-tables.js';
import { op, type Body, type Label } from './wasm-encoder.js';

/** The decoding table has so many places for each of the primary opcodes. */
const BUCKET = 2048;
const OPCODES = 64;

/** All variants, and which is meant. */
type Listed = ReturnType<typeof listVariants>;

/** Where an instruction goes on, or does not. */
interface Ways extends Onward {
  /** The plain interpreter does it. */
  readonly refused: Label;
  /** It is privileged, and the guest may not. */
  readonly denied: Label;
  /** The lookaside does not have the page of the address in `#missed`. */
  readonly missed: Readonly<Record<'read' | 'write', Label>>;
}

/**
 * What compilers ask for in a conditional branch's BO field: a CR bit that is 0, or 1, CTR that is not 0 after counting, and nothing.
 * The last bit is a hint to the processor (PPC440x5 User's Manual, "BO Field on Conditional Branches").
 */
const USUAL_BO = [4, 12, 16, 20];

/** Where tables lie behind the decoding table, in bytes, and how long all are together. */
const DECODING_BYTES = 2 * OPCODES * BUCKET;
/** More than there are. */
const VARIANTS = 1024;
export const TABLE_PLACES = {
  readSpr: DECODING_BYTES,
  writeSpr: DECODING_BYTES + 4 * TABLE_WORDS,
  reach: DECODING_BYTES + 8 * TABLE_WORDS,
  ram: DECODING_BYTES + 8 * TABLE_WORDS + VARIANTS,
  known: DECODING_BYTES + 8 * TABLE_WORDS + VARIANTS + 4 * MAP.WORDS,
  end: DECODING_BYTES + 8 * TABLE_WORDS + VARIANTS + 4 * MAP.WORDS + KNOWN_BYTES,
} as const;

/**
 * The interpreter for code that is not translated, itself WebAssembly: (registers, left, pc) → why. A branch's target that has
 * a translation is gone on with there; others are counted, in the table that translations are found in.
 */
export function coldInterpreter(listed: Listed, setting: ColdSetting): Body {
  return new ColdInterpreter(listed, setting).body;
}

class ColdInterpreter extends ColdRun {
  /** The address of an access to a page that the lookaside does not have. */
  readonly #missed = this.body.local();

  constructor({ variants, table }: Listed, setting: ColdSetting) {
    super(setting);
    this.loop((ways) => this.#dispatch(variants, table, ways));
  }

  /**
   * A case for each variant; number 0 is for what is none. Most are known by the primary opcode, some by the last bit too; for the
   * others alone the table is read.
   */
  #dispatch(variants: readonly Variant[], table: Uint16Array, onward: Onward): void {
    const { body } = this;
    const refused = body.block();
    const denied = body.block();
    const missed = { write: body.block(), read: body.block() };
    const labels = [refused, ...variants.map(() => body.block()).reverse()];
    const buckets = Array.from({ length: OPCODES }, (_, opcode) =>
      table.subarray(opcode * BUCKET, (opcode + 1) * BUCKET),
    );
    const divided = buckets
      .flatMap((bucket, opcode) => (isUniform(bucket, 1) ? [] : [opcode]))
      .map((opcode) => ({ opcode, label: body.block() }));
    const labelOf = new Map(divided.map(({ opcode, label }) => [opcode, label]));
    body.get(this.code);
    body.const(26);
    body.op(op.shru);
    body.brTable(
      buckets.map((bucket, opcode) => labelOf.get(opcode) ?? labels[bucket[0]!]!),
      refused,
    );
    for (const { opcode } of divided.reverse()) {
      body.end();
      this.#divide(opcode, buckets[opcode]!, labels);
    }
    for (const { instruction, options } of variants) {
      body.end();
      this.#cases(instruction, options, { refused, denied, missed, ...onward });
    }
    for (const use of [USES.read, USES.write]) {
      body.end();
      this.#foresee(use, onward.next, refused);
    }
    body.end();
    this.#emulate(refused, onward.arrive);
    body.end();
    this.#interpret(onward.arrive);
  }

  /** The plain interpreter does the instruction; what is behind it is gone on with, unless nothing may be. */
  #interpret(arrive: Label): void {
    const { body } = this;
    const on = body.local();
    this.#publish();
    body.call(INTERPRET);
    body.tee(on);
    body.op(op.eqz);
    this.#goOn(() => {
      body.get(on);
      body.const(ON_NEXT); // as RESUMED
      body.op(op.and);
    }, arrive);
  }

  /** A privileged instruction is emulated where that is asked for: see `cold-emulation.ts`. */
  #emulate(refused: Label, arrive: Label): void {
    const { body } = this;
    const done = body.local();
    body.get(REGISTERS);
    body.memory(op.load, 4 * R.EMULATION);
    body.op(op.eqz);
    body.brIf(refused);
    this.#publish();
    body.get(REGISTERS);
    body.get(this.at);
    body.const(0);
    body.call(imports.length + EMULATOR);
    body.tee(done);
    body.op(op.eqz);
    body.brIf(refused);
    body.get(done);
    body.const(EMULATED.STOPPED);
    body.op(op.eq);
    this.#goOn(() => body.const(0), arrive);
  }

  /** The pc and the count are in their words. */
  #publish(): void {
    const { body } = this;
    body.get(REGISTERS);
    this.pc();
    body.memory(op.store, 4 * R.PC);
    writeCount(body, () => this.left());
  }

  /** As those words say, unless what is on the stack is not 0: then nothing is to be run now. */
  #goOn(flags: () => void, arrive: Label): void {
    const { body } = this;
    body.if();
    body.const(WHY.STOPPED);
    body.op(op.return);
    body.end();
    body.get(REGISTERS);
    body.memory(op.load, 4 * R.PC);
    flags();
    body.op(op.or);
    body.set(PC);
    body.get(REGISTERS);
    body.memory(op.load, 4 * R.LIMIT);
    body.get(REGISTERS);
    body.memory(op.load, 4 * R.COUNT);
    body.op(op.sub);
    body.set(LEFT);
    body.br(arrive);
  }

  /** On to the variant of a word whose primary opcode alone does not tell. */
  #divide(opcode: number, bucket: Uint16Array, labels: readonly Label[]): void {
    const { body } = this;
    body.get(this.code);
    if (isUniform(bucket, 2)) {
      body.const(1);
      body.op(op.and);
      body.brIf(labels[bucket[1]!]!);
      return body.br(labels[bucket[0]!]!);
    }
    body.const(BUCKET - 1);
    body.op(op.and);
    body.const(1);
    body.op(op.shl);
    body.memory(op.load16u, this.setting.decoding + 2 * opcode * BUCKET);
    body.brTable(labels, labels[0]!);
  }

  /** Run the instruction again if the page of its access can be had. */
  #foresee(use: number, next: Label, refused: Label): void {
    const { body } = this;
    const got = body.local();
    body.get(REGISTERS);
    body.get(this.#missed);
    body.const(use);
    body.call(imports.length + REFILL);
    body.tee(got);
    body.const(REFILLED.REFUSED);
    body.op(op.eq);
    body.brIf(refused);
    body.get(got);
    body.op(op.eqz);
    body.if();
    body.get(this.#missed);
    body.const(use);
    body.call(FORESEE);
    body.set(got);
    body.end();
    body.get(got);
    body.if();
    body.get(this.at);
    body.const(WORD);
    body.op(op.sub);
    body.set(this.at);
    body.br(next);
    body.end();
    body.br(refused);
  }

  /** One case, or several where a field has values that are common and leave little to be done. */
  #cases(instruction: Instruction, options: Readonly<Record<string, number>>, ways: Ways): void {
    const { body } = this;
    const write = (known: Readonly<Record<string, number>>): void =>
      this.#case(lowerCold(instruction, known, this.setting.sprs), ways);
    const field = instruction.fields.find(({ name }) => name === 'bo');
    if (!field) return write(options);
    const any = body.block();
    const labels = new Map(USUAL_BO.map((bo) => [bo, body.block()]));
    body.get(this.code);
    body.const(field.shift);
    body.op(op.shru);
    body.const(31);
    body.op(op.and);
    body.brTable(
      Array.from({ length: 32 }, (_, bo) => labels.get(bo & ~1) ?? any),
      any,
    );
    for (const bo of [...labels.keys()].reverse()) {
      body.end();
      write({ ...options, bo });
    }
    body.end();
    write(options);
  }

  #case({ effects, flow }: ReturnType<typeof lowerCold>, { refused, denied, missed, next, branch, away }: Ways): void {
    const { body } = this;
    if (flow === 'interpret') return body.br(refused);
    this.writer.effects(effects, Places.none, {
      refuse: (isDenied) => body.brIf(isDenied ? denied : refused),
      behind: () => body.op(op.drop),
      missed: (ea, use) => {
        body.if();
        body.get(ea);
        body.set(this.#missed);
        body.br(missed[use]);
        body.end();
      },
    });
    const last = effects.at(-1);
    if (last?.kind === 'branch') {
      this.writer.value(last.target, Places.none);
      body.set(PC);
      const taken = effects.some(changesContext) ? away : branch;
      if (!last.condition) return body.br(taken);
      this.writer.value(last.condition, Places.none);
      body.brIf(taken);
    }
    if (effects.some(({ kind }) => kind === 'tlb')) {
      this.pc(); // whose page is perhaps mapped otherwise now
      body.const(WORD | RESUMED);
      body.op(op.add);
      body.set(PC);
      return body.br(away);
    }
    body.br(next);
  }
}

/** May code lie elsewhere behind it? */
const changesContext = (effect: Effect): boolean => effect.kind === 'word' && effect.word === R.CODE_CONTEXT;

/** Do the variants of a bucket repeat after so many places? */
const isUniform = (bucket: Uint16Array, period: number): boolean =>
  bucket.every((number, i) => number === bucket[i % period]);
