// Engines in lockstep: the same program on machines that differ in their engine alone, compared at random moments. Everything
// follows from a seed, and where two differ, the message says which seed, and at which instruction they part.

import type { Ram } from '../../../src/bus/memory.js';
import { decoderOf } from '../../../src/isa/decode.js';
import { instructionsOf } from '../../../src/isa/instructions.js';
import { Dice } from '../../hypervisor/fuzz.js';
import { features } from './author.js';
import { debugging, deed, type Deed } from './deeds.js';
import { randomProgram, type Program } from './programs.js';
import { build, passOn, runTo, same, stateOf, type EngineName, type Place, type Side } from './sides.js';

/** What happens between two comparisons: so many cycles in slices of so many, then somebody else does something. */
interface Stage {
  readonly end: number;
  readonly quantum: number;
  readonly deed: Deed;
}

const quanta = [1, 7, 1009, 1009, 100_003, 1e8] as const;
/** Most slices between two comparisons. */
const slices = new Map<number, number>([
  [1, 300],
  [7, 1000],
  [1009, 60],
  [100_003, 2],
]);

function* stages(
  dice: Dice,
  slots: readonly number[],
  { cycles, place, debugged = false }: LockstepOptions,
): Generator<Stage> {
  for (let now = 0; now < cycles;) {
    const quantum = dice.of(quanta);
    const length = quantum * (1 + dice.below(slices.get(quantum) ?? 1));
    const span = quantum === 1e8 ? 1 + dice.below(Math.ceil(cycles / 4)) : length;
    now = Math.min(now + (debugged ? 1 + (span % 8000) : span), cycles);
    yield { end: now, quantum, deed: (debugged ? debugging : deed)(dice, place, slots) };
  }
}

export interface LockstepOptions {
  /** The first is what the others are compared with. */
  readonly engines: readonly EngineName[];
  readonly place: Place;
  /** Cycles of one program. */
  readonly cycles: number;
  /** With a debugger who sets breakpoints, looks on, and takes snapshots that other engines go on from. */
  readonly debugged?: boolean;
}

export interface LockstepResult {
  /** Instructions retired by the first engine. */
  readonly instructions: number;
  readonly comparisons: number;
  /** How often a debugger stopped it. */
  readonly stops: number;
  readonly interrupts: ReadonlyMap<string, number>;
}

/** What a seed stands for. */
interface Plan extends LockstepOptions {
  readonly seed: number;
  readonly programs: readonly Program[];
  readonly stages: () => Generator<Stage>;
}

function planOf(seed: number, options: LockstepOptions): Plan {
  const dice = new Dice(seed);
  const programs = [randomProgram(dice), randomProgram(dice)];
  const stagesSeed = dice.word();
  return { ...options, seed, programs, stages: () => stages(new Dice(stagesSeed), programs[0]!.slots, options) };
}

/** The first one is not cut up: how a run is sliced changes nothing. */
const runAll = (sides: readonly Side[], { end, quantum }: Omit<Stage, 'deed'>): boolean[] =>
  sides.map((side, i) => runTo(side, end, i === 0 ? Infinity : quantum));

/** What becomes of the machines by a deed. */
function done({ act, passOn: engine, watch }: Deed, sides: readonly Side[], { programs, place }: Plan): Side[] {
  return sides.map((side, i) => {
    act?.(side);
    if (i > 0) watch?.(side);
    return i > 0 && engine ? passOn(side, engine, programs, place) : side;
  });
}

/** The program of a seed on all these engines; throws where two differ. */
export function lockstep(seed: number, options: LockstepOptions): LockstepResult {
  const plan = planOf(seed, options);
  let sides = options.engines.map((name) => build(name, plan.programs, options.place));
  let [comparisons, begin] = [0, 0];
  const [first] = sides as [Side];
  for (const stage of plan.stages()) {
    const lives = runAll(sides, stage);
    for (const [i, other] of sides.slice(1).entries()) {
      comparisons += 1;
      if (!same(first, other)) throw new Error(explain(plan, options.engines[i + 1]!, begin, stage.end));
    }
    if (!lives[0]) break;
    sides = done(stage.deed, sides, plan);
    begin = stage.end;
  }
  const { account } = first.machine as { account?: { interrupts: ReadonlyMap<string, number> } };
  return {
    instructions: first.machine.retired,
    comparisons,
    stops: first.stops.length,
    interrupts: account?.interrupts ?? new Map(),
  };
}

/** Both anew, run as far as some cycle. */
function pairAt(plan: Plan, other: EngineName, cycle: number): [Side, Side] {
  const { engines: names, programs, place } = plan;
  let sides = [names[0]!, other].map((name) => build(name, programs, place));
  for (const { end, quantum, deed: what } of plan.stages()) {
    runAll(sides, { end: Math.min(end, cycle), quantum });
    if (end >= cycle) break;
    sides = done(what, sides, plan);
  }
  return sides as [Side, Side];
}

const decode = decoderOf(instructionsOf(features));

/** Where two part that were the same at cycle `good` and are not at `bad`, as text. */
function explain(plan: Plan, other: EngineName, good: number, bad: number): string {
  const { seed, engines: names, place, cycles } = plan;
  let [low, high] = [good, bad];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (same(...pairAt(plan, other, middle))) low = middle;
    else high = middle;
  }
  const [before] = pairAt(plan, other, low);
  const [a, b] = pairAt(plan, other, high);
  const { pc } = before.core.regs;
  const at = pc & 0xfffff;
  const listing = Array.from({ length: 9 }, (_, i) => (at & ~3) + 4 * (i - 4)).map((address) => {
    const word = address >= 0 && address < before.ram.size ? before.ram.read(address, 4) : 0;
    return `${address === (at & ~3) ? '>' : ' '} ${address.toString(16)}  ${word.toString(16).padStart(8, '0')}  ${decode(word)?.name ?? '?'}`;
  });
  return [
    `${other}${plan.debugged ? ', or whoever went on with its snapshot,' : ''} differs from ${names[0]}: lockstep(${seed}, { engines: ['${names[0]}', '${other}'], place: '${place}', cycles: ${cycles}${plan.debugged ? ', debugged: true' : ''} })`,
    `what the program does: ${plan.programs[0]!.kinds.join(' ')}`,
    `the same at cycle ${low}, at pc ${pc.toString(16)}, msr ${before.core.system.msr.toString(16)}; another at cycle ${high}:`,
    ...differences(JSON.parse(stateOf(a)), JSON.parse(stateOf(b))).slice(0, 20),
    ...memoryDifferences(a.memory, b.memory),
    ...listing,
  ].join('\n');
}

function differences(a: unknown, b: unknown, path = ''): string[] {
  if (typeof a === 'object' && a && typeof b === 'object' && b)
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      differences((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}.${key}`),
    );
  return a === b ? [] : [`  ${path}: ${String(a)}, ${String(b)}`];
}

function memoryDifferences(a: Ram, b: Ram): string[] {
  const found: string[] = [];
  for (let at = 0; at < a.size && found.length < 8; at += 4)
    if (a.read(at, 4) !== b.read(at, 4))
      found.push(`  memory ${at.toString(16)}: ${a.read(at, 4).toString(16)}, ${b.read(at, 4).toString(16)}`);
  return found;
}
