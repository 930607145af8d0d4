import { MSR } from '../../isa/registers.js';
import { LARGEST_PAGE, sizeFields, TLB_ENTRIES, word0, word1, word2 } from '../../mmu/tlb.js';
import { R, S, SYSTEM_WORDS } from '../state.js';
import { REFILLED, USES } from './cold-run.js';
import { REGISTERS } from './emit-values.js';
import { Body, op, type Label } from './wasm-encoder.js';

/** Its parameters behind the registers: the address, and one of USES. */
export const EA = 1;
export const USE = 2;

export const PAGE = ~0xfff;
const ENTRY_BYTES = 16;
const SIZES = sizeFields.reduce((all, field) => all | (1 << field), 0);

/** The part of a function that finds an address in the TLB, as `Tlb` does. It gives one of REFILLED. */
export class TlbSearch {
  readonly body = new Body(3);
  readonly #system = this.body.local();
  /** Where the TLB entry lies, and which bits of an address are not in its page's offset. */
  readonly #entry = this.body.local();
  readonly #mask = this.body.local();
  /** The number of the physical page of 4 KiB. */
  protected readonly page = this.body.local();

  /** `#entry` <- the first that maps the address. */
  protected find(): void {
    const { body } = this;
    const [wanted, end, first] = [body.local(), body.local(), body.local()];
    body.get(REGISTERS);
    body.memory(op.load, 4 * R.SYSTEM);
    body.tee(this.#system);
    body.const(4 * SYSTEM_WORDS);
    body.op(op.add);
    body.tee(this.#entry);
    body.const(ENTRY_BYTES * TLB_ENTRIES);
    body.op(op.add);
    body.set(end);
    body.get(EA);
    body.const(LARGEST_PAGE);
    body.op(op.and);
    body.const(word0.V);
    body.const(word0.V | word0.TS);
    body.get(this.#system);
    body.memory(op.load, 4 * S.msr);
    body.const(MSR.IS);
    body.const(MSR.DS);
    this.isUse(USES.execute);
    body.op(op.select, op.and, op.eqz, op.select, op.or);
    body.set(wanted);
    const found = body.block();
    const again = body.loop();
    const next = body.block();
    body.get(this.#entry);
    body.memory(op.load, 0);
    body.tee(first);
    body.get(wanted);
    body.op(op.xor);
    body.const(LARGEST_PAGE | word0.V | word0.TS);
    body.op(op.and);
    body.brIf(next);
    this.#unlessOurs(next);
    this.#pageMask(first, next);
    body.get(first);
    body.get(EA);
    body.op(op.xor);
    body.get(this.#mask);
    body.op(op.and, op.eqz);
    body.brIf(found);
    body.end();
    this.orNext(this.#entry, ENTRY_BYTES, end, again);
    body.end();
  }

  /** On to the next entry where this one is another process's. */
  #unlessOurs(next: Label): void {
    const { body } = this;
    const tid = body.local();
    body.get(this.#entry);
    body.memory(op.load, 12);
    body.tee(tid);
    body.const(0);
    body.op(op.ne);
    body.get(tid);
    body.get(this.#system);
    body.memory(op.load, 4 * S.pid);
    body.op(op.ne, op.and);
    body.brIf(next);
  }

  /** `#mask` <- the entry's; on where its size is none. Pages of 1 KiB in the same 4 KiB are left to `foresee`. */
  #pageMask(first: number, next: Label): void {
    const { body } = this;
    const field = body.local();
    body.get(first);
    body.const(4);
    body.op(op.shru);
    body.const(15);
    body.op(op.and);
    body.tee(field);
    body.op(op.eqz);
    body.if();
    body.get(first);
    body.get(EA);
    body.op(op.xor);
    body.const(PAGE);
    body.op(op.and);
    body.brIf(next);
    this.give(REFILLED.UNKNOWN);
    body.end();
    body.const(SIZES);
    body.get(field);
    body.op(op.shru);
    body.const(1);
    body.op(op.and, op.eqz);
    body.brIf(next);
    body.const(-1024);
    body.get(field);
    body.const(1);
    body.op(op.shl, op.shl);
    body.set(this.#mask);
  }

  protected unlessForbidden(): void {
    const { body } = this;
    body.const(word2.UR);
    body.const(word2.SR);
    body.get(this.#system);
    body.memory(op.load, 4 * S.msr);
    body.const(MSR.PR);
    body.op(op.and, op.select);
    body.get(USE); // the next bit, or the one behind that
    body.op(op.shl);
    this.attributes();
    body.op(op.and, op.eqz);
    this.giveIf(REFILLED.REFUSED);
  }

  /** `page` <- the physical page's number. */
  protected physical(): void {
    const { body } = this;
    const real = body.local();
    body.get(this.#entry);
    body.memory(op.load, 4);
    body.tee(real);
    body.const(word1.ERPN);
    body.op(op.and);
    body.const(20);
    body.op(op.shl);
    body.get(EA);
    body.get(real);
    body.get(EA);
    body.op(op.xor);
    body.get(this.#mask);
    body.op(op.and, op.xor); // the real page's bits where the mask has ones, else the address's
    body.const(12);
    body.op(op.shru, op.or);
    body.set(this.page);
  }

  /** The end of a loop through entries of so many bytes: on to the next, or, where that is the end, there is nothing to be found. */
  protected orNext(entry: number, bytes: number, end: number, again: Label): void {
    const { body } = this;
    body.get(entry);
    body.const(bytes);
    body.op(op.add);
    body.tee(entry);
    body.get(end);
    body.op(op.ne);
    body.brIf(again);
    body.end();
    this.give(REFILLED.REFUSED);
  }

  protected attributes(): void {
    this.body.get(this.#entry);
    this.body.memory(op.load, 8);
  }

  protected isUse(use: number): void {
    this.body.get(USE);
    this.body.const(use);
    this.body.op(op.eq);
  }

  protected give(result: number): void {
    this.body.const(result);
    this.body.op(op.return);
  }

  protected giveIf(result: number): void {
    this.body.if();
    this.give(result);
    this.body.end();
  }
}
