import { TRANSLATED_MARKS } from '../../bus/memory.js';
import { NO_PAGE, SLOTS, TABLES } from '../../mmu/lookaside.js';
import { word2 } from '../../mmu/tlb.js';
import { R } from '../state.js';
import { REFILLED, USES, type ColdSetting } from './cold-run.js';
import { EA, PAGE, TlbSearch, USE } from './tlb-search.js';
import { REGISTERS } from './emit-values.js';
import { KNOWN, PRESENT, SLOT_MASK, USER, USER_SLOT } from './known-pages.js';
import { INDEX_SHIFT, MAP, MOST_LOGGED, REGION } from './ram-map.js';
import { op, type Body } from './wasm-encoder.js';

/** From the tables for one use to those for the next. */
const TO_NEXT = TABLES.tags.write - TABLES.tags.read;

/**
 * How the interpreter for cold code has the lookaside remember a page: as `foresee` in `access.ts` does it, where that is plain, and of code
 * as `CodeCache` does. A booting Linux asks for a page every thousand instructions, and is over before V8 has optimized what it asks.
 */
export function refill(setting: ColdSetting): Body {
  return new Refill(setting).body;
}

class Refill extends TlbSearch {
  /** The tag that the page is to have, and where in the tables. */
  readonly #tag = this.body.local();
  readonly #place = this.body.local();
  /** Where the RAM region's words lie. */
  readonly #region = this.body.local();

  constructor(private readonly setting: ColdSetting) {
    super();
    this.#begin();
    this.find();
    this.unlessForbidden();
    this.physical();
    this.#findRam();
    this.#ofUse(USES.write, () => this.#log());
    this.#ofUse(USES.execute, () => this.#findTable());
    this.#fill();
    this.give(REFILLED.DONE);
    this.body.op(op.unreachable);
  }

