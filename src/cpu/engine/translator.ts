import { PAGE_SIZE } from '../../bus/memory.js';
import { decoderOf } from '../../isa/decode.js';
import { instructionsOf } from '../../isa/instructions.js';
import type { Feature, Instruction } from '../../isa/spec.js';
import type { Core } from '../core.js';
import { SLOTS } from '../../mmu/lookaside.js';
import { R } from '../state.js';
import { writeTlb } from '../supervisor.js';
import { TABLE_PLACES } from './cold.js';
import { makeTemplate, placed, type ColdTemplate } from './cold-template.js';
import { CodeCache, type TranslatedPage } from './code-cache.js';
import { COLD_INDEX, RESUMED, WHY } from './dispatch.js';
import { imports } from './emit-effects.js';
import type { Engine } from './engine.js';
import { preparedTemplate } from './prepared.js';
import { OutOfLine } from './out-of-line.js';
import { listVariants } from './printed.js';
import { discover, type Decoder, type Region } from './region.js';
import { sprTable } from './spr-tables.js';
import { translate, type Setting } from './translate.js';
import { encodeModule, type Body } from './wasm-encoder.js';

/** How much a translator keeps. */
export interface TranslatorOptions {
  readonly features?: ReadonlySet<Feature>;
  /** Instructions that may be translated at a time. Default 2^18. */
  readonly cache?: number;
  /** How often code has to be wanted before it is translated: a power of 2. Default 4096. */
  readonly hot?: number;
  /**
   * Translate every place that is come to, at once and alone, also behind what the plain interpreter did. Slow: it is for tests,
   * which then test translations and nothing else. Default false.
   */
  readonly eager?: boolean;
}

const DEFAULT_CACHE = 2 ** 18;
export const DEFAULT_HOT = 4096;
const PAGES = 2048;
/** Less memory that nobody has reserved is too little for the tables. */
const LEAST_MEMORY = 2 ** 19;

/** What belongs to one core. */
interface CoreState {
  readonly cache: CodeCache;
  /** (registers, left, pc) → why. */
  readonly enter: WebAssembly.Callable;
  /** Hot places that are to be translated together: a module for each would take longer. */
  readonly waiting: { readonly page: TranslatedPage; readonly pc: number }[];
}

