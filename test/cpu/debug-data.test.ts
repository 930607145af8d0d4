import { describe, expect, test } from 'vitest';
import { DBCR0, DBSR, EVENT } from '../../src/cpu/debug-registers.js';
import { asm } from '../../src/isa/assemble.js';
import { MSR } from '../../src/isa/registers.js';
import { word2 } from '../../src/mmu/tlb.js';
import { both, hex } from '../hypervisor/guest.js';
import { execute, map } from './machine.js';
import {
  AT,
  DATA,
  ON,
  DEBUG,
  core,
  traced,
  begin,
  enable,
  count,
  reporting,
  listing,
  beginList,
  listed,
} from './debug-programs.js';

describe('data address compare', () => {
  const { DAC1R, DAC1W, DAC2R, DAC2W } = EVENT;
  const all = DAC1R | DAC1W | DAC2R | DAC2W;
  const lwz = (d: number) => asm('lwz', { rt: 3, ra: 4, d });
  const stw = (d: number) => asm('stw', { rs: 3, ra: 4, d });

  test.each([
    { word: lwz(4), dac: [DATA + 4, DATA + 8], mode: 0, events: DAC1R },
    { word: stw(4), dac: [DATA + 4, DATA + 4], mode: 0, events: DAC1W | DAC2W },
    { word: lwz(4), dac: [DATA + 6, DATA + 3], mode: 0, events: 0 }, // the address, not the bytes
    { word: lwz(4), dac: [DATA + 7, 0xfffffffc], mode: 1, events: DAC1R | DAC2R },
    { word: stw(8), dac: [DATA + 7, 0xfffffffc], mode: 1, events: 0 },
    { word: stw(4), dac: [DATA + 4, DATA + 8], mode: 2, events: DAC1W | DAC2W },
    { word: stw(8), dac: [DATA + 4, DATA + 8], mode: 2, events: 0 },
    { word: lwz(8), dac: [DATA + 4, DATA + 8], mode: 3, events: DAC1R | DAC2R },
    { word: lwz(4), dac: [DATA + 4, DATA + 8], mode: 3, events: 0 },
    // A quadword's end divides an access in two
    { word: lwz(14), dac: [DATA + 16, DATA + 14], mode: 0, events: DAC1R | DAC2R },
    { word: lwz(10), dac: [DATA + 12, DATA + 10], mode: 0, events: DAC2R },
    { word: asm('lmw', { rt: 28, ra: 4, d: 0 }), dac: [DATA + 12, DATA + 16], mode: 0, events: DAC1R },
    { word: asm('stmw', { rs: 28, ra: 4, d: 2 }), dac: [DATA + 10, DATA + 16], mode: 0, events: DAC1W | DAC2W },
    { word: asm('lswi', { rt: 5, ra: 4, nb: 7 }), dac: [DATA + 4, DATA + 6], mode: 0, events: DAC1R },
    { word: asm('stswi', { rs: 5, ra: 4, nb: 5 }), dac: [DATA + 4, DATA], mode: 0, events: DAC1W | DAC2W },
    { word: asm('lwarx', { rt: 3, ra: 0, rb: 4 }), dac: [DATA, 0], mode: 0, events: DAC1R },
    { word: asm('stwcx.', { rs: 3, ra: 0, rb: 4 }), dac: [DATA, 0], mode: 0, events: 0 }, // nothing is reserved
    { word: asm('lswx', { rt: 5, ra: 0, rb: 4 }), dac: [DATA, 0], mode: 0, events: 0 }, // no bytes
  ])('$word with DAC1, DAC2 $dac in mode $mode gives $events', ({ word, dac: [dac1, dac2], mode, events }) => {
    const registers = { dbcr0: all, dbcr2: mode << 22, dac1: dac1!, dac2: dac2! };
    expect(hex(traced(word, registers))).toBe(hex(events));
  });

  test.each([
    { dbcr0: DAC1R, events: DAC1R },
    { dbcr0: DAC2W, events: 0 },
    { dbcr0: DAC1W | DAC2R, events: DAC2R },
  ])('only what is enabled is recorded: DBCR0 $dbcr0', ({ dbcr0, events }) => {
    expect(traced(lwz(0), { dbcr0, dac1: DATA, dac2: DATA })).toBe(events);
  });

  test.each([
    { fields: 0b1000, events: ['0', 'DS'] },
    { fields: 0b1100, events: ['PR'] },
    { fields: 0b0010, events: ['0', 'PR'] },
    { fields: 0b0011, events: ['DS'] },
    { fields: 0b0001, events: [] },
  ])('fields US and ER $fields let it occur only in $events', ({ fields, events }) => {
    const states: [string, number][] = [['0', 0], ['PR', MSR.PR], ['DS', MSR.DS]]; // prettier-ignore
    const seen = states.filter(([, msr]) => {
      const made = core({ dbcr0: DAC1R | DAC2W, dbcr2: (fields << 28) | (fields << 24), dac1: DATA, dac2: DATA }, msr);
      map(made.core, 0, { ea: 0, pa: 0, size: 5, space: 1 });
      expect([execute(made, lwz(0)), execute(made, stw(0))]).toEqual([null, null]);
      expect([0, DAC1R | DAC2W]).toContain(made.dbsr());
      return made.dbsr() !== 0;
    });
    expect(seen.map(([name]) => name)).toEqual(events);
  });

  test('a suppressed access changes nothing: not the memory, not the registers', () => {
    for (const word of [
      asm('stwu', { rs: 3, ra: 4, d: 4 }),
      asm('lwzu', { rt: 3, ra: 4, d: 4 }),
      asm('stmw', { rs: 20, ra: 4, d: 4 }),
      asm('lmw', { rt: 20, ra: 4, d: 4 }),
      asm('stswi', { rs: 20, ra: 4, nb: 16 }),
      asm('lswi', { rt: 20, ra: 4, nb: 16 }),
    ]) {
      const made = core({ dbcr0: DBCR0.IDM | all, dbcr2: 1 << 22, dac1: DATA + 4, dac2: -8 }, ON);
      made.ram.fill(DATA, 256, 0x5a);
      made.core.regs.gpr.forEach((_, i, gpr) => (gpr[i] = i === 4 ? DATA : 0x1000 * i));
      const before = [...made.core.regs.gpr, ...made.ram.slice(DATA, 256)];
      expect([execute(made, word), made.core.regs.pc, made.core.retired]).toEqual([DEBUG, AT, 0]);
      expect([...made.core.regs.gpr, ...made.ram.slice(DATA, 256)]).toEqual(before);
    }
  });

  test('pages that were touched before are watched, and remembered again afterwards', () => {
    const made = core({ dac1: DATA });
    const run = (dbcr0: number) => {
      made.core.system.set('dbcr0', dbcr0);
      execute(made, lwz(0));
      return made.dbsr();
    };
    expect([run(0), run(DAC1R)]).toEqual([0, DAC1R]);
    made.core.system.set('dbsr', 0);
    expect([run(0), run(DAC1R)]).toEqual([0, DAC1R]);
  });

  test('asynchronous events let the instruction complete and interrupt behind it', () => {
    const code = begin()
      .setSpr('DAC1', DATA)
      .setSpr('DBCR2', 0x00200000)
      .li(4, DATA)
      .op('addi', { rt: 9, ra: 0, si: 7 });
    enable(code, DAC1W).op('stwu', { rs: 9, ra: 4, d: 0 }).label('next').op('addi', { rt: 9, ra: 0, si: 8 });
    const { left, alone } = both(reporting(code), 5);
    expect(left).toEqual([hex(code.address('next')), hex(ON), hex(DAC1W), hex(MSR.ME), '7']);
    expect(alone.word(DATA)).toBe(7);
  });

  test('with MSR[DE] off the access is done and the event is imprecise', () => {
    const made = core({ dbcr0: DBCR0.IDM | DAC1W, dac1: DATA });
    made.core.regs.gpr[3] = 0x1234;
    expect([execute(made, stw(0)), made.ram.read(DATA, 4)]).toEqual([null, 0x1234]);
    expect(made.dbsr()).toBe((DAC1W | DBSR.IDE) >>> 0);
  });

  test('what the TLB or alignment forbids comes first, and is no event', () => {
    const made = core({ dbcr0: DBCR0.IDM | all, dbcr2: 2 << 22, dac1: 0, dac2: -1 }, ON);
    const cases: [number, number, string][] = [
      [lwz(0), 0x40000000, 'data-tlb-miss'],
      [stw(0), 0xfffffe, 'data-tlb-miss'], // its second page
      [stw(0), 0x50000000, 'data-storage'],
      [asm('lwarx', { rt: 3, ra: 0, rb: 4 }), DATA + 2, 'alignment'],
      [asm('dcbf', { ra: 0, rb: 4 }), 0x40000000, 'data-tlb-miss'],
    ];
    map(made.core, 0, { ea: 0x50000000, pa: 0, size: 1, rights: word2.SR });
    map(made.core, 63, { ea: 0, pa: 0, size: 7 });
    for (const [word, address, kind] of cases) {
      made.core.regs.gpr[4] = address;
      expect([execute(made, word)?.kind, made.dbsr()]).toEqual([kind, 0]);
    }
  });

  test.each([
    { op: 'dcbf', events: DAC1W },
    { op: 'dcbst', events: DAC1W },
    { op: 'dcbi', events: DAC1W },
    { op: 'dcbz', events: DAC1W },
    { op: 'icbi', events: DAC1R },
    { op: 'icbt', events: DAC1R },
    { op: 'dcbt', events: DAC1R },
    { op: 'dcbtst', events: DAC1R },
    { op: 'dcba', events: 0 },
    { op: 'dccci', events: 0 },
  ])('$op is an access to the address that it names, as $events', ({ op, events }) => {
    const word = asm(op, { ra: 4, rb: 5 });
    const prepare = (made: ReturnType<typeof core>) => void (made.core.regs.gpr[5] = 0x17);
    expect(hex(traced(word, { dbcr0: all, dac1: DATA + 0x17, dac2: DATA }, prepare))).toBe(hex(events));
    const made = core({ dbcr0: DBCR0.IDM | all, dac1: DATA }, ON);
    made.ram.fill(DATA, 32, 0xff);
    expect(execute(made, word)).toEqual(events === 0 ? null : DEBUG);
    expect(made.ram.read(DATA, 4)).toBe(0xffffffff);
  });

  test('a hint that does nothing is no event: its page is cache-inhibited, or is not there', () => {
    const made = core({ dbcr0: DBCR0.IDM | DAC1R, dbcr2: 2 << 22, dac1: 0, dac2: -1 }, ON);
    map(made.core, 0, { ea: 0x60000000, pa: 0, size: 1, rights: 0x3f | word2.I });
    for (const address of [0x60000000, 0x40000000]) {
      made.core.regs.gpr[4] = address;
      expect([execute(made, asm('dcbt', { ra: 0, rb: 4 })), made.dbsr()]).toEqual([null, 0]);
    }
  });

  test('a store conditional that holds its reservation is an event', () => {
    const made = core({ dbcr0: DBCR0.IDM | DAC1W, dac1: DATA }, ON);
    execute(made, asm('lwarx', { rt: 3, ra: 0, rb: 4 }));
    expect([execute(made, asm('stwcx.', { rs: 3, ra: 0, rb: 4 })), made.dbsr()]).toEqual([DEBUG, DAC1W]);
  });
});

