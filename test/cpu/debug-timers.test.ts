import { describe, expect, test } from 'vitest';
import { DBCR0, EVENT } from '../../src/cpu/debug-registers.js';
import { S } from '../../src/cpu/state.js';
import { asm } from '../../src/isa/assemble.js';
import { TCR, TSR } from '../../src/isa/registers.js';
import { bare, both, finished, guest } from '../hypervisor/guest.js';
import { Code } from '../hypervisor/code.js';
import { execute, mapped, put } from './machine.js';
import { AT, nop, core, begin, enable, atLabel } from './debug-programs.js';

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
