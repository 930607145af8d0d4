import { PAGE_SIZE } from '../../bus/memory.js';
import { decoderOf } from '../../isa/decode.js';
import { instructionsOf } from '../../isa/instructions.js';
import { disassemble } from '../../isa/disassemble.js';
import type { Feature, Instruction } from '../../isa/spec.js';
import { foresee } from '../access.js';
import type { Core } from '../core.js';
import { SLOTS } from '../../mmu/lookaside.js';
import { R } from '../state.js';
import { callbacks } from './callbacks.js';
import { TABLE_PLACES } from './cold.js';
import { makeTemplate, placed, type ColdTemplate } from './cold-template.js';
import { CodeCache, type TranslatedModule, type TranslatedPage } from './code-cache.js';
import { RESUMED, WHY } from './dispatch.js';
import { imports, ON_ELSEWHERE, ON_NEXT } from './emit-effects.js';
import type { Engine } from './engine.js';
import type { Setting } from './exits.js';
import { discover, type Code, type Decoder } from './discover.js';
import { HotPlaces, type Place } from './hot-places.js';
import { OutOfLine } from './out-of-line.js';
import { preparedTemplate } from './prepared.js';
import { KnownPages } from './known-pages.js';
import { listVariants } from './printed.js';
import { RamMap } from './ram-map.js';
import { pageOf, type Region } from './region.js';
import { sprTable } from './spr-tables.js';
import { translate } from './translate.js';
import { AMID, reaches } from './cold-ahead.js';
import { EMULATOR } from './cold-emulation.js';
import { encodeModule, type Body } from './wasm-encoder.js';
import { textOf } from './wasm-text.js';

/** How much a translator keeps. */
export interface TranslatorOptions {
  readonly features?: ReadonlySet<Feature>;
  /** Instructions that may be translated at a time. Default 2^18. */
  readonly cache?: number;
  /** How often code has to be wanted before it is translated: a power of 2. Default 16384. */
  readonly hot?: number;
  /**
   * Translate every place that is come to, at once and alone, also behind what the plain interpreter did. Slow: it is for tests,
   * which then test translations and nothing else. Default false.
   */
  readonly eager?: boolean;
}

const DEFAULT_CACHE = 2 ** 18;
export const DEFAULT_HOT = 16384;
const PAGES = 2048;
/** Less memory that nobody has reserved is too little for the tables. */
const LEAST_MEMORY = 2 ** 19;

/** What belongs to one core. */
interface CoreState {
  readonly cache: CodeCache;
  readonly hot: HotPlaces;
  readonly ram: RamMap;
  /** Whether what emulation looks up is in its place. */
  emulates: boolean;
  /** What emulates: see `cold-emulation.ts`. */
  emulator: WebAssembly.Callable | undefined;
}

/** A branch that has gone so often where nobody guessed tells its target: a power of 2. */
const LEARNING = 1024;

/** Pages of a region. */
const MOST_PAGES = 8;

interface PlacedRegion extends Region {
  /** What it is made from: the first page is where it is entered. */
  readonly pages: readonly TranslatedPage[];
  readonly setting: Setting;
}

/**
 * Translates code that is run often into WebAssembly, region by region, and interprets the rest, by an interpreter in
 * WebAssembly too. What neither does is left to the plain interpreter, an instruction at a time: accesses that the lookaside
 * does not have, and instructions with wide consequences. All of them count exactly.
 */
export class Translator implements Engine {
  readonly name = 'translator';
  readonly #stepper: OutOfLine;
  readonly #listed: ReturnType<typeof listVariants>;
  readonly #decode: Decoder;
  readonly #instructions: readonly Instruction[];
  readonly #cores = new WeakMap<Core, CoreState>();
  /** Where each has what the interpreter for cold code looks up. */
  readonly #tables = new WeakMap<Core, number>();
  #template: ColdTemplate | undefined;
  readonly #interpreters = new Map<string, WebAssembly.Module>();
  readonly #hot: number;
  readonly #learning: number;

  constructor(private readonly options: TranslatorOptions = {}) {
    this.#hot = options.eager ? 1 : (options.hot ?? DEFAULT_HOT);
    this.#learning = Math.min(this.#hot, LEARNING);
    const features = options.features ?? new Set();
    this.#instructions = instructionsOf(features);
    this.#listed = listVariants(this.#instructions);
    this.#stepper = new OutOfLine(this.#listed, true);
    this.#decode = decoderOf(this.#instructions);
  }

