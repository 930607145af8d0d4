import { expect, test } from 'vitest';
import { ESR, MSR } from '../../src/isa/registers.js';
import { Code, size } from './code.js';
import { both, guest, hex, oneByOne } from './guest.js';

/** All of memory for user and supervisor, by the entry that maps it already. */
const open = (code: Code): Code => code.tlb(0, { ea: 0, pa: 0, size: size.m256 });

test('a page is shadowed at its first touch, then only privileged instructions and devices leave the guest', () => {
  const code = new Code()
    .op('mfmsr', { rt: 3 })
    .stw(3, 0x100)
    .setMsr(MSR.ME | MSR.CE);
  code.op('mfmsr', { rt: 4 }).stw(4, 0x104).finish();
  const { exits, left } = both(code, 2, oneByOne);
  expect(left).toEqual(['0', hex(MSR.ME | MSR.CE)]);
  expect(exits).toEqual(['shadow-miss', 'emulate', 'emulate', 'emulate', 'device']);
});

test('a supervisor reads back what it wrote to SPRs, DCRs and the TLB, and none of it is the real core’s', () => {
  const code = new Code().setSpr('SPRG0', 0x12345678).setSpr('PID', 0x1ff).setSpr('IVPR', 0xabcd1234);
  code.report(0x100, 'SPRG0', 'PID', 'IVPR', 'PVR');
  code.li(3, -1).op('mtdcr', { rs: 3, dcr: 0xc2 }).op('mfdcr', { rt: 4, dcr: 0xc2 }).stw(4, 0x110);
  code.setSpr('PID', 0).tlb(20, { ea: 0x40000400, pa: 0xf_0000_0400, size: size.k1, tid: 7, rights: 0x15, space: 1 });
  code.setSpr('MMUCR', 0);
  [0, 1, 2].forEach((ws) => code.op('tlbre', { rt: 5, ra: 29, ws }).stw(5, 0x114 + 4 * ws));
  code.report(0x120, 'MMUCR').finish();
  const { virtual, left } = both(code, 9);
  expect(left).toEqual(['12345678', 'ff', 'abcd0000', '422218d3', 'ffffffff', '40000700', '40f', '15', '7']);
  const [core] = virtual.hv.board.cores;
  expect(core!.bus.dcrs.find(0xc2)!.target.peekDcr(2)).toBe(0);
  expect(virtual.partition('guest').board.uics[0]!.peekDcr(2)).toBe(0xffffffff);
});

test('tlbsx finds what the guest’s TLB holds, and says in CR0 when it finds nothing', () => {
  const code = new Code().tlb(33, { ea: 0x90000000, pa: 0, size: size.k4, tid: 5, space: 1 });
  code.setSpr('MMUCR', 0x10005).li(3, 0x90000abc).op('tlbsx', { rt: 4, ra: 0, rb: 3, rc: 1 }).stw(4, 0x100);
  code.op('mfcr', { rt: 5 }).stw(5, 0x104).setSpr('MMUCR', 0x10006).op('tlbsx', { rt: 6, ra: 0, rb: 3, rc: 1 });
  code.op('mfcr', { rt: 5 }).stw(5, 0x108).finish();
  expect(both(code, 3).left).toEqual([hex(33), '20000000', '0']);
});

test('a privileged instruction of the user is reflected as a program interrupt that points at it', () => {
  const code = open(new Code())
    .vector(6, 'program')
    .rfi('user', MSR.PR | MSR.ME);
  code.label('user').op('addi', { rt: 3, ra: 0, si: 1 }).label('culprit').op('mtmsr', { rs: 3 }).b('user');
  code.at(0x2000).label('program').report(0x100, 'SRR0', 'SRR1', 'ESR').op('mfmsr', { rt: 3 }).stw(3, 0x10c).finish();
  const { exits, left } = both(code, 4, oneByOne);
  expect(left).toEqual([hex(code.address('culprit')), hex(MSR.PR | MSR.ME), hex(ESR.PPR), hex(MSR.ME)]);
  // The user's own shadow of the page; the culprit; and the supervisor's shadow is still there for its handler
  const afterRfi = exits.slice(exits.lastIndexOf('shadow-miss'));
  expect(afterRfi).toEqual(['shadow-miss', 'emulate', ...Array(4).fill('emulate'), 'device']);
});

test('a store to the UART’s page reaches the virtual UART of the guest, and a load reads it', () => {
  const code = new Code().print('one').li(30, 0xef600300).op('lbz', { rt: 3, ra: 30, d: 5 }).stw(3, 0x100).finish();
  const { virtual, exits, left } = both(code, 1);
  expect(left).toEqual(['60']);
  expect(virtual.output.text('guest/serial@ef600300')).toBe('one');
  expect(virtual.output.text('board/serial@ef600300')).toBe('');
  expect(exits).toEqual(['shadow-miss', 'device', 'device', 'device', 'device', 'device']);
});