  #begin(): void {
    const { body, setting } = this;
    const context = body.local();
    body.get(REGISTERS);
    this.isUse(USES.execute);
    body.const(2);
    body.op(op.shl, op.add);
    body.memory(op.load, 4 * R.DATA_CONTEXT); // behind which is CODE_CONTEXT
    body.tee(context);
    body.const(NO_PAGE);
    body.op(op.and);
    this.#map(MAP.COUNT);
    body.op(op.eqz, op.or);
    this.giveIf(REFILLED.UNKNOWN);
    body.get(EA);
    body.const(PAGE);
    body.op(op.and);
    body.get(context);
    body.op(op.or);
    body.set(this.#tag);
    this.#slot();
    body.get(USE);
    body.const(TO_NEXT);
    body.op(op.mul, op.add);
    body.tee(this.#place);
    body.memory(op.load, setting.lookaside.at + TABLES.tags.read);
    body.get(this.#tag);
    body.op(op.eq); // then it is misaligned, or code that has no table yet
    this.giveIf(REFILLED.REFUSED);
  }

  /** `#region` <- where the words of the memory lie that has the page, and `page` <- its number in the shared memory. */
  #findRam(): void {
    const { body } = this;
    const end = body.local();
    this.#map(MAP.COUNT);
    body.const(4 * REGION.WORDS);
    body.op(op.mul);
    body.set(end);
    const found = body.block();
    const again = body.loop();
    body.get(this.page);
    this.#ofRegion(REGION.FIRST);
    body.op(op.sub);
    this.#ofRegion(REGION.PAGES);
    body.op(op.ltu);
    body.brIf(found);
    this.orNext(this.#region, 4 * REGION.WORDS, end, again);
    body.end();
    this.isUse(USES.write);
    this.#ofRegion(REGION.READ_ONLY);
    body.op(op.and);
    this.giveIf(REFILLED.REFUSED);
    body.get(this.page);
    this.#ofRegion(REGION.DELTA);
    body.op(op.add);
    body.set(this.page);
  }

  /** A page that is about to be written: code may be translated from it, and it is no longer as it was. */
  #log(): void {
    const { body, setting } = this;
    const logged = body.local();
    body.get(this.page);
    body.const(TRANSLATED_MARKS.count - 1);
    body.op(op.and);
    body.const(1);
    body.op(op.shl);
    body.memory(op.load16u, TRANSLATED_MARKS.at);
    this.#map(MAP.LOGGED);
    body.tee(logged);
    body.const(MOST_LOGGED);
    body.op(op.eq, op.or);
    this.giveIf(REFILLED.UNKNOWN);
    body.get(logged);
    body.const(2);
    body.op(op.shl);
    body.get(this.page);
    body.get(this.#region);
    body.const(INDEX_SHIFT - Math.log2(4 * REGION.WORDS));
    body.op(op.shl, op.or);
    body.memory(op.store, setting.ram + 4 * MAP.LOG);
    body.const(0);
    body.get(logged);
    body.const(1);
    body.op(op.add);
    body.memory(op.store, setting.ram + 4 * MAP.LOGGED);
    this.#markZeroable();
  }

  /** dcbz may zero blocks of the page unless it is write-through or cache-inhibited. */
  #markZeroable(): void {
    const { body, setting } = this;
    this.#slot();
    this.#slot();
    body.const(2);
    body.op(op.shru);
    body.const(1);
    body.op(op.xor);
    body.const(12);
    body.op(op.shl); // as an empty slot has
    body.get(this.#tag);
    this.attributes();
    body.const(word2.W | word2.I);
    body.op(op.and, op.select);
    body.memory(op.store, setting.lookaside.at + TABLES.zeroable);
  }

  /** A page of code is of use with its table only. */
  #findTable(): void {
    const { body, setting } = this;
    const [user, known] = [body.local(), body.local()];
    body.get(this.#tag);
    body.const(USER);
    body.op(op.and);
    body.set(user);
    body.get(EA);
    body.const(12);
    body.op(op.shru);
    body.const(USER_SLOT);
    body.const(0);
    body.get(user);
    body.op(op.select, op.xor);
    body.const(SLOT_MASK);
    body.op(op.and);
    body.const(4 * KNOWN.WORDS);
    body.op(op.mul);
    body.tee(known);
    body.memory(op.load, setting.known + 4 * KNOWN.ADDRESS);
    body.get(EA);
    body.const(PAGE);
    body.op(op.and);
    body.get(user);
    body.op(op.or);
    body.const(PRESENT);
    body.op(op.or, op.ne);
    body.get(known);
    body.memory(op.load, setting.known + 4 * KNOWN.HOST);
    body.get(this.page);
    body.const(12);
    body.op(op.shl, op.ne, op.or);
    this.giveIf(REFILLED.UNKNOWN);
    this.#slot();
    body.get(known);
    body.memory(op.load, setting.known + 4 * KNOWN.TABLE);
    body.memory(op.store, setting.lookaside.at + TABLES.translations);
  }

  #fill(): void {
    const { body, setting } = this;
    body.get(this.#place);
    body.get(this.#tag);
    body.memory(op.store, setting.lookaside.at + TABLES.tags.read);
    body.get(this.#place);
    body.get(this.page);
    body.const(12);
    body.op(op.shl);
    body.get(EA);
    body.const(PAGE);
    body.op(op.and, op.sub);
    body.memory(op.store, setting.lookaside.at + TABLES.deltas.read);
  }

  /** Where in a table the word of the page's slot lies, on the stack. */
  #slot(): void {
    const { body } = this;
    body.get(EA);
    body.const(10);
    body.op(op.shru);
    body.const(4 * (SLOTS - 1));
    body.op(op.and);
  }

  #ofUse(use: number, write: () => void): void {
    this.isUse(use);
    this.body.if();
    write();
    this.body.end();
  }

  #map(word: number): void {
    this.body.const(0);
    this.body.memory(op.load, this.setting.ram + 4 * word);
  }

  #ofRegion(word: number): void {
    this.body.get(this.#region);
    this.body.memory(op.load, this.setting.ram + 4 * (MAP.REGIONS + word));
  }
}
