import { expect, test } from 'vitest';
import { ESR, MCSR, MSR } from '../../src/isa/registers.js';
import { Code, FINISHER, size } from './code.js';
import { bare, both, guest, hex, oneByOne, results } from './guest.js';

/** Every page of memory at 0 for user and supervisor. */
const open = (code: Code): Code => code.tlb(0, { ea: 0, pa: 0, size: size.m256 });

test('with IS and DS apart, instructions and data come from different spaces', () => {
  const code = new Code().li(3, 0x5555).stw(3, 0x4200).tlb(20, { ea: 0, pa: 0x4000, size: size.k16, space: 1 });
  code.setMsr(MSR.DS).lwz(4, 0x200).stw(4, 0x204).setMsr(0).lwz(5, 0x4204).stw(5, 0x100).lwz(6, 0x204);
  code.stw(6, 0x104).finish();
  expect(both(code, 2).left).toEqual(['5555', '0']);
});

test('an interrupt leaves the other space behind, and rfi goes back to it', () => {
  const code = new Code().vector(8, 'call').tlb(20, { ea: 0, pa: 0x4000, size: size.k16, space: 1 });
  code.li(3, 1).stw(3, 0x200).li(3, 2).stw(3, 0x4200).setMsr(MSR.DS).op('sc').lwz(5, 0x200).setMsr(0);
  code.stw(4, 0x100).stw(5, 0x104).finish();
  code.at(0x2000).label('call').lwz(4, 0x200).op('rfi');
  expect(both(code, 2).left).toEqual(['1', '2']);
});

test('each PID sees its own pages, and those of TID 0 as well', () => {
  const code = new Code();
  [1, 2].forEach((pid) => code.li(3, 0x1110 + pid).stw(3, 0x3000 + 0x1000 * pid + 0x10));
  code.li(3, 0x9999).stw(3, 0x6010);
  const at = 0x40000000;
  code.tlb(20, { ea: at, pa: 0x4000, size: size.k4, tid: 1 }).tlb(21, { ea: at, pa: 0x5000, size: size.k4, tid: 2 });
  code.tlb(22, { ea: at + 0x1000, pa: 0x6000, size: size.k4, tid: 0 });
  code.tlb(4, { ea: at, pa: 0, size: size.m256, valid: false }).vector(13, 'miss').li(3, at);
  [1, 2, 1].forEach((pid, i) => {
    code
      .setSpr('PID', pid)
      .op('lwz', { rt: 4, ra: 3, d: 0x10 })
      .stw(4, 0x100 + 8 * i);
    code.op('lwz', { rt: 4, ra: 3, d: 0x1010 }).stw(4, 0x104 + 8 * i);
  });
  code.setSpr('PID', 3).op('lwz', { rt: 4, ra: 3, d: 0x10 });
  code.at(0x2000).label('miss').report(0x118, 'DEAR').finish();
  const { left } = both(code, 7);
  expect(left).toEqual(['1111', '9999', '1112', '9999', '1111', '9999', '40000010']);
});

test('a PID that comes back finds its shadow again', () => {
  const code = new Code().li(5, 0);
  for (let i = 0; i < 6; i++) code.setSpr('PID', i & 1).lwz(4, 0x200);
  code.setSpr('PID', 0).finish();
  expect(guest(code, oneByOne).exits.filter((e) => e === 'shadow-miss')).toHaveLength(2);
});

test('user reads of SPRG4 to 7 and USPRG0 give the guest’s values without an exit', () => {
  const code = open(new Code()).vector(8, 'call');
  [4, 5, 6, 7].forEach((n) => code.setSpr(`SPRG${n}`, 0xab00 + n));
  code.setSpr('USPRG0', 0x1234).rfi('user', MSR.PR).label('user');
  [260, 261, 262, 263, 256].forEach((spr, i) => code.op('mfspr', { rt: 10 + i, spr }));
  code.li(3, 0x4321).op('mtspr', { rs: 3, spr: 256 }).op('sc');
  code.at(0x2000).label('call');
  [0, 1, 2, 3, 4].forEach((i) => code.stw(10 + i, 0x100 + 4 * i));
  code.report(0x114, 'USPRG0').finish();
  const { left, exits } = both(code, 6);
  expect(left).toEqual(['ab04', 'ab05', 'ab06', 'ab07', '1234', '4321']);
  expect(exits.slice(exits.lastIndexOf('shadow-miss'))).toEqual(['shadow-miss', 'reflect', 'device']);
});

test('the time base that a user reads is the guest’s own, and goes on while others have the core', () => {
  const read = (code: Code, at: number): Code =>
    code
      .op('mftb', { rt: 3, spr: 268 })
      .op('mftb', { rt: 4, spr: 269 })
      .stw(3, at)
      .stw(4, at + 4);
  const code = open(new Code())
    .setSpr('TBL', 0)
    .setSpr('TBU', 7)
    .setSpr('TBL', 0x1000)
    .vector(8, 'call')
    .rfi('user', MSR.PR);
  read(code.label('user'), 0x100).op('sc');
  read(code.at(0x2000).label('call'), 0x108).finish();
  const left = results(guest(code), 4).map((w) => parseInt(w, 16));
  expect([left[1], left[3]]).toEqual([7, 7]);
  expect(left[0]).toBeGreaterThanOrEqual(0x1000);
  expect(left[0]).toBeLessThan(0x1100);
  expect(left[2]! - left[0]!).toBeGreaterThan(4);
  expect(left[2]! - left[0]!).toBeLessThan(40);
});