/** So many hot places are translated together at most. One that is reported again does not wait any more. */
const BATCH = 16;

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
  #template: ColdTemplate | undefined;
  readonly #interpreters = new Map<string, WebAssembly.Module>();
  readonly #hot: number;
  readonly #batch: number;

  constructor(private readonly options: TranslatorOptions = {}) {
    this.#hot = options.eager ? 1 : (options.hot ?? DEFAULT_HOT);
    this.#batch = options.eager ? 1 : BATCH;
    const features = options.features ?? new Set();
    this.#instructions = instructionsOf(features);
    this.#listed = listVariants(this.#instructions);
    this.#stepper = new OutOfLine(this.#listed, true);
    this.#decode = decoderOf(this.#instructions);
  }

  run(core: Core): void {
    const { words } = core.regs;
    const state = this.#cores.get(core) ?? this.#begin(core);
    if (!state) return this.#stepper.run(core, Infinity);
    const registers = words.byteOffset;
    for (let pc = words[R.PC]!; ;) {
      const left = words[R.LIMIT]! - words[R.COUNT]!;
      if (left <= 0) return;
      const why = state.enter(registers, left, pc);
      if (words[R.COUNT]! >= words[R.LIMIT]!) return;
      pc = words[R.PC]!;
      if (why === WHY.OVERFLOW) {
        this.#expectOverflow(core, state.cache);
        pc |= RESUMED;
        continue;
      }
      if (why === WHY.COLD) {
        const next = this.#prepare(core, state, pc);
        if (next !== undefined) {
          pc = next;
          continue;
        }
      }
      this.#stepper.run(core, 1);
      if (core.trap !== null || core.selfBranch) return;
      const resumes = words[R.PC] === ((pc + 4) | 0) && !this.options.eager;
      pc = resumes ? words[R.PC]! | RESUMED : words[R.PC]!;
    }
  }

  /** Nothing is prepared for a core that is only stepped, nor where memory is short. */
  #begin(core: Core): CoreState | undefined {
    const { words } = core.regs;
    if (words[R.LIMIT]! - words[R.COUNT]! <= 1 || core.memory.free < LEAST_MEMORY) return undefined;
    const tables = putTables(core, this.#listed.table);
    const cache = new CodeCache(core.memory, core.lookaside, {
      pages: Math.min(PAGES, Math.floor((core.memory.free * 2) / 3 / PAGE_SIZE)),
      instructions: this.options.cache ?? DEFAULT_CACHE,
      hot: this.#hot,
      forgiving: this.options.eager ?? false,
    });
    const [enter] = instantiate(core, cache, this.#interpreterFor(core, tables));
    cache.table.set(COLD_INDEX, enter!);
    const state = { cache, enter: enter!, waiting: [] };
    this.#cores.set(core, state);
    return state;
  }

  /** Cores whose tables lie in the same places have the same interpreter. */
  #interpreterFor({ lookaside }: Core, tables: number): WebAssembly.Module {
    const key = `${lookaside.at} ${tables}`;
    const known = this.#interpreters.get(key);
    if (known) return known;
    const module = new WebAssembly.Module(placed((this.#template ??= this.#makeTemplate()), lookaside.at, tables));
    this.#interpreters.set(key, module);
    return module;
  }

  #makeTemplate(): ColdTemplate {
    const isUsual = this.#hot === DEFAULT_HOT && this.#instructions === instructionsOf(new Set());
    return (isUsual ? preparedTemplate() : undefined) ?? makeTemplate(this.#listed.variants, this.#hot);
  }

  /** Where to go on with code that has no translation: undefined where even its page is not known. */
  #prepare(core: Core, { cache, waiting }: CoreState, pc: number): number | undefined {
    const { lookaside } = core;
    const slot = (pc >>> 12) & (SLOTS - 1);
    const before = lookaside.translations[slot];
    const page = cache.pageOf(pc, core.regs.words[R.CODE_CONTEXT]!);
    if (!page) return undefined;
    if (page.table !== before) return pc;
    if (!cache.isHot(page, pc)) return pc | RESUMED;
    const again = waiting.some((place) => place.page === page && place.pc === pc);
    if (!again) waiting.push({ page, pc });
    if (!again && waiting.length < this.#batch) return pc | RESUMED;
    this.#translate(core, cache, waiting.splice(0));
    return pc | RESUMED;
  }

  #translate(core: Core, cache: CodeCache, places: CoreState['waiting']): void {
    const regions = places.flatMap(({ page, pc }) => {
      const isWanted = cache.has(page) && cache.isHot(page, pc); // another region may have it by now
      const region = isWanted ? this.#regionOf(core, page, pc) : undefined;
      if (region && region.blocks.length > 0) return [{ page, region }];
      if (region) cache.giveUp(page, pc);
      return [];
    });
    if (!cache.makeRoom(regions.reduce((sum, { region }) => sum + region.size, 0))) return;
    const bodies = regions.map(({ page, region }) => translate(region, settingOf(core, page)));
    const codes = instantiate(core, cache, compile(bodies));
    regions.forEach(({ page, region }, i) => addRegion(cache, page, region, codes[i]!));
  }

  #regionOf({ memory }: Core, page: TranslatedPage, pc: number): Region {
    const word = (address: number): number => memory.words[(page.host + (address & 0xffc)) >>> 2]!;
    return discover({ base: page.base, word }, pc, this.#decode, {
      user: page.user,
      noOverflow: !page.overflow,
    });
  }

  #expectOverflow(core: Core, cache: CodeCache): void {
    const { words } = core.regs;
    const page = cache.pageOf(words[R.PC]!, words[R.CODE_CONTEXT]!);
    if (!page) return;
    cache.clear(page);
    page.overflow = true;
  }
}

/** Puts what the interpreter for cold code looks up into the shared memory; gives its offset. */
function putTables({ memory }: Core, decoding: Uint16Array): number {
  const at = memory.allocate(TABLE_PLACES.end);
  memory.halves.set(decoding, at >>> 1);
  memory.words.set(sprTable('read'), (at + TABLE_PLACES.readSpr) >>> 2);
  memory.words.set(sprTable('write'), (at + TABLE_PLACES.writeSpr) >>> 2);
  return at;
}

const settingOf = (core: Core, page: TranslatedPage): Setting => ({
  lookaside: core.lookaside,
  assumptions: { user: page.user, noOverflow: !page.overflow },
  page: page.base | 0,
  translations: page.table,
});

function addRegion(
  cache: CodeCache,
  page: TranslatedPage,
  { blocks, entries }: Region,
  code: WebAssembly.Callable,
): void {
  cache.add(page, cache.reserve(), code, {
    from: blocks.flatMap(({ instructions }) => instructions.map(({ pc }) => pc)),
    entries: entries.flatMap((block, i) => {
      const { pc, instructions } = blocks[block]!;
      return instructions.length > 0 ? [[pc, i] as const] : [];
    }),
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

/** The functions of a module, on the memory and the table of a core. */
function instantiate(core: Core, cache: CodeCache, module: WebAssembly.Module): WebAssembly.Callable[] {
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory: core.memory.wasm, table: cache.table, writeTlb: tlbWriter(core) },
  });
  return Object.keys(exports).map((_, i) => exports[nameOf(i)]!);
}

/** tlbwe; 1 if the page of the pc may be mapped otherwise from now on. */
const tlbWriter =
  (core: Core): WebAssembly.Callable =>
  (entry, word, value, pc) => {
    writeTlb(core, entry!, word!, value!);
    return core.lookaside.find('execute', pc!, core.regs.words[R.CODE_CONTEXT]!) < 0 ? 1 : 0;
  };
