import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { MSR, TCR, TSR, sprs } from '../../src/isa/registers.js';
import { readSpr, writeSpr } from '../../src/cpu/supervisor.js';
import { timeBaseRate, type TimeBaseRate } from '../../src/cpu/timers.js';
import { machine, mapped, put, setMsr } from './machine.js';
import { NaiveTimers } from './naive-timers.js';

type Name = 'TBL' | 'TBU' | 'DEC' | 'DECAR' | 'TCR' | 'TSR';
const number = (name: string, way: 'read' | 'write'): number =>
  sprs.find((s) => s.name === name && s[way] !== '-')!.number;

/** A core whose clock is moved by hand. */
function timers(rate?: TimeBaseRate) {
  const { core, clock } = machine(rate ? { ram: 0x1000, rate } : { ram: 0x1000 });
  return {
    core,
    clock,
    write: (name: Name, value: number) => writeSpr(core, number(name, 'write'), value),
    read: (name: Name) => readSpr(core, number(name, 'read')) >>> 0,
    /** TSR as a core sees it that only waits for alarms. */
    seen: () => core.system.get('tsr'),
    /** As a core does: from alarm to alarm. */
    advance: (cycles: number) => {
      for (const end = clock.now + cycles; ;) {
        clock.now = Math.min(end, Math.max(clock.next, clock.now));
        if (clock.next > clock.now) return;
        clock.ring();
      }
    },
  };
}

test('a rate is reduced: a 66.67 MHz time base under a 400 MHz clock', () => {
  expect(timeBaseRate(66_666_666, 400_000_000)).toEqual({ ticks: 33_333_333, cycles: 200_000_000 });
  expect(timeBaseRate(400_000_000, 400_000_000)).toEqual({ ticks: 1, cycles: 1 });
});

test.each([
  [{ ticks: 1, cycles: 1 }, 1_000_000],
  [{ ticks: 1, cycles: 6 }, 166_666],
  [{ ticks: 3, cycles: 7 }, 428_571],
  [{ ticks: 33_333_333, cycles: 200_000_000 }, 166_666],
])('after 1,000,000 cycles a time base of %o stands at %i', (rate, ticks) => {
  const { clock, core, read } = timers(rate);
  clock.now = 1_000_000;
  expect(core.timers.timeBase).toBe(BigInt(ticks));
  expect(read('TBL')).toBe(ticks);
});

test('the time base is exact after weeks: 2^52 cycles at 3/7', () => {
  const { clock, core } = timers({ ticks: 3, cycles: 7 });
  clock.now = 2 ** 52;
  expect(core.timers.timeBase).toBe((2n ** 52n * 3n) / 7n);
});

test('the time base’s halves are written one by one and carry over', () => {
  const { clock, write, read, core } = timers();
  clock.now = 12345;
  write('TBL', 0xffffffff);
  write('TBU', 0x7fffffff);
  clock.now += 1;
  expect([read('TBU'), read('TBL')]).toEqual([0x80000000, 0]);
  write('TBU', 0xffffffff);
  write('TBL', 0xfffffffe);
  clock.now += 3;
  expect(core.timers.timeBase).toBe(1n);
});

test('the decrementer fires once when it goes from 1 to 0, and stays there', () => {
  const { advance, write, read, seen, core } = timers();
  write('TCR', TCR.DIE);
  write('DEC', 100);
  expect(core.timers.due).toBe(100);
  advance(99);
  expect([read('DEC'), seen()]).toEqual([1, 0]);
  advance(1);
  expect([read('DEC'), seen()]).toEqual([0, TSR.DIS]);
  write('TSR', TSR.DIS);
  expect(core.timers.due).toBe(Infinity);
  advance(1e9);
  expect([read('DEC'), read('TSR') & TSR.DIS]).toEqual([0, 0]);
});

test('writing 0 to the decrementer is no exception; writing 1 is one tick later', () => {
  const { advance, write, read } = timers();
  write('DEC', 5);
  write('DEC', 0);
  advance(10);
  expect(read('TSR')).toBe(0);
  write('DEC', 1);
  expect(read('TSR')).toBe(0);
  advance(1);
  expect(read('TSR')).toBe(TSR.DIS);
});

