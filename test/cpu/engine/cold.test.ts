import { expect, test } from 'vitest';
import { Translator } from '../../../src/cpu/engine/translator.js';
import { R, S } from '../../../src/cpu/state.js';
import { asm } from '../../../src/isa/assemble.js';
import { MSR } from '../../../src/isa/registers.js';
import { word2 } from '../../../src/mmu/tlb.js';
import { map, mapped, put, setMsr } from '../machine.js';

const CODE = 0x1000;
const DATA = 0x8000;

/** Translated at once, and never: cold code alone. */
const engines = [new Translator({ hot: 1 }), new Translator()];

/** Run a program of so many instructions; the trap it met. */
function run(engine: Translator, program: readonly number[], registers: Readonly<Record<number, number>> = {}) {
  const made = mapped({ engine });
  put(made.ram, CODE, program);
  for (const [register, value] of Object.entries(registers)) made.core.regs.gpr[Number(register)] = value;
  made.core.regs.pc = CODE;
  const go = () => made.core.run(program.length);
  return { ...made, go, gpr: made.core.regs.gpr };
}

test.each(engines)(
  'dcbz zeroes a block beside what has been stored, and is refused where the page is written through',
  (engine) => {
    const program = [
      asm('stw', { rs: 5, ra: 4, d: 28 }),
      asm('stw', { rs: 5, ra: 4, d: 32 }),
      asm('dcbz', { ra: 0, rb: 6 }),
      asm('lwz', { rt: 7, ra: 4, d: 28 }),
      asm('lwz', { rt: 8, ra: 4, d: 32 }),
    ];
    const made = run(engine, program, { 4: DATA, 5: 0x1234, 6: DATA + 17 });
    expect(made.go()).toMatchObject({ kind: 'quantum' });
    expect([made.gpr[7], made.gpr[8]]).toEqual([0, 0x1234]);
    map(made.core, 3, { ea: DATA, pa: DATA, size: 1, rights: 0x3f | word2.W });
    made.core.regs.pc = CODE;
    expect(made.go()).toEqual({ kind: 'trap', trap: { kind: 'alignment', access: 'write', address: DATA } });
    expect(made.core.regs.pc).toBe(CODE + 8);
  },
);

test.each(engines)('stmw and lmw move the registers to r31, within a page and over its end', (engine) => {
  const program = [
    asm('stw', { rs: 5, ra: 4, d: 0 }),
    asm('stmw', { rs: 25, ra: 4, d: -28 }),
    asm('lmw', { rt: 25, ra: 4, d: -24 }),
    asm('stmw', { rs: 30, ra: 6, d: -4 }),
    asm('lmw', { rt: 30, ra: 6, d: -4 }),
  ];
  const values = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [25 + i, 100 + i]));
  const made = run(engine, program, { 4: DATA + 0x100, 5: 0x1234, 6: DATA + 0x1000, ...values });
  expect(made.go()).toMatchObject({ kind: 'quantum' });
  expect([...made.gpr.subarray(25)]).toEqual([101, 102, 103, 104, 105, 106, 0x1234]);
  expect(made.ram.read(DATA + 0x100 - 28, 4)).toBe(100);
  expect([made.ram.read(DATA + 0xffc, 4), made.ram.read(DATA + 0x1000, 4)]).toEqual([106, 0x1234]);
});

