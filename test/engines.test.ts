import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Device, Width } from '../src/bus/bus.js';
import { deliver } from '../src/cpu/deliver.js';
import type { Engine } from '../src/cpu/engine/engine.js';
import { Interpreter } from '../src/cpu/engine/interpreter.js';
import { Translator } from '../src/cpu/engine/translator.js';
import { R, S } from '../src/cpu/state.js';
import { asm } from '../src/isa/assemble.js';
import { decode } from '../src/isa/decode.js';
import { instructions } from '../src/isa/instructions.js';
import { MSR } from '../src/isa/registers.js';
import { machine, map, put, setMsr } from './cpu/machine.js';
import { fieldValues } from './isa/words.js';

/**
 * Every engine does the same as every other, instruction by instruction: random programs on random states, compared in all
 * registers, memory, device accesses, traps, counts and time. The second one has every instruction in a function of its
 * own and no lookaside, so that the fast loads, stores and fetches of the first are compared with the slow path.
 */
const engines: readonly Engine[] = [
  new Interpreter(),
  new Interpreter({ inline: false }),
  new Translator({ hot: 1 }),
  new Translator(),
];

const RAM = 0x10000;
const CODE = 0x1000;
const LENGTH = 64; // instructions of a program
const CYCLES = 250;
const READ_ONLY = 0x40000000; // the page at 0x4000 for reading
const DEVICE = 0x50000000;
const CODE_END = CODE + 4 * LENGTH;

/** What a program starts with. */
interface Start {
  readonly code: readonly number[];
  readonly gpr: readonly number[];
  readonly special: readonly number[]; // CR, XER, LR, CTR
  readonly system: readonly number[]; // MSR, PID, SRR0, SRR1
  /** Seed of the data that fills RAM. */
  readonly data: number;
}

const uint32 = fc.nat(0xffffffff);
const edge = fc.constantFrom(
  0,
  1,
  2,
  31,
  32,
  0x7f,
  0x80,
  0x7fff,
  0x8000,
  0xffff,
  0x7fffffff,
  0x80000000,
  0xfffffffe,
  0xffffffff,
);
const address = fc
  .tuple(fc.constantFrom(0x4000, 0x8000, 0xc000, READ_ONLY, DEVICE), fc.nat(0xfff))
  .map(([page, offset]) => page + offset);
/** Mostly places where something is, so that loads and stores find it. */
const value = fc.oneof(
  { arbitrary: address, weight: 6 },
  { arbitrary: edge, weight: 2 },
  { arbitrary: uint32, weight: 2 },
);

// Few registers, so that results are used; small displacements, so that addresses stay where something is
const register = fc.constantFrom(0, 3, 4, 5, 6, 7, 29, 30, 31);
const small = {
  d: fc.integer({ min: -40, max: 40 }),
  bd: fc.integer({ min: -20, max: 20 }),
  li: fc.integer({ min: -20, max: 20 }),
};
const spr = fc.constantFrom(
  1,
  8,
  9,
  22,
  26,
  27,
  48,
  54,
  61,
  62,
  256,
  260,
  268,
  269,
  272,
  276,
  284,
  285,
  287,
  336,
  946,
  5,
  16,
);
const word: fc.Arbitrary<number> = fc.constantFrom(...instructions).chain((instruction) =>
  fc
    .record(
      Object.fromEntries(
        instruction.fields.map((f) => {
          if (/^r[tsab]$/.test(f.name)) return [f.name, register];
          if (f.name === 'spr') return [f.name, spr];
          return [f.name, (small as Record<string, fc.Arbitrary<number>>)[f.name] ?? fieldValues(f)];
        }),
      ),
    )
    .map((fields) => asm(instruction.name, fields)),
);

const msr = fc
  .subarray([MSR.PR, MSR.DS, MSR.EE, MSR.CE, MSR.FP])
  .map((bits) => bits.reduce((all, bit) => all | bit, MSR.ME as number));
const start: fc.Arbitrary<Start> = fc.record({
  code: fc.array(fc.oneof({ arbitrary: word, weight: 30 }, { arbitrary: uint32, weight: 1 }), {
    minLength: LENGTH,
    maxLength: LENGTH,
  }),
  gpr: fc.array(value, { minLength: 32, maxLength: 32 }),
  special: fc.tuple(uint32, uint32, fc.constantFrom(CODE + 8, CODE + 0x40, 0x9000), fc.constantFrom(1, 5, CODE + 0x20)),
  system: fc.tuple(msr, fc.constantFrom(0, 1), fc.constantFrom(CODE + 0x30, CODE + 0x72), msr),
  data: uint32,
});

class Recorder implements Device {
  readonly heard: string[] = [];
  read(offset: number, width: Width): number {
    this.heard.push(`read ${offset} ${width}`);
    return (offset * 0x01010101) >>> (32 - 8 * width);
  }
  write(offset: number, width: Width, value: number): void {
    this.heard.push(`write ${offset} ${width} ${value}`);
  }
  peek(): number {
    return 0;
  }
}

