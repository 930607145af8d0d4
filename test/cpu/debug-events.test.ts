import { describe, expect, test } from 'vitest';
import { DBCR0, DBSR, EVENT } from '../../src/cpu/debug-registers.js';
import { S, type SystemRegister } from '../../src/cpu/state.js';
import type { Trap } from '../../src/cpu/trap.js';
import { asm } from '../../src/isa/assemble.js';
import { MSR, TCR, TSR } from '../../src/isa/registers.js';
import { word2 } from '../../src/mmu/tlb.js';
import { bare, both, finished, guest, hex, oneByOne, type Program } from '../hypervisor/guest.js';
import { Code, size } from '../hypervisor/code.js';
import { deliver } from '../../src/cpu/deliver.js';
import { execute, map, mapped, put, setMsr } from './machine.js';

const AT = 0x1000;
const DATA = 0x8000;
const ON = MSR.DE | MSR.ME;
const DEBUG: Trap = { kind: 'debug' };
const nop = asm('ori');

type Setting = Partial<Record<SystemRegister, number>>;

/** A core with these supervisor registers about to run an instruction at AT; r4 points at data. */
function core(registers: Setting, msr: number = MSR.ME) {
  const made = mapped();
  const { core } = made;
  core.system.set('dbsr', 0);
  for (const [name, value] of Object.entries(registers)) core.system.set(name as SystemRegister, value);
  setMsr(core, msr);
  core.regs.gpr[4] = DATA;
  return { ...made, dbsr: () => core.system.get('dbsr') >>> 0 };
}

/** The DBSR after an instruction in trace mode: which events occur, and nothing else happens. */
function traced(word: number, registers: Setting, prepare: (made: ReturnType<typeof core>) => void = () => {}): number {
  const made = core(registers);
  prepare(made);
  expect(execute(made, word, AT)).toBeNull();
  return made.dbsr();
}

// Programs, each as a partition too

/** Vectors and MSR[DE] are set; events are not enabled yet. */
const begin = (): Code => new Code().vector(15, 'debug').setSpr('DBSR', -1).setMsr(ON);
const enable = (code: Code, events: number): Code => code.setSpr('DBCR0', DBCR0.IDM | events);
const atLabel = (code: Code, spr: string, label: string): Code => code.la(31, label).mtspr(spr, 31);
const count = (code: Code): Code => code.op('addi', { rt: 9, ra: 9, si: 1 });

/** A handler that leaves where the interrupt came from, with what MSR, why, and its own MSR, from 0x100 on; and r9. */
const reporting = (code: Code): Code =>
  code
    .at(0x2000)
    .label('debug')
    .report(0x100, 'CSRR0', 'CSRR1', 'DBSR')
    .op('mfmsr', { rt: 3 })
    .stw(3, 0x10c)
    .stw(9, 0x110)
    .finish();

/** A handler that adds CSRR0 and the DBSR to a list at 0x100 (r24 is before its next word), clears the DBSR and returns. */
function listing(code: Code, { keep = true } = {}): Code {
  code.at(0x2000).label('debug');
  for (const name of ['CSRR0', 'DBSR']) code.mfspr(25, name).op('stwu', { rs: 25, ra: 24, d: 4 });
  if (!keep) code.setSpr('DBCR0', DBCR0.IDM);
  return code.mtspr('DBSR', 25).op('rfci');
}
const beginList = (): Code => begin().li(24, 0xfc);

/** What `listing` listed, as many events as are expected, on a board and as a partition. */
function listed(program: Program, events: number): [number, number][] {
  const { alone } = both(program, 2 * events + 1);
  const words = alone.words(0x100, 2 * events + 1);
  expect(words.at(-1)).toBe(0);
  return Array.from({ length: events }, (_, i) => [words[2 * i]!, words[2 * i + 1]!]);
}

