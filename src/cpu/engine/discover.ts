import { extract, type Instruction } from '../../isa/spec.js';
import type { BranchTargets } from './branch-targets.js';
import { ILLEGAL, type Assumptions, type Lowered } from './effects.js';
import { lowering } from './lower.js';
import {
  branchOf,
  fixedTarget,
  goesBy,
  pageOf,
  successorsOf,
  type Block,
  type Guess,
  type Placed,
  type Region,
  type Way,
} from './region.js';

/** Instructions of a region, of a function that is taken into another, and blocks. */
const LARGEST = 500;
const LARGEST_CALLED = 64;
const MOST_BLOCKS = 300;
/** Calls within calls. */
const DEEPEST = 4;
/** Functions that are taken in for a call by CTR. */
const MOST_CALLED = 4;

/** Code as the translator sees it. */
export interface Code {
  /** May the word at an address be part of the region? */
  has(address: number): boolean;
  word(address: number): number;
  /** Has a place been wanted often enough to be taken in where it is called? */
  isWanted(address: number): boolean;
  /** Where the branch at an address has been seen to go that has no fixed target. */
  targets(address: number): Pick<BranchTargets, 'chosen' | 'isSettled'> | undefined;
}

export type Decoder = (word: number) => Instruction | undefined;

/** A function, or what there is of it from some place on; each call of one that is taken in has a copy of its own. */
interface Frame {
  readonly start: number;
  readonly depth: number;
  /** The call that it is the copy for; the first of all frames has none. */
  readonly call: Call | undefined;
  readonly placed: Map<number, Placed>;
  readonly leaders: Set<number>;
  readonly calls: Call[];
  /** Where branches by CTR have been seen to go, and whether they are not to be looked at any more. */
  readonly jumps: Map<number, { readonly chosen: readonly number[]; readonly isSettled: boolean }>;
}

interface Call {
  readonly from: Frame;
  readonly pc: number;
  readonly target: number;
  /** It has been seen to go there, but may go elsewhere. */
  readonly guessed: boolean;
  /** What is gone on with in the region, if it is. */
  to: Frame | undefined;
}

const behind = ({ pc }: { readonly pc: number }): number => (pc + 4) | 0;

/** A branch to the next instruction with LK is how a program learns where it is. */
const isCallOf = (placed: Placed): boolean => {
  const branch = branchOf(placed);
  return placed.lowered.call && !(branch && fixedTarget(branch) === behind(placed));
};

const NOTHING: Region = { blocks: [], entries: [], size: 0 };

/** The region of an address; without blocks if the instruction there is not translated. */
export function discover(code: Code, start: number, decode: Decoder, assumptions: Assumptions): Region {
  return new Discovery(code, decode, assumptions).region(start);
}

class Discovery {
  readonly #frames: Frame[] = [];
  #size = 0;
  #blocks = 0;
  readonly #lowered: ReturnType<typeof lowering>;

  constructor(
    private readonly code: Code,
    private readonly decode: Decoder,
    assumptions: Assumptions,
  ) {
    this.#lowered = lowering(assumptions);
  }

