import { describe, expect, test } from 'vitest';
import { DBCR0, EVENT } from '../../src/cpu/debug-registers.js';
import { MSR, TCR } from '../../src/isa/registers.js';
import { bare, both, finished, guest, oneByOne } from './guest.js';
import { Code, size } from './code.js';
import { ON, begin, enable, count, listing, beginList } from '../cpu/debug-programs.js';

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