describe('modes', () => {
  test('an instruction address compare suppresses its instruction, and CSRR0 is its address', () => {
    const code = enable(atLabel(begin(), 'IAC1', 'here'), EVENT.IAC1);
    count(count(code).label('here'));
    const { left } = both(reporting(code), 5);
    expect(left).toEqual([hex(code.address('here')), hex(ON), hex(EVENT.IAC1), hex(MSR.ME), '1']);
  });

  test('with MSR[DE] off an event is noted as imprecise and its interrupt comes behind the mtmsr that sets MSR[DE]', () => {
    const code = enable(atLabel(begin().setMsr(MSR.ME), 'IAC3', 'here'), EVENT.IAC3);
    count(count(count(code).label('here')));
    count(code.setMsr(ON).label('next'));
    const { left } = both(reporting(code), 5);
    expect(left).toEqual([hex(code.address('next')), hex(ON), hex(EVENT.IAC3 | DBSR.IDE), hex(MSR.ME), '3']);
  });

  test('when an rfi sets MSR[DE] for an event that waits, CSRR0 is where it returned to', () => {
    const code = enable(atLabel(begin().setMsr(MSR.ME), 'IAC1', 'here'), EVENT.IAC1)
      .label('here')
      .rfi('target', ON | MSR.PR);
    count(code.at(0x1800)).label('target').b('target');
    const { left } = both(reporting(code), 4);
    expect(left).toEqual([hex(code.address('target')), hex(ON | MSR.PR), hex(EVENT.IAC1 | DBSR.IDE), hex(MSR.ME)]);
  });

  test('a debug exception that the handler leaves in the DBSR interrupts again at once', () => {
    const code = atLabel(begin(), 'IAC1', 'here').setSpr('CSRR1', ON);
    count(enable(code, EVENT.IAC1).label('here'));
    code
      .at(0x2000)
      .label('debug')
      .op('addi', { rt: 9, ra: 9, si: 16 })
      .stw(9, 0x100)
      .op('cmpi', { bf: 0, ra: 9, si: 48 });
    code.bc(12, 2, 'enough').setSpr('DBCR0', DBCR0.IDM).op('rfci').label('enough').finish();
    expect(both(code, 1).left).toEqual([hex(48)]);
  });

  test('in trace mode events are recorded and nothing is interrupted, MSR[DE] or not', () => {
    for (const msr of [MSR.ME, ON]) {
      const made = core({ dbcr0: EVENT.IAC1 | EVENT.BRT | EVENT.DAC1R | EVENT.ICMP, iac1: AT, dac1: DATA }, msr);
      expect(execute(made, asm('lwz', { rt: 3, ra: 4 }))).toBeNull();
      expect(execute(made, asm('b', { li: 4 }), AT + 4)).toBeNull();
      expect(made.dbsr()).toBe(EVENT.IAC1 | EVENT.BRT | EVENT.DAC1R);
      expect(made.core.pendingInterrupt()).toBeNull();
    }
  });

  test('external debug mode is a bit that does nothing: there is no debug tool', () => {
    const made = core({ dbcr0: DBCR0.EDM | EVENT.IAC1, iac1: AT }, ON);
    expect([execute(made, nop), made.dbsr()]).toEqual([null, EVENT.IAC1]);
    made.core.system.set('dbcr0', DBCR0.EDM | DBCR0.IDM | EVENT.IAC1);
    expect(execute(made, nop)).toEqual(DEBUG);
  });

  test('without an enabled event nothing is observed, and the DBSR is cleared by ones', () => {
    const { core: it, dbsr } = core({ dbcr0: DBCR0.IDM | EVENT.IRPT, dbsr: 0x30840001 });
    expect([it.observed, it.watchesData]).toEqual([false, false]);
    it.regs.gpr[3] = 0x10800001;
    put(it.bus.ram.regions[0]!.target, AT, [asm('mtspr', { rs: 3, spr: 304 })]);
    it.regs.pc = AT;
    expect(it.step()).toBeNull();
    expect(hex(dbsr())).toBe('20040000');
  });

  test('a debug interrupt comes after a machine check and before a critical input', () => {
    const { core: it } = core({ dbcr0: DBCR0.IDM, dbsr: EVENT.TRAP, waitingMachineCheck: 1 }, ON | MSR.CE | MSR.EE);
    it.inputs.critical = it.inputs.external = true;
    const order = [it.pendingInterrupt()?.kind];
    it.system.set('waitingMachineCheck', 0);
    order.push(it.pendingInterrupt()?.kind);
    it.system.set('dbsr', DBSR.IDE | 0x30000003); // neither of these is an exception
    order.push(it.pendingInterrupt()?.kind);
    expect(order).toEqual(['machine-check', 'debug', 'critical-input']);
  });
});

