import { PAGE_SIZE } from '../../bus/memory.js';
import { TABLES } from '../../mmu/lookaside.js';
import { CACHE_BLOCK } from '../access.js';
import { R } from '../state.js';
import { REGISTERS, ValueWriter } from './emit-values.js';
import type { Effect } from './effects.js';
import type { Places } from './places.js';
import type { Value } from './value.js';
import { op } from './wasm-encoder.js';

/** How to leave an instruction if what is on the stack is not 0: before it, for the interpreter to do it, or behind it. */
export interface WaysOut {
  readonly refuse: (denied?: boolean) => void;
  readonly behind: () => void;
  /** As `refuse`, where the lookaside does not have the page of the address in this local for that: it may have it after a call. */
  readonly missed?: (ea: number, use: 'read' | 'write') => void;
}

/** Writes effects on storage as WebAssembly: what the lookaside's tables have is done in place. */
export class StorageWriter extends ValueWriter {
  protected storage(effect: Extract<Effect, { address: Value }>, at: number, changed: Places, ways: WaysOut): void {
    const { body } = this;
    switch (effect.kind) {
      case 'load': {
        const ea = this.keep(effect.address, changed);
        const result = this.temporary();
        this.results[at] = result;
        const split = this.#orSplit(ea, 'read', effect.width, ways, (host) => {
          this.#joinBytes(host, effect.width / 8);
          body.set(result);
        });
        if (!split) this.#host(ea, 'read', effect.width / 8, ways);
        this.#swizzle(effect.width);
        body.memory(effect.width === 32 ? op.load : effect.width === 16 ? op.load16u : op.load8u, 0);
        body.set(result);
        if (split) body.end();
        return;
      }
      case 'store': {
        const ea = this.keep(effect.address, changed);
        const value = this.misaligned && effect.width > 8 ? this.keep(effect.value, changed) : undefined;
        const split = this.#orSplit(ea, 'write', effect.width, ways, (host) =>
          this.#storeBytes(host, value!, effect.width / 8),
        );
        if (!split) this.#host(ea, 'write', effect.width / 8, ways);
        this.#swizzle(effect.width);
        if (value === undefined) this.value(effect.value, changed);
        else body.get(value);
        body.memory(effect.width === 32 ? op.store : effect.width === 16 ? op.store16 : op.store8, 0);
        if (split) body.end();
        return;
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
        return this.#refuse(ea, effect.access, ways);
      }
      case 'zero': {
        const ea = this.keep(effect.address, changed);
        const slot = this.#miss(ea, TABLES.zeroable, 1);
        this.#refuse(ea, 'write', ways);
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
    this.#refuse(ea, use, ways);
    body.get(slot);
    body.memory(op.load, lookaside.at + TABLES.deltas[use]);
    body.get(ea);
    body.op(op.add);
  }

  #refuse(ea: number, use: 'read' | 'write', { missed, refuse }: WaysOut): void {
    if (missed) missed(ea, use);
    else refuse();
  }

  /** Misaligned loads and stores are done in place where they stay in a page, instead of refused. */
  misaligned = false;

  /**
   * Where that is wanted: `split` writes what is done where an access is misaligned, given the local that has its place in the
   * shared memory; what follows, up to the `end` that the caller owes, is for the others, whose place is on the stack.
   */
  #orSplit(ea: number, use: 'read' | 'write', width: number, ways: WaysOut, split: (host: number) => void): boolean {
    if (!this.misaligned || width === 8) return false;
    const { body, lookaside } = this;
    const host = this.temporary();
    const slot = this.#miss(ea, TABLES.tags[use], 1);
    this.#refuse(ea, use, ways);
    body.get(slot);
    body.memory(op.load, lookaside.at + TABLES.deltas[use]);
    body.get(ea);
    body.op(op.add);
    body.set(host);
    body.get(ea);
    body.const(width / 8 - 1);
    body.op(op.and);
    body.if();
    body.get(ea);
    body.const(0xfff);
    body.op(op.and);
    body.const(PAGE_SIZE - width / 8);
    body.op(op.gtu);
    ways.refuse();
    split(host);
    body.else();
    body.get(host);
    return true;
  }

  /** The value of bytes at any place, on the stack. */
  #joinBytes(host: number, bytes: number): void {
    const { body } = this;
    for (let i = 0; i < bytes; i++) {
      this.#placeOfByte(host, i);
      body.memory(op.load8u, 0);
      if (i < bytes - 1) {
        body.const(8 * (bytes - 1 - i));
        body.op(op.shl);
      }
      if (i > 0) body.op(op.or);
    }
  }

  #storeBytes(host: number, value: number, bytes: number): void {
    const { body } = this;
    for (let i = 0; i < bytes; i++) {
      this.#placeOfByte(host, i);
      body.get(value);
      body.const(8 * (bytes - 1 - i));
      body.op(op.shru);
      body.memory(op.store8, 0);
    }
  }

  #placeOfByte(host: number, i: number): void {
    const { body } = this;
    body.get(host);
    body.const(i);
    body.op(op.add);
    this.#swizzle(8);
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
}