function build(engine: Engine, { code, gpr, special, system, data }: Start) {
  const m = machine({ ram: RAM, engine, rate: { ticks: 2, cycles: 3 } });
  const { core, ram, memory } = m;
  const recorder = new Recorder();
  m.bus.devices.attach('recorder', 0x2_0000_0000, 0x800, recorder);
  for (let i = 0; i < RAM / 4; i++) memory.words[(ram.offset >>> 2) + i] = Math.imul(data ^ i, 0x9e3779b1);
  put(ram, CODE, code);
  for (const space of [0, 1] as const) {
    map(core, 60 + space, { ea: 0, pa: 0, size: 3, space });
    map(core, 56 + space, { ea: READ_ONLY, pa: 0x4000, size: 1, space, rights: 0x2d });
    map(core, 58 + space, { ea: DEVICE, pa: 0x2_0000_0000, size: 1, space });
  }
  core.regs.gpr.set(gpr.map((v) => v | 0));
  [R.CR, R.XER, R.LR, R.CTR].forEach((at, i) => (core.regs.words[at] = special[i]! | 0));
  [S.msr, S.pid, S.srr0, S.srr1].forEach((at, i) => (core.system.words[at] = system[i]! | 0));
  core.regs.pc = CODE;
  core.contextChanged();
  return { ...m, recorder, msr: system[0]! };
}

/** Run a program for so many cycles, in turns of `quantum`. A trap is delivered, and the program goes on somewhere else. */
function run(engine: Engine, begin: Start, quantum: number, visited?: Set<string>) {
  const m = build(engine, begin);
  const { core, clock, ram, memory } = m;
  const events: string[] = [];
  while (clock.now < CYCLES && events.length < CYCLES) {
    const { pc } = core.regs;
    if (pc >= CODE && pc < CODE_END) visited?.add(decode(ram.read(pc & ~3, 4))?.name ?? 'none');
    const stop = core.run(Math.min(quantum, CYCLES - clock.now));
    if (stop.kind === 'quantum') continue;
    events.push(`${clock.now} ${core.regs.pc.toString(16)} ${JSON.stringify(stop)}`);
    if (stop.kind === 'trap') deliver(stop.trap, core.regs, core.system);
    if (stop.kind === 'reset' || stop.kind === 'checkstop') break;
    core.regs.pc = CODE + 4 * ((events.length * 5) % LENGTH);
    core.system.words[S.tsr] = 0; // otherwise a timer would interrupt for ever
    setMsr(core, m.msr);
  }
  return {
    registers: Array.from(core.regs.words.subarray(0, R.RESERVED + 1), (v) => v >>> 0),
    system: Array.from(core.system.words, (v) => v >>> 0),
    tlb: Array.from(core.system.tlb.words, (v) => v >>> 0),
    memory: Buffer.from(memory.words.slice(ram.offset >>> 2, (ram.offset + RAM) >>> 2).buffer).toString('base64'),
    dirty: Array.from(ram.dirty).join(''),
    devices: m.recorder.heard,
    counts: [clock.now, core.retired],
    timeBase: core.timers.timeBase,
    decrementer: core.timers.decrementer,
    events,
  };
}

test(`${engines.map((e) => e.name).join(', ')}: random programs leave the same machine behind`, () => {
  const visited = new Set<string>();
  const kinds = new Set<string>();
  fc.assert(
    fc.property(start, (begin) => {
      const [first, ...others] = engines.map((engine, i) => run(engine, begin, 1000, i === 0 ? visited : undefined));
      for (const other of others) expect(other).toEqual(first);
      for (const event of first!.events)
        kinds.add(/"kind":"trap","trap":\{"kind":"([\w-]+)"/.exec(event)?.[1] ?? event.split(' ')[2]!);
    }),
    { numRuns: 60 },
  );
  console.log(`stops met: ${[...kinds].sort().join(' ')}`);
  for (const kind of ['program', 'data-tlb-miss', 'data-storage', 'alignment', 'machine-check', 'system-call'])
    expect(kinds).toContain(kind);
});

test.each(engines.map((e) => [e.name, e] as const))('%s: a run cut into turns is the same run', (_, engine) => {
  const visited = new Set<string>();
  fc.assert(
    fc.property(start, (begin) => {
      const whole = run(engine, begin, CYCLES);
      for (const quantum of [1, 7, 100])
        expect(run(engine, begin, quantum, visited), `turns of ${quantum}`).toEqual(whole);
    }),
    { numRuns: engine.name === 'translator' ? 25 : 100 },
  );
  const missed = instructions.map((i) => i.name).filter((name) => !visited.has(name));
  console.log(`${engine.name}: ${visited.size} of ${instructions.length} instructions were run`);
  expect(missed.length, missed.join(' ')).toBeLessThan(engine.name === 'translator' ? 60 : 5); // fewer programs
});

test.each(engines.map((e) => [e.name, e] as const))(
  '%s: a program that changes its next instruction runs the new one',
  (_, engine) => {
    const { core, ram } = machine({ ram: RAM, engine });
    map(core, 60, { ea: 0, pa: 0, size: 3 });
    const store = asm('stw', { rs: 3, ra: 4, d: 4 });
    put(ram, CODE, [store, asm('addi', { rt: 5, si: 1 }), asm('addi', { rt: 6, ra: 6, si: 1 }), asm('b', { li: -3 })]);
    core.regs.gpr[4] = CODE;
    core.regs.pc = CODE;
    for (const si of [10, 20, 30]) {
      core.regs.gpr[3] = asm('addi', { rt: 5, si });
      core.run(4);
      expect([core.regs.gpr[5], core.regs.pc]).toEqual([si, CODE]);
    }
    expect(core.regs.gpr[6]).toBe(3);
  },
);
