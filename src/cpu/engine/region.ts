import { extract, type Instruction } from '../../isa/spec.js';
import { INTERPRET, type Assumptions, type Effect, type Lowered } from './effects.js';
import { lower } from './lower.js';

/** A word of code with what generated code does for it. */
export interface Placed {
  readonly pc: number;
  readonly lowered: Lowered;
}

/** Where control goes at the end of a block: to a block of the region, by number, or to an address outside of it. */
export type Way = { readonly block: number } | { readonly address: number };

/** Instructions that are always run from the first to the last, unless one traps. */
export interface Block {
  readonly pc: number;
  readonly instructions: readonly Placed[];
  /** Behind its last instruction if that is not a branch that is always taken; undefined if nothing comes behind. */
  readonly next: Way | undefined;
  /** Where its branch goes that has a fixed target. */
  readonly target: Way | undefined;
  /** The interpreter is to go on at `next`'s address with an instruction that generated code does not do. */
  readonly interprets: boolean;
}

/** Code of one page that is translated as a whole: what can be reached from its first entry by branches within the page. */
export interface Region {
  readonly blocks: readonly Block[];
  /** Blocks that can be entered from outside; the first is where the region was asked for. */
  readonly entries: readonly number[];
  /** Instructions. */
  readonly size: number;
}

/** Instructions of a region, and its blocks. */
const LARGEST = 400;
const MOST_BLOCKS = 250;

/** A page of code as the translator sees it. */
export interface CodePage {
  /** The effective address of its first byte. */
  readonly base: number;
  word(address: number): number;
}

export type Decoder = (word: number) => Instruction | undefined;

const NOTHING: Region = { blocks: [], entries: [], size: 0 };

const inPage = (page: CodePage, address: number): boolean => (address & -4096) === (page.base | 0);

/** The region of an address; without blocks if the instruction there is not translated. */
export function discover(page: CodePage, start: number, decode: Decoder, assumptions: Assumptions): Region {
  if (lowerWord(page.word(start), start, decode, assumptions).flow === 'interpret') return NOTHING;
  const seen = new Map<number, Placed>();
  const leaders = new Set([start]);
  const entries = new Set([start]);
  const work = [start];
  const lead = (address: number): void => {
    if (!inPage(page, address) || leaders.has(address) || leaders.size >= MOST_BLOCKS) return;
    leaders.add(address);
    work.push(address);
  };
  for (let from = work.shift(); from !== undefined; from = work.shift()) {
    for (let pc = from; inPage(page, pc) && !seen.has(pc) && seen.size < LARGEST; pc = (pc + 4) | 0) {
      const placed = { pc, lowered: lowerWord(page.word(pc), pc, decode, assumptions) };
      seen.set(pc, placed);
      const { flow } = placed.lowered;
      if (flow === 'next') continue;
      const next = (pc + 4) | 0;
      const branch = branchOf(placed);
      const target = branch && fixedTarget(branch);
      if (target !== undefined && !placed.lowered.call) lead(target);
      if (flow !== 'branch' || placed.lowered.call) entries.add(next); // whoever was called comes back here
      if (flow !== 'branch' || placed.lowered.call || branch?.condition) lead(next);
      break;
    }
  }
  return assemble(seen, leaders, entries);
}

function lowerWord(word: number, pc: number, decode: Decoder, assumptions: Assumptions): Lowered {
  const instruction = decode(word >>> 0);
  if (!instruction) return INTERPRET;
  const fields = Object.fromEntries(instruction.fields.map((f) => [f.name, extract(word, f)]));
  return lower(instruction.meaning, fields, pc, assumptions);
}

const branchOf = ({ lowered }: Placed): Extract<Effect, { kind: 'branch' }> | undefined => {
  const last = lowered.effects.at(-1);
  return last?.kind === 'branch' ? last : undefined;
};

const fixedTarget = ({ target }: Extract<Effect, { kind: 'branch' }>): number | undefined =>
  target.op === 'const' ? target.n : undefined;

function assemble(
  seen: ReadonlyMap<number, Placed>,
  leaders: ReadonlySet<number>,
  entries: ReadonlySet<number>,
): Region {
  const firsts = [...leaders].filter((pc) => seen.has(pc));
  const numbers = new Map(firsts.map((pc, i) => [pc, i]));
  const way = (address: number): Way => {
    const block = numbers.get(address);
    return block === undefined ? { address } : { block };
  };
  const blocks = firsts.map((pc): Block => {
    const instructions: Placed[] = [];
    for (let at = pc; ; at = (at + 4) | 0) {
      const placed = seen.get(at);
      if (!placed || (at !== pc && leaders.has(at)))
        return { pc, instructions, next: way(at), target: undefined, interprets: false };
      const { flow } = placed.lowered;
      if (flow === 'interpret') return { pc, instructions, next: { address: at }, target: undefined, interprets: true };
      instructions.push(placed);
      if (flow === 'next') continue;
      const behind = (at + 4) | 0;
      if (flow === 'look') return { pc, instructions, next: { address: behind }, target: undefined, interprets: false };
      const branch = branchOf(placed)!;
      const target = fixedTarget(branch);
      return {
        pc,
        instructions,
        next: branch.condition ? way(behind) : undefined,
        target: target === undefined ? undefined : placed.lowered.call ? { address: target } : way(target),
        interprets: false,
      };
    }
  });
  return {
    blocks,
    entries: [...entries].flatMap((pc) => numbers.get(pc) ?? []),
    size: blocks.reduce((sum, { instructions }) => sum + instructions.length, 0),
  };
}