test.each([
  { what: 'an illegal instruction', word: 0, esr: ESR.PIL },
  { what: 'tw', word: 0x7fe00008, esr: ESR.PTR },
  { what: 'mfspr of a number that nothing has', word: 0x7c6fd2a6, esr: ESR.PIL },
  { what: 'a write of SPRG4 by its read-only number', word: 0x7c6443a6, esr: ESR.PIL },
])('$what in the supervisor is its own program interrupt', ({ word, esr }) => {
  const code = new Code().vector(6, 'program').label('culprit').word(word);
  code.at(0x2000).label('program').report(0x100, 'SRR0', 'ESR').finish();
  expect(both(code, 2).left).toEqual([hex(code.address('culprit')), hex(esr)]);
});

test('an alignment interrupt carries its address', () => {
  const code = new Code().vector(5, 'alignment').li(3, 0x402).label('culprit').op('lwarx', { rt: 4, ra: 0, rb: 3 });
  code.at(0x2000).label('alignment').report(0x100, 'SRR0', 'DEAR').finish();
  expect(both(code, 2).left).toEqual([hex(code.address('culprit')), '402']);
});

test('dcbz on a cache-inhibited page is an alignment interrupt, of memory and of a device alike', () => {
  for (const ea of [0x40000040, 0xef600300]) {
    const code = new Code()
      .vector(5, 'alignment')
      .tlb(4, { ea: 0x40000000, pa: 0, size: size.m256, attributes: 0x400 });
    code.li(3, ea).op('dcbz', { ra: 0, rb: 3 }).finish(1);
    code.at(0x2000).label('alignment').report(0x100, 'DEAR').finish();
    expect(both(code, 1).left).toEqual([hex(ea & ~31)]);
  }
});

test('lwarx and stwcx. work over the page’s first touch', () => {
  const code = new Code().li(3, 0x40000200).tlb(4, { ea: 0x40000000, pa: 0, size: size.k4 }).li(4, 0x77);
  code.op('lwarx', { rt: 5, ra: 0, rb: 3 }).op('stwcx.', { rs: 4, ra: 0, rb: 3 }).op('mfcr', { rt: 6 }).lwz(7, 0x200);
  code.stw(6, 0x100).stw(7, 0x104).op('stwcx.', { rs: 3, ra: 0, rb: 3 }).op('mfcr', { rt: 6 }).stw(6, 0x108).finish();
  expect(both(code, 3).left).toEqual(['20000000', '77', '0']);
});

test.each([
  { what: 'a load', op: 'lwz', fields: { rt: 4, ra: 3, d: 0 }, bit: MCSR.DRB },
  { what: 'a store', op: 'stw', fields: { rs: 4, ra: 3, d: 0 }, bit: MCSR.DWB },
])('$what where nothing answers is a machine check', ({ op, fields, bit }) => {
  const code = new Code().vector(1, 'check').setMsr(MSR.ME).li(3, 0xe0000000).label('culprit').op(op, fields);
  code.at(0x2000).label('check').report(0x100, 'MCSRR0', 'MCSRR1', 'MCSR', 'CSRR0').finish();
  const at = hex(code.address('culprit'));
  expect(both(code, 4).left).toEqual([at, hex(MSR.ME), hex(MCSR.MCS | bit), at]);
});

test('with ME clear a machine check waits until it is set', () => {
  const code = new Code().vector(1, 'check').li(3, 0xe0000000).li(4, -1).op('lwz', { rt: 4, ra: 3, d: 0 });
  code.stw(4, 0x100).li(31, MSR.ME).op('mtmsr', { rs: 31 }).label('next').finish(1);
  code.at(0x2000).label('check').report(0x104, 'MCSRR0').finish();
  expect(both(code, 2).left).toEqual(['0', hex(code.address('next'))]);
});

test('a fetch from a device is a machine check', () => {
  const code = new Code().vector(1, 'check').setMsr(MSR.ME).li(3, FINISHER).op('mtspr', { rs: 3, spr: 9 });
  code.op('bcctr', { bo: 20, bi: 0 });
  code.at(0x2000).label('check').report(0x100, 'MCSRR0', 'ESR').finish();
  expect(both(code, 2).left).toEqual([hex(FINISHER), hex(ESR.MCI)]);
});

test('a program that changes the code before it runs what it wrote', () => {
  const code = new Code().li(3, 0x38a00007).la(4, 'patched').op('stw', { rs: 3, ra: 4, d: 0 }).label('patched');
  code.op('addi', { rt: 5, ra: 0, si: 1 }).stw(5, 0x100).finish();
  expect(both(code, 1).left).toEqual(['7']);
  expect(bare(code).gpr(5)).toBe(7);
});
