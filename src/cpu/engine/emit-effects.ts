import { R } from '../state.js';
import { StorageWriter, type WaysOut } from './emit-storage.js';
import { REGISTERS, type Operand } from './emit-values.js';
import { mayRepeat, operandsOf, type Effect } from './effects.js';
import { Places } from './places.js';
import { PLACE, type Value } from './value.js';
import { op } from './wasm-encoder.js';

/** Functions that generated code calls, by their numbers. */
export const imports = [
  { name: 'writeTlb', parameters: 4 },
  { name: 'foresee', parameters: 2 },
  { name: 'meet', parameters: 1 },
  { name: 'interpret', parameters: 0 },
] as const;
const WRITE_TLB = 0;
/** (address, 1 to write and 0 to read): whether the lookaside has got the page. */
export const FORESEE = 1;
/** (pc): whether its page has a table of translations now. */
export const MEET = 2;
/**
 * The plain interpreter does the instruction at the pc; COUNT and the pc are in their words before and after. 0: nothing is to be run
 * behind it; ON_NEXT: what follows it, ON_ELSEWHERE: something else.
 */
export const INTERPRET = 3;
export const ON_NEXT = 1;
export const ON_ELSEWHERE = 2;

/** Writes effects as WebAssembly. */
export class EffectWriter extends StorageWriter {
  /**
   * Write an instruction's effects but for a branch. `changed`: places that memory does not have. `refuse` writes how to leave
   * before the instruction where what is on the stack is not 0, `behind` how to leave behind it.
   */
  effects(effects: readonly Effect[], changed: Places, ways: WaysOut): void {
    this.used = 0;
    this.results = [];
    const last = effects.at(-1);
    if (last?.kind === 'branch' && mayRepeat(last)) {
      this.value(last.target, changed);
      this.pc();
      this.body.op(op.eq);
      this.value(last.repeats, changed);
      this.body.op(op.and);
      ways.refuse();
    }
    effects.forEach((effect, i) => {
      if (effect.kind !== 'branch') this.#effect(effect, i, effects, changed, ways);
    });
  }

  #effect(effect: Effect, at: number, all: readonly Effect[], changed: Places, ways: WaysOut): void {
    const { body } = this;
    switch (effect.kind) {
      case 'set':
        this.value(effect.value, changed);
        this.#save(all, at, (v) => v.op === 'place' && v.n === effect.place);
        return body.set(this.place(effect.place));
      case 'compare':
        return this.#compare(effect, changed);
      case 'field':
        this.value(effect.value, changed);
        return this.conditions.setField(effect.field);
      case 'bit':
        return this.#setBit(effect, changed);
      case 'register':
        this.register(effect.number, changed);
        this.value(effect.value, changed);
        this.#save(all, at, (v) => v.op === 'register');
        return body.memory(op.store, 0);
      case 'word':
        body.get(REGISTERS);
        this.value(effect.value, changed);
        this.#save(all, at, (v) => v.op === 'word' && v.n === effect.word);
        return body.memory(op.store, effect.word * 4);
      case 'system':
        this.systemBase();
        this.value(effect.value, changed);
        return body.memory(op.store, effect.word * 4);
      case 'tlb':
        this.value(effect.entry, changed);
        this.value(effect.word, changed);
        this.value(effect.value, changed);
        this.pc();
        body.call(WRITE_TLB);
        return ways.behind();
      case 'refuse':
        this.value(effect.condition, changed);
        return ways.refuse(effect.denied);
      case 'branch':
        return;
      default:
        return this.storage(effect, at, changed, ways);
    }
  }

  /** Something is about to change: later effects that have looked at it before get a copy. What is on the stack stays. */
  #save(all: readonly Effect[], at: number, isIt: (value: Value) => boolean): void {
    const visit = (value: Value | undefined): void => {
      if (!value || value.kept >= 0) return;
      if (isIt(value) && value.born <= at) {
        const local = this.temporary();
        this.value(value, Places.none);
        this.body.set(local);
        value.kept = local;
      }
      visit(value.a);
      visit(value.b);
      visit(value.c);
    };
    for (const effect of all.slice(at + 1)) operandsOf(effect).forEach(visit);
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
      this.word(R.XER);
      body.const(31);
      body.op(op.shru, op.extendu);
      body.const64(61);
      body.op(op.shl64, op.xor64);
    }
    body.setLong(this.place(PLACE.CR + effect.field));
  }

  #setBit({ bit, value }: Extract<Effect, { kind: 'bit' }>, changed: Places): void {
    const { body } = this;
    const shift = 3 - (bit & 3);
    this.conditions.field(bit >> 2);
    body.const(~(1 << shift));
    body.op(op.and);
    this.value(value, changed);
    body.const(shift);
    body.op(op.shl, op.or);
    this.conditions.setField(bit >> 2);
  }
}