  /** Nothing is reserved where memory is short. The tables of a board's first core are always in the same place. */
  attach(core: Core): void {
    if (core.memory.free >= LEAST_MEMORY) this.#tables.set(core, core.memory.allocate(TABLE_PLACES.end));
  }

  run(core: Core): void {
    const state = this.#cores.get(core) ?? this.#begin(core);
    if (!state) return this.#stepper.run(core);
    this.#putReaches(core, state);
    state.ram.begin();
    this.#run(core, state);
    state.ram.end();
  }

  #run(core: Core, state: CoreState): void {
    const { words } = core.regs;
    const registers = words.byteOffset;
    for (let pc = words[R.PC]!; ;) {
      const left = words[R.LIMIT]! - words[R.COUNT]!;
      if (left <= 0) return;
      const why = state.cache.enter(registers, left, pc);
      if (why === WHY.STOPPED || words[R.COUNT]! >= words[R.LIMIT]!) return;
      pc = words[R.PC]!;
      if (why === WHY.OVERFLOW) {
        this.#expectOverflow(core, state.cache);
        pc |= RESUMED;
        continue;
      }
      if (why === WHY.TARGET) {
        this.#learn(core, state.cache, pc);
        continue;
      }
      if (why === WHY.COLD) {
        const next = this.#prepare(core, state, pc);
        if (next !== undefined) {
          pc = next;
          continue;
        }
      }
      const on = this.#interpret(core);
      if (on === 0) return;
      pc = on === ON_NEXT ? words[R.PC]! | RESUMED : words[R.PC]!;
    }
  }

  /** What generated code calls INTERPRET for. */
  #interpret(core: Core): number {
    const { words } = core.regs;
    const behind = (words[R.PC]! + 4) | 0;
    const isDone = core.dealsInPlace() || this.#stepper.step(core) || (core.trap !== null && core.dealsInPlace());
    if (core.trap !== null && words[R.DIRECT] !== 0) this.#cores.get(core)?.hot.trapped();
    if (!isDone || words[R.COUNT]! >= words[R.LIMIT]!) return 0;
    return words[R.PC] === behind && !this.options.eager ? ON_NEXT : ON_ELSEWHERE;
  }

  step(core: Core): void {
    this.#stepper.step(core);
  }

  emulate(core: Core, at: number): void {
    const state = this.#cores.get(core);
    if (!state?.emulator) return; // it has run nothing yet
    this.#putReaches(core, state);
    state.emulator(core.regs.words.byteOffset, at, AMID);
  }

  /** The cache, and what would be made now of the code at an address in a page that this core has run; nothing of a core that has not run. */
  show(core: Core, address: number): string[] {
    const cache = this.#cores.get(core)?.cache;
    if (!cache) return [];
    const [page] = cache.pagesAt(address);
    if (!page) return [cache.summary, 'no code of this page has been run lately'];
    const region = this.#regionOf(core, cache, { page, pc: address | 0, context: core.regs.words[R.CODE_CONTEXT]! });
    const instructions = region.blocks.flatMap((block) => block.instructions.map(({ pc }) => pc));
    const word = (pc: number): number => {
      const { host } = region.pages.find(({ base }) => (base | 0) === (pc & -PAGE_SIZE))!;
      return core.memory.words[(host + (pc & 0xffc)) >>> 2]!;
    };
    const written = (pc: number): string =>
      `${(pc >>> 0).toString(16).padStart(8, '0')}  ${disassemble(word(pc), pc >>> 0)}`;
    const head = `${instructions.length} instructions in ${region.blocks.length} blocks, entered at ${region.entries.length}`;
    return [cache.summary, head, ...textOf(translate(region, region.setting), written)];
  }

  /** Nothing is prepared for a core that is only stepped, nor where memory is short. */
  #begin(core: Core): CoreState | undefined {
    const { words } = core.regs;
    const tables = this.#tables.get(core);
    if (words[R.LIMIT]! - words[R.COUNT]! <= 1 || tables === undefined) return undefined;
    putTables(core, tables, this.#listed.table);
    const limits = {
      pages: Math.min(PAGES, Math.floor((core.memory.free * 2) / 3 / PAGE_SIZE)),
      instructions: this.options.cache ?? DEFAULT_CACHE,
      hot: this.#hot,
      learning: this.#learning,
      forgiving: this.options.eager ?? false,
    };
    const interpreter = this.#interpreterFor(core);
    const known = new KnownPages(core.memory, tables + TABLE_PLACES.known);
    const cache = new CodeCache(core.memory, core.lookaside, known, limits, (table) => {
      const functions = this.#link(core, table, interpreter);
      state.emulator = functions[EMULATOR];
      return functions[0]!;
    });
    const { eager: alone = false } = this.options;
    const state: CoreState = {
      cache,
      hot: new HotPlaces(this.#hot, { patient: this.#hot >= DEFAULT_HOT, alone }),
      ram: new RamMap(core, tables + TABLE_PLACES.ram),
      emulates: false,
      emulator: undefined,
    };
    this.#cores.set(core, state);
    return state;
  }

  #putReaches(core: Core, state: CoreState): void {
    if (state.emulates || core.regs.words[R.EMULATION] === 0) return;
    core.memory.bytes.set(reaches(this.#listed.variants), this.#tables.get(core)! + TABLE_PLACES.reach);
    state.emulates = true;
  }

  /** The functions of a module, on the memory of a core and the table of its code. */
  #link(core: Core, table: WebAssembly.Table, module: WebAssembly.Module): WebAssembly.Callable[] {
    const called = callbacks(core, {
      meet: (pc) => this.#meet(core, pc),
      interpret: () => this.#interpret(core),
    });
    const { exports } = new WebAssembly.Instance(module, { env: { memory: core.memory.wasm, table, ...called } });
    return Object.keys(exports).map((_, i) => exports[nameOf(i)]!);
  }

  /** What generated code calls MEET for: not where that has put another table in the place of its own. */
  #meet(core: Core, pc: number): number {
    const { cache } = this.#cores.get(core)!;
    const { table } = cache;
    return pageAt(core, cache, pc) && cache.table === table ? 1 : 0;
  }

  /** Cores whose tables lie in the same places have the same interpreter. */
  #interpreterFor(core: Core): WebAssembly.Module {
    const key = `${core.lookaside.at} ${this.#tables.get(core)!}`;
    const known = this.#interpreters.get(key);
    if (known) return known;
    const module = new WebAssembly.Module(this.interpreterOf(core));
    this.#interpreters.set(key, module);
    return module;
  }

  /** The module of a core's interpreter for cold code; memory was not short when the core was made. */
  interpreterOf(core: Core): Uint8Array<ArrayBuffer> {
    this.#template ??= this.#makeTemplate();
    return placed(this.#template, core.lookaside.at, this.#tables.get(core)!);
  }

  #makeTemplate(): ColdTemplate {
    const isUsual = this.#hot === DEFAULT_HOT && this.#instructions === instructionsOf(new Set());
    return (isUsual ? preparedTemplate() : undefined) ?? makeTemplate(this.#listed, this.#hot);
  }

  /** Where to go on with code that has no translation: undefined where even its page is not known. */
  #prepare(core: Core, { cache, hot }: CoreState, pc: number): number | undefined {
    const { lookaside } = core;
    const slot = (pc >>> 12) & (SLOTS - 1);
    const before = lookaside.translations[slot];
    const context = core.regs.words[R.CODE_CONTEXT]!;
    const page = pageAt(core, cache, pc);
    if (!page) return undefined;
    if (page.table !== before) return pc;
    if (!cache.isHot(page, pc)) return pc | RESUMED;
    core.syncClock();
    const places = hot.report({ page, pc, context }, core.retired);
    if (places.length > 0) this.#translate(core, cache, places);
    return pc | RESUMED;
  }

  #translate(core: Core, cache: CodeCache, places: readonly Place[]): void {
    const made = places.flatMap((wanted) => {
      const { page, pc } = wanted;
      if (!cache.has(page) || !cache.isHot(page, pc)) return []; // another region may have it by now
      const region = this.#regionOf(core, cache, wanted);
      if (region.blocks.length > 0) return [region];
      cache.giveUp(page, pc);
      return [];
    });
    this.#add(core, cache, made);
  }

  #add(core: Core, cache: CodeCache, made: readonly PlacedRegion[]): void {
    if (!cache.makeRoom(made.reduce((sum, { size }) => sum + size, 0))) return;
    const bodies = made.map((region) => translate(region, region.setting));
    const codes = this.#link(core, cache.table, compile(bodies));
    const module = { functions: 0 };
    made.forEach((region, i) => addRegion(cache, region, codes[i]!, module));
  }

  /** The branch at SITE goes to the pc: translate again what has it. */
  #learn(core: Core, cache: CodeCache, target: number): void {
    const site = core.regs.words[R.SITE]!;
    const context = core.regs.words[R.CODE_CONTEXT]!;
    const page = cache.pageOf(site, context);
    if (!page) return;
    const outdated = cache.learn(page, site, target);
    const made = outdated.map((place) => this.#regionOf(core, cache, { ...place, context }));
    if (made.length > 0) this.#add(core, cache, made);
  }

  /** The region of a place, with other pages as far as they are mapped and steady. */
  #regionOf({ memory, lookaside }: Core, cache: CodeCache, { page: first, pc: start, context }: Place): PlacedRegion {
    const known = new Map<number, TranslatedPage | undefined>([[first.base | 0, first]]);
    const find = (address: number): TranslatedPage | undefined => {
      const page = pageOf(address);
      if (!known.has(page)) known.set(page, known.size < MOST_PAGES ? cache.steadyPageOf(address, context) : undefined);
      return known.get(page);
    };
    const assumptions = { user: first.user, noOverflow: !first.overflow };
    const code: Code = {
      has: (address) => find(address) !== undefined,
      word: (address) => memory.words[(find(address)!.host + (address & 0xffc)) >>> 2]!,
      isWanted: (address) => cache.isCalled(find(address)!, address),
      targets: (address) => find(address)!.targets.get(address),
    };
    const region = discover(code, start, this.#decode, assumptions);
    const bases = new Set([first.base | 0, ...region.blocks.map(({ pc }) => pageOf(pc))]);
    const pages = [...bases].map((base) => known.get(base)!);
    const translations = new Map(pages.map(({ base, table }) => [base | 0, table]));
    return { ...region, pages, setting: { lookaside, assumptions, translations, learning: this.#learning } };
  }

  #expectOverflow(core: Core, cache: CodeCache): void {
    const { words } = core.regs;
    const page = cache.pageOf(words[R.PC]!, words[R.CODE_CONTEXT]!);
    if (!page) return;
    cache.clear(page);
    page.overflow = true;
  }
}

