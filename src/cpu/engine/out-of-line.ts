import { decodeIndex } from '../../isa/decode.js';
import { fetch } from '../access.js';
import type { Core } from '../core.js';
import { R } from '../state.js';
import { emit, evaluate, inFunction, refusals, type InstructionFunction, type Variant } from './printed.js';

/** An instruction, ready to be run. */
interface Made {
  readonly run: InstructionFunction;
  /** Is a word of it refused as illegal? Undefined: none is. */
  readonly refuses: ((w: number) => boolean) | undefined;
  /** Would it, if it branched to itself, do so for ever? */
  readonly repeats: (w: number) => boolean;
}

const never = (): boolean => false;
const isTrue = (condition: string): ((w: number) => boolean) =>
  condition === 'false' ? never : (evaluate(`(w) => ${condition}`) as (w: number) => boolean);

/**
 * Runs instructions one at a time, each by a function of its own that is made when it is first met: for what other engines
 * leave to it, and, all accesses on the slow path, as a second reading of the definitions.
 */
export class OutOfLine {
  readonly #variants: readonly Variant[];
  readonly #table: Uint16Array;
  readonly #made: (Made | undefined)[] = [];

  /** `remembers`: instructions are fetched by the lookaside where it has their page. */
  constructor(
    { variants, table }: { readonly variants: readonly Variant[]; readonly table: Uint16Array },
    private readonly remembers: boolean,
  ) {
    this.#variants = variants;
    this.#table = table;
  }

  #make(number: number): Made {
    const variant = this.#variants[number - 1]!;
    const { code, repeats } = emit(variant, inFunction);
    const run = evaluate(`(core, s, w, pc) => { let next = pc + 4 | 0; ${code} return next; }`) as InstructionFunction;
    const refused = refusals(variant.instruction).join(' || ');
    return { run, refuses: refused ? isTrue(refused) : undefined, repeats: isTrue(repeats) };
  }

  /** As `Engine.run`. */
  run(core: Core): void {
    const s = core.regs.words;
    while (s[R.COUNT]! < s[R.LIMIT]! && this.step(core));
  }

  /** One instruction; whether it was retired and others may follow. */
  step(core: Core): boolean {
    const s = core.regs.words;
    const pc = s[R.PC]!;
    const at = this.remembers ? core.lookaside.find('execute', pc, s[R.CODE_CONTEXT]!) : -1;
    const w = at >= 0 ? core.memory.words[at >>> 2]! : fetch(core) | 0;
    if (core.trap !== null) return false;
    const number = this.#table[decodeIndex(w)]!;
    const made = number === 0 ? undefined : (this.#made[number] ??= this.#make(number));
    if (!made || made.refuses?.(w)) {
      core.raise({ kind: 'program', cause: 'illegal' });
      return false;
    }
    const next = made.run(core, s, w, pc);
    if (next === 1) return false;
    if (next === pc && core.watchSelfBranch && made.repeats(w)) {
      core.selfBranch = true;
      return false;
    }
    s[R.PC] = next;
    s[R.COUNT]! += 1;
    return true;
  }
}