describe('instruction address compare', () => {
  const IAC = (n: 1 | 2 | 3 | 4) => EVENT[`IAC${n}`];
  const all = IAC(1) | IAC(2) | IAC(3) | IAC(4);

  test.each([
    { iac: [AT, 0, AT, AT + 4], dbcr1: 0, events: IAC(1) | IAC(3) },
    { iac: [AT, AT + 4, AT + 4, AT + 8], dbcr1: 0x00800080, events: IAC(1) | IAC(2) },
    { iac: [AT - 8, AT, AT + 4, AT + 8], dbcr1: 0x00c000c0, events: all },
    { iac: [AT - 8, AT, AT - 8, AT + 8], dbcr1: 0x008000c0, events: 0 },
    { iac: [0x80000000, 0xfffffffc, 0, 0xfffffffc], dbcr1: 0x00800080, events: IAC(3) | IAC(4) },
    { iac: [0, -4, 0, -4], dbcr1: 0x00400040, events: 0 }, // the bit mask mode is not the 440's
  ])('registers $iac with DBCR1 $dbcr1 give $events', ({ iac, dbcr1, events }) => {
    const [iac1, iac2, iac3, iac4] = iac;
    const dbsr = traced(nop, { dbcr0: all, dbcr1, iac1: iac1!, iac2: iac2!, iac3: iac3!, iac4: iac4! });
    expect(hex(dbsr)).toBe(hex(events));
  });

  test('only the events of a range that are enabled are recorded', () => {
    expect(traced(nop, { dbcr0: IAC(2), dbcr1: 0x00800000, iac1: AT, iac2: AT + 4 })).toBe(IAC(2));
  });

  test.each([
    // user/supervisor: any, supervisor, user; then effective, space 0, space 1
    { fields: 0b0000, occurs: ['', 'PR', 'IS', 'PR IS'] },
    { fields: 0b1000, occurs: ['', 'IS'] },
    { fields: 0b1100, occurs: ['PR', 'PR IS'] },
    { fields: 0b0010, occurs: ['', 'PR'] },
    { fields: 0b0011, occurs: ['IS', 'PR IS'] },
    { fields: 0b1111, occurs: ['PR IS'] },
    { fields: 0b0100, occurs: [] },
    { fields: 0b0001, occurs: [] },
  ])('fields US and ER $fields of each let it occur only in $occurs', ({ fields, occurs }) => {
    for (const n of [1, 2, 3, 4] as const) {
      const dbcr1 = fields << { 1: 28, 2: 24, 3: 12, 4: 8 }[n];
      const seen = [
        ['', 0],
        ['PR', MSR.PR],
        ['IS', MSR.IS],
        ['PR IS', MSR.PR | MSR.IS],
      ].filter(([, msr]) => {
        const made = core({ dbcr0: IAC(n), dbcr1, [`iac${n}`]: AT }, Number(msr));
        map(made.core, 0, { ea: 0, pa: 0, size: 5, space: 1 });
        expect(execute(made, nop)).toBeNull();
        return made.dbsr() === IAC(n);
      });
      expect(seen.map(([name]) => name)).toEqual(occurs);
    }
  });

  test('a range that toggles tells when it is entered and when it is left', () => {
    const made = core({ dbcr0: IAC(3), dbcr1: 0x00000081, iac3: AT + 4, iac4: AT + 12 });
    put(made.ram, AT, Array(6).fill(nop) as number[]);
    made.core.regs.pc = AT;
    const seen = Array.from({ length: 6 }, () => {
      made.core.step();
      const events = made.dbsr();
      made.core.system.set('dbsr', events & DBSR.IAC34ATS);
      return events;
    });
    const [entered, left] = [IAC(3) | DBSR.IAC34ATS, IAC(3)];
    expect(seen).toEqual([0, entered, DBSR.IAC34ATS, left, 0, 0]);
  });

  test('in internal mode with MSR[DE] off a range is silent and an exact address is not', () => {
    const registers = { dbcr0: DBCR0.IDM | IAC(1), iac1: AT, iac2: AT + 8 };
    const [exact, range] = [core(registers), core({ ...registers, dbcr1: 0x00800000 })];
    expect([execute(exact, nop), execute(range, nop)]).toEqual([null, null]);
    expect([exact.dbsr(), range.dbsr()]).toEqual([(IAC(1) | DBSR.IDE) >>> 0, 0]);
  });

  test('it comes before the fetch is tried', () => {
    const made = core({ dbcr0: DBCR0.IDM | IAC(1), iac1: 0x40000000 }, ON);
    made.core.regs.pc = 0x40000000;
    expect(made.core.step()).toEqual(DEBUG);
    made.core.system.set('dbcr0', DBCR0.IDM | EVENT.BRT);
    expect(made.core.step()).toEqual({ kind: 'instruction-tlb-miss' });
  });
});

