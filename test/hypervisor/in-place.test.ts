import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { encodeState } from '../../src/board/state-text.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import { MSR } from '../../src/isa/registers.js';
import { Code, FINISHER, size } from './code.js';
import { hypervisor } from './guest.js';
import { program } from './random-programs.js';
import { ENGINES, reference, states } from './unwatched.js';

/** Turns round and round in instructions of its supervisor's, with others between. */
function busy(): Code {
  const code = new Code().li(3, 0x5a).li(9, 300).mtspr('CTR', 9).label('loop');
  code.op('mfmsr', { rt: 4 }).op('wrteei', { e: 0 }).mtspr('SPRG0', 3).op('addi', { rt: 3, ra: 3, si: 1 });
  code.mfspr(5, 'SPRG0').op('mfspr', { rt: 6, spr: 8 }).op('addi', { rt: 7, ra: 7, si: 2 }).op('wrtee', { rs: 4 });
  code.op('lwz', { rt: 8, ra: 0, d: 0x200 }).mtspr('SRR0', 8).mtspr('DEAR', 5).mfspr(10, 'PVR');
  return code.op('bc', { bo: 16, bi: 0, bd: (code.address('loop') - code.here) >> 2 }).finish();
}

test('what is plain is emulated where the guest stands, and costs and counts what it always did', () => {
  const setting = { partitions: 'exit-cycles = <9>; run-ahead-cycles = <5>;' };
  const expected = states(busy(), reference, 100_000, setting);
  expect(expected.account.exits[0]!.count).toBeGreaterThan(250);
  for (const make of Object.values(ENGINES)) {
    const found = states(busy(), make(), 100_000, setting);
    expect(found.seen).toEqual(expected.seen);
    expect(found.steps).toBeLessThan(expected.steps / 2);
  }
});

test('nothing is where somebody looks at each exit', () => {
  const { hv, partition } = hypervisor({ guest: { program: busy() } }, { engine: new Translator() });
  const step = vi.spyOn(partition('guest').vcpus[0]!.machine, 'step');
  while (partition('guest').running) hv.run(10_000);
  expect(step.mock.calls.length).toBe(states(busy(), reference, 100_000).steps);
});

test('wherever it stops, a guest is where it would be if each exit had left the core', () => {
  for (const quantum of [1, 3, 29])
    for (const make of Object.values(ENGINES)) {
      const setting = { partitions: 'quantum = <1000>; exit-cycles = <6>; run-ahead-cycles = <2>; run-ahead = <3>;' };
      expect(states(busy(), make(), quantum, setting).seen).toEqual(states(busy(), reference, quantum, setting).seen);
    }
});

test('an interrupt that waits comes behind the instruction that lets it through', () => {
  const code = new Code().vector(10, 'tick').setSpr('TCR', 0x04000000).setSpr('DEC', 40).li(4, MSR.EE).label('loop');
  code.op('wrteei', { e: 0 });
  for (let i = 0; i < 50; i++) code.op('mfmsr', { rt: 5 }).op('addi', { rt: 6, ra: 6, si: 1 });
  code.op('wrtee', { rs: 4 }).op('addi', { rt: 9, ra: 9, si: 1 }).b('loop');
  code.at(0x2000).label('tick').report(0x100, 'SRR0').finish();
  const expected = states(code, reference, 50);
  for (const make of Object.values(ENGINES)) expect(states(code, make(), 50).seen).toEqual(expected.seen);
});

test('random programs leave the same, whatever an exit costs', () => {
  const costs = fc.record({
    exit: fc.integer({ min: 1, max: 20 }),
    ahead: fc.integer({ min: 1, max: 9 }),
    most: fc.nat(12),
    quantum: fc.integer({ min: 20, max: 3000 }),
  });
  fc.assert(
    fc.property(program, costs, (code, { exit, ahead, most, quantum }) => {
      const partitions = `exit-cycles = <${exit}>; run-ahead-cycles = <${ahead}>; run-ahead = <${most}>;`;
      const expected = states(code, reference, quantum, { partitions });
      for (const make of Object.values(ENGINES))
        expect(states(code, make(), quantum, { partitions }).seen).toEqual(expected.seen);
    }),
    { numRuns: 20, seed: 440, endOnFailure: true },
  );
});

const UART = 0xef600300;
const IER = 1;
const IIR = 2;
const LSR = 5;

