import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { MSR } from '../../src/isa/registers.js';
import { isPrivilegedWord } from '../../src/hypervisor/run-ahead.js';
import { Code, size } from './code.js';
import { both, guest, hypervisor, oneByOne, runToEnd } from './guest.js';
import { leftBehind, program } from './random-programs.js';
import { ENGINES, reference, states } from './unwatched.js';

const count = (exits: readonly string[], kind: string): number => exits.filter((e) => e === kind).length;
/** Of the guest's own, behind the first page that is filled. */
const emulated = (code: Code): number => count(guest(code).exits, 'emulate');
/** Lets the guest have the core: a branch is never run ahead. */
const apart = (code: Code, name: string): Code => code.b(name).label(name);

test('a run of privileged instructions is one exit', () => {
  const code = apart(new Code().li(3, 5), 'run').op('mfmsr', { rt: 4 });
  for (const name of ['SPRG0', 'SPRG1', 'SPRG2', 'SRR0', 'SRR1']) code.mtspr(name, 3).mfspr(5, name);
  expect(emulated(apart(code, 'end').finish())).toBe(1);
});

test('so is one with up to two others between, that touch registers and memory alone', () => {
  const between = (n: number, name: string, fields: Record<string, number>): number => {
    const code = apart(new Code().li(3, 0x200), 'run').op('mfmsr', { rt: 4 });
    for (let i = 0; i < n; i++) code.op(name, fields);
    return emulated(apart(code.op('mfmsr', { rt: 5 }), 'end').finish());
  };
  expect(between(2, 'addi', { rt: 6, ra: 6, si: 1 })).toBe(1);
  expect(between(3, 'addi', { rt: 6, ra: 6, si: 1 })).toBe(2);
  expect(between(2, 'lwz', { rt: 6, ra: 3, d: 0 })).toBe(1);
  expect(between(2, 'stwx', { rs: 6, ra: 0, rb: 3 })).toBe(1);
  expect(between(1, 'lwarx', { rt: 6, ra: 0, rb: 3 })).toBe(2);
  expect(between(1, 'mfspr', { rt: 6, spr: 8 })).toBe(1);
});

test('a device access between two has an exit of its own', () => {
  const code = apart(new Code().li(3, 0xef600300), 'run').op('mfmsr', { rt: 4 }).op('lbz', { rt: 6, ra: 3, d: 5 });
  const { exits } = both(apart(code.op('mfmsr', { rt: 5 }), 'end').finish(), 0);
  expect(exits).toEqual(['shadow-miss', 'emulate', 'device', 'device']);
});

test('an interrupt that the first of a run lets through is taken before the second', () => {
  const code = new Code().vector(10, 'tick').setSpr('TCR', 0x04000000).setSpr('DEC', 1);
  for (let i = 0; i < 8; i++) code.op('addi', { rt: 9, ra: 9, si: 1 });
  apart(code.li(6, 1), 'run').op('wrteei', { e: 1 }).label('second').op('mfspr', { rt: 7, spr: 272 }).finish(1);
  code.at(0x2000).label('tick').report(0x100, 'SRR0').finish();
  expect(both(code, 1).left).toEqual([code.address('second').toString(16)]);
});

test('a trap among them goes to the handler, whose first instructions are part of the same exit', () => {
  const code = new Code().tlb(4, { ea: 0, pa: 0, size: 0, valid: false }).vector(13, 'miss').vector(8, 'call');
  apart(code.li(3, 0x40000000), 'run').op('mfmsr', { rt: 4 }).op('lwz', { rt: 5, ra: 3, d: 4 }).op('mfmsr', { rt: 5 });
  apart(code, 'end').finish();
  code.at(0x2000).label('miss').mfspr(9, 'DEAR').stw(9, 0x100).mfspr(9, 'SRR0').op('addi', { rt: 9, ra: 9, si: 4 });
  code.mtspr('SRR0', 9).op('rfi').label('call').op('rfi');
  const { exits, left } = both(code, 1);
  expect(left).toEqual(['40000004']);
  expect(exits.slice(-3)).toEqual(['emulate', 'reflect', 'device']);
});

test('what a guest does is the same with and without running ahead, but for the exits and what they cost', () => {
  const partitions = 'run-ahead-cycles = <7>; exit-cycles = <9>;';
  let [with_, without] = [0, 0];
  fc.assert(
    fc.property(program, (code) => {
      const ahead = guest(code, { partitions });
      const alone = guest(code, { partitions: `exit-cycles = <9>; ${oneByOne.partitions}` });
      expect(leftBehind(ahead.partition('guest').board)).toEqual(leftBehind(alone.partition('guest').board));
      expect(ahead.hv.retired).toBe(alone.hv.retired);
      with_ += ahead.exits.length;
      without += alone.exits.length;
    }),
    { numRuns: 20, seed: 440 },
  );
  expect(with_).toBeLessThan(without / 2);
});