describe('data value compare', () => {
  const { DAC1R, DAC1W, DAC2W } = EVENT;
  const [AND, OR, PAIRS] = [1, 2, 3];
  const dvc1 = 0x11223344;

  test.each([
    { mode: AND, lanes: 0xf, store: 'stw', value: 0x11223344, d: 0, occurs: true },
    { mode: AND, lanes: 0xf, store: 'stw', value: 0x11223345, d: 0, occurs: false },
    { mode: AND, lanes: 0x9, store: 'stw', value: 0x11ffff44, d: 0, occurs: true },
    { mode: AND, lanes: 0xf, store: 'sth', value: 0x1122, d: 0, occurs: false }, // not all lanes are accessed
    { mode: AND, lanes: 0xc, store: 'sth', value: 0x1122, d: 0, occurs: true },
    { mode: AND, lanes: 0x3, store: 'sth', value: 0x3344, d: 2, occurs: true },
    { mode: AND, lanes: 0x2, store: 'stb', value: 0x33, d: 2, occurs: true },
    { mode: AND, lanes: 0x2, store: 'stb', value: 0x33, d: 1, occurs: false },
    { mode: OR, lanes: 0xf, store: 'stw', value: 0x00002244, d: 0, occurs: true },
    { mode: OR, lanes: 0xe, store: 'stw', value: 0x00002244, d: 0, occurs: false },
    { mode: PAIRS, lanes: 0xf, store: 'stw', value: 0x11220000, d: 0, occurs: true },
    { mode: PAIRS, lanes: 0xf, store: 'stw', value: 0x00003344, d: 0, occurs: true },
    { mode: PAIRS, lanes: 0xf, store: 'stw', value: 0x11003300, d: 0, occurs: false },
    { mode: PAIRS, lanes: 0xc, store: 'stw', value: 0x00003344, d: 0, occurs: false },
    { mode: 0, lanes: 0xf, store: 'stw', value: 0x11223344, d: 0, occurs: false },
    // Misaligned: the aligned word that it begins in
    { mode: AND, lanes: 0x7, store: 'stw', value: 0x22334499, d: 1, occurs: true },
  ])('mode $mode, lanes $lanes: $store of $value at $d occurs $occurs', ({ mode, lanes, store, value, d, occurs }) => {
    const dbcr2 = (mode << 18) | (lanes << 8) | (1 << 22);
    const registers = { dbcr0: DBCR0.IDM | DAC1R | DAC1W, dbcr2, dac1: DATA, dac2: -4, dvc1 };
    const made = core(registers, ON);
    made.core.regs.gpr[3] = value;
    expect(execute(made, asm(store, { rs: 3, ra: 4, d }))).toEqual(occurs ? DEBUG : null);
    expect(made.ram.read(DATA, 4) === 0).toBe(occurs);
    // The same when it is loaded
    const bytes = { stw: 4, sth: 2, stb: 1 }[store] as 1 | 2 | 4;
    made.core.system.set('dbsr', 0);
    made.ram.fill(DATA, 16, 0);
    made.ram.write(DATA + d, bytes, value);
    made.core.regs.gpr[3] = 77;
    const load = { stw: 'lwz', sth: 'lhz', stb: 'lbz' }[store]!;
    expect(execute(made, asm(load, { rt: 3, ra: 4, d }))).toEqual(occurs ? DEBUG : null);
    expect([made.core.regs.gpr[3] === 77, made.dbsr()]).toEqual([occurs, occurs ? DAC1R : 0]);
  });

  test('each access of a multiple store is compared for itself, in memory’s order of bytes', () => {
    const made = core({
      dbcr0: DAC1W | DAC2W,
      dac1: DATA,
      dac2: DATA + 4,
      dvc1,
      dvc2: dvc1,
      dbcr2: (1 << 18) | (1 << 16) | 0xf0f,
    });
    [made.core.regs.gpr[30], made.core.regs.gpr[31]] = [0, dvc1];
    expect([execute(made, asm('stmw', { rs: 30, ra: 4, d: 0 })), made.dbsr()]).toEqual([null, DAC2W]);
    made.core.system.set('dbsr', 0);
    made.core.regs.gpr[3] = 0x44332211;
    expect([execute(made, asm('stwbrx', { rs: 3, ra: 0, rb: 4 })), made.dbsr()]).toEqual([null, DAC1W]);
  });

  test('of the cache operations dcbz alone has values: zeros', () => {
    for (const [op, value, event] of [
      ['dcbz', 0, DAC1W],
      ['dcbz', 1, 0],
      ['dcbf', 0, 0],
    ] as const) {
      // prettier-ignore
      const made = core({ dbcr0: DAC1W, dac1: DATA + 9, dbcr2: (1 << 18) | 0xf00, dvc1: value });
      made.core.regs.gpr[5] = 9;
      expect([execute(made, asm(op, { ra: 4, rb: 5 })), made.dbsr()]).toEqual([null, event]);
    }
  });

  test('a watched value in a partition interrupts as on the board', () => {
    const code = beginList()
      .setSpr('DAC1', DATA)
      .setSpr('DVC1', 3)
      .setSpr('DBCR2', (1 << 18) | 0xf00)
      .li(4, DATA)
      .li(5, 6);
    code.op('mtspr', { rs: 5, spr: 9 });
    enable(code, DAC1W).label('loop').op('addi', { rt: 3, ra: 9, si: 0 });
    count(code).label('store').op('stw', { rs: 3, ra: 4, d: 0 }).bc(16, 0, 'loop').stw(9, 0xa0).finish();
    // The handler disables the event, as it must to get past it
    expect(listed(listing(code, { keep: false }), 1)).toEqual([[code.address('store'), DAC1W]]);
  });
});