/** Speaks by its UART, with interrupts of that now and then, what is privileged close behind accesses, and addresses where nothing is. */
function speaking(): Code {
  const code = new Code().vector(4, 'ready').vector(10, 'tick').vector(1, 'broken');
  code.op('addis', { rt: 4, ra: 0, si: 0x8000 }).op('mtdcr', { rs: 4, dcr: 0xc4 }).op('mtdcr', { rs: 4, dcr: 0xc2 }); // UIC0_PR, UIC0_ER
  code.setSpr('TCR', 0x04000000).setSpr('DEC', 397).li(3, UART).li(9, 40).mtspr('CTR', 9);
  code
    .li(20, MSR.EE | MSR.ME)
    .li(21, MSR.ME)
    .op('mtmsr', { rs: 20 })
    .label('loop');
  code.op('lbz', { rt: 5, ra: 3, d: LSR }).op('stb', { rs: 5, ra: 3, d: 0 }).op('mfmsr', { rt: 6 });
  code.op('addi', { rt: 7, ra: 7, si: 1 }).op('lbzu', { rt: 8, ra: 22, d: 4 }).op('wrtee', { rs: 21 });
  code.op('addi', { rt: 10, ra: 0, si: 2 }).op('stb', { rs: 10, ra: 3, d: IER }).op('addi', { rt: 7, ra: 7, si: 2 });
  code.op('lwz', { rt: 11, ra: 3, d: 4 }).op('wrtee', { rs: 20 }).op('addi', { rt: 7, ra: 7, si: 3 });
  code.op('stb', { rs: 7, ra: 3, d: 0x80 }).op('sth', { rs: 7, ra: 3, d: 7 });
  code.op('bc', { bo: 16, bi: 0, bd: (code.address('loop') - code.here) >> 2 }).finish();
  code.at(0x2000).label('ready').op('lbz', { rt: 12, ra: 3, d: IIR }).op('addi', { rt: 13, ra: 13, si: 1 });
  code.op('addi', { rt: 14, ra: 0, si: 0 }).op('stb', { rs: 14, ra: 3, d: IER }).op('rfi');
  code
    .at(0x2100)
    .label('tick')
    .setSpr('TSR', 0x08000000)
    .setSpr('DEC', 797)
    .op('stb', { rs: 13, ra: 3, d: 0 })
    .op('rfi');
  code.at(0x2200).label('broken').mfspr(15, 'MCSRR0').op('addi', { rt: 15, ra: 15, si: 4 }).mtspr('MCSRR0', 15);
  return code.op('addi', { rt: 16, ra: 16, si: 1 }).op('rfmci');
}

test('accesses to its own devices are done where it stands too', () => {
  const expected = states(speaking(), reference, 100_000);
  const devices = expected.account.exits.find(({ kind }) => kind === 'device')!;
  expect(devices.count).toBeGreaterThan(200);
  const [r13, , , r16] = expected.vcpu.machine.regs.gpr.subarray(13);
  expect([r13, r16].map((count) => count! > 20)).toEqual([true, true]);
  const runs = vi.spyOn(Translator.prototype, 'run');
  for (const make of Object.values(ENGINES)) {
    runs.mockClear();
    expect(states(speaking(), make(), 100_000).seen).toEqual(expected.seen);
    expect(runs.mock.calls.length).toBeLessThan(expected.account.exits.reduce((sum, { count }) => sum + count, 0));
  }
  runs.mockRestore();
});

test.each([1, 5, 33])('and cost and count what they always did, wherever it stops after %d cycles', (quantum) => {
  for (const [exit, ahead, most] of [
    [1, 1, 2],
    [6, 2, 0],
    [9, 3, 7],
  ]) {
    const partitions = `quantum = <1009>; exit-cycles = <${exit}>; run-ahead-cycles = <${ahead}>; run-ahead = <${most}>;`;
    const expected = states(speaking(), reference, quantum, { partitions });
    for (const make of Object.values(ENGINES))
      expect(states(speaking(), make(), quantum, { partitions }).seen).toEqual(expected.seen);
  }
});

test('as far as a debugger’s stop', () => {
  for (const stride of [1, 2, 5, 17])
    expect(stops(speaking(), new Translator(), stride)).toEqual(stops(speaking(), reference, stride));
});

/** Calls its supervisor's handler again and again, which lies at this address and saves and restores as handlers do. */
function calling(handler: number, between: (code: Code) => void = () => {}): Code {
  const code = new Code().vector(8, 'call').li(3, 0x5a).li(9, 60).mtspr('CTR', 9).label('loop');
  code.op('sc').op('addi', { rt: 7, ra: 7, si: 1 });
  code.op('bc', { bo: 16, bi: 0, bd: (code.address('loop') - code.here) >> 2 }).finish();
  code.at(handler).label('call');
  code.mtspr('SPRG0', 10).mtspr('SPRG1', 11).mtspr('SPRG2', 12).op('mfcr', { rt: 11 }).mtspr('SPRG3', 11);
  code.mfspr(10, 'SRR0').op('rlwinm', { ra: 12, rs: 10, sh: 2, mb: 0, me: 29 });
  code.op('addi', { rt: 12, ra: 12, si: 1 }).mfspr(11, 'SRR1');
  between(code);
  code.mtspr('SRR1', 11).mtspr('SRR0', 10).op('addi', { rt: 8, ra: 8, si: 3 });
  return code.mfspr(12, 'SPRG2').mfspr(11, 'SPRG1').mfspr(10, 'SPRG0').op('rfi');
}

