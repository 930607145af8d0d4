import type { Lookaside } from '../../mmu/lookaside.js';
import { TABLES } from '../../mmu/lookaside.js';
import { R } from '../state.js';
import { mayRepeat, type Effect } from './lower.js';
import type { Places } from './places.js';
import type { Placed } from './region.js';
import { PLACE, PLACES, type Value } from './value.js';
import { op, type Body } from './wasm-encoder.js';

/** The one parameter that effects need: where the registers lie. */
export const REGISTERS = 0;

// prettier-ignore
const binary = {
  add: op.add, sub: op.sub, mul: op.mul, and: op.and, or: op.or, xor: op.xor,
  shl: op.shl, shru: op.shru, shrs: op.shrs, rotl: op.rotl, eq: op.eq, ne: op.ne, lts: op.lts, ltu: op.ltu,
} as const;
const unary = { clz: op.clz, ext8: op.ext8, ext16: op.ext16, eqz: op.eqz } as const;

/** Bits of a CR field, the leftmost first. */
const [LT, GT, EQ, SO] = [0, 1, 2, 3] as const;

/** A comparison whose operands are kept for the branch that ends its block. */
export interface Comparison {
  readonly effect: Effect;
  readonly field: number;
  readonly signed: boolean;
  /** Where they are, once the comparison is written. */
  operands?: readonly [Operand, Operand];
}
type Operand = { readonly constant: number } | { readonly local: number };

/**
 * Writes effects as WebAssembly. Places are locals; a CR field is one of 64 bits, which any comparison gives with a
 * subtraction and which can stand for all sixteen values: LT is bit 62, GT that without its three top bits it is above 0, EQ
 * that its low word is 0, SO that bits 61 and 63 differ.
 */
export class EffectWriter {
  readonly #places: (number | undefined)[] = Array.from({ length: PLACES });
  readonly #temporaries: number[] = [];
  #used = 0;
  #results: number[] = [];
  /** The local that has the context of data accesses. */
  readonly context: number;
  /** The comparison that the branch at the end of this block can look at directly. */
  comparison: Comparison | undefined;

  constructor(
    private readonly body: Body,
    private readonly lookaside: Lookaside,
    /** XER[SO] is taken for 0. */
    private readonly noOverflow: boolean,
  ) {
    this.context = body.local();
  }

  /** The local of a place; a CR field's is of the 64-bit ones. */
  place(n: number): number {
    return (this.#places[n] ??= n >= PLACE.CR ? this.body.long() : this.body.local());
  }

  /** A local that is free till the end of the instruction. */
  #temporary(): number {
    const at = this.#used++;
    return (this.#temporaries[at] ??= this.body.local());
  }

  /**
   * Write an instruction's effects but for a branch. `changed`: places that memory does not have. `refuse` writes how to leave
   * where what is on the stack is not 0.
   */
  effects({ pc, lowered: { effects } }: Placed, changed: Places, refuse: () => void): void {
    this.#used = 0;
    this.#results = [];
    const last = effects.at(-1);
    if (last?.kind === 'branch' && mayRepeat(last)) {
      this.value(last.target, changed);
      this.body.const(pc);
      this.body.op(op.eq);
      refuse();
    }
    effects.forEach((effect, i) => {
      if (effect.kind !== 'branch') this.#effect(effect, i, effects, changed, refuse);
    });
  }

  #effect(effect: Effect, at: number, all: readonly Effect[], changed: Places, refuse: () => void): void {
    const { body } = this;
    switch (effect.kind) {
      case 'set':
        this.value(effect.value, changed);
        this.#saveLeaf(all, at, (v) => v.op === 'place' && v.n === effect.place);
        return body.set(this.place(effect.place));
      case 'compare':
        return this.#compare(effect, changed);
      case 'field':
        this.value(effect.value, changed);
        return this.#setField(effect.field);
      case 'bit':
        return this.#setBit(effect, changed);
      case 'word':
        body.get(REGISTERS);
        this.value(effect.value, changed);
        return body.memory(op.store, effect.word * 4);
      case 'system':
        this.#systemBase();
        this.value(effect.value, changed);
        return body.memory(op.store, effect.word * 4);
      case 'refuse':
        this.value(effect.condition, changed);
        return refuse();
      case 'branch':
        return;
      default:
        return this.#storage(effect, at, changed, refuse);
    }
  }