test('a guest that is nothing but privileged instructions has its quantum and no more', () => {
  const rfi = new Code().la(31, 'loop').mtspr('SRR0', 31).setSpr('SRR1', MSR.ME).label('loop').op('rfi');
  const spin = new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin');
  const { hv, partition } = hypervisor(
    { rfi: { program: rfi }, spin: { program: spin } },
    { partitions: 'quantum = <2000>; exit-cycles = <40>; run-ahead-cycles = <10>;' },
  );
  runToEnd(hv, 400_000);
  const share = partition('rfi').vcpus[0]!.account.cycles / hv.clock.now;
  expect(Math.abs(share - 0.5)).toBeLessThan(0.01);
  const { exits, ahead } = partition('rfi').vcpus[0]!.account;
  expect(exits[0]).toMatchObject({ kind: 'emulate' });
  expect(ahead.count / exits[0]!.count).toBeGreaterThan(50);
});

test('which words are privileged follows from the instructions, and for SPRs from the number', () => {
  expect(isPrivilegedWord(asm('rfi', {}))).toBe(true);
  expect(isPrivilegedWord(asm('tlbwe', { rs: 1, ra: 2, ws: 0 }))).toBe(true);
  expect(isPrivilegedWord(asm('mfspr', { rt: 1, spr: 272 }))).toBe(true);
  expect(isPrivilegedWord(asm('mfspr', { rt: 1, spr: 260 }))).toBe(false); // SPRG4, as a user reads it
  expect(isPrivilegedWord(asm('mtspr', { rs: 1, spr: 9 }))).toBe(false);
  expect(isPrivilegedWord(asm('addi', { rt: 1, ra: 1, si: 1 }))).toBe(false);
});

test('an access is foreseen in the context alone in which there was a device', () => {
  const page = { ea: 0x40000000, size: size.k4 };
  const code = new Code().tlb(0, { ea: 0, pa: 0, size: size.m1 }).vector(2, 'skip').vector(8, 'call');
  code.tlb(4, { ...page, pa: 0xef600000, tid: 1, rights: 0x07 }).tlb(5, { ...page, pa: 0x8000, tid: 2 });
  code
    .tlb(6, { ...page, pa: 0x9000, tid: 1, space: 1 })
    .li(3, 0x40000300)
    .li(20, 1)
    .li(21, 2)
    .li(22, MSR.DS)
    .li(23, 0);
  code.li(9, 20).mtspr('CTR', 9).label('loop').mtspr('PID', 20);
  code.op('lbz', { rt: 5, ra: 3, d: 5 }).op('stb', { rs: 5, ra: 3, d: 0 });
  code.op('lbz', { rt: 6, ra: 3, d: 5 }).op('stb', { rs: 6, ra: 3, d: 0 });
  const idle = (): Code => [1, 2, 3, 4].reduce((into) => into.op('addi', { rt: 13, ra: 13, si: 1 }), code); // too far to be run ahead
  code.mtspr('PID', 21);
  idle().op('lbz', { rt: 7, ra: 3, d: 5 }).op('stb', { rs: 9, ra: 3, d: 5 });
  idle().mtspr('PID', 20).op('mtmsr', { rs: 22 });
  idle().op('lbz', { rt: 8, ra: 3, d: 5 }).op('stb', { rs: 9, ra: 3, d: 5 });
  idle().op('mtmsr', { rs: 23 }).rfi('user', MSR.PR).label('user');
  code.op('lbz', { rt: 10, ra: 3, d: 5 }).op('stb', { rs: 10, ra: 3, d: 0 }).op('sc');
  code.at(0x2000).label('skip').mfspr(11, 'SRR0').op('addi', { rt: 11, ra: 11, si: 4 }).mtspr('SRR0', 11);
  code.op('addi', { rt: 12, ra: 12, si: 1 }).op('rfi').at(0x2100).label('call');
  code.bc(16, 0, 'loop').finish();
  const expected = states(code, reference, 1000);
  expect(expected.vcpu.machine.regs.gpr[12]).toBe(2 * 20); // the program's own two, each time
  expect(expected.account.exits.find(({ kind }) => kind === 'device')!.count).toBeGreaterThan(4 * 20 - 1);
  for (const make of Object.values(ENGINES)) expect(states(code, make(), 1000).seen).toEqual(expected.seen);
});

test('an access is not foreseen where the real core may be let at the device', () => {
  const code = new Code().tlb(4, { ea: 0x40000000, pa: 0x9c000000, size: size.k4 }).li(3, 0x40000000).li(4, 0x100);
  code.li(9, 20).mtspr('CTR', 9).label('loop').op('dcbz', { ra: 0, rb: 3 });
  code.op('stb', { rs: 9, ra: 3, d: 7 }).op('lbz', { rt: 5, ra: 3, d: 7 }).bc(16, 0, 'loop').finish();
  const setting = { node: 'devices = <&UART4>;' };
  const expected = states(code, reference, 1000, setting);
  const device = expected.account.exits.find(({ kind }) => kind === 'device')!;
  expect(device.count).toBe(20 + 1); // dcbz, and the guest's end
  for (const make of Object.values(ENGINES)) expect(states(code, make(), 1000, setting).seen).toEqual(expected.seen);
});