test('so is what is emulated along with an exit that did leave the core', () => {
  const expected = states(calling(0x2000), reference, 100_000);
  expect(expected.steps).toBeGreaterThan(60 * 15);
  for (const make of Object.values(ENGINES)) {
    const found = states(calling(0x2000), make(), 100_000);
    expect(found.seen).toEqual(expected.seen);
    expect(found.steps).toBeLessThan(60 * 4);
  }
});

test('as far as it may be, with accesses between, over the end of a page, and whenever time is up', () => {
  const access = (code: Code): void => void code.lwz(13, 0x300).op('addi', { rt: 13, ra: 13, si: 1 }).stw(13, 0x300);
  for (const handler of [0x2000, 0x2ff0, 0x2fe0])
    for (const most of [0, 1, 2, 7, 64])
      for (const quantum of [1, 7, 40]) {
        const partitions = `quantum = <1009>; exit-cycles = <6>; run-ahead-cycles = <2>; run-ahead = <${most}>;`;
        const expected = states(calling(handler, access), reference, quantum, { partitions });
        expect(states(calling(handler, access), new Translator(), quantum, { partitions }).seen).toEqual(expected.seen);
      }
});

/** What a debugger sees that stops after so many steps each time. */
function stops(code: Code, engine: Engine, stride: number): string[] {
  const partitions = 'exit-cycles = <6>; run-ahead-cycles = <2>;';
  const { hv, partition } = hypervisor({ guest: { program: code } }, { partitions, engine, trusting: true });
  const vcpu = partition('guest').vcpus[0]!;
  const seen: string[] = [];
  while (partition('guest').running && seen.length < 3000) {
    vcpu.stopAt = vcpu.steps + stride;
    hv.run(1_000_000);
    seen.push(encodeState(hv.save()));
  }
  expect(partition('guest').running).toBe(false);
  return seen;
}

test('and no farther than a debugger’s stop', () => {
  for (const stride of [1, 2, 5, 17])
    expect(stops(calling(0x2000), new Translator(), stride)).toEqual(stops(calling(0x2000), reference, stride));
});

test.each([
  { bytes: 0x400, field: size.k1 },
  { bytes: 0x1000, field: size.k4 },
])('the instruction behind a page of $bytes bytes lies where that is mapped', ({ bytes, field }) => {
  const [pages, rest] = [0x2000, 0x6000];
  const code = new Code().tlb(4, { ea: 0x40000000, pa: pages, size: field });
  code
    .tlb(5, { ea: 0x40000000 + bytes, pa: rest, size: field })
    .setSpr('IVPR', 0x40000000)
    .setSpr('IVOR8', bytes - 16);
  code.li(9, 20).mtspr('CTR', 9).label('loop').op('sc');
  code.op('bc', { bo: 16, bi: 0, bd: (code.address('loop') - code.here) >> 2 }).finish();
  const save = (at: number, name: string): Code =>
    code.at(at).mtspr('SPRG0', 9).mfspr(10, 'SPRG0').mfspr(10, 'SRR0').mtspr(name, 10);
  save(pages + bytes - 16, 'SPRG1')
    .mtspr('SPRG2', 10)
    .op('rfi'); // of which the last two do not lie in its page
  save(rest, 'SPRG3').op('addi', { rt: 10, ra: 10, si: 1 }).mtspr('DEAR', 10).op('rfi');
  const expected = states(code, reference, 1000);
  expect(expected.vcpu.machine.system.get('sprg2')).toBe(0);
  expect(expected.vcpu.machine.system.get('sprg3')).not.toBe(0);
  for (const make of Object.values(ENGINES)) expect(states(code, make(), 1000).seen).toEqual(expected.seen);
});