describe('branches, returns, traps, completion, interrupts', () => {
  const [always, ifEq, countDown] = [20, 12, 16];

  test.each([
    { op: 'b', fields: { li: 4 }, taken: true },
    { op: 'ba', fields: { li: 0x2000 >> 2, lk: 1 }, taken: true },
    { op: 'bc', fields: { bo: ifEq, bi: 2, bd: 4 }, taken: true },
    { op: 'bc', fields: { bo: ifEq, bi: 1, bd: 4 }, taken: false },
    { op: 'bc', fields: { bo: 4, bi: 1, bd: 4 }, taken: true },
    { op: 'bc', fields: { bo: countDown, bi: 0, bd: 4 }, taken: true },
    { op: 'bc', fields: { bo: countDown | 2, bi: 0, bd: 4 }, taken: false },
    { op: 'bca', fields: { bo: 8, bi: 2, bd: 4 }, taken: true },
    { op: 'bca', fields: { bo: 10, bi: 2, bd: 4 }, taken: false },
    { op: 'bclr', fields: { bo: always }, taken: true },
    { op: 'bcctr', fields: { bo: 4, bi: 2 }, taken: false },
    { op: 'sc', fields: {}, taken: false },
    { op: 'crand', fields: {}, taken: false },
  ])('$op $fields is a taken branch: $taken', ({ op, fields, taken }) => {
    const made = core({ dbcr0: DBCR0.IDM | EVENT.BRT }, ON);
    const { regs } = made.core;
    regs.cr = 0x20000000; // EQ
    [regs.words[33], regs.words[34]] = [0x3000, 5]; // LR, CTR
    const trap = execute(made, asm(op, fields));
    if (taken) expect([trap, regs.pc, regs.words[33], regs.words[34]]).toEqual([DEBUG, AT, 0x3000, 5]);
    else expect(trap).not.toEqual(DEBUG);
    expect(made.dbsr()).toBe(taken ? EVENT.BRT : 0);
  });

  test('a branch in internal mode with MSR[DE] off is no event', () => {
    const made = core({ dbcr0: DBCR0.IDM | EVENT.BRT });
    expect([execute(made, asm('b', { li: 4 })), made.dbsr(), made.core.regs.pc]).toEqual([null, 0, AT + 16]);
  });

  test.each([
    { op: 'rfi', on: DEBUG, off: (EVENT.RET | DBSR.IDE) >>> 0 },
    { op: 'rfci', on: DEBUG, off: 0 },
    { op: 'rfmci', on: DEBUG, off: 0 },
  ])('$op returns only when its event does not suppress it', ({ op, on, off }) => {
    const [made, masked] = [core({ dbcr0: DBCR0.IDM | EVENT.RET }, ON), core({ dbcr0: DBCR0.IDM | EVENT.RET })];
    expect([execute(made, asm(op)), made.core.regs.pc, made.dbsr()]).toEqual([on, AT, EVENT.RET]);
    expect([execute(masked, asm(op)), masked.core.regs.pc, masked.dbsr()]).toEqual([null, 0, off]);
    expect(traced(asm(op), { dbcr0: EVENT.RET })).toBe(EVENT.RET);
    const user = core({ dbcr0: DBCR0.IDM | EVENT.RET }, ON | MSR.PR);
    expect([execute(user, asm(op)), user.dbsr()]).toEqual([{ kind: 'program', cause: 'privileged' }, 0]);
  });

  test('a trap instruction’s event takes the place of its program interrupt only if it can interrupt', () => {
    const word = asm('twi', { to: 4, ra: 3, si: 0 });
    const [on, off, trace] = [
      core({ dbcr0: DBCR0.IDM | EVENT.TRAP }, ON),
      core({ dbcr0: DBCR0.IDM | EVENT.TRAP }),
      core({ dbcr0: EVENT.TRAP }, ON),
    ];
    const program = { kind: 'program', cause: 'trap' };
    expect([on, off, trace].map((made) => execute(made, word))).toEqual([DEBUG, program, program]);
    expect([on, off, trace].map(({ dbsr }) => dbsr())).toEqual([EVENT.TRAP, (EVENT.TRAP | DBSR.IDE) >>> 0, EVENT.TRAP]);
    expect([on.core.regs.pc, on.core.retired]).toEqual([AT, 0]);
    on.core.regs.gpr[3] = 1;
    on.core.system.set('dbsr', 0);
    expect([execute(on, word), on.dbsr()]).toEqual([null, 0]);
  });

  test('instruction completion steps through a program: each instruction behind the rfci is done, then interrupted', () => {
    const code = beginList().setSpr('CSRR1', ON);
    enable(code, EVENT.ICMP).label('start').op('addi', { rt: 3, ra: 0, si: 5 }).stw(3, 0xa0);
    code.b('over').at(0x1400).label('over').lwz(4, 0xa0).op('addi', { rt: 3, ra: 4, si: 1 });
    code.setSpr('DBCR0', DBCR0.IDM).finish();
    const start = code.address('start');
    const steps = [start + 4, start + 8, 0x1400, 0x1404, 0x1408, 0x140c, 0x1410, 0x1414];
    // The last is the mtspr that ends it
    expect(listed(listing(code), 8)).toEqual(steps.map((pc) => [pc, EVENT.ICMP]));
  });

  test('a system call is interrupted for its completion at the first instruction of its own handler', () => {
    const code = enable(begin().vector(8, 'call'), EVENT.ICMP).op('sc');
    code.at(0x3000).label('call').b('call');
    const { left } = both(reporting(code), 4);
    expect(left).toEqual(['3000', hex(ON), hex(EVENT.ICMP), hex(MSR.ME)]);
  });

  test('when an instruction clears MSR[DE] the interrupt for its completion waits', () => {
    const code = begin().li(20, MSR.ME).li(21, ON);
    count(enable(code, EVENT.ICMP).op('mtmsr', { rs: 20 }));
    count(code).op('mtmsr', { rs: 21 }).label('next');
    const { left } = both(reporting(count(code)), 5);
    expect(left).toEqual([hex(code.address('next')), hex(ON), hex(EVENT.ICMP | DBSR.IDE), hex(MSR.ME), '2']);
  });

  test('an instruction that traps does not complete', () => {
    const made = core({ dbcr0: DBCR0.IDM | EVENT.ICMP }, ON);
    expect(execute(made, 0)).toEqual({ kind: 'program', cause: 'illegal' });
    expect(made.dbsr()).toBe(0);
  });

  test('entering a handler is an event, with CSRR0 the handler’s first instruction, and the interrupt’s own registers kept', () => {
    const code = enable(begin().vector(8, 'call'), EVENT.IRPT).op('sc').label('behind');
    count(code.at(0x3000).label('call'));
    code.at(0x2000).label('debug').report(0x100, 'CSRR0', 'DBSR', 'SRR0').stw(9, 0x10c).finish();
    const { left } = both(code, 4);
    expect(left).toEqual([hex(code.address('call')), hex(EVENT.IRPT), hex(code.address('behind')), '0']);
  });

  test.each([
    { trap: { kind: 'decrementer' }, dbcr0: DBCR0.IDM, msr: ON, event: EVENT.IRPT },
    { trap: { kind: 'decrementer' }, dbcr0: DBCR0.IDM, msr: 0, event: EVENT.IRPT | DBSR.IDE },
    { trap: { kind: 'critical-input' }, dbcr0: DBCR0.IDM, msr: ON, event: 0 },
    { trap: { kind: 'debug' }, dbcr0: DBCR0.IDM, msr: ON, event: 0 },
    { trap: { kind: 'critical-input' }, dbcr0: 0, msr: 0, event: EVENT.IRPT },
  ] satisfies { trap: Trap; [more: string]: unknown }[])(
    '$trap.kind with DBCR0 $dbcr0 records $event',
    ({ trap, dbcr0, msr, event }) => {
      const made = core({ dbcr0: dbcr0 | EVENT.IRPT }, msr);
      deliver(trap, made.core.regs, made.core.system);
      expect(hex(made.dbsr())).toBe(hex(event));
    },
  );
});

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