test('with auto-reload the decrementer fires every DECAR ticks, and never shows 0', () => {
  const { advance, write, read, seen, clock } = timers();
  write('DECAR', 7);
  write('TCR', TCR.DIE | TCR.ARE);
  write('DEC', 3);
  const fired: number[] = [];
  for (let cycle = 1; cycle <= 31; cycle++) {
    advance(1);
    if (seen() & TSR.DIS) fired.push(clock.now);
    write('TSR', TSR.DIS);
    expect(read('DEC')).toBeGreaterThan(0);
  }
  expect(fired).toEqual([3, 10, 17, 24, 31]);
});

test('the whole 32 bits of the decrementer count', () => {
  const { write, core, read, advance } = timers({ ticks: 1, cycles: 3 });
  write('TCR', TCR.DIE);
  write('DEC', 0xffffffff);
  expect(core.timers.due).toBe(3 * 0xffffffff);
  advance(3);
  expect(read('DEC')).toBe(0xfffffffe);
});

test.each([0, 1, 2, 3])(
  'TCR[FP] = %i: the fixed interval timer fires where its bit of the time base rises',
  (period) => {
    const ticks = 2 ** (13 + 4 * period);
    const { advance, write, seen, clock, core } = timers({ ticks: 2, cycles: 3 });
    write('TCR', TCR.FIE | (period << 24));
    for (const edge of [ticks / 2, (3 * ticks) / 2, (5 * ticks) / 2]) {
      const cycle = Math.ceil((edge * 3) / 2);
      expect(core.timers.due).toBe(cycle);
      advance(cycle - 1 - clock.now);
      expect(seen() & TSR.FIS).toBe(0);
      advance(1);
      expect(seen() & TSR.FIS).toBe(TSR.FIS);
      expect(core.timers.timeBase & BigInt(ticks / 2)).not.toBe(0n);
      write('TSR', TSR.FIS);
    }
  },
);

test('a time base written to a value with the chosen bit set fires, one with the bit clear does not', () => {
  const { write, seen } = timers();
  write('TCR', TCR.FIE);
  write('TBL', 0x0fff);
  expect(seen()).toBe(0);
  write('TBL', 0x1000);
  expect(seen()).toBe(TSR.FIS);
  write('TSR', TSR.FIS);
  write('TBL', 0x3000); // it was set already
  expect(seen()).toBe(0);
});

test.each([0, 1, 2, 3])('TCR[WP] = %i: the watchdog climbs its ladder: armed, interrupt, reset', (period) => {
  const half = 2 ** (20 + 4 * period);
  const { advance, write, seen, core, clock } = timers();
  write('TCR', (period << 30) | TCR.WIE | 0x20000000); // WRC: chip
  const ladder = (): number => seen() & (TSR.ENW | TSR.WIS);
  advance(half - 1);
  expect(ladder()).toBe(0);
  advance(1);
  expect(ladder()).toBe(TSR.ENW);
  advance(2 * half);
  expect(ladder()).toBe(TSR.ENW | TSR.WIS);
  expect(core.resetRequest).toBeUndefined();
  expect(core.timers.due).toBe(5 * half);
  advance(2 * half);
  expect(clock.now).toBe(5 * half);
  expect(core.resetRequest).toBe('chip');
  expect((seen() >>> 28) & 3).toBe(2); // TSR[WRS]
});

test('a watchdog that is served, by clearing ENW and WIS, never resets; one without WRC never does', () => {
  const { advance, write, core } = timers();
  write('TCR', TCR.WIE | 0x30000000);
  for (let turn = 0; turn < 10; turn++) {
    advance(2 ** 21);
    write('TSR', TSR.ENW | TSR.WIS);
  }
  expect(core.resetRequest).toBeUndefined();
  const idle = timers();
  idle.write('TCR', TCR.WIE);
  idle.advance(2 ** 24);
  expect([idle.seen() & ~TSR.FIS, idle.core.resetRequest]).toEqual([TSR.ENW | TSR.WIS, undefined]);
});

test('each bit of TCR[WRC] stays set until a reset', () => {
  const { write, read, core } = timers();
  write('TCR', 0x10000000);
  write('TCR', TCR.DIE);
  expect(read('TCR')).toBe(0x10000000 | TCR.DIE);
  write('TCR', 0x20000000);
  expect(read('TCR')).toBe(0x30000000);
  core.reset();
  expect(read('TCR')).toBe(0);
  write('TCR', TCR.DIE);
  expect(read('TCR')).toBe(TCR.DIE);
});