test('TLB entries are written there, and so is a return from an interrupt', () => {
  const code = new Code().vector(8, 'call').li(9, 80).mtspr('CTR', 9).li(11, 63).label('loop').op('sc');
  code.op('tlbwe', { rs: 0, ra: 11, ws: 0 }).op('mfmsr', { rt: 4 });
  code.op('bc', { bo: 16, bi: 0, bd: (code.address('loop') - code.here) >> 2 }).finish();
  code.at(0x2000).label('call').tlb(40, { ea: 0x40000000, pa: 0x8000, size: size.k4 }).op('rfi');
  const expected = states(code, reference, 100_000);
  expect(expected.steps).toBeGreaterThan(80 * 12);
  for (const make of Object.values(ENGINES)) {
    const found = states(code, make(), 100_000);
    expect(found.seen).toEqual(expected.seen);
    expect(found.steps).toBeLessThan(80);
  }
});

test.each([
  { name: 'word 1 of its entry', entry: 4, words: [0, 2, 1], ea: 0x40000000, goes: true },
  { name: 'an entry before its own', entry: 3, words: [1, 2, 0], ea: 0x40000000, goes: true },
  { name: 'an entry for another page', entry: 3, words: [1, 2, 0], ea: 0x40001000, goes: false },
  { name: 'its entry for another page', entry: 4, words: [0], ea: 0x40001000, goes: true },
])('code that maps its own page to another place goes on there: $name', ({ entry, words, ea, goes }) => {
  const page = { ea: 0x40000000, pa: 0x2000, size: size.k4 };
  const code = new Code()
    .tlb(3, { ...page, valid: false })
    .tlb(4, page)
    .tlb(5, { ...page, pa: 0x6000 })
    .li(9, 8)
    .mtspr('CTR', 9)
    .label('loop');
  code
    .li(20, 0x6000)
    .li(21, ea | 0x210)
    .li(22, 0x3f)
    .li(23, entry)
    .li(24, 0x40000000)
    .mtspr('LR', 24);
  code.op('bclr', { bo: 20, bi: 0, lk: 1 });
  code.tlb(3, { ...page, valid: false }).tlb(4, page);
  code.b('again').at(0x1800).label('again');
  code
    .op('bc', { bo: 16, bi: 0, bd: (code.address('loop') - code.here) >> 2 })
    .report(0x100, 'SPRG1', 'SPRG2')
    .finish();
  const body = (at: number, name: string): void => {
    code.at(at).op('mtspr', { rs: 9, spr: 272 });
    for (const ws of words) code.op('tlbwe', { rs: [21, 20, 22][ws]!, ra: 23, ws });
    code.mfspr(10, 'SPRG0').op('addi', { rt: 10, ra: 10, si: at >> 12 });
    code.mtspr(name, 10).op('mfmsr', { rt: 12 }).op('bclr', { bo: 20, bi: 0, lk: 0 });
  };
  body(0x2000, 'SPRG1');
  body(0x6000, 'SPRG2');
  const expected = states(code, reference, 1000);
  const [here, there] = ['sprg1', 'sprg2'].map((name) => expected.vcpu.machine.system.get(name as 'sprg1'));
  expect([here === 0, there === 0]).toEqual([goes, !goes]);
  for (const make of Object.values(ENGINES)) expect(states(code, make(), 1000).seen).toEqual(expected.seen);
});

test.each([MSR.EE, MSR.EE | MSR.WE, MSR.PR, MSR.PR | MSR.EE, MSR.IS | MSR.DS, MSR.CE | MSR.ME])(
  'a return to MSR %i lets through what that lets through',
  (msr) => {
    const code = new Code().tlb(4, { ea: 0, pa: 0, size: size.m1, space: 1 }).tlb(0, { ea: 0, pa: 0, size: size.m1 });
    code.tlb(5, { ea: FINISHER, pa: FINISHER, size: size.k4, space: 1 }).vector(10, 'tick').vector(6, 'denied');
    code.setSpr('TCR', 0x04000000).setSpr('SRR1', msr).li(5, 30).label('loop').la(6, 'behind').mtspr('SRR0', 6);
    code.setSpr('DEC', 40).op('mfspr', { rt: 7, spr: 272 }).mtspr('SRR0', 6).op('rfi');
    code.at(0x1800).label('behind').op('addi', { rt: 8, ra: 8, si: 1 }).op('mfmsr', { rt: 9 }).op('mfmsr', { rt: 9 });
    for (let i = 0; i < 12; i++) code.op('addi', { rt: 8, ra: 8, si: 1 }).op('mfmsr', { rt: 9 });
    code.op('addi', { rt: 5, ra: 5, si: -1 }).op('cmpi', { bf: 0, ra: 5, si: 0 }).bc(4, 2, 'loop').finish();
    code.at(0x2000).label('tick').li(10, 0x08000000).mtspr('TSR', 10).op('addi', { rt: 12, ra: 12, si: 1 });
    code
      .li(10, msr & ~MSR.WE)
      .mtspr('SRR1', 10)
      .op('rfi');
    code.at(0x2100).label('denied').mfspr(10, 'SRR0').op('addi', { rt: 10, ra: 10, si: 4 }).mtspr('SRR0', 10);
    code.op('addi', { rt: 13, ra: 13, si: 1 }).op('addi', { rt: 5, ra: 5, si: -1 }).op('cmpi', { bf: 0, ra: 5, si: 0 });
    code.bc(12, 2, 'end').op('rfi').label('end').finish();
    for (const quantum of [37, 5000]) {
      const expected = states(code, reference, quantum);
      expect(expected.vcpu.partition.running).toBe(false);
      for (const make of Object.values(ENGINES)) expect(states(code, make(), quantum).seen).toEqual(expected.seen);
    }
  },
);

