// Engines in lockstep: the same program on machines that differ in their engine alone, compared at random moments. Everything
// follows from a seed, and where two differ, the message says which seed, and at which instruction they part.

import type { Snapshotable } from '../../../src/board/snapshot.js';
import { encodeState } from '../../../src/board/state-text.js';
import type { Machine } from '../../../src/board/machine.js';
import type { Ram } from '../../../src/bus/memory.js';
import type { Core } from '../../../src/cpu/core.js';
import type { Engine } from '../../../src/cpu/engine/engine.js';
import { Interpreter } from '../../../src/cpu/engine/interpreter.js';
import { Translator } from '../../../src/cpu/engine/translator.js';
import { MSR } from '../../../src/isa/registers.js';
import { decoderOf } from '../../../src/isa/decode.js';
import { instructionsOf } from '../../../src/isa/instructions.js';
import { Dice } from '../../hypervisor/fuzz.js';
import { bareBoard, hypervisor } from '../../hypervisor/guest.js';
import { CODE, CODE_PAGES, DATA, DATA_PAGES, features } from './author.js';
import { otherWord, randomProgram, type Program } from './programs.js';

/** Every engine there is, and every way of the translator to be another one: how early it translates, how little it keeps. */
export const engines = {
  reference: new Interpreter({ features, inline: false }),
  interpreter: new Interpreter({ features }),
  eager: new Translator({ features, eager: true }),
  warm: new Translator({ features, hot: 16 }),
  tiny: new Translator({ features, hot: 2, cache: 600 }),
  default: new Translator({ features }),
} as const satisfies Record<string, Engine>;
export type EngineName = keyof typeof engines;

/** On the bare board, as a partition that has the board for itself, or as one of two that take turns. */
export type Place = 'board' | 'partition' | 'partitions';

interface Side {
  readonly name: EngineName;
  readonly machine: Machine & Snapshotable;
  /** All there is, and the program's. */
  readonly memory: Ram;
  readonly ram: Ram;
  readonly core: Core;
  readonly sent: () => string;
}

const PROCESSOR = '&cpu0 { hv440,fpu; hv440,isel; };';
const memory = (megabytes: number): string => `&memory0 { reg = <0x0 0x0 0x00${megabytes}00000>; };`;

function build(name: EngineName, programs: readonly Program[], place: Place): Side {
  const engine = engines[name];
  const [{ code }, neighbour] = programs as [Program, Program];
  if (place === 'board') {
    const { machine, core, output } = bareBoard(code, { engine, board: `${memory(1)} ${PROCESSOR}`, restart: true });
    const ram = machine.board.bus.ram.regions[0]!.target;
    return { name, machine, core, memory: ram, ram, sent: () => [...output.streams.values()].join() };
  }
  const node = 'on-reset = "restart";';
  const guests = {
    guest: { program: code, node },
    ...(place === 'partitions' && { other: { program: neighbour.code, node } }),
  };
  const setting = { engine, board: `${memory(4)} ${PROCESSOR}`, partitions: 'quantum = <3000>;', trusting: true };
  const { hv, partition, output } = hypervisor(guests, setting);
  const { vcpus, board } = partition('guest');
  return {
    name,
    machine: hv,
    core: vcpus[0]!.machine,
    memory: hv.board.bus.ram.regions[0]!.target,
    ram: board.bus.ram.regions[0]!.target,
    sent: () => [...output.streams.values()].join(),
  };
}

/** What happens between two comparisons: so many cycles in slices of so many, then somebody else does something. */
interface Stage {
  readonly end: number;
  readonly quantum: number;
  readonly deed: (side: Side) => void;
}

const quanta = [1, 7, 1009, 100_003, 1e8] as const;
/** Most slices between two comparisons. */
const slices = new Map<number, number>([
  [1, 300],
  [7, 1000],
  [1009, 60],
  [100_003, 2],
]);

function* stages(dice: Dice, cycles: number, place: Place): Generator<Stage> {
  for (let now = 0; now < cycles;) {
    const quantum = dice.of(quanta);
    const length = quantum * (1 + dice.below(slices.get(quantum) ?? 1));
    now = quantum === 1e8 ? now + 1 + dice.below(cycles) : now + length;
    now = Math.min(now, cycles);
    yield { end: now, quantum, deed: deed(dice, place) };
  }
}