const edges = [0x0ff8, 0xfff8, 0xffff8, 0xfffff8, 0x0ffffff8, 0xfffffff8, 0x1000, 0];
const value: Record<Name, fc.Arbitrary<number>> = {
  TBL: fc.tuple(fc.constantFrom(...edges), fc.nat(15)).map(([edge, beside]) => (edge + beside) >>> 0),
  TBU: fc.constantFrom(0, 1, 0xffffffff),
  DEC: fc.oneof(fc.nat(40), fc.constantFrom(0xffffffff)),
  DECAR: fc.nat(12),
  TCR: fc
    .tuple(fc.nat(0xf), fc.nat(0x3f), fc.constantFrom(0, 0x10, 0x20))
    .map(
      ([periods, bits, wrc]) =>
        (((periods & 12) << 28) | ((periods & 3) << 24) | (bits << 22) | (wrc << 24)) & 0xffc00000,
    ),
  TSR: fc.nat(0x3f).map((bits) => bits << 26),
};
const action = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constant('advance' as const), cycles: fc.oneof(fc.constant(1), fc.nat(60)) }),
    weight: 5,
  },
  { arbitrary: fc.constant({ kind: 'look' as const }), weight: 1 },
  ...(Object.keys(value) as Name[]).map((name) => ({
    arbitrary: fc.record({ kind: fc.constant('write' as const), name: fc.constant(name), value: value[name] }),
    weight: 1,
  })),
);
const rates = [
  [1, 1],
  [1, 2],
  [2, 3],
  [3, 7],
  [5, 2],
].map(([ticks, cycles]) => ({ ticks: ticks!, cycles: cycles! }));

test('timers brought up to date when somebody looks agree with timers stepped tick by tick', () => {
  const noticed = { WIS: 0, DIS: 0, FIS: 0, resets: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...rates), fc.array(action, { minLength: 30, maxLength: 80 }), (rate, actions) => {
      const lazy = timers(rate);
      const naive = new NaiveTimers(rate);
      for (const step of actions) {
        if (step.kind === 'write') {
          lazy.write(step.name, step.value);
          naive.write(step.name, step.value);
        } else if (step.kind === 'advance') {
          lazy.advance(step.cycles);
          for (let i = 0; i < step.cycles; i++) naive.cycle();
        } else {
          const seen = [lazy.read('TSR'), lazy.read('DEC'), lazy.read('TCR'), lazy.core.timers.timeBase];
          expect(seen).toEqual([naive.tsr >>> 0, naive.dec, naive.tcr >>> 0, naive.timeBase]);
        }
        // Whatever a core would notice is there in its very cycle, though nobody has looked
        const enabled = lazy.core.system.get('tcr');
        const pending =
          (enabled & TCR.WIE ? TSR.WIS : 0) | (enabled & TCR.DIE ? TSR.DIS : 0) | (enabled & TCR.FIE ? TSR.FIS : 0);
        expect(lazy.seen() & pending).toBe(naive.pending);
        expect(lazy.core.timers.resetRequest).toBe([undefined, 'core', 'chip', 'system'][naive.reset]);
        for (const name of ['WIS', 'DIS', 'FIS'] as const) if (naive.pending & TSR[name]) noticed[name]++;
        if (naive.reset !== 0) noticed.resets++;
      }
    }),
    { numRuns: 500 },
  );
  console.log('timer events noticed:', noticed);
  for (const count of Object.values(noticed)) expect(count).toBeGreaterThan(0);
});

test('a program reads the time base of its own cycle, and is interrupted on the cycle that it asked for', () => {
  const { core, ram, clock } = mapped();
  const li = (rt: number, si: number): number => asm('addi', { rt, si });
  put(ram, 0x1000, [
    asm('mfspr', { rt: 3, spr: 268 }),
    asm('addis', { rt: 5, si: TCR.DIE >>> 16 }),
    asm('mtspr', { rs: 5, spr: 340 }),
    li(6, 10),
    asm('mtspr', { rs: 6, spr: 22 }), // in cycle 4
    ...Array<number>(20).fill(asm('ori')),
    asm('mfspr', { rt: 4, spr: 268 }),
  ]);
  setMsr(core, MSR.EE);
  core.regs.pc = 0x1000;
  expect(core.run(1000)).toEqual({ kind: 'trap', trap: { kind: 'decrementer' } });
  expect([clock.now, core.regs.pc]).toEqual([14, 0x1000 + 4 * 14]);
  setMsr(core, 0);
  core.run(12);
  expect([core.regs.gpr[3], core.regs.gpr[4]]).toEqual([0, 25]);
});
