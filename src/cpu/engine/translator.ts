import { PAGE_SIZE } from '../../bus/memory.js';
import { decoderOf } from '../../isa/decode.js';
import { instructionsOf } from '../../isa/instructions.js';
import type { Feature } from '../../isa/spec.js';
import type { Core } from '../core.js';
import { R } from '../state.js';
import { writeTlb } from '../supervisor.js';
import { CodeCache, type TranslatedPage } from './code-cache.js';
import { PARAMETERS, WHY, writeGo, writeLookup } from './dispatch.js';
import { imports } from './emit-effects.js';
import type { Engine } from './engine.js';
import { Interpreter } from './interpreter.js';
import { discover, type Decoder, type Region } from './region.js';
import { translate } from './translate.js';
import { Body, encodeModule } from './wasm-encoder.js';

/** How much a translator keeps. */
export interface TranslatorOptions {
  readonly features?: ReadonlySet<Feature>;
  /** Instructions that may be translated at a time. Default 2^18. */
  readonly cache?: number;
  /** How often code has to be wanted before it is translated. */
  readonly hot?: number;
}

const DEFAULT_CACHE = 2 ** 18;
const DEFAULT_HOT = 24;
const PAGES = 512;

/** What belongs to one core. */
interface CoreState {
  readonly cache: CodeCache;
  readonly enter: WebAssembly.Callable;
}

/**
 * Translates code that is run often into WebAssembly, and leaves everything else to the interpreter: code that is cold,
 * instructions that have wide consequences, accesses that the lookaside does not have, and the last instructions of a
 * quantum. Both count exactly.
 */
export class Translator implements Engine {
  readonly name = 'translator';
  readonly #interpreter: Interpreter;
  readonly #decode: Decoder;
  readonly #cores = new WeakMap<Core, CoreState>();

  constructor(private readonly options: TranslatorOptions = {}) {
    const features = options.features ?? new Set();
    this.#interpreter = new Interpreter({ features });
    this.#decode = decoderOf(instructionsOf(features));
  }

  run(core: Core): void {
    const { words } = core.regs;
    if (words[R.LIMIT]! - words[R.COUNT]! <= 1) return this.#interpreter.run(core);
    const { cache, enter } = this.#stateOf(core);
    const registers = words.byteOffset;
    for (;;) {
      const left = words[R.LIMIT]! - words[R.COUNT]!;
      if (left <= 0) return;
      const why = enter(registers, left, words[R.PC]!);
      if (words[R.COUNT]! >= words[R.LIMIT]!) return;
      if (why === WHY.BUDGET) return this.#interpreter.run(core);
      if (why === WHY.COLD && this.#translateIfHot(core, cache)) continue;
      if (why === WHY.OVERFLOW) this.#expectOverflow(core, cache);
      this.#interpreter.run(core, true);
      if (core.trap !== null || core.selfBranch) return;
    }
  }

  #stateOf(core: Core): CoreState {
    let state = this.#cores.get(core);
    if (!state) {
      const cache = new CodeCache(core.memory, core.lookaside, {
        pages: Math.min(PAGES, Math.floor(core.memory.free / 2 / PAGE_SIZE)),
        instructions: this.options.cache ?? DEFAULT_CACHE,
        hot: this.options.hot ?? DEFAULT_HOT,
      });
      const [enter] = instantiate(core, cache, [entrance(core)]);
      state = { cache, enter: enter! };
      this.#cores.set(core, state);
    }
    return state;
  }

  /** Translate what begins at the pc, if it has been wanted often enough. */
  #translateIfHot(core: Core, cache: CodeCache): boolean {
    const { words } = core.regs;
    const pc = words[R.PC]!;
    const page = cache.pageOf(pc, words[R.CODE_CONTEXT]!);
    if (!page) return false;
    const at = (page.table + (pc & 0xffc)) >>> 2;
    if (core.memory.words[at]! > 0) return true; // it was there, and its page is now
    if (!cache.wanted(page, pc)) return false;
    const region = this.#regionOf(core, page, pc);
    if (region.blocks[0]!.instructions.length === 0) {
      cache.giveUp(page, pc);
      return false;
    }
    if (!cache.makeRoom(region.size)) return false;
    this.#add(core, cache, page, region);
    return true;
  }

  #regionOf({ memory }: Core, page: TranslatedPage, pc: number): Region {
    const word = (address: number): number => memory.words[(page.host + (address & 0xffc)) >>> 2]!;
    return discover({ base: page.base, word }, pc, this.#decode, {
      user: page.user,
      noOverflow: !page.overflow,
    });
  }

  #add(core: Core, cache: CodeCache, page: TranslatedPage, region: Region): void {
    const body = translate(region, {
      lookaside: core.lookaside,
      assumptions: { user: page.user, noOverflow: !page.overflow },
      page: page.base | 0,
      translations: page.table,
    });
    const [code] = instantiate(core, cache, [body]);
    const { blocks, entries } = region;
    cache.add(page, cache.reserve(), code!, {
      from: blocks.flatMap(({ instructions }) => instructions.map(({ pc }) => pc)),
      entries: entries.flatMap((block, i) => {
        const { pc, instructions } = blocks[block]!;
        return instructions.length > 0 ? [[pc, i] as const] : [];
      }),
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

/** (registers, left, pc) → why: go to the translation of the code at the pc. */
function entrance(core: Core): Body {
  const PC = 2;
  const body = new Body(PARAMETERS);
  const found = body.local();
  writeLookup(body, core.lookaside, PC, found);
  writeGo(body, found, () => body.get(PC));
  return body;
}

/** Functions made of bodies, in one module. */
function instantiate(core: Core, cache: CodeCache, bodies: readonly Body[]): WebAssembly.Callable[] {
  const module = new WebAssembly.Module(
    encodeModule(
      bodies.map((body, i) => ({ name: `f${i}`, body })),
      imports,
    ),
  );
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory: core.memory.wasm, table: cache.table, writeTlb: tlbWriter(core) },
  });
  return bodies.map((_, i) => exports[`f${i}`]!);
}

/** tlbwe; 1 if the page of the pc may be mapped otherwise from now on. */
const tlbWriter =
  (core: Core): WebAssembly.Callable =>
  (entry, word, value, pc) => {
    writeTlb(core, entry!, word!, value!);
    return core.lookaside.find('execute', pc!, core.regs.words[R.CODE_CONTEXT]!) < 0 ? 1 : 0;
  };