/** Somebody who is not the processor: writes to code and data, and on a board also sets the program up anew. */
function deed(dice: Dice, place: Place): (side: Side) => void {
  const word = otherWord(dice);
  const [at, data] = [CODE + 4 * dice.below(1024 * CODE_PAGES), DATA + dice.below(0x1000 * DATA_PAGES - 4)];
  const value = dice.word();
  switch (dice.below(6)) {
    case 0:
      return ({ ram }) => ram.write(at, 4, word);
    case 1:
      return ({ ram }) => ram.write(data, 4, value);
    case 2:
      if (place !== 'board') return () => {};
      return ({ core }) => {
        core.system.msr = MSR.ME;
        core.regs.pc = REVIVE;
        core.contextChanged();
      };
    default:
      return () => {};
  }
}
/** The first instruction behind the code that sets up TLB and vectors; any program has it in its first page. */
const REVIVE = 0x1000;

function runTo({ machine }: Side, { end, quantum }: Stage): boolean {
  while (machine.clock.now < end) {
    const progress = machine.run(Math.min(quantum, end - machine.clock.now));
    if (progress.kind === 'ended') return false;
    if (progress.kind === 'idle') machine.skip(Math.min(progress.until, end));
  }
  return true;
}

/** Everything but memory. */
const stateOf = ({ machine, sent }: Side): string => encodeState({ machine: machine.save(), sent: sent() });

const sameMemory = (a: Ram, b: Ram): boolean => Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
const bytesOf = ({ memory, offset, size }: Ram): Uint8Array => new Uint8Array(memory.buffer, offset, size);

const same = (a: Side, b: Side): boolean => sameMemory(a.memory, b.memory) && stateOf(a) === stateOf(b);

export interface LockstepOptions {
  /** The first is what the others are compared with. */
  readonly engines: readonly EngineName[];
  readonly place: Place;
  /** Cycles of one program. */
  readonly cycles: number;
}

export interface LockstepResult {
  /** Instructions retired by the first engine. */
  readonly instructions: number;
  readonly comparisons: number;
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
  return { ...options, seed, programs, stages: () => stages(new Dice(stagesSeed), options.cycles, options.place) };
}

/** The first one is not cut up: how a run is sliced changes nothing. */
const runAll = (sides: readonly Side[], stage: Stage): boolean[] =>
  sides.map((side, i) => runTo(side, i === 0 ? { ...stage, quantum: Infinity } : stage));

/** The program of a seed on all these engines; throws where two differ. */
export function lockstep(seed: number, options: LockstepOptions): LockstepResult {
  const plan = planOf(seed, options);
  const sides = options.engines.map((name) => build(name, plan.programs, options.place));
  const [first, ...others] = sides as [Side, ...Side[]];
  let [comparisons, begin] = [0, 0];
  for (const stage of plan.stages()) {
    const lives = runAll(sides, stage);
    for (const other of others) {
      comparisons += 1;
      if (!same(first, other)) throw new Error(explain(plan, other.name, begin));
    }
    if (!lives[0]) break;
    for (const side of sides) stage.deed(side);
    begin = stage.end;
  }
  const { account } = first.machine as { account?: { interrupts: ReadonlyMap<string, number> } };
  return { instructions: first.machine.retired, comparisons, interrupts: account?.interrupts ?? new Map() };
}

/** Both anew, run as far as some cycle. */
function pairAt(
  { engines: [name], programs, place, stages: all }: Plan,
  other: EngineName,
  cycle: number,
): [Side, Side] {
  const sides: [Side, Side] = [build(name!, programs, place), build(other, programs, place)];
  for (const stage of all()) {
    const end = Math.min(stage.end, cycle);
    runAll(sides, { ...stage, end });
    if (end === cycle) break;
    for (const side of sides) stage.deed(side);
  }
  return sides;
}

const decode = decoderOf(instructionsOf(features));

/** Where two part that were the same at cycle `good`, as text. */
function explain(plan: Plan, other: EngineName, good: number): string {
  const { seed, engines: names, place, cycles } = plan;
  let [low, high] = [good, cycles];
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
    `${other} differs from ${names[0]}: lockstep(${seed}, { engines: ['${names[0]}', '${other}'], place: '${place}', cycles: ${cycles} })`,
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
