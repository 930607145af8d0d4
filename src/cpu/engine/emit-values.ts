import { ConditionFields, EQ, LT, SO } from './condition-fields.js';
import type { LookasidePlace } from '../../mmu/lookaside.js';
import { R } from '../state.js';
import type { Effect } from './effects.js';
import type { Places } from './places.js';
import { PLACE, PLACES, type Value } from './value.js';
import { op, type Body } from './wasm-encoder.js';

/** Parameters of generated functions: where the registers lie. */
export const REGISTERS = 0;
/** Cycles that may still be spent: those of the present block are taken off already. */
export const LEFT = 1;

// prettier-ignore
const binary = {
  add: op.add, sub: op.sub, mul: op.mul, and: op.and, or: op.or, xor: op.xor,
  shl: op.shl, shru: op.shru, shrs: op.shrs, rotl: op.rotl, eq: op.eq, ne: op.ne, lts: op.lts, ltu: op.ltu,
} as const;
const unary = { clz: op.clz, ext8: op.ext8, ext16: op.ext16, eqz: op.eqz } as const;

/** A comparison whose operands are kept for the branch that ends its block. */
export interface Comparison {
  readonly effect: Effect;
  readonly field: number;
  readonly signed: boolean;
  /** Where they are, once the comparison is written. */
  operands?: readonly [Operand, Operand];
}
export type Operand = { readonly constant: number } | { readonly local: number };

/** Writes values as WebAssembly: what they give is left on the stack. Places are locals of one function. */
export class ValueWriter {
  readonly #places: (number | undefined)[] = Array.from({ length: PLACES });
  readonly #temporaries: number[] = [];
  protected used = 0;
  protected results: number[] = [];
  protected readonly conditions: ConditionFields;
  /** The local that has the context of data accesses. */
  readonly context: number;
  /** The comparison that the branch at the end of this block can look at directly. */
  comparison: Comparison | undefined;

  constructor(
    protected readonly body: Body,
    protected readonly lookaside: LookasidePlace,
    /** XER[SO] is taken for 0. */
    protected readonly noOverflow: boolean,
  ) {
    this.context = body.local();
    this.conditions = new ConditionFields(
      body,
      (field) => this.place(PLACE.CR + field),
      () => this.temporary(),
    );
  }

  /** The local of a place; a CR field's is of the 64-bit ones. */
  place(n: number): number {
    return (this.#places[n] ??= n >= PLACE.CR ? this.body.long() : this.body.local());
  }

  /** A local that is free till the end of the instruction. */
  protected temporary(): number {
    const at = this.used++;
    return (this.#temporaries[at] ??= this.body.local());
  }

  protected word(n: number): void {
    this.body.get(REGISTERS);
    this.body.memory(op.load, n * 4);
  }

  protected systemBase(): void {
    this.word(R.SYSTEM);
  }

  /** The address of the instruction being written, on the stack. */
  pc: () => void = () => this.body.const(0);
  /** What has been retired before it in this run, on the stack. */
  count: () => void = () => this.word(R.COUNT);
  /** The local that has its word, where that is not known. */
  code = -1;

  /** Where the register of a number lies, on the stack. */
  protected register(number: Value, changed: Places): void {
    this.body.get(REGISTERS);
    this.value(number, changed);
    this.body.const(2);
    this.body.op(op.shl, op.add);
  }

  /** A value in a local of its own, unless it is in one already that nothing changes. */
  protected keep(value: Value, changed: Places): number {
    if (value.kept >= 0) return value.kept;
    this.value(value, changed);
    if (value.kept >= 0) {
      this.body.op(op.drop);
      return value.kept;
    }
    const local = this.temporary();
    this.body.set(local);
    if (value.op !== 'const') value.kept = local;
    return local;
  }

  /** A value, on the stack. One that is used again is kept. */
  value(v: Value, changed: Places): void {
    const { body } = this;
    if (v.kept >= 0) return body.get(v.kept);
    switch (v.op) {
      case 'const':
        return body.const(v.n);
      case 'place':
        return body.get(this.place(v.n));
      case 'result':
        return body.get(this.results[v.n]!);
      case 'crbit':
        return this.bit(v.n >> 2, v.n & 3);
      case 'crfield':
        return this.conditions.field(v.n);
      case 'cr':
        return this.conditionRegister(changed);
      case 'pc':
        return this.pc();
      case 'code':
        return body.get(this.code);
      case 'left':
        return body.get(LEFT);
      case 'count':
        return this.count();
      case 'registers':
        return body.get(REGISTERS);
      case 'word':
        return this.word(v.n);
      case 'system':
        this.systemBase();
        return body.memory(op.load, v.n * 4);
      default:
        this.#operation(v, changed);
        if (v.uses > 1) body.tee((v.kept = this.temporary()));
    }
  }

  #operation(v: Value, changed: Places): void {
    const { body } = this;
    const [a, b, c] = [v.a!, v.b!, v.c!];
    switch (v.op) {
      case 'select':
        this.value(b, changed);
        this.value(c, changed);
        this.value(a, changed);
        return body.op(op.select);
      case 'highs':
      case 'highu': {
        const extend = v.op === 'highs' ? op.extends : op.extendu;
        this.value(a, changed);
        body.op(extend);
        this.value(b, changed);
        body.op(extend, op.mul64);
        body.const64(32);
        return body.op(op.shru64, op.wrap);
      }
      case 'divs':
      case 'divu':
        return this.#divide(v.op, a, b, changed);
      case 'register':
        this.register(a, changed);
        return body.memory(op.load, 0);
      case 'memory':
        this.value(a, changed);
        return body.memory(op.load, 0);
      case 'clz':
      case 'ext8':
      case 'ext16':
      case 'eqz':
        this.value(a, changed);
        return body.op(unary[v.op]);
      default:
        this.value(a, changed);
        this.value(b, changed);
        return body.op(binary[v.op as keyof typeof binary]);
    }
  }

  /** 0 where the quotient is undefined; the machine's own division would trap. */
  #divide(kind: 'divs' | 'divu', a: Value, b: Value, changed: Places): void {
    const { body } = this;
    const dividend = this.keep(a, changed);
    const divisor = this.keep(b, changed);
    const undefinedQuotient = this.temporary();
    body.get(divisor);
    body.op(op.eqz);
    if (kind === 'divs') {
      body.get(dividend);
      body.const(-0x80000000);
      body.op(op.eq);
      body.get(divisor);
      body.const(-1);
      body.op(op.eq, op.and, op.or);
    }
    body.set(undefinedQuotient);
    body.const(0);
    body.get(dividend);
    body.const(1);
    body.get(divisor);
    body.get(undefinedQuotient);
    body.op(op.select, op[kind]);
    body.get(undefinedQuotient);
    body.op(op.select);
  }