test.each(engines)('registers keep the bits that exist, and are a supervisor’s or anybody’s', (engine) => {
  const program = [
    asm('mtspr', { spr: 26, rs: 4 }),
    asm('mfspr', { rt: 5, spr: 26 }),
    asm('mtspr', { spr: 1, rs: 4 }),
    asm('mfspr', { rt: 6, spr: 1 }),
    asm('mtspr', { spr: 276, rs: 4 }),
    asm('mfspr', { rt: 7, spr: 260 }),
    asm('mfspr', { rt: 8, spr: 287 }),
  ];
  const made = run(engine, program, { 4: -1 });
  expect(made.go()).toMatchObject({ kind: 'quantum' });
  expect([...made.gpr.subarray(5, 9)]).toEqual([-4, 0xe000007f | 0, -1, 0x422218d3]);
  setMsr(made.core, MSR.PR);
  const privileged = { kind: 'trap', trap: { kind: 'program', cause: 'privileged' } };
  made.core.regs.pc = CODE + 8; // XER is anybody's, to write SPRG4 the supervisor's
  expect(made.go()).toMatchObject(privileged);
  expect(made.core.regs.pc).toBe(CODE + 16);
  made.core.regs.pc = CODE + 20;
  expect(made.go()).toMatchObject(privileged);
  expect(made.core.regs.pc).toBe(CODE + 24);
  expect(made.core.regs.words[R.SPRG4]).toBe(-1);
  expect(made.core.system.words[S.srr0]).toBe(-4);
});

test.each(engines)('tlbwe acts at the next instruction, on the page that it stands in too', (engine) => {
  const program = [asm('tlbwe', { rs: 4, ra: 5, ws: 0 }), asm('ori')];
  const made = run(engine, program, { 4: 0, 5: 63 });
  expect(made.go()).toEqual({ kind: 'trap', trap: { kind: 'instruction-tlb-miss' } });
  expect(made.core.regs.pc).toBe(CODE + 4);
  expect(made.core.retired).toBe(1);
});

test.each(engines)(
  'misaligned words and halfwords come from where they are, within a page and over its end',
  (engine) => {
    const program = [
      asm('stw', { rs: 5, ra: 4, d: 0 }),
      asm('stw', { rs: 6, ra: 4, d: 4 }),
      asm('lwz', { rt: 7, ra: 4, d: 1 }),
      asm('lwz', { rt: 8, ra: 4, d: 3 }),
      asm('lhz', { rt: 9, ra: 4, d: 3 }),
      asm('stw', { rs: 5, ra: 4, d: 10 }),
      asm('sth', { rs: 6, ra: 4, d: 0xfff }),
      asm('lwz', { rt: 10, ra: 4, d: 8 }),
      asm('lhz', { rt: 11, ra: 4, d: 0xfff }),
      asm('lwz', { rt: 12, ra: 4, d: 0xffe }),
    ];
    const made = run(engine, program, { 4: DATA, 5: 0x11223344, 6: 0x55667788 });
    expect(made.go()).toMatchObject({ kind: 'quantum' });
    const found = [...made.gpr.subarray(7, 13)].map((value) => value.toString(16));
    expect(found).toEqual(['22334455', '44556677', '4455', '1122', '7788', '778800']);
  },
);

test.each(engines)('lwarx of a misaligned address traps, whether or not its page is known', (engine) => {
  const made = run(engine, [asm('lwz', { rt: 3, ra: 4 }), asm('lwarx', { rt: 3, ra: 0, rb: 5 })], {
    4: DATA,
    5: DATA + 2,
  });
  const alignment = { kind: 'trap', trap: { kind: 'alignment', access: 'read', address: DATA + 2 } };
  expect(made.go()).toEqual(alignment);
  made.core.lookaside.flush();
  made.core.regs.pc = CODE + 4;
  expect(made.go()).toEqual(alignment);
});

test.each(engines)('however few may be run at a time, code over the ends of pages is counted exactly', (engine) => {
  const words = 40;
  const start = CODE + 0x1000 - 4 * (words / 2);
  for (const slice of [1, 2, 3, 7, 19, 20, 21, 1000]) {
    const made = mapped({ engine });
    const loop = Array.from({ length: words - 1 }, () => asm('addi', { rt: 3, ra: 3, si: 1 }));
    put(made.ram, start, [...loop, asm('b', { li: -(words - 1) })]);
    made.core.regs.pc = start;
    for (let left = 3 * words + 5; left > 0; left -= slice) made.core.run(Math.min(slice, left));
    expect([made.core.retired, made.core.regs.gpr[3], made.core.regs.pc]).toEqual([125, 3 * 39 + 5, start + 20]);
  }
});