describe('timers and resets', () => {
  test('with DBCR0[FT] the time base and decrementer stand still while an event is recorded', () => {
    const { core: it, clock, ram } = core({ dbcr0: DBCR0.IDM | DBCR0.FT | EVENT.IAC1, iac1: AT, tcr: TCR.DIE });
    put(ram, AT, [nop, asm('mtspr', { rs: 3, spr: 304 })]);
    it.timers.decrementer = 100;
    clock.now += 10;
    const read = () => [Number(it.timers.timeBase), it.timers.decrementer, it.timers.due];
    expect(read()).toEqual([10, 90, 100]);
    it.regs.pc = AT;
    it.step(); // records; its own cycle is no longer counted
    clock.now += 500;
    expect(read()).toEqual([10, 90, Infinity]);
    it.regs.gpr[3] = EVENT.IAC1;
    it.step(); // its cycle counts again
    expect(read()).toEqual([11, 89, 601]);
    clock.now += 89;
    clock.ring();
    expect(it.system.get('tsr') & TSR.DIS).toBe(TSR.DIS);
  });

  test('clearing DBCR0[FT] lets the timers go on, and a reset too', () => {
    const { core: it, clock } = core({ dbcr0: DBCR0.FT, dbsr: EVENT.BRT });
    it.contextChanged();
    clock.now += 50;
    expect(it.timers.timeBase).toBe(0n);
    it.system.set('dbcr0', 0);
    it.contextChanged();
    clock.now += 5;
    expect(it.timers.timeBase).toBe(5n);
    it.system.set('dbcr0', DBCR0.FT);
    it.contextChanged();
    it.reset();
    clock.now += 7;
    expect(it.timers.timeBase).toBe(7n);
  });

  test('a program sees the time base stand in its debug handler, on the board and in a partition', () => {
    const code = atLabel(begin(), 'IAC1', 'here');
    enable(code, EVENT.IAC1 | DBCR0.FT)
      .label('here')
      .op('ori');
    code
      .at(0x2000)
      .label('debug')
      .mfspr(4, 'TBL')
      .op('ori')
      .op('ori')
      .mfspr(5, 'TBL')
      .op('subf', { rt: 6, ra: 4, rb: 5 })
      .stw(6, 0x100);
    code
      .setSpr('DBSR', -1)
      .mfspr(4, 'TBL')
      .li(8, 2000)
      .op('mtspr', { rs: 8, spr: 9 })
      .label('spin')
      .bc(16, 0, 'spin')
      .mfspr(5, 'TBL');
    code
      .op('subf', { rt: 6, ra: 4, rb: 5 })
      .op('cmpi', { bf: 0, ra: 6, si: 0 })
      .op('mfcr', { rt: 7 })
      .stw(7, 0x104)
      .finish();
    expect(both(code, 2).left).toEqual(['0', '40000000']);
  });

  test.each([
    { rst: 1, mrr: 0x10000000 },
    { rst: 2, mrr: 0x20000000 },
    { rst: 3, mrr: 0x30000000 },
  ])('DBCR0[RST] $rst is found in DBSR[MRR] after it', ({ rst, mrr }) => {
    const made = mapped();
    expect(made.core.system.get('dbsr')).toBe(0x30000000); // power-on
    made.core.regs.gpr[3] = rst << 28;
    expect(execute(made, asm('mtspr', { rs: 3, spr: 308 }))).toBeNull();
    made.core.reset();
    expect(made.core.system.get('dbsr')).toBe(mrr);
    expect(made.core.system.words[S.dbcr0]).toBe(0);
  });
});

