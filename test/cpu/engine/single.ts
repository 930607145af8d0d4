// Every instruction by itself, in many states, on every engine: some 10,000 states a second, of which a third of the time goes to
// making a module for each word on the engine that translates everything.

import type { Device, Width } from '../../../src/bus/bus.js';
import type { Engine } from '../../../src/cpu/engine/engine.js';
import { Interpreter } from '../../../src/cpu/engine/interpreter.js';
import { Translator } from '../../../src/cpu/engine/translator.js';
import { R, S } from '../../../src/cpu/state.js';
import { MSR, sprs, TCR, TSR } from '../../../src/isa/registers.js';
import { insert, type Field, type Instruction } from '../../../src/isa/spec.js';
import { Dice } from '../../hypervisor/fuzz.js';
import { machine, map, put } from '../machine.js';
import { all, features } from './author.js';

const engines: readonly (readonly [name: string, engine: Engine])[] = [
  ['reference', new Interpreter({ features, inline: false })],
  ['interpreter', new Interpreter({ features })],
  ['translator of everything', new Translator({ features, eager: true })],
  ['translator of cold code', new Translator({ features })],
];

const RAM = 0x8000;
const CODE = 0x1000;
/** For reading alone, a device, for supervisors with a page behind for all, written through, and where nobody answers. */
const READ_ONLY = 0x40000000;
const DEVICE = 0x50000000;
const GUARDED = 0x60000000;
const THROUGH = 0x70000000;
const NOBODY = 0x80000000;
const pages = [
  0x2000,
  0x2000,
  0x4000,
  0x6000,
  READ_ONLY,
  DEVICE,
  GUARDED,
  GUARDED + 0x1000,
  THROUGH,
  NOBODY,
  0x90000000,
];
/** What is illegal, and a branch: nothing else is in an instruction's region. */
const END = [0, 0x4e800020];

class Everything implements Device {
  heard = '';
  read(offset: number, width: Width): number {
    this.heard += ` r${offset},${width}`;
    return (offset * 0x01010101) >>> (32 - 8 * width);
  }
  write(offset: number, width: Width, value: number): void {
    this.heard += ` w${offset},${width},${value}`;
  }
  peek(): number {
    return 0;
  }
}

/** What an instruction begins with. */
interface State {
  readonly words: Int32Array;
  readonly system: Int32Array;
  readonly floats: BigUint64Array;
  readonly fpscr: number;
  readonly cycles: number;
}