  #storage(
    effect: Extract<Effect, { address: Value }>,
    at: number,
    changed: Places,
    refuse: () => void,
  ): void {
    const { body } = this;
    switch (effect.kind) {
      case 'load': {
        const ea = this.#keep(effect.address, changed);
        this.#host(ea, 'read', effect.width / 8, refuse);
        this.#swizzle(effect.width);
        body.memory(effect.width === 32 ? op.load : effect.width === 16 ? op.load16u : op.load8u, 0);
        const result = this.#temporary();
        this.#results[at] = result;
        return body.set(result);
      }
      case 'store': {
        const ea = this.#keep(effect.address, changed);
        this.#host(ea, 'write', effect.width / 8, refuse);
        this.#swizzle(effect.width);
        this.value(effect.value, changed);
        return body.memory(effect.width === 32 ? op.store : effect.width === 16 ? op.store16 : op.store8, 0);
      }
      case 'storeConditional': {
        const ea = this.#keep(effect.address, changed);
        const value = this.#keep(effect.value, changed);
        const host = this.#temporary();
        this.#host(ea, 'write', 4, refuse);
        body.set(host);
        this.#word(R.RESERVED);
        body.if();
        body.get(host);
        body.get(value);
        body.memory(op.store, 0);
        return body.end();
      }
      case 'touch': {
        const ea = this.#keep(effect.address, changed);
        this.#miss(ea, effect.access, 1);
        return refuse();
      }
      case 'loadMultiple':
      case 'storeMultiple':
        return this.#multiple(effect, changed, refuse);
    }
  }

  /** All words lie in one page, or the interpreter does it. */
  #multiple(
    { kind, first, address }: Extract<Effect, { kind: 'loadMultiple' | 'storeMultiple' }>,
    changed: Places,
    refuse: () => void,
  ): void {
    const { body } = this;
    const ea = this.#keep(address, changed);
    const host = this.#temporary();
    body.get(ea);
    body.const(0xfff);
    body.op(op.and);
    body.const(4096 - 4 * (32 - first));
    body.op(op.gtu);
    refuse();
    this.#host(ea, kind === 'loadMultiple' ? 'read' : 'write', 4, refuse);
    body.set(host);
    for (let register = first; register < 32; register++) {
      body.get(host);
      if (kind === 'loadMultiple') {
        body.memory(op.load, 4 * (register - first));
        body.set(this.place(register));
      } else {
        body.get(this.place(register));
        body.memory(op.store, 4 * (register - first));
      }
    }
  }

  /** Where in the shared memory an address lies, on the stack; leaves where that is not remembered or it is misaligned. */
  #host(ea: number, use: 'read' | 'write', bytes: number, refuse: () => void): void {
    const { body, lookaside } = this;
    const slot = this.#miss(ea, use, bytes);
    refuse();
    body.get(slot);
    body.memory(op.load, lookaside.at + TABLES.deltas[use]);
    body.get(ea);
    body.op(op.add);
  }

  /** Whether the page of an address is not remembered for this use, on the stack; gives the local of its slot's offset. */
  #miss(ea: number, use: 'read' | 'write', bytes: number): number {
    const { body, lookaside } = this;
    const slot = this.#temporary();
    body.get(ea);
    body.const(10);
    body.op(op.shru);
    body.const(0xffc);
    body.op(op.and);
    body.tee(slot);
    body.memory(op.load, lookaside.at + TABLES.tags[use]);
    body.get(ea);
    body.const(~0xfff | (bytes - 1));
    body.op(op.and);
    body.get(this.context);
    body.op(op.or, op.ne);
    return slot;
  }

  /** Words are kept in the host's order: bytes and halfwords lie elsewhere within them. */
  #swizzle(width: 8 | 16 | 32): void {
    if (width === 32) return;
    this.body.const(width === 16 ? 2 : 3);
    this.body.op(op.xor);
  }

  #word(n: number): void {
    this.body.get(REGISTERS);
    this.body.memory(op.load, n * 4);
  }

  #systemBase(): void {
    this.#word(R.SYSTEM);
  }

  /** A value in a local of its own, unless it is in one already that nothing changes. */
  #keep(value: Value, changed: Places): number {
    if (value.kept >= 0) return value.kept;
    this.value(value, changed);
    if (value.kept >= 0) {
      this.body.op(op.drop);
      return value.kept;
    }
    const local = this.#temporary();
    this.body.set(local);
    if (value.op !== 'const') value.kept = local;
    return local;
  }

  /** A place is about to change: later effects that have looked at it before get a copy. What is on the stack stays. */
  #saveLeaf(all: readonly Effect[], at: number, isIt: (value: Value) => boolean): void {
    const visit = (value: Value | undefined): void => {
      if (!value || value.kept >= 0) return;
      if (isIt(value) && value.born <= at) {
        const local = this.#temporary();
        this.body.get(this.place(value.n));
        this.body.set(local);
        value.kept = local;
      }
      visit(value.a);
      visit(value.b);
      visit(value.c);
    };
    for (const effect of all.slice(at + 1)) {
      if ('value' in effect) visit(effect.value);
      if ('address' in effect) visit(effect.address);
      if (effect.kind === 'branch') [effect.condition, effect.target].forEach(visit);
      if (effect.kind === 'compare') [effect.a, effect.b].forEach(visit);
    }
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
        return body.get(this.#results[v.n]!);
      case 'crbit':
        return this.#bit(v.n >> 2, v.n & 3);
      case 'crfield':
        return this.#field(v.n);
      case 'cr':
        return this.conditionRegister(changed);
      case 'word':
        return this.#word(v.n);
      case 'system':
        this.#systemBase();
        return body.memory(op.load, v.n * 4);
      default:
        this.#operation(v, changed);
        if (v.uses > 1) body.tee((v.kept = this.#temporary()));
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
    const dividend = this.#keep(a, changed);
    const divisor = this.#keep(b, changed);
    const undefinedQuotient = this.#temporary();
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

  #compare(effect: Extract<Effect, { kind: 'compare' }>, changed: Places): void {
    const { body, comparison } = this;
    const extend = effect.signed ? op.extends : op.extendu;
    const kept = comparison?.effect === effect;
    const operand = (value: Value): Operand => {
      this.value(value, changed);
      if (!kept) return { constant: 0 };
      if (value.op === 'const') return { constant: value.n };
      const local = body.local();
      body.tee(local);
      return { local };
    };
    const a = operand(effect.a);
    body.op(extend);
    let b: Operand = { constant: 0 };
    if (effect.b.op !== 'const' || effect.b.n !== 0) {
      b = operand(effect.b);
      body.op(extend, op.sub64);
    }
    if (kept) comparison.operands = [a, b];
    if (!this.noOverflow) {
      this.#word(R.XER);
      body.const(31);
      body.op(op.shru, op.extendu);
      body.const64(61);
      body.op(op.shl64, op.xor64);
    }
    body.setLong(this.place(PLACE.CR + effect.field));
  }

  #bit(field: number, bit: number): void {
    const { body, comparison } = this;
    if (comparison?.field === field && comparison.operands && bit !== SO) {
      comparison.operands.forEach((operand) => this.#operand(operand));
      if (bit === EQ) return body.op(op.eq);
      if (bit === LT) return body.op(comparison.signed ? op.lts : op.ltu);
      return body.op(comparison.signed ? op.gts : op.gtu);
    }
    const local = this.place(PLACE.CR + field);
    body.getLong(local);
    if (bit === GT) return this.#greater();
    if (bit === EQ) return body.op(op.wrap, op.eqz);
    body.const64(bit === LT ? 62 : 61);
    body.op(op.shru64, op.wrap);
    if (bit !== LT) {
      body.getLong(local);
      body.const64(63);
      body.op(op.shru64, op.wrap, op.xor);
    }
    body.const(1);
    body.op(op.and);
  }

  /** Whether GT is set in the CR field on the stack. */
  #greater(): void {
    const { body } = this;
    body.const64(3);
    body.op(op.shl64);
    body.const64(0);
    body.op(op.gts64);
  }

  #operand(operand: Operand): void {
    if ('local' in operand) this.body.get(operand.local);
    else this.body.const(operand.constant);
  }

  /** A CR field as a number, on the stack. */
  #field(field: number): void {
    const { body } = this;
    const long = this.place(PLACE.CR + field);
    const high = this.#temporary();
    body.getLong(long);
    body.const64(32);
    body.op(op.shru64, op.wrap);
    body.tee(high);
    body.const(27);
    body.op(op.shru);
    body.const(8);
    body.op(op.and);
    body.getLong(long);
    this.#greater();
    body.const(2);
    body.op(op.shl, op.or);
    body.getLong(long);
    body.op(op.wrap, op.eqz);
    body.const(1);
    body.op(op.shl, op.or);
    body.get(high);
    body.const(29);
    body.op(op.shru);
    body.get(high);
    body.const(31);
    body.op(op.shru, op.xor);
    body.const(1);
    body.op(op.and, op.or);
  }

  /** The number on the stack into a CR field. */
  #setField(field: number): void {
    const { body } = this;
    const number = this.#temporary();
    const above = this.#temporary(); // ¬GT
    body.tee(number);
    body.const(2);
    body.op(op.shru);
    body.const(1);
    body.op(op.and, op.eqz);
    body.tee(above);
    body.const(31);
    body.op(op.shl);
    body.get(number);
    body.const(8);
    body.op(op.and);
    body.const(27);
    body.op(op.shl, op.or);
    body.get(number);
    body.get(above);
    body.op(op.xor);
    body.const(1);
    body.op(op.and);
    body.const(29);
    body.op(op.shl, op.or);
    body.get(above);
    body.const(28);
    body.op(op.shl, op.or);
    body.const(1);
    body.op(op.or, op.extendu);
    body.const64(32);
    body.op(op.shl64);
    body.get(number);
    body.const(2);
    body.op(op.and, op.eqz, op.extendu, op.or64);
    body.setLong(this.place(PLACE.CR + field));
  }

  #setBit({ bit, value }: Extract<Effect, { kind: 'bit' }>, changed: Places): void {
    const { body } = this;
    const shift = 3 - (bit & 3);
    this.#field(bit >> 2);
    body.const(~(1 << shift));
    body.op(op.and);
    this.value(value, changed);
    body.const(shift);
    body.op(op.shl, op.or);
    this.#setField(bit >> 2);
  }

  /** The condition register, on the stack: what memory has, but for the fields that have changed. */
  conditionRegister(changed: Places): void {
    const { body } = this;
    let stale = 0;
    for (let f = 0; f < 8; f++) if (changed.has(PLACE.CR + f)) stale |= 0xf0000000 >>> (4 * f);
    if (stale === -1) body.const(0);
    else this.#word(R.CR);
    if (stale !== 0 && stale !== -1) {
      body.const(~stale);
      body.op(op.and);
    }
    for (let f = 0; f < 8; f++) {
      if (!changed.has(PLACE.CR + f)) continue;
      this.#field(f);
      body.const(28 - 4 * f);
      body.op(op.shl, op.or);
    }
  }

  /** Fill the locals of places from memory. */
  load(places: Places): void {
    const { body } = this;
    this.#used = 0;
    places.forEach((n) => {
      if (n >= PLACE.CR) {
        this.#word(R.CR);
        body.const(28 - 4 * (n - PLACE.CR));
        body.op(op.shru);
        body.const(15);
        body.op(op.and);
        return this.#setField(n - PLACE.CR);
      }
      if (n === PLACE.CARRY) {
        this.#word(R.XER);
        body.const(29);
        body.op(op.shru);
        body.const(1);
        body.op(op.and);
      } else this.#word(wordOf(n));
      body.set(this.place(n));
    });
  }

  /** Write the locals of places to memory. */
  spill(places: Places): void {
    const { body } = this;
    this.#used = 0;
    places.forEach((n) => {
      if (n >= PLACE.CR) return;
      body.get(REGISTERS);
      if (n === PLACE.CARRY) {
        this.#word(R.XER);
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