/** The page of an address that may be executed; asked for where the lookaside does not have it. */
function pageAt(core: Core, cache: CodeCache, pc: number): TranslatedPage | undefined {
  const context = core.regs.words[R.CODE_CONTEXT]!;
  return cache.pageOf(pc, context) ?? (foresee(core, pc, 'execute') ? cache.pageOf(pc, context) : undefined);
}

/** Puts what the interpreter for cold code looks up into the shared memory. */
function putTables({ memory }: Core, at: number, decoding: Uint16Array): void {
  memory.halves.set(decoding, at >>> 1);
  memory.words.set(sprTable('read'), (at + TABLE_PLACES.readSpr) >>> 2);
  memory.words.set(sprTable('write'), (at + TABLE_PLACES.writeSpr) >>> 2);
}

function addRegion(
  cache: CodeCache,
  { blocks, entries, pages }: PlacedRegion,
  code: WebAssembly.Callable,
  module: TranslatedModule,
): void {
  cache.add(pages, code, {
    module,
    from: blocks.flatMap(({ instructions }) => instructions.map(({ pc }) => pc)),
    entries: entries.flatMap((block, i) => {
      const { pc, instructions } = blocks[block]!;
      return instructions.length > 0 ? [[pc, i] as const] : [];
    }),
    learns: blocks.flatMap(({ learns, instructions }) => (learns ? [instructions.at(-1)!.pc] : [])),
  });
}

const nameOf = (i: number): string => `f${i}`;

const compile = (bodies: readonly Body[]): WebAssembly.Module =>
  new WebAssembly.Module(
    encodeModule(
      bodies.map((body, i) => ({ name: nameOf(i), body })),
      imports,
    ),
  );
