import { describe, expect, test } from 'vitest';
import type { Trap } from '../../src/cpu/trap.js';
import { DBCR0, DBSR, EVENT } from '../../src/cpu/debug-registers.js';
import { asm } from '../../src/isa/assemble.js';
import { MSR } from '../../src/isa/registers.js';
import { both, hex } from '../hypervisor/guest.js';
import { deliver } from '../../src/cpu/deliver.js';
import { execute, map, put } from './machine.js';
import {
  AT,
  DATA,
  ON,
  DEBUG,
  nop,
  core,
  traced,
  begin,
  enable,
  atLabel,
  count,
  reporting,
  listing,
  beginList,
  listed,
} from './debug-programs.js';

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
