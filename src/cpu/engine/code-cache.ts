import type { CodeWatcher, SharedMemory } from '../../bus/memory.js';
import { PAGE_SIZE } from '../../bus/memory.js';
import { contextOf, SLOTS, type Lookaside } from '../../mmu/lookaside.js';
import { BranchTargets } from './branch-targets.js';
import { COLD_INDEX, translation } from './dispatch.js';
import type { KnownPages } from './known-pages.js';

/** Code of one page of memory, as it is used at one effective address in one privilege state. */
export interface TranslatedPage {
  /** Offset in the shared memory. */
  readonly host: number;
  /** Effective address. */
  readonly base: number;
  readonly user: boolean;
  /** Where its table lies in the shared memory: a word for each of the page's. Above 0 a translation, below how often it was wanted. */
  readonly table: number;
  /** Words that some translation was made from: a byte for each of the page's, or none while there is no translation. */
  covered: Uint8Array;
  /** The functions that are made from it. */
  readonly functions: Set<TranslatedFunction>;
  /** Where branches of it have been seen to go that have no fixed target. */
  readonly targets: Map<number, BranchTargets>;
  /** XER[SO] has been met set: it is not taken for 0 any more. */
  overflow: boolean;
  /** How often its translations had to go, or nearly had to. */
  spoilt: number;
}

/** A region in the table. */
export interface TranslatedFunction {
  readonly index: number;
  /** What it is made from: the first page is where it is entered. */
  readonly pages: readonly TranslatedPage[];
  /** Where it begins, and the branches whose targets are learnt. */
  readonly start: number;
  readonly learns: readonly number[];
  /** Instructions. */
  readonly size: number;
  readonly module: TranslatedModule;
}

/** What was compiled together. */
export interface TranslatedModule {
  /** How many of its functions are in the table. */
  functions: number;
}

/** How often a place has to be wanted is doubled each time that its page is spoilt, up to so many times. */
const COLDEST = 20;
/** More often nothing is counted. */
const MOST = 2 ** 30;
/** A function is taken in where it is called that has been wanted this part of the times that code has to be. */
const CALLED = 1 / 16;
/** Stores beside translated code, one of which costs as much as dozens of instructions: so many spoil a page. */
const PATIENCE = 4096;
/**
 * V8 keeps what has been linked with a table for as long as the table, and goes through all of that whenever it is changed: so
 * many instructions of translations that are gone, or so many modules, are worth a new table.
 */
const MOST_GONE = { instructions: 2 ** 18, modules: 256 };

/** Both addresses are multiples of PAGE_SIZE below 2^32. */
const keyOf = (host: number, base: number, user: boolean): number => host * 2 ** 20 + base / 2048 + (user ? 1 : 0);

const PER_USER = contextOf(0, 0, true);

export interface Limits {
  /** Pages with translations, at a time. */
  readonly pages: number;
  /** Instructions translated, at a time. */
  readonly instructions: number;
  /** A place that has been wanted so often is translated. */
  readonly hot: number;
  /** A branch that has gone so often where nobody guessed tells its target: a power of 2. */
  readonly learning: number;
  /** Translate code of spoilt pages as soon as any other. */
  readonly forgiving: boolean;
}

/**
 * What has been translated for one core. Its tables are found from the lookaside, so that a change of mapping, process or
 * privilege needs nothing here. When there is no room, everything goes.
 */
export class CodeCache implements CodeWatcher {
  #table = newTable();
  #enter: WebAssembly.Callable | undefined;
  readonly #words: Int32Array;
  readonly #pages = new Map<number, TranslatedPage>();
  readonly #byHost = new Map<number, TranslatedPage[]>();
  readonly #tables: { readonly first: number; readonly count: number };
  #tablesUsed = 0;
  /** So many of them have been used at some time: the others are zero as memory is at first. */
  #tablesWritten = 0;
  #functions = COLD_INDEX + 1;
  readonly #free: number[] = [];
  #besides = new Map<number, number>();
  #gone = { instructions: 0, modules: 0 };
  /** Instructions translated, and how many of them are allowed. */
  size = 0;
  /** How often everything had to go. */
  flushes = 0;
  /** How often there was a new table of functions. */
  tables = 0;

  constructor(
    private readonly memory: SharedMemory,
    private readonly lookaside: Lookaside,
    private readonly known: KnownPages,
    private readonly limits: Limits,
    /** Links the interpreter for cold code with a table. */
    private readonly interpreter: (table: WebAssembly.Table) => WebAssembly.Callable,
  ) {
    this.#words = memory.words;
    this.#tables = { first: memory.allocate(limits.pages * PAGE_SIZE), count: limits.pages };
    memory.watchCode(this);
  }

  /** Where the functions are that call each other: another one now and then. */
  get table(): WebAssembly.Table {
    return this.#table;
  }

