import { PAGE_SIZE } from '../../bus/memory.js';
import { TABLES } from '../../mmu/lookaside.js';
import { CACHE_BLOCK } from '../access.js';
import { R } from '../state.js';
import { REGISTERS, ValueWriter, type Operand } from './emit-values.js';
import { mayRepeat, operandsOf, type Effect } from './effects.js';
import { Places } from './places.js';
import { PLACE, type Value } from './value.js';
import { op } from './wasm-encoder.js';

/** How to leave an instruction if what is on the stack is not 0: before it, for the interpreter to do it, or behind it. */
export interface WaysOut {
  readonly refuse: () => void;
  readonly behind: () => void;
}

/** Functions that generated code calls, by their numbers. */
export const imports = [{ name: 'writeTlb', parameters: 4 }] as const;
const WRITE_TLB = 0;

/** Writes effects as WebAssembly. */
export class EffectWriter extends ValueWriter {
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
        return ways.refuse();
      case 'branch':
        return;
      default:
        return this.#storage(effect, at, changed, ways);
    }
  }

  #storage(effect: Extract<Effect, { address: Value }>, at: number, changed: Places, ways: WaysOut): void {
    const { body } = this;
    switch (effect.kind) {
      case 'load': {
        const ea = this.keep(effect.address, changed);
        this.#host(ea, 'read', effect.width / 8, ways);
        this.#swizzle(effect.width);
        body.memory(effect.width === 32 ? op.load : effect.width === 16 ? op.load16u : op.load8u, 0);
        const result = this.temporary();
        this.results[at] = result;
        return body.set(result);
      }
      case 'store': {
        const ea = this.keep(effect.address, changed);
        this.#host(ea, 'write', effect.width / 8, ways);
        this.#swizzle(effect.width);
        this.value(effect.value, changed);
        return body.memory(effect.width === 32 ? op.store : effect.width === 16 ? op.store16 : op.store8, 0);
      }
      case 'storeConditional': {
        const ea = this.keep(effect.address, changed);
        const value = this.keep(effect.value, changed);
        const host = this.temporary();
        this.#host(ea, 'write', 4, ways);
        body.set(host);
        this.word(R.RESERVED);
        body.if();
        body.get(host);
        body.get(value);
        body.memory(op.store, 0);
        return body.end();
      }
      case 'touch': {
        const ea = this.keep(effect.address, changed);
        this.#miss(ea, TABLES.tags[effect.access], 1);
        return ways.refuse();
      }
      case 'zero': {
        const ea = this.keep(effect.address, changed);
        const slot = this.#miss(ea, TABLES.zeroable, 1);
        ways.refuse();
        return this.#zero(ea, slot);
      }
      case 'transfer':
        return this.#transfer(effect, changed, ways);
      case 'loadMultiple':
      case 'storeMultiple':
        return this.#multiple(effect, changed, ways);
    }
  }

  /** Zero the cache block of an address in a page that is remembered for writing. */
  #zero(ea: number, slot: number): void {
    const { body, lookaside } = this;
    body.get(slot);
    body.memory(op.load, lookaside.at + TABLES.deltas.write);
    body.get(ea);
    body.const(-CACHE_BLOCK);
    body.op(op.and, op.add);
    body.set(slot);
    for (let i = 0; i < CACHE_BLOCK; i += 8) {
      body.get(slot);
      body.const64(0);
      body.memory(op.store64, i);
    }
  }

  /** All words lie in one page, or the interpreter does it. */
  #multiple(
    { kind, first, address }: Extract<Effect, { kind: 'loadMultiple' | 'storeMultiple' }>,
    changed: Places,
    ways: WaysOut,
  ): void {
    const { body } = this;
    const ea = this.keep(address, changed);
    const host = this.temporary();
    body.get(ea);
    body.const(0xfff);
    body.op(op.and);
    body.const(4096 - 4 * (32 - first));
    body.op(op.gtu);
    ways.refuse();
    this.#host(ea, kind === 'loadMultiple' ? 'read' : 'write', 4, ways);
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

  /** The same in a loop over registers in memory. */
  #transfer({ access, first, address }: Extract<Effect, { kind: 'transfer' }>, changed: Places, ways: WaysOut): void {
    const { body } = this;
    const ea = this.keep(address, changed);
    const register = this.temporary();
    const host = this.temporary();
    this.register(first, changed);
    body.set(register);
    body.get(ea);
    body.const(0xfff);
    body.op(op.and);
    body.const(PAGE_SIZE);
    this.#bytesFrom(register);
    body.op(op.sub, op.gtu);
    ways.refuse();
    this.#host(ea, access, 4, ways);
    body.set(host);
    const next = body.loop();
    const [to, from] = access === 'read' ? [register, host] : [host, register];
    body.get(to);
    body.get(from);
    body.memory(op.load, 0);
    body.memory(op.store, 0);
    for (const local of [host, register]) {
      body.get(local);
      body.const(4);
      body.op(op.add);
      body.set(local);
    }
    this.#bytesFrom(register);
    body.brIf(next);
    body.end();
  }

  /** Bytes from a place among the general purpose registers to their end, on the stack. */
  #bytesFrom(register: number): void {
    const { body } = this;
    body.get(REGISTERS);
    body.const(4 * (R.GPR + 32));
    body.op(op.add);
    body.get(register);
    body.op(op.sub);
  }

  /** Where in the shared memory an address lies, on the stack; leaves where that is not remembered or it is misaligned. */
  #host(ea: number, use: 'read' | 'write', bytes: number, ways: WaysOut): void {
    const { body, lookaside } = this;
    const slot = this.#miss(ea, TABLES.tags[use], bytes);
    ways.refuse();
    body.get(slot);
    body.memory(op.load, lookaside.at + TABLES.deltas[use]);
    body.get(ea);
    body.op(op.add);
  }

  /** Whether the page of an address is not in this table of tags, on the stack; gives the local of its slot's offset. */
  #miss(ea: number, tags: number, bytes: number): number {
    const { body, lookaside } = this;
    const slot = this.temporary();
    body.get(ea);
    body.const(10);
    body.op(op.shru);
    body.const(0xffc);
    body.op(op.and);
    body.tee(slot);
    body.memory(op.load, lookaside.at + tags);
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