const extremes = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];
const edges = [0, 1, 2, 31, 32, 0x7f, 0x80, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const statuses = [TSR.DIS, TSR.FIS, TSR.WIS];
const floats = [0n, 1n << 63n, 0x3ff0000000000000n, 0x7ff0000000000000n, 0x7ff8000000000001n, 0x7ff0000000000001n, 1n];

function value(dice: Dice): number {
  const kind = dice.below(10);
  if (kind < 2) return dice.of(edges);
  if (kind === 2) return dice.word();
  if (kind < 5) return dice.below(72) - 8;
  // Somewhere, mostly aligned, sometimes at the end of a page
  const offset = kind < 8 ? 4 * dice.below(1024) : dice.of([0xfff, 0xffe, 0xffd, 0x3fe, 0x7ff, dice.below(4096)]);
  return dice.of(pages) + offset;
}

function someState(dice: Dice): State {
  // What is rare of two operands together, such as the quotients that overflow, is not rare among extremes
  const register = dice.below(6) === 0 ? () => dice.of(extremes) : () => value(dice);
  const words = Int32Array.from({ length: R.COUNT }, (_, i) => (i < 32 ? register() : dice.word()));
  words[R.PC] = CODE;
  words[R.LR] = dice.of([CODE + 8, CODE + 0x40, CODE, 0x7000, dice.word()]);
  words[R.CTR] = dice.of([0, 1, 2, 5, CODE + 0x20, CODE, dice.word()]);
  words[R.XER] = (dice.of([0, 0x20000000, 0x80000000, 0xe0000000]) | dice.below(128)) & 0xe000007f;
  words[R.RESERVED] = dice.below(2);
  const bits = [MSR.PR, MSR.DS, MSR.EE, MSR.CE, MSR.FP, MSR.FP, MSR.ME, MSR.ME, MSR.FE0, MSR.FE1, MSR.DE];
  const system = Int32Array.from({ length: 128 }, () => (dice.below(4) === 0 ? dice.word() : 0));
  system[S.msr] = bits.reduce((sum, bit) => (dice.below(2) === 0 ? sum | bit : sum), 0);
  system[S.pid] = dice.below(2);
  for (const name of ['dbcr0', 'dbcr1', 'dbcr2', 'tcr', 'waitingMachineCheck'] as const) system[S[name]] = 0;
  system[S.tsr] = dice.below(8) === 0 ? dice.of(statuses) : 0;
  // An interrupt waits, perhaps for what this instruction does
  const waits = dice.below(10) === 0;
  if (waits) {
    system[S.tcr] = TCR.DIE | TCR.FIE | TCR.WIE;
    system[S.tsr] = dice.of(statuses);
    if (dice.below(4) > 0) system[S.msr]! &= ~(MSR.EE | MSR.CE);
  }
  for (const name of ['srr0', 'csrr0', 'mcsrr0'] as const) system[S[name]] = CODE + 4 * dice.below(32);
  for (const name of ['srr1', 'csrr1', 'mcsrr1'] as const) system[S[name]] = dice.word() & 0x2ff10;
  return {
    words,
    system,
    floats: BigUint64Array.from({ length: 32 }, () =>
      dice.below(2) === 0 ? dice.of(floats) : (BigInt(dice.word()) << 32n) | BigInt(dice.word()),
    ),
    fpscr: dice.below(2) === 0 ? 0 : dice.word() & 0xfffff7ff,
    cycles: waits || dice.below(4) === 0 ? 3 : 1,
  };
}

class Bench {
  readonly device = new Everything();
  readonly made: ReturnType<typeof machine>;
  readonly memory: Int32Array;
  /** All that it is compared by, by name. */
  readonly #parts: readonly (readonly [name: string, words: Int32Array, bytes: Uint8Array])[];
  /** What is mapped, and its place. */
  #tlb = new Uint8Array();
  readonly #tlbNow: Uint8Array;

  constructor(
    readonly name: string,
    engine: Engine,
    readonly original: Int32Array,
  ) {
    this.made = machine({ ram: RAM, engine, rate: { ticks: 2, cycles: 3 } });
    const { bus, ram, memory } = this.made;
    bus.devices.attach('everything', 0x2_0000_0000, 0x1000, this.device);
    this.memory = memory.words.subarray(ram.offset >>> 2, (ram.offset + RAM) >>> 2);
    this.memory.set(original);
    const { regs, system } = this.made.core;
    const floats = new Int32Array(regs.floats.buffer, regs.floats.byteOffset, 2 * regs.floats.length);
    this.#parts = Object.entries({
      register: regs.words.subarray(0, R.COUNT),
      system: system.words,
      tlb: system.tlb.words,
      fpscr: regs.words.subarray(R.FPSCR, R.FPSCR + 1),
      float: floats,
      // What pages are remembered for: the core says so itself only before it runs
      'context of data': regs.words.subarray(R.DATA_CONTEXT, R.DATA_CONTEXT + 1),
      'context of code': regs.words.subarray(R.CODE_CONTEXT, R.CODE_CONTEXT + 1),
      memory: this.memory,
    }).map(([name, words]) => [name, words, bytes(words)]);
    this.#tlbNow = bytes(system.tlb.words);
    this.restart();
  }

  /** As after power-on, with what is mapped. */
  restart(): void {
    const { core } = this.made;
    core.reset();
    for (const space of [0, 1] as const) {
      map(core, 60 + space, { ea: 0, pa: 0, size: 3, space });
      map(core, 50 + space, { ea: READ_ONLY, pa: 0x2000, size: 1, space, rights: 0x2d });
      map(core, 52 + space, { ea: DEVICE, pa: 0x2_0000_0000, size: 1, space });
      map(core, 54 + space, { ea: GUARDED, pa: 0x3000, size: 1, space, rights: 0x07 });
      map(core, 56 + space, { ea: GUARDED + 0x1000, pa: 0x4000, size: 1, space });
      map(core, 58 + space, { ea: THROUGH, pa: 0x5000, size: 1, space, rights: 0xc3f });
      map(core, 48 + space, { ea: NOBODY, pa: 0x7_0000_0000, size: 1, space });
    }
    this.#tlb = this.#tlbNow.slice();
    core.run(2); // engines may treat a core that is only stepped in a way of its own
  }

  put(word: number): void {
    put(this.made.ram, CODE, [word, ...END]);
  }

  /** Run the instruction from a state. What is remembered of pages stays. */
  run({ words, system, floats: some, fpscr, cycles }: State): string {
    const { core, ram } = this.made;
    this.device.heard = '';
    this.memory.set(this.original.subarray(0, CODE >>> 2));
    this.memory.set(this.original.subarray((CODE + 0x1000) >>> 2), (CODE + 0x1000) >>> 2);
    if (Buffer.compare(this.#tlb, this.#tlbNow) !== 0) {
      this.#tlbNow.set(this.#tlb);
      core.lookaside.flush();
    }
    ram.write(CODE + 0x800, 4, 0);
    core.regs.words.set(words);
    core.regs.words[R.FPSCR] = fpscr;
    core.regs.floats.set(some);
    core.system.words.set(system);
    core.timers.changed();
    core.contextChanged();
    const stop = core.run(cycles);
    const { clock, timers } = { clock: this.made.clock, timers: core.timers };
    const end = JSON.stringify([stop, clock.now, core.retired, timers.decrementer, `${timers.timeBase}`]);
    if (stop.kind === 'reset' || stop.kind === 'checkstop') this.restart();
    return end + this.device.heard;
  }

  differences(other: Bench): string[] {
    return this.#parts.flatMap(([name, mine, itsBytes], i) => {
      const [, others, otherBytes] = other.#parts[i]!;
      if (Buffer.compare(itsBytes, otherBytes) === 0) return [];
      const at = mine.findIndex((word, n) => word !== others[n]);
      return [`${name} ${at}: ${hex(mine[at]!)}, ${hex(others[at]!)}`];
    });
  }
}