  region(start: number): Region {
    const root = this.#frame(start, undefined, LARGEST);
    if (root.placed.get(start)!.lowered.flow === 'interpret') return NOTHING;
    this.#accept(root);
    for (const { calls } of this.#frames) calls.forEach((call) => this.#takeIn(call, root));
    return assemble(this.#frames);
  }

  #accept(frame: Frame): void {
    this.#frames.push(frame);
    this.#size += frame.placed.size;
    this.#blocks += frame.leaders.size;
  }

  /** Go on with a function within the region: with a copy, or from the start where it calls itself. */
  #takeIn(call: Call, root: Frame): void {
    const { from, target } = call;
    if (from === root && target === root.start) {
      call.to = root;
      return;
    }
    for (let frame: Frame | undefined = from; frame; frame = frame.call?.from) if (frame.start === target) return;
    if (from.depth === DEEPEST || !this.code.has(target)) return;
    if (!call.guessed && !this.code.isWanted(target)) return;
    const room = Math.min(LARGEST_CALLED, LARGEST - this.#size);
    const frame = this.#frame(target, call, room);
    if (frame.placed.size >= room || frame.leaders.size + this.#blocks > MOST_BLOCKS) return;
    call.to = frame;
    this.#accept(frame);
  }

  /** What can be reached from a place without calls, as far as there is room. */
  #frame(start: number, call: Call | undefined, room: number): Frame {
    const placed = new Map<number, Placed>();
    const leaders = new Set([start]);
    const calls: Call[] = [];
    const jumps: Frame['jumps'] = new Map();
    const frame: Frame = { start, depth: call ? call.from.depth + 1 : 0, call, placed, leaders, calls, jumps };
    const work = [start];
    const lead = (address: number): void => {
      if (!this.code.has(address) || leaders.has(address) || leaders.size >= MOST_BLOCKS) return;
      leaders.add(address);
      work.push(address);
    };
    for (let from = work.shift(); from !== undefined; from = work.shift()) {
      for (let pc = from; !placed.has(pc) && placed.size < room; pc = behind({ pc })) {
        if (pageOf(pc) !== pageOf(from)) {
          lead(pc);
          break;
        }
        const instruction = { pc, lowered: this.#lower(pc) };
        placed.set(pc, instruction);
        const { flow } = instruction.lowered;
        if (flow === 'next') continue;
        if (instruction.lowered === ILLEGAL) break;
        const branch = branchOf(instruction);
        const target = branch && fixedTarget(branch);
        const isCall = isCallOf(instruction);
        const guessed = branch !== undefined && goesBy(branch, 'CTR');
        const seen = this.code.targets(pc);
        const targets = guessed ? (seen?.chosen ?? []) : target === undefined ? [] : [target];
        if (guessed) jumps.set(pc, { chosen: targets, isSettled: seen?.isSettled ?? false });
        if (isCall)
          calls.push(
            ...targets.slice(0, MOST_CALLED).map((to) => ({ from: frame, pc, target: to, guessed, to: undefined })),
          );
        else targets.forEach(lead);
        if (flow !== 'branch' || isCall || branch?.condition) lead(behind({ pc }));
        break;
      }
    }
    return frame;
  }

  #lower(pc: number): Lowered {
    const word = this.code.word(pc);
    const instruction = this.decode(word >>> 0);
    if (!instruction) return ILLEGAL;
    const fields: Record<string, number> = {};
    for (const field of instruction.fields) fields[field.name] = extract(word, field);
    return this.#lowered(instruction.meaning, fields, pc);
  }
}

function assemble(frames: readonly Frame[]): Region {
  const numbers = new Map<Frame, Map<number, number>>();
  let count = 0;
  for (const frame of frames) {
    const firsts = [...frame.leaders].filter((pc) => frame.placed.has(pc));
    numbers.set(frame, new Map(firsts.map((pc) => [pc, count++])));
  }
  const blocks = frames.flatMap((frame) => [...numbers.get(frame)!.keys()].map((pc) => blockOf(frame, pc, numbers)));
  const [root] = frames;
  const entries = entriesOf(root!).flatMap((pc) => numbers.get(root!)!.get(pc) ?? []);
  return withoutUnreachable(blocks, entries);
}

/** Behind a call that is not taken in nothing comes but where the region is entered. */
function withoutUnreachable(all: readonly Block[], entries: readonly number[]): Region {
  const reached = new Set(entries);
  for (const number of reached) for (const next of successorsOf(all[number]!)) reached.add(next);
  const order = [...all.keys()].filter((number) => reached.has(number));
  const numbers = new Map(order.map((number, i) => [number, i]));
  const to = (number: number): number => numbers.get(number)!;
  const way = (old: Way | undefined): Way | undefined => (old && 'block' in old ? { block: to(old.block) } : old);
  const blocks = order.map((number): Block => {
    const block = all[number]!;
    const guesses = block.guesses.map(({ address, block: old }) => ({ address, block: to(old) }));
    return { ...block, next: way(block.next), target: way(block.target), guesses };
  });
  const size = blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
  return { blocks, entries: entries.map(to), size };
}

/** Where a region is entered from outside: where it was asked for, and where others come back to, or the interpreter. */
function entriesOf({ start, placed, calls, jumps }: Frame): number[] {
  const isLeft = (pc: number): boolean => (jumps.get(pc)?.chosen.length ?? 0) > MOST_CALLED;
  const within = new Set(calls.flatMap(({ pc, to }) => (to && !isLeft(pc) ? [pc] : [])));
  const back = [...placed.values()].filter(({ pc, lowered }) => {
    const comesBack = lowered.flow === 'look' || lowered.flow === 'interpret' || lowered.call;
    return comesBack && !within.has(pc) && pageOf(behind({ pc })) === pageOf(start);
  });
  return [start, ...back.map(behind)];
}

type Numbers = ReadonlyMap<Frame, ReadonlyMap<number, number>>;

function blockOf(frame: Frame, pc: number, numbers: Numbers): Block {
  const way = (address: number, within = frame): Way => {
    const block = numbers.get(within)!.get(address);
    return block === undefined ? { address } : { block };
  };
  const instructions: Placed[] = [];
  const simple = { pc, instructions, target: undefined, guesses: [], learns: false, interprets: false };
  for (let at = pc; ; at = (at + 4) | 0) {
    const placed = frame.placed.get(at);
    if (!placed || (at !== pc && frame.leaders.has(at))) return { ...simple, next: way(at) };
    const { flow } = placed.lowered;
    if (flow === 'interpret') return { ...simple, next: { address: at }, interprets: true };
    instructions.push(placed);
    if (flow === 'next') continue;
    if (flow === 'look') return { ...simple, next: { address: behind(placed) } };
    const branch = branchOf(placed)!;
    const target = fixedTarget(branch);
    const taken = frame.calls.filter((one) => one.pc === at && one.to);
    const called = taken[0]?.to;
    const isLeft = isCallOf(placed) && !called;
    return {
      pc,
      instructions,
      next: branch.condition ? way(behind(placed)) : undefined,
      target: target === undefined ? undefined : isLeft ? { address: target } : way(target, called),
      guesses: goesBy(branch, 'LR')
        ? returnsOf(frame, numbers)
        : target === undefined
          ? guessesOf(frame, at, numbers)
          : [],
      learns: frame.jumps.get(at)?.isSettled === false,
      interprets: false,
    };
  }
}

/** Where a branch by CTR goes within the region: functions that are taken in for it, or places of its own. */
function guessesOf(frame: Frame, at: number, numbers: Numbers): Guess[] {
  const calls = frame.calls.filter(({ pc }) => pc === at);
  const places = frame.placed.get(at)!.lowered.call
    ? calls.flatMap(({ to, target }) => (to ? [[to, target] as const] : []))
    : (frame.jumps.get(at)?.chosen ?? []).map((target) => [frame, target] as const);
  return places.flatMap(([to, address]) => {
    const block = numbers.get(to)!.get(address);
    return block === undefined ? [] : [{ address, block }];
  });
}

/** Where a function returns to within the region: the call it is the copy for, or the calls of itself. */
function returnsOf(frame: Frame, numbers: Numbers): Guess[] {
  const calls = frame.call ? [frame.call] : frame.calls.filter(({ to }) => to === frame);
  return calls.flatMap((call) => {
    const block = numbers.get(call.from)!.get(behind(call));
    return block === undefined ? [] : [{ address: behind(call), block }];
  });
}