  /** The interpreter for cold code, which goes on to translations: (registers, left, pc) → why. */
  get enter(): WebAssembly.Callable {
    if (this.#enter) return this.#enter;
    this.#enter = this.interpreter(this.#table);
    this.#table.set(COLD_INDEX, this.#enter);
    return this.#enter;
  }

  /** The page of an address that the lookaside has for execution, ready to be entered by generated code; else undefined. */
  pageOf(pc: number, context: number): TranslatedPage | undefined {
    const at = this.lookaside.find('execute', pc, context);
    if (at < 0) return undefined;
    const host = at - (at % PAGE_SIZE);
    const base = (pc & -PAGE_SIZE) >>> 0;
    const page = this.#page(host, base, (context & PER_USER) !== 0);
    this.lookaside.translations[(pc >>> 12) & (SLOTS - 1)] = page.table;
    this.known.put(page);
    return page;
  }

  /** The page of an address that the lookaside has for execution, if something of it has been wanted before and it is seldom written to. */
  steadyPageOf(address: number, context: number): TranslatedPage | undefined {
    const at = this.lookaside.find('execute', address, context);
    if (at < 0) return undefined;
    const page = this.#pages.get(
      keyOf(at - (at % PAGE_SIZE), (address & -PAGE_SIZE) >>> 0, (context & PER_USER) !== 0),
    );
    return page && (page.spoilt === 0 || this.limits.forgiving) ? page : undefined;
  }