test('a program that was reset finds in DBSR[MRR] how, on the board and in a partition', () => {
  const code = new Code().mfspr(3, 'DBSR').li(4, 0x30000000).op('cmpl', { bf: 0, ra: 3, rb: 4 }).bc(4, 2, 'again');
  code.setSpr('DBCR0', 0x10000000).label('never').b('never').label('again').stw(3, 0x100).finish();
  const alone = bare(code, { restart: true });
  const virtual = guest(code, { node: 'on-reset = "restart";' });
  for (const run of [alone, virtual]) expect([run.progress, run.word(0x100)]).toEqual([finished(0), 0x10000000]);
});

describe('under the hypervisor', () => {
  test('a user program with system calls, TLB misses and watched data gives the same debug interrupts as on the board', () => {
    const code = beginList().vector(8, 'call').vector(13, 'miss').tlb(0, { ea: 0, pa: 0, size: size.m256 });
    code
      .tlb(1, { ea: 0x10000000, pa: 0, size: size.m256, valid: false })
      .setSpr('DAC1', 0x10008004)
      .setSpr('DBCR2', 0x00400000);
    code.setSpr('DAC2', -16).li(5, 3).op('mtspr', { rs: 5, spr: 9 }).li(4, 0x10008000);
    const kinds = [EVENT.BRT, EVENT.IRPT, EVENT.RET, EVENT.DAC1W, EVENT.DAC2R, EVENT.ICMP];
    const events = kinds.reduce((all, event) => all | event, 0);
    enable(code, events).rfi('user', ON | MSR.PR);
    code.at(0x4000).label('user').op('stw', { rs: 5, ra: 4, d: 8 }).op('lwz', { rt: 6, ra: 4, d: 12 }).op('sc');
    code.bc(16, 0, 'user').b('user');
    // The call's handler ends it the second time
    code
      .at(0x3000)
      .label('call')
      .op('addi', { rt: 9, ra: 9, si: 1 })
      .op('cmpi', { bf: 0, ra: 9, si: 2 })
      .bc(12, 2, 'end')
      .op('rfi');
    code.at(0x3100).label('miss').li(29, 1).li(30, 0x10000290).op('tlbwe', { rs: 30, ra: 29, ws: 0 }).op('rfi');
    code.label('end').setSpr('DBCR0', 0).stw(24, 0xa0).finish();
    // An event that would suppress its instruction again is off for one instruction
    code.at(0x2000).label('debug');
    for (const name of ['CSRR0', 'CSRR1', 'DBSR']) code.mfspr(25, name).op('stwu', { rs: 25, ra: 24, d: 4 });
    code
      .mtspr('DBSR', 25)
      .op('mfcr', { rt: 26 })
      .op('andis.', { ra: 27, rs: 25, ui: EVENT.ICMP >> 16 });
    code
      .li(27, DBCR0.IDM | events)
      .bc(4, 2, 'back')
      .li(27, DBCR0.IDM | EVENT.IRPT | EVENT.ICMP)
      .label('back');
    code.mtspr('DBCR0', 27).op('mtcrf', { fxm: 0xff, rs: 26 }).op('rfci');
    const { alone } = both(code, 400);
    const entries = (alone.word(0xa0) - 0xfc) / 12;
    const found = Array.from({ length: entries }, (_, i) => alone.words(0x100 + 12 * i, 3));
    // By hand: 29 completions, up to the mtspr that ends internal debug mode
    expect(kinds.map((event) => found.filter(([, , dbsr]) => dbsr! & event).length)).toEqual([2, 3, 3, 2, 2, 29]);
  });

  test('a timer’s interrupt is an event before its handler’s first instruction, and stops the timers with DBCR0[FT]', () => {
    const code = begin()
      .vector(10, 'tick')
      .setSpr('DBCR0', DBCR0.IDM | DBCR0.FT | EVENT.IRPT)
      .setSpr('TCR', TCR.DIE);
    code
      .setSpr('DEC', 500)
      .setMsr(ON | MSR.EE)
      .label('spin')
      .b('spin');
    count(code.at(0x3000).label('tick')).b('tick');
    code
      .at(0x2000)
      .label('debug')
      .mfspr(4, 'TBL')
      .op('ori')
      .op('ori')
      .mfspr(5, 'TBL')
      .op('subf', { rt: 6, ra: 4, rb: 5 });
    code.stw(6, 0x114).report(0x100, 'CSRR0', 'CSRR1', 'DBSR', 'SRR0').stw(9, 0x110).finish();
    for (const run of [bare(code), guest(code)]) {
      const expected = [code.address('tick'), ON, EVENT.IRPT, code.address('spin'), 0, 0];
      expect([run.progress, run.words(0x100, 6)]).toEqual([finished(0), expected]);
    }
  });

  test('while events are enabled every instruction is emulated, and none otherwise', () => {
    const code = begin().op('ori').op('ori');
    enable(code, EVENT.BRT).op('ori').op('ori').op('ori').setSpr('DBCR0', DBCR0.IDM).op('ori').op('ori').finish();
    const { virtual, exits } = both(listing(code), 1, oneByOne);
    const privileged = 5; // mtspr and mtmsr of the rest: IVOR15, DBSR, MSR, DBCR0, and the DBCR0 that is observed
    expect(exits.filter((e) => e === 'emulate')).toHaveLength(privileged + 3 + 2);
    expect(virtual.vcpu.account.exits.find((e) => e.kind === 'emulate')!.count).toBe(privileged + 3 + 2);
  });

  test('a hypercall of an observed guest is the hypervisor’s, and completes', () => {
    const code = beginList().li(11, 0x1ffff);
    enable(code, EVENT.ICMP).word(0x44000022).label('behind').setSpr('DBCR0', DBCR0.IDM).stw(3, 0xa0).finish();
    const { words, progress } = guest(listing(code), {});
    expect(progress.kind).toBe('ended');
    expect(words(0x100, 2)).toEqual([code.address('behind'), EVENT.ICMP]);
    expect(words(0xa0, 1)).toEqual([12]); // EV_UNIMPLEMENTED
  });

  test('an observed guest’s access to its UART reaches it, and its end in a branch to itself is seen', () => {
    const code = enable(new Code(), 0)
      .setSpr('DBCR0', EVENT.BRT | EVENT.DAC1W)
      .print('x')
      .report(0x100, 'DBSR')
      .label('end')
      .b('end');
    const [alone, virtual] = [bare(code), guest(code)];
    for (const run of [alone, virtual])
      expect(run.progress).toMatchObject({ kind: 'ended', ending: { kind: 'halted' } });
    expect(alone.output.text('board/serial@ef600300')).toBe('x');
    expect(virtual.output.text('guest/serial@ef600300')).toBe('x');
    expect(virtual.word(0x100)).toBe(alone.word(0x100));
  });

  test('a branch to itself is stepped again and again while its completion interrupts', () => {
    const code = beginList();
    enable(code, EVENT.ICMP).label('self').b('self');
    listing(code);
    const [alone, virtual] = [bare(code, { cycles: 3000 }), guest(code, { cycles: 6000 })];
    for (const run of [alone, virtual]) {
      expect(run.progress.kind).toBe('ran');
      expect(run.words(0x100, 4)).toEqual([code.address('self'), EVENT.ICMP, code.address('self'), EVENT.ICMP]);
    }
  });
});