test.each(engines)('branches to and fro in a page are counted exactly, whatever is left', (engine) => {
  const forward = 200;
  for (const budget of [1, 3, 1021, 1022, 1023, 1024, 1025, 1026, 1230, 2047, 2048, 2049, 5003]) {
    const made = mapped({ engine });
    put(made.ram, CODE, [asm('addi', { rt: 3, ra: 3, si: 1 }), asm('b', { li: forward })]);
    put(made.ram, CODE + 4 * (forward + 1), [asm('addi', { rt: 4, ra: 4, si: 1 }), asm('b', { li: -forward - 2 })]);
    made.core.regs.pc = CODE;
    expect(made.core.run(budget)).toMatchObject({ kind: 'quantum' });
    const [turns, rest] = [Math.floor(budget / 4), budget % 4];
    const places = [CODE, CODE + 4, CODE + 4 * (forward + 1), CODE + 4 * (forward + 2)];
    expect([made.core.retired, ...made.core.regs.gpr.subarray(3, 5), made.core.regs.pc]).toEqual([
      budget,
      turns + (rest > 0 ? 1 : 0),
      turns + (rest > 2 ? 1 : 0),
      places[rest],
    ]);
  }
});

const everyBo = Array.from({ length: 32 }, (_, bo) => bo);

test.each(everyBo)('a conditional branch whose BO is %i counts and looks as that says', (bo) => {
  for (const engine of engines)
    for (const ctr of [0, 1, 2])
      for (const bit of [0, 1]) {
        const made = run(engine, [asm('bc', { bo, bi: 13, bd: 5 })]);
        const { regs } = made.core;
        regs.cr = bit << (31 - 13);
        regs.words[R.CTR] = ctr;
        made.go();
        const counted = bo & 4 ? ctr : (ctr - 1) | 0;
        const taken = (bo & 4 || (counted === 0) === ((bo & 2) !== 0)) && (bo & 16 || bit === ((bo >> 3) & 1));
        expect([regs.words[R.CTR], regs.pc]).toEqual([counted, CODE + (taken ? 20 : 4)]);
      }
});

test.each([
  { rate: { ticks: 1, cycles: 1 }, low: 0xfffffff8 },
  { rate: { ticks: 1, cycles: 3 }, low: 0xfffffffe },
])(
  'the time base is the same as the plain interpreter reads, at $rate.ticks ticks in $rate.cycles cycles',
  ({ rate, low }) => {
    const read = (rt: number, spr: number): number => asm('mfspr', { rt, spr });
    const program = [
      ...[268, 269, 268, 269].map((spr, i) => read(3 + i, spr)),
      asm('addi', { rt: 20, ra: 0, si: 1 }),
      ...[268, 269, 268, 269, 268, 269].map((spr, i) => read(7 + i, spr)),
      asm('mtspr', { rs: 20, spr: 285 }), // TBU
      ...[268, 269].map((spr, i) => read(13 + i, spr)),
      asm('mtspr', { rs: 20, spr: 284 }), // TBL
      ...[268, 269].map((spr, i) => read(15 + i, spr)),
    ];
    const results = [undefined, ...engines].map((engine) => {
      const made = mapped({ rate, ...(engine && { engine }) });
      made.clock.now = 2 ** 40 + 12345;
      made.core.timers.setTimeBase('low', low);
      made.core.timers.setTimeBase('high', 7);
      put(made.ram, CODE, program);
      made.core.regs.pc = CODE;
      made.core.run(5);
      made.core.run(program.length - 5);
      return [...made.core.regs.gpr].map((word) => word >>> 0);
    });
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    expect(results[0]!.slice(13, 15)).toEqual([expect.any(Number), 1]);
    if (rate.cycles === 1) expect(results[0]!.slice(3, 13)).toEqual([low, 7, low + 2, 7, low + 5, 7, low + 7, 8, 1, 8]);
  },
);