  #page(host: number, base: number, user: boolean): TranslatedPage {
    const key = keyOf(host, base, user);
    const known = this.#pages.get(key);
    if (known) return known;
    if (this.#tablesUsed === this.#tables.count) this.flush();
    const table = this.#tables.first + this.#tablesUsed++ * PAGE_SIZE;
    if (this.#tablesUsed <= this.#tablesWritten) this.#words.fill(0, table >>> 2, (table + PAGE_SIZE) >>> 2);
    else this.#tablesWritten = this.#tablesUsed;
    const page = {
      host,
      base,
      user,
      table,
      covered: NOTHING,
      functions: new Set<TranslatedFunction>(),
      targets: new Map<number, BranchTargets>(),
      overflow: false,
      spoilt: 0,
    };
    this.#pages.set(key, page);
    this.#byHost.set(host, [...(this.#byHost.get(host) ?? []), page]);
    return page;
  }

  /** The pages at an effective address, those with translations first. */
  pagesAt(address: number): TranslatedPage[] {
    const base = (address & -PAGE_SIZE) >>> 0;
    return [...this.#pages.values()]
      .filter((page) => page.base === base)
      .sort((a, b) => b.functions.size - a.functions.size);
  }

  /** What it holds, for a person. */
  get summary(): string {
    const spoilt = [...this.#pages.values()].filter((page) => page.spoilt > 0).length;
    const pages = `${this.#pages.size} pages, ${spoilt} of them written to`;
    return `code cache: ${this.size} of ${this.limits.instructions} instructions, ${pages}; emptied ${this.flushes} times, linked anew ${this.tables}`;
  }

  /** Is a page still known? */
  has(page: TranslatedPage): boolean {
    return this.#byHost.get(page.host)?.includes(page) ?? false;
  }

  /** Has a place been wanted often enough to be translated? */
  isHot(page: TranslatedPage, pc: number): boolean {
    const times = -this.#words[(page.table + (pc & 0xffc)) >>> 2]!;
    const coldness = this.limits.forgiving ? 0 : Math.min(page.spoilt, COLDEST);
    if (times >= MOST) this.giveUp(page, pc);
    return times < MOST && times >= this.limits.hot * 2 ** coldness;
  }

  /** Has a function been wanted often enough to be taken in where it is called? */
  isCalled(page: TranslatedPage, pc: number): boolean {
    const word = this.#words[(page.table + (pc & 0xffc)) >>> 2]!;
    return word > 0 || -word >= this.limits.hot * CALLED;
  }

  /** There is nothing to translate at a place: it has to be wanted as often again, as it may have been rewritten by then. */
  giveUp(page: TranslatedPage, pc: number): void {
    this.#words[(page.table + (pc & 0xffc)) >>> 2] = 0;
  }

  /** A number for a function. */
  #reserve(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#functions === this.#table.length) this.#table.grow(this.#table.length);
    return this.#functions++;
  }

  /** Is there room for so many more instructions? If not, everything goes; pages have to be looked up again. */
  makeRoom(instructions: number): boolean {
    const { instructions: gone, modules } = this.#gone;
    if (gone > MOST_GONE.instructions || modules > MOST_GONE.modules) this.#renewTable();
    if (this.size + instructions <= this.limits.instructions) return true;
    this.flush();
    return false;
  }

  /** A function of a module has been made from these words of these pages, entered at these words of the first. */
  add(
    pages: readonly TranslatedPage[],
    code: WebAssembly.Callable,
    made: {
      readonly module: TranslatedModule;
      readonly from: readonly number[];
      readonly entries: readonly (readonly [pc: number, entry: number])[];
      readonly learns: readonly number[];
    },
  ): void {
    const index = this.#reserve();
    this.#table.set(index, code);
    made.module.functions++;
    const { module, learns } = made;
    const translated = { index, pages, start: made.entries[0]![0], learns, size: made.from.length, module };
    this.size += translated.size;
    for (const page of pages) {
      if (page.functions.size === 0) this.memory.countTranslations(page.host, 1);
      if (page.covered === NOTHING) page.covered = new Uint8Array(PAGE_SIZE / 4);
      page.functions.add(translated);
    }
    for (const pc of made.from) {
      const page = pages.find(({ base }) => base === (pc & -PAGE_SIZE) >>> 0)!;
      page.covered[(pc & 0xffc) >>> 2] = 1;
    }
    for (const [pc, entry] of made.entries) {
      const at = (pages[0]!.table + (pc & 0xffc)) >>> 2;
      if (this.#words[at]! <= 0) this.#words[at] = translation(index, entry);
    }
  }

  /** Let go of a page's translations. */
  clear(page: TranslatedPage): void {
    if (page.functions.size === 0) return;
    for (const translated of page.functions) {
      this.#remove(translated);
      if (translated.pages[0] !== page) this.#forgetEntries(translated);
    }
    this.#words.fill(0, page.table >>> 2, (page.table + PAGE_SIZE) >>> 2);
    page.targets.clear();
  }

  /** A branch has been seen to go somewhere: gives what has to be translated again for that, and lets go of it. */
  learn(page: TranslatedPage, site: number, target: number): { page: TranslatedPage; pc: number }[] {
    const targets = page.targets.get(site) ?? new BranchTargets();
    page.targets.set(site, targets);
    const next = targets.add(target);
    // Generated code counts down, and tells at multiples of `learning`
    this.#words[(page.table + (site & 0xffc)) >>> 2] = Math.min(0, next === 0 ? 0 : next - this.limits.learning);
    if (next > 0) return [];
    const outdated = [...page.functions].filter(({ learns }) => learns.includes(site));
    for (const translated of outdated) {
      this.#remove(translated);
      this.#forgetEntries(translated);
    }
    return outdated.map(({ pages, start }) => ({ page: pages[0]!, pc: start }));
  }

  #forgetEntries({ index, pages }: TranslatedFunction): void {
    const [first, last] = [translation(index, 0), translation(index + 1, 0)];
    const at = pages[0]!.table >>> 2;
    for (let i = at; i < at + PAGE_SIZE / 4; i++) {
      if (this.#words[i]! >= first && this.#words[i]! < last) this.#words[i] = 0;
    }
  }

  #remove(translated: TranslatedFunction): void {
    const { index, pages, size, module } = translated;
    this.size -= size;
    this.#gone.instructions += size;
    if (--module.functions === 0) this.#gone.modules++;
    this.#table.set(index, null);
    this.#free.push(index);
    for (const page of pages) {
      page.functions.delete(translated);
      if (page.functions.size > 0) continue;
      this.memory.countTranslations(page.host, -1);
      page.covered.fill(0);
    }
  }

  /** Let go of everything. */
  flush(): void {
    this.#renewTable();
    this.#pages.clear();
    this.#byHost.clear();
    this.#besides.clear();
    this.lookaside.translations.fill(0);
    this.known.clear();
    this.#tablesUsed = 0;
    this.flushes++;
  }

  /** Let go of all translations; what is known of pages stays. */
  #renewTable(): void {
    if (this.#functions === COLD_INDEX + 1) return; // there has been none
    for (const { functions, host, covered, table } of this.#pages.values()) {
      if (functions.size === 0) continue;
      this.memory.countTranslations(host, -1);
      functions.clear();
      covered.fill(0);
      this.#words.fill(0, table >>> 2, (table + PAGE_SIZE) >>> 2);
    }
    this.size = 0;
    this.#table = newTable();
    this.#enter = undefined;
    this.#functions = COLD_INDEX + 1;
    this.#free.length = 0;
    this.#gone = { instructions: 0, modules: 0 };
    this.tables++;
  }

  protect(): void {}

  changed(at: number, size: number): void {
    const host = at - (at % PAGE_SIZE);
    const pages = this.#byHost.get(host);
    if (!pages) return;
    const [first, last] = [(at - host) >>> 2, (at - host + size - 1) >>> 2];
    const besides = (this.#besides.get(host) ?? 0) + 1;
    this.#besides.set(host, besides % PATIENCE);
    for (const page of pages) {
      if (besides < PATIENCE && !page.covered.subarray(first, last + 1).includes(1)) continue;
      this.clear(page);
      page.spoilt++;
    }
  }
}

const NOTHING = new Uint8Array(0);

const newTable = (): WebAssembly.Table => new WebAssembly.Table({ element: 'anyfunc', initial: 64 });
