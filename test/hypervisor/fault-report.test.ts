// Guests that die, each in another way, and what is told of them.

import { expect, test } from 'vitest';
import { MSR, TCR } from '../../src/isa/registers.js';
import { ExitRing } from '../../src/hypervisor/exit-ring.js';
import type { FaultReport } from '../../src/hypervisor/fault-report.js';
import { explainBare } from '../../src/cli/faults.js';
import { faultLines } from '../../src/hypervisor/fault-text.js';
import type { ImageSymbol } from '../../src/loader/contents.js';
import { Code, size } from './code.js';
import { bare, hypervisor, imageOf, runToEnd } from './guest.js';

const spin = { program: new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin') };
const nothing = { ea: 0, pa: 0, size: 0, valid: false };

/** Its image, with `main` and `handlers` as symbols. */
function withSymbols(code: Code) {
  const symbol = (name: string, address: number): ImageSymbol => ({ name, address, size: 0x800, kind: 'function' });
  return { ...imageOf(code), symbols: [symbol('main', 0x1000), symbol('handlers', 0x2000)] };
}

/** Run it as the first of two partitions until it has died; gives its report, and that as lines. */
function die(code: Code, node = ''): FaultReport & { text: string } {
  const reports: FaultReport[] = [];
  const made = hypervisor(
    { guest: { program: withSymbols(code), node }, other: spin },
    { onFault: (report) => reports.push(report) },
  );
  runToEnd(made.hv, 300_000);
  expect(made.log[0]).toMatch(/^partition 'guest' /);
  expect(reports).toHaveLength(1);
  expect(made.partition('other').running).toBe(true);
  const report = reports[0]!;
  return { ...report, text: faultLines(report, undefined).join('\n') };
}

test('a wild store before there is any handler', () => {
  const code = new Code().tlb(13, nothing);
  code.li(5, 0xd0000000).label('culprit').op('stw', { rs: 3, ra: 5, d: 4 });
  const report = die(code);
  expect(report).toMatchObject({ program: 'guest', vcpu: 0, kind: 'no-handler', see: 'docs/faults.md#no-handler' });
  expect(report.trap).toMatchObject({
    kind: 'data-tlb-miss',
    at: { address: code.address('culprit'), symbol: `main+0x${(code.address('culprit') - 0x1000).toString(16)}` },
    path: { effective: 0xd0000004, use: 'write', user: false, outcome: 'miss' },
  });
  expect(report.trap!.path!.near).toBe('the nearest of 15 entries is 12, which ends 0x4 below: 0xc0000000–0xcfffffff');
  expect(report.registers).toMatchObject({ r5: 0xd0000000, DEAR: 0xd0000004, IVPR: 0, IVOR13: 0 });
  expect(report.code.find((line) => line.culprit)).toMatchObject({ text: 'stw r3,4(r5)' });
  expect(report.ended).toMatchObject({ kind: 'program', cause: 'illegal', at: { address: 0 } });
  expect(report.text).toContain('store to 0xd0000004, at 0x1');
});

test('a store beyond memory that the TLB maps is a machine check, and its handler is not mapped', () => {
  const code = new Code().setSpr('IVPR', 0xd0000000).tlb(13, nothing).setMsr(MSR.ME).li(5, 0x00100400);
  const report = die(code.label('culprit').op('stw', { rs: 3, ra: 5, d: 0 }));
  expect(report.kind).toBe('handler-not-mapped');
  expect(report.trap).toMatchObject({
    kind: 'machine-check',
    cause: 'data-write',
    path: { outcome: 'hit', physical: 0x00100400 },
  });
  expect(report.trap!.path!.entry).toMatchObject({
    entry: 0,
    base: 0,
    size: 0x10000000,
    tid: 0,
    permissions: 'SX SW SR',
  });
  expect(report.trap!.path!.destination).toMatchObject({ reached: false });
  expect(report.text).toContain("nothing of this partition, 0x400 beyond the end of the guest's memory@0");
  expect(report.handler).toMatchObject({ ivor: 1, at: { address: 0xd0000000 }, path: { outcome: 'miss' } });
  expect(report.ended).toMatchObject({ kind: 'instruction-tlb-miss' });
});

test('a store to where, on the board, another partition has its memory, or another’s device is', () => {
  const reports = [0x00100000, 0xef600400, 0x9c000000].map((address) => {
    const code = new Code().setSpr('IVPR', 0xd0000000).tlb(13, nothing).setMsr(MSR.ME).li(5, address);
    return die(code.op('stw', { rs: 3, ra: 5, d: 0 })).text;
  });
  expect(reports[0]).toContain("on the board this address is memory@0, which belongs to partition 'other'");
  expect(reports[1]).toContain('on the board this address is serial@ef600400, which is not given to this partition');
  expect(reports[2]).toContain('on the board this address is serial@9c000000, which is not given to this partition');
});

test('a jump to nowhere: a machine check while they are off stops it', () => {
  const code = new Code().li(3, 0xe0000000).op('mtspr', { rs: 3, spr: 9 }).op('bcctr', { bo: 20, bi: 0 });
  const report = die(code);
  expect(report).toMatchObject({ kind: 'machine-check-disabled', registers: { CTR: 0xe0000000 } });
  expect(report.trap).toMatchObject({
    kind: 'machine-check',
    cause: 'instruction-fetch',
    path: { use: 'execute', effective: 0xe0000000, outcome: 'hit' },
  });
  expect(report.code).toEqual([expect.objectContaining({ culprit: true, text: 'no memory' })]);
});

test('an unhandled program interrupt, with its IVOR in a bad place', () => {
  const code = new Code().setSpr('IVPR', 0x40000000).setSpr('IVOR6', 0x700).tlb(4, nothing).label('culprit').word(0);
  const report = die(code);
  expect(report.kind).toBe('handler-not-mapped');
  expect(report.trap).toMatchObject({ kind: 'program', cause: 'illegal', at: { address: code.address('culprit') } });
  expect(report.handler).toMatchObject({ ivor: 6, at: { address: 0x40000700 } });
});

test('a stack that grew into the handlers leaves no code there', () => {
  const code = new Code().vector(8, 'call').vector(6, 'program').li(1, 0x2100).li(6, 0x40);
  code
    .op('mtspr', { rs: 6, spr: 9 })
    .label('push')
    .op('stwu', { rs: 0, ra: 1, d: -8 })
    .op('stw', { rs: 0, ra: 1, d: 4 });
  code.bc(16, 0, 'push').label('culprit').op('sc');
  code.at(0x2000).label('call').op('rfi').at(0x2010).label('program').op('rfi');
  const report = die(code);
  expect(report).toMatchObject({ kind: 'handler-not-code', trap: { kind: 'system-call' }, registers: { r1: 0x1f00 } });
  expect(report.handler).toMatchObject({
    ivor: 8,
    at: { address: 0x2000, symbol: 'handlers' },
    path: { outcome: 'hit' },
  });
  expect(report.ended).toMatchObject({ kind: 'program', at: { address: 0x2010 } });
  expect(report.suggestion).toContain('a stack that grew into it');
});

test('a handler of TLB misses that misses itself is told of once, and goes on', () => {
  const code = new Code().vector(13, 'miss').tlb(13, nothing).li(5, 0xd0000000).op('lwz', { rt: 3, ra: 5, d: 8 });
  code.at(0x2000).label('miss').mfspr(4, 'DEAR').label('culprit').op('lwz', { rt: 3, ra: 5, d: 0 }).op('rfi');
  const report = die(code);
  expect(report).toMatchObject({ kind: 'handler-faults', trap: { at: { address: code.address('culprit') } } });
  expect(report.trap!.path).toMatchObject({ effective: 0xd0000000, outcome: 'miss' });
  expect(report.exits.at(-1)).toMatch(/reflect \(data-tlb-miss\)/);
});

test('a loop over a page that is thrown out of the TLB each time is no fault in a loop', () => {
  const code = new Code().vector(13, 'miss').li(9, 5000).li(5, 0xd0000000).li(12, 0).label('again').li(29, 13);
  code.op('tlbwe', { rs: 12, ra: 29, ws: 0 }).op('lwz', { rt: 3, ra: 5, d: 0 }).op('addic.', { rt: 9, ra: 9, si: -1 });
  code.bc(4, 2, 'again').finish();
  code.at(0x2000).label('miss').tlb(13, { ea: 0xd0000000, pa: 0, size: size.k4 }).op('rfi');
  const reports: FaultReport[] = [];
  const made = hypervisor({ guest: { program: code } }, { onFault: (report) => reports.push(report) });
  runToEnd(made.hv, 3_000_000);
  expect(made.partition('guest').ending).toEqual({ kind: 'finished', status: 0 });
  expect(reports).toEqual([]);
});

test('a user’s store that its page forbids, with the entry that forbids it', () => {
  const code = new Code()
    .setSpr('IVPR', 0xd0000000)
    .tlb(13, nothing)
    .tlb(0, { ea: 0, pa: 0, size: size.m256, rights: 0x2f });
  code.li(5, 0x400).rfi('user', MSR.PR).label('user').op('stw', { rs: 3, ra: 5, d: 0 });
  const { trap, text } = die(code);
  expect(trap).toMatchObject({ kind: 'data-storage', path: { outcome: 'forbidden', user: true, physical: 0x400 } });
  expect(text).toContain('UX UR SX SW SR');
  expect(text).toContain('which does not let the user write');
});

test.each([
  ['another process’s', { tid: 7 }, 'entry 13 maps it for process 7, and the PID is 0'],
  ['another address space’s', { space: 1 as const }, 'entry 13 maps it in address space 1, not 0'],
])('an address that only %s entry maps', (_, page, near) => {
  const code = new Code().tlb(13, { ea: 0xd0000000, pa: 0, size: size.m256, ...page }).li(5, 0xd0000000);
  expect(die(code.op('lwz', { rt: 3, ra: 5, d: 0 })).trap!.path!.near).toBe(near);
});

test.each([
  ['branches to itself with interrupts off', new Code().label('end').b('end'), 'branches-forever', 'b 0x1000 <main>'],
  ['waits with interrupts off', new Code().setSpr('TCR', TCR.DIE).setMsr(MSR.WE).label('end'), 'waits-forever', ''],
  ['resets its processor', new Code().setSpr('DBCR0', 0x30000000), 'reset', ''],
])('a program that %s', (_, code, kind, text) => {
  const report = die(code);
  expect(report).toMatchObject({ kind });
  expect(report.trap).toBeUndefined();
  expect(report.code.find((line) => line.culprit)!.text).toContain(text);
  expect(Object.keys(report.registers)).toEqual(expect.arrayContaining(['r1', 'LR', 'MSR', 'TCR', 'TSR']));
});

test('one that ends by its finisher has nothing to explain, and one that runs is explained as it stands', () => {
  const made = hypervisor({ guest: { program: new Code().finish(3) }, other: spin });
  runToEnd(made.hv, 10_000);
  expect(made.hv.explain('guest')).toBeUndefined();
  expect(made.hv.explain('other')).toMatchObject({ kind: 'none', program: 'other' });
  expect(made.hv.explain('nobody')).toBeUndefined();
});

test('the last exits are kept, the same ones in a row as one', () => {
  const ring = new ExitRing();
  for (let i = 0; i < 40; i++) ring.record('emulate', 7, 0x1000 + 4 * i, i);
  for (let i = 40; i < 43; i++) ring.record('device', 9, 0x2000, i);
  ring.record('device', 10, 0x2000, 43);
  expect(ring.recent).toHaveLength(16);
  expect(ring.recent[0]).toEqual({ kind: 'emulate', detail: 7, pc: 0x1000 + 4 * 26, cycle: 26, times: 1 });
  expect(ring.recent.slice(-2)).toEqual([
    { kind: 'device', detail: 9, pc: 0x2000, cycle: 40, times: 3 },
    { kind: 'device', detail: 10, pc: 0x2000, cycle: 43, times: 1 },
  ]);
  ring.clear();
  expect(ring.recent).toEqual([]);
});

test('a program that dies on the bare board is explained alike', () => {
  const code = new Code().setSpr('IVPR', 0xd0000000).tlb(13, nothing).setMsr(MSR.ME);
  const { machine } = bare(code.li(5, 0x00100400).op('stw', { rs: 3, ra: 5, d: 0 }));
  const report = explainBare(machine, withSymbols(code).symbols)!;
  expect(report).toMatchObject({ program: 'board', kind: 'handler-not-mapped', trap: { kind: 'machine-check' } });
  expect(faultLines(report, 'bye').join('\n')).toContain("nothing, 0x400 beyond the end of the board's memory@0");
  const jump = new Code().li(3, 0xe0000000).op('mtspr', { rs: 3, spr: 9 }).op('bcctr', { bo: 20, bi: 0 });
  expect(explainBare(bare(jump).machine, [])).toMatchObject({
    kind: 'machine-check-disabled',
    registers: { CTR: 0xe0000000 },
  });
  expect(explainBare(bare(new Code().finish()).machine, [])).toBeUndefined();
});

test('a restart forgets the traps of the life before', () => {
  const code = new Code().vector(8, 'call').op('sc').setSpr('DBCR0', 0x30000000).at(0x2000).label('call').op('rfi');
  const { hv, partition } = hypervisor({ guest: { program: code, node: 'on-reset = "restart";' } });
  while (partition('guest').restarts === 0) hv.run(10);
  expect(partition('guest').vcpus[0]!.traps.last).toBeUndefined();
});