test.each([
  { access: 'load', op: 'lwz', fields: { rt: 4, ra: 3, d: 0x10 }, esr: '0' },
  { access: 'store', op: 'stw', fields: { rs: 4, ra: 3, d: 0x10 }, esr: hex(ESR.ST) },
])('a data TLB miss of a guest’s $access is reflected with DEAR and ESR', ({ op, fields, esr }) => {
  const code = new Code().tlb(1, { ea: 0x10000000, pa: 0, size: size.m256, valid: false });
  code.vector(13, 'miss').setSpr('ESR', -1).li(3, 0x10000abc).label('culprit').op(op, fields);
  code.at(0x2000).label('miss').report(0x100, 'SRR0', 'DEAR', 'ESR', 'SRR1').finish();
  const { exits, left } = both(code, 4);
  expect(left.slice(0, 2)).toEqual([hex(code.address('culprit')), '10000acc']);
  expect(parseInt(left[2]!, 16) & ESR.ST).toBe(parseInt(esr, 16));
  expect(exits.filter((e) => e === 'reflect')).toHaveLength(1);
});

test('a guest refills its TLB in its miss handler and the access is done again', () => {
  const code = new Code().tlb(1, { ea: 0x10000000, pa: 0, size: size.m256, valid: false });
  code.vector(13, 'miss').li(5, 0x7777).stw(5, 0x7ac).li(3, 0x10000000).op('lwz', { rt: 4, ra: 3, d: 0x7ac });
  code.stw(4, 0x100).finish();
  code.at(0x2000).label('miss').tlb(40, { ea: 0x10000000, pa: 0, size: size.k4 }).op('rfi');
  const { exits, left } = both(code, 1);
  expect(left).toEqual(['7777']);
  expect(exits.filter((e) => e === 'shadow-miss')).toHaveLength(1); // of the first instruction
});

test('an instruction TLB miss and a page that may not be executed are told apart', () => {
  const code = new Code()
    .vector(14, 'miss')
    .vector(3, 'storage')
    .tlb(1, { ea: 0x10000000, pa: 0, size: size.m256, valid: false });
  code.li(3, 0x10000400).op('mtspr', { rs: 3, spr: 9 }).op('bcctr', { bo: 20, bi: 0 });
  code.at(0x2000).label('miss').report(0x100, 'SRR0').tlb(1, { ea: 0x10000000, pa: 0, size: size.m256, rights: 0x3b });
  code.op('rfi');
  code.at(0x3000).label('storage').report(0x104, 'SRR0', 'ESR').finish();
  const { exits, left } = both(code, 3);
  expect(left).toEqual(['10000400', '10000400', '0']);
  expect(exits.filter((e) => e === 'reflect')).toHaveLength(2);
});

test('a page that the guest forbids is a storage interrupt, though the real memory could be written', () => {
  const code = new Code().vector(2, 'storage').tlb(30, { ea: 0x10000000, pa: 0, size: size.k4, rights: 0x01 });
  code.tlb(1, { ea: 0, pa: 0, size: 0, valid: false });
  code.li(3, 0x10000000).op('lwz', { rt: 4, ra: 3, d: 0 }).label('culprit').op('stw', { rs: 4, ra: 3, d: 8 });
  code.at(0x2000).label('storage').report(0x100, 'SRR0', 'DEAR', 'ESR').finish();
  expect(both(code, 3).left).toEqual([hex(code.address('culprit')), '10000008', hex(ESR.ST)]);
});

test('a supervisor’s page is closed to its user, and open again behind the next interrupt', () => {
  const code = new Code().vector(2, 'storage').tlb(0, { ea: 0, pa: 0, size: size.m256, rights: 0x37 });
  code.lwz(3, 0x200).rfi('user', MSR.PR); // the user may execute and write, but not read
  code.label('user').stw(3, 0x204).label('culprit').lwz(3, 0x204);
  code.at(0x2000).label('storage').report(0x100, 'SRR0', 'DEAR', 'ESR').lwz(4, 0x204).finish();
  expect(both(code, 3).left).toEqual([hex(code.address('culprit')), '204', '0']);
});

test('an interrupt that waits for mtmsr to set EE is taken at the next instruction', () => {
  const code = new Code().vector(10, 'decrementer').setSpr('TCR', 0x04000000).setSpr('DEC', 5).li(7, 0);
  code.label('wait').mfspr(3, 'TSR').op('andis.', { ra: 3, rs: 3, ui: 0x0800 }).bc(12, 2, 'wait');
  code.li(31, MSR.EE).op('mtmsr', { rs: 31 }).label('next').op('addi', { rt: 7, ra: 0, si: 1 }).b('next');
  code.at(0x2000).label('decrementer').report(0x100, 'SRR0', 'SRR1').stw(7, 0x108).finish();
  const virtual = guest(code);
  expect(virtual.words(0x100, 3).map(hex)).toEqual([hex(code.address('next')), hex(MSR.EE), '0']);
});

test('rfi leads to the user and sc back behind itself, without a shadow flushed', () => {
  const code = open(new Code())
    .vector(8, 'call')
    .li(10, 0)
    .rfi('user', MSR.PR | MSR.CE);
  code.label('user').op('sc').op('addi', { rt: 10, ra: 10, si: 1 }).b('user');
  code.at(0x2000).label('call').report(0x100, 'SRR0', 'SRR1').op('cmpi', { bf: 0, ra: 10, si: 20 });
  code.bc(12, 2, 'done').op('rfi').label('done').stw(10, 0x108).finish();
  const { exits, left } = both(code, 3, oneByOne);
  expect(left).toEqual([hex(code.address('user') + 4), hex(MSR.PR | MSR.CE), hex(20)]);
  // At first, behind each of the three tlbwe, and the user's own: none for all the calls
  expect(exits.filter((e) => e === 'shadow-miss')).toHaveLength(5);
});