test.each([
  { name: 'memory', at: 0x300, there: true },
  { name: 'memory, misaligned', at: 0x301, there: false },
  { name: 'memory over the end of a page', at: 0xffe, there: false },
  { name: 'a page that may only be read', at: 0x40000300, there: false },
  { name: 'a device', at: 0xef600300, there: false },
  { name: 'nothing', at: 0x50000000, there: false },
])('an access between two is made where the page is known: $name', ({ at, there }) => {
  const code = new Code().tlb(4, { ea: 0x40000000, pa: 0x8000, size: size.k4, rights: 0x2d }).vector(13, 'skip');
  code.vector(2, 'skip').li(3, at).li(9, 100).mtspr('CTR', 9).label('loop');
  code.op('mfmsr', { rt: 4 }).op('lwzu', { rt: 5, ra: 3, d: 4 }).op('addi', { rt: 3, ra: 3, si: -4 }).mtspr('SPRG0', 5);
  code.op('stw', { rs: 9, ra: 3, d: 4 }).op('lhbrx', { rt: 6, ra: 0, rb: 3 }).mtspr('SPRG1', 6);
  code.op('bc', { bo: 16, bi: 0, bd: (code.address('loop') - code.here) >> 2 }).finish();
  code.at(0x2000).label('skip').mfspr(10, 'SRR0').op('addi', { rt: 10, ra: 10, si: 4 }).mtspr('SRR0', 10).op('rfi');
  const expected = states(code, reference, 777);
  expect(expected.steps).toBeGreaterThan(500);
  for (const make of Object.values(ENGINES)) {
    const found = states(code, make(), 777);
    expect(found.seen).toEqual(expected.seen);
    expect(found.steps < 60).toBe(there);
  }
});

test('a handler has its own rights to memory, not those of the program that called it', () => {
  const [mine, its] = [0x40000300, 0x40001300];
  const code = new Code().tlb(0, { ea: 0, pa: 0, size: size.m1 });
  code.tlb(4, { ea: 0x40000000, pa: 0x8000, size: size.k4, rights: 0x38 }).vector(8, 'call').vector(6, 'end');
  code.tlb(5, { ea: 0x40001000, pa: 0x9000, size: size.k4, rights: 0x07 }).vector(2, 'skip');
  code.li(3, mine).li(4, its).li(9, 50).mtspr('CTR', 9).rfi('loop', MSR.PR).label('loop');
  code.op('stw', { rs: 9, ra: 3, d: 0 }).op('lwz', { rt: 5, ra: 3, d: 0 }).op('sc');
  code
    .op('bc', { bo: 16, bi: 0, bd: (code.address('loop') - code.here) >> 2 })
    .word(0)
    .at(0x2200)
    .label('end')
    .finish();
  code.at(0x2000).label('call').mfspr(20, 'SRR0').mfspr(21, 'SRR1').op('lwz', { rt: 6, ra: 3, d: 0 });
  code.op('stw', { rs: 5, ra: 4, d: 0 }).mtspr('SPRG1', 6).op('lwz', { rt: 7, ra: 4, d: 0 }).mtspr('SPRG2', 7);
  code.op('stw', { rs: 7, ra: 3, d: 4 }).mtspr('SRR0', 20).mtspr('SRR1', 21).op('rfi').at(0x2100).label('skip');
  code.mfspr(10, 'SRR0').op('addi', { rt: 10, ra: 10, si: 4 }).op('addi', { rt: 11, ra: 11, si: 1 });
  code.mtspr('SRR0', 10).op('rfi');
  const expected = states(code, reference, 1000);
  expect(expected.vcpu.machine.regs.gpr[11]).toBe(100); // both accesses to the program's page
  for (const make of Object.values(ENGINES)) expect(states(code, make(), 1000).seen).toEqual(expected.seen);
});