const bytes = ({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
const hex = (word: number): string => (word >>> 0).toString(16);

/** What an engine gives, or what it fails with. */
function tried(run: () => string): string {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

/** Any value of a field; displacements that lead somewhere, and special registers that exist, more often. */
function fieldOf(dice: Dice, { name, width }: Field): number {
  if (name === 'spr' && dice.below(8) > 0) return dice.of(sprs).number;
  if ((name === 'd' || name === 'bd' || name === 'li') && dice.below(4) > 0) return dice.below(80) - 40;
  if (/^r[tsab]$/.test(name) && dice.below(2) === 0) return dice.of([0, 3, 4, 5]);
  return dice.word() % 2 ** width;
}

const someWord = (dice: Dice, { match, fields }: Instruction): number =>
  fields.reduce((word, f) => (word | insert(fieldOf(dice, f), f)) >>> 0, match);

/** States that a word is run in, each twice: the second time what it accesses is remembered. */
const STATES = 25;

/** Every instruction in turn, until there have been so many states. Throws where an engine does not agree with the reference. */
export function singles(seed: number, states: number): string {
  const dice = new Dice(seed);
  const original = Int32Array.from({ length: RAM / 4 }, () => dice.word());
  original.fill(0, CODE >>> 2, (CODE + 0x1000) >>> 2);
  const [first, ...others] = engines.map(([name, engine]) => new Bench(name, engine, original)) as [Bench, ...Bench[]];
  const ends = new Map<string, number>();
  let done = 0;
  for (let turn = 0; done < states; turn++) {
    const instruction = all[turn % all.length]!;
    const word = someWord(dice, instruction);
    for (const bench of [first, ...others]) bench.put(word);
    for (let i = 0; i < STATES; i++) {
      const state = someState(dice);
      for (const again of [false, true]) {
        const end = first.run(state);
        done += 1;
        const kind = /"kind":"(?:trap","trap":\{"kind":")?([\w-]+)/.exec(end)![1]!;
        ends.set(kind, (ends.get(kind) ?? 0) + 1);
        for (const other of others) {
          const itsEnd = tried(() => other.run(state));
          const wrong = first.differences(other);
          if (end !== itsEnd) wrong.unshift(`${end}\n${itsEnd}`);
          if (wrong.length === 0) continue;
          const gpr = [...state.words.subarray(0, 32)].map(hex).join(' ');
          const rest = `msr ${hex(state.system[S.msr]!)} xer ${hex(state.words[R.XER]!)} ctr ${hex(state.words[R.CTR]!)}`;
          throw new Error(
            `${other.name} differs at ${instruction.name} (${hex(word)}), state ${i}${again ? ' again' : ''} of seed ${seed}:\n` +
              `${wrong.join('\n')}\nregisters ${gpr}\n${rest} cr ${hex(state.words[R.CR]!)} cycles ${state.cycles}`,
          );
        }
      }
    }
  }
  const met = [...ends].map(([kind, count]) => `${kind} ${count}`).join(', ');
  return `seed ${seed}: ${all.length} instructions in ${done} states on ${engines.length} engines; they ended by ${met}`;
}