  protected bit(field: number, bit: number): void {
    const { body, comparison } = this;
    if (comparison?.field === field && comparison.operands && bit !== SO) {
      comparison.operands.forEach((operand) => this.operand(operand));
      if (bit === EQ) return body.op(op.eq);
      if (bit === LT) return body.op(comparison.signed ? op.lts : op.ltu);
      return body.op(comparison.signed ? op.gts : op.gtu);
    }
    this.conditions.bit(field, bit);
  }

  protected operand(operand: Operand): void {
    if ('local' in operand) this.body.get(operand.local);
    else this.body.const(operand.constant);
  }

  /** The condition register, on the stack: what memory has, but for the fields that have changed. */
  conditionRegister(changed: Places): void {
    const { body } = this;
    let stale = 0;
    for (let f = 0; f < 8; f++) if (changed.has(PLACE.CR + f)) stale |= 0xf0000000 >>> (4 * f);
    if (stale === -1) body.const(0);
    else this.word(R.CR);
    if (stale !== 0 && stale !== -1) {
      body.const(~stale);
      body.op(op.and);
    }
    for (let f = 0; f < 8; f++) {
      if (!changed.has(PLACE.CR + f)) continue;
      this.conditions.field(f);
      body.const(28 - 4 * f);
      body.op(op.shl, op.or);
    }
  }

  /** Fill the locals of places from memory. */
  load(places: Places): void {
    const { body } = this;
    this.used = 0;
    places.forEach((n) => {
      if (n >= PLACE.CR) {
        this.word(R.CR);
        body.const(28 - 4 * (n - PLACE.CR));
        body.op(op.shru);
        body.const(15);
        body.op(op.and);
        return this.conditions.setField(n - PLACE.CR);
      }
      if (n === PLACE.CARRY) {
        this.word(R.XER);
        body.const(29);
        body.op(op.shru);
        body.const(1);
        body.op(op.and);
      } else this.word(wordOf(n));
      body.set(this.place(n));
    });
  }

  /** Write the locals of places to memory. */
  spill(places: Places): void {
    const { body } = this;
    this.used = 0;
    places.forEach((n) => {
      if (n >= PLACE.CR) return;
      body.get(REGISTERS);
      if (n === PLACE.CARRY) {
        this.word(R.XER);
        body.const(~0x20000000);
        body.op(op.and);
        body.get(this.place(n));
        body.const(29);
        body.op(op.shl, op.or);
      } else body.get(this.place(n));
      body.memory(op.store, 4 * wordOf(n));
    });
    let fields = false;
    for (let f = 0; f < 8; f++) fields ||= places.has(PLACE.CR + f);
    if (!fields) return;
    body.get(REGISTERS);
    this.conditionRegister(places);
    body.memory(op.store, 4 * R.CR);
  }
}

/** Where a register that is a place lies among the registers; the carry is a bit of XER's word. */
const wordOf = (place: number): number =>
  place < 32 ? place : place === PLACE.LR ? R.LR : place === PLACE.CTR ? R.CTR : R.XER;
