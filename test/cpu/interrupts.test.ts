import { expect, test } from 'vitest';
import { Alarm } from '../../src/bus/clock.js';
import { asm } from '../../src/isa/assemble.js';
import { MCSR, MSR, TCR, TSR } from '../../src/isa/registers.js';
import { deliver } from '../../src/cpu/deliver.js';
import { map, mapped, put, setMsr } from './machine.js';

const nop = asm('ori');
const SELF = asm('b');

/** A core with nops at 0x1000 and its pc there. */
function ready(msr = 0) {
  const m = mapped();
  put(m.ram, 0x1000, Array<number>(64).fill(nop));
  m.core.regs.pc = 0x1000;
  setMsr(m.core, msr);
  return m;
}

/** Every source that can interrupt, in the order of "Interrupt Order", and the MSR bit that lets it through. */
// prettier-ignore
const sources = [
  { kind: 'machine-check',  enable: MSR.ME, assert: (m: ReturnType<typeof ready>) => m.core.busError('data-read', 0) },
  { kind: 'critical-input', enable: MSR.CE, assert: (m: ReturnType<typeof ready>) => m.core.input('critical').set(true) },
  { kind: 'watchdog',       enable: MSR.CE, assert: (m: ReturnType<typeof ready>) => timer(m, TCR.WIE, TSR.WIS) },
  { kind: 'external-input', enable: MSR.EE, assert: (m: ReturnType<typeof ready>) => m.core.input('external').set(true) },
  { kind: 'fixed-interval', enable: MSR.EE, assert: (m: ReturnType<typeof ready>) => timer(m, TCR.FIE, TSR.FIS) },
  { kind: 'decrementer',    enable: MSR.EE, assert: (m: ReturnType<typeof ready>) => timer(m, TCR.DIE, TSR.DIS) },
];

function timer({ core }: ReturnType<typeof ready>, enable: number, status: number): void {
  core.system.set('tcr', core.system.get('tcr') | enable);
  core.system.set('tsr', core.system.get('tsr') | status);
}

test('of the interrupts that wait, the most urgent that the MSR lets through is taken', () => {
  for (let set = 0; set < 64; set++) {
    for (let mask = 0; mask < 8; mask++) {
      const m = ready();
      const asserted = sources.filter((_, i) => set & (1 << i));
      for (const source of asserted) source.assert(m);
      const msr = (mask & 1 ? MSR.ME : 0) | (mask & 2 ? MSR.CE : 0) | (mask & 4 ? MSR.EE : 0);
      setMsr(m.core, msr);
      const expected = asserted.find(({ enable }) => msr & enable)?.kind ?? null;
      expect(m.core.pendingInterrupt()?.kind ?? null).toBe(expected);
      const stop = m.core.run(3);
      expect(stop.kind === 'trap' ? stop.trap.kind : null).toBe(expected);
      expect(m.clock.now).toBe(expected ? 0 : 3); // nothing runs before it
      expect(m.core.interruptWaits).toBe(asserted.some(({ kind }) => kind !== 'machine-check'));
    }
  }
});

test('a timer’s status without its enable in TCR interrupts nobody', () => {
  const { core } = ready(MSR.EE | MSR.CE);
  core.system.set('tsr', TSR.WIS | TSR.DIS | TSR.FIS);
  expect([core.pendingInterrupt(), core.interruptWaits, core.run(5).kind]).toEqual([null, false, 'quantum']);
});

// prettier-ignore
const enabling = [
  ['mtmsr',  [asm('mtmsr', { rs: 5 })]],
  ['wrtee',  [asm('wrtee', { rs: 5 })]],
  ['wrteei', [asm('wrteei', { e: 1 })]],
  ['rfi',    [asm('rfi')]],
] as const;

test.each(enabling)('an interrupt that %s lets through is taken before the next instruction', (name, words) => {
  const { core, ram, clock } = ready();
  core.input('external').set(true);
  core.regs.gpr[5] = MSR.EE;
  core.system.set('srr0', 0x2000);
  core.system.set('srr1', MSR.EE);
  put(ram, 0x1000, words);
  expect(core.run(100)).toEqual({ kind: 'trap', trap: { kind: 'external-input' } });
  expect([core.regs.pc, clock.now]).toEqual([name === 'rfi' ? 0x2000 : 0x1004, 1]);
});

test('an input that rises while instructions run is seen after the one that made it rise', () => {
  const { core, ram, bus } = ready(MSR.EE);
  const line = core.input('external');
  bus.dcrs.attach('doorbell', 0x10, 1, {
    readDcr: () => 0,
    writeDcr: () => line.set(true),
    peekDcr: () => 0,
  });
  put(ram, 0x1008, [asm('mtdcr', { dcr: 0x10 })]);
  expect(core.run(100)).toEqual({ kind: 'trap', trap: { kind: 'external-input' } });
  expect(core.regs.pc).toBe(0x100c);
  line.set(false);
  expect(core.run(5)).toEqual({ kind: 'quantum' });
});

test('MSR[WE] stops the core where it is, until an interrupt comes that is let through', () => {
  const { core, ram, clock } = ready();
  put(ram, 0x1000, [asm('mtmsr', { rs: 5 })]);
  core.regs.gpr[5] = MSR.WE | MSR.EE;
  expect(core.run(100)).toEqual({ kind: 'idle' });
  expect([core.regs.pc, clock.now]).toEqual([0x1004, 1]);
  expect(core.run(100)).toEqual({ kind: 'idle' });
  core.input('critical').set(true); // masked by CE
  expect(core.run(100)).toEqual({ kind: 'idle' });
  core.input('external').set(true);
  const stop = core.run(100);
  expect(stop).toEqual({ kind: 'trap', trap: { kind: 'external-input' } });
  deliver({ kind: 'external-input' }, core.regs, core.system);
  expect([core.system.msr, core.system.get('srr1')]).toEqual([0, MSR.WE | MSR.EE]);
});

// prettier-ignore
const branches = [
  ['b .',                        SELF, true],
  ['ba to itself',               asm('ba', { li: 0x1000 >> 2 }), true],
  ['bl .',                       asm('b', { lk: 1 }), true],
  ['bc always',                  asm('bc', { bo: 20 }), true],
  ['bc on a bit that is set',    asm('bc', { bo: 12, bi: 2 }), true],
  ['bc on a bit that is clear',  asm('bc', { bo: 12, bi: 1 }), false],
  ['bclr to itself',             asm('bclr', { bo: 20 }), true],
  ['bcctr to itself',            asm('bcctr', { bo: 20 }), true],
  ['bdnz ., which counts down',  asm('bc', { bo: 16 }), false],
  ['bdnzlr to itself',           asm('bclr', { bo: 16 }), false],
] as const;

test.each(branches)('is %s a branch to itself for ever?', (_, word, forEver) => {
  const { core, ram, clock } = ready();
  put(ram, 0x1000, [word]);
  core.regs.words[33] = 0x1000; // LR
  core.regs.words[34] = forEver ? 0x1000 : 5; // CTR
  core.regs.cr = 0x20000000;
  core.watchSelfBranch = true;
  expect(core.run(20)).toEqual(forEver ? { kind: 'self-branch' } : { kind: 'quantum' });
  expect(clock.now).toBe(forEver ? 0 : 20);
  if (forEver) {
    core.watchSelfBranch = false;
    expect(core.run(20)).toEqual({ kind: 'quantum' });
    expect([core.regs.pc, clock.now]).toEqual([0x1000, 20]);
  } else expect(core.regs.pc).toBeGreaterThan(0x1000);
});

test('a counting loop takes as long whether or not branches to itself are watched', () => {
  const ends = [true, false].map((watch) => {
    const { core, ram, clock } = ready();
    put(ram, 0x1000, [asm('bc', { bo: 16 }), SELF]);
    core.regs.words[34] = 1000;
    core.watchSelfBranch = watch;
    while (core.regs.pc !== 0x1004) core.run(1);
    return [clock.now, core.retired];
  });
  expect(ends[0]).toEqual(ends[1]);
  expect(ends[0]).toEqual([1000, 1000]);
});

// prettier-ignore
const wakeUps = [
  { msr: 0,               tcr: TCR.DIE, rises: true,  can: false },
  { msr: MSR.EE,          tcr: 0,       rises: false, can: false },
  { msr: MSR.EE,          tcr: 0,       rises: true,  can: true },
  { msr: MSR.EE,          tcr: TCR.DIE, rises: false, can: true },
  { msr: MSR.EE,          tcr: TCR.FIE, rises: false, can: true },
  { msr: MSR.EE,          tcr: TCR.WIE, rises: false, can: false },
  { msr: MSR.CE,          tcr: TCR.WIE, rises: false, can: true },
  { msr: MSR.CE,          tcr: TCR.DIE, rises: false, can: false },
  { msr: MSR.CE,          tcr: 0,       rises: true,  can: true },
  { msr: MSR.ME | MSR.DE, tcr: -1,      rises: true,  can: false },
];

test.each(wakeUps)('whether a core that waits can ever be interrupted: %o', ({ msr, tcr, rises, can }) => {
  const { core } = ready(msr);
  core.system.set('tcr', tcr);
  core.canRise = () => rises;
  expect(core.canBeInterrupted).toBe(can);
});

test('a watchdog that may reset keeps a core that waits from having halted', () => {
  const { core, ram } = ready();
  put(ram, 0x1000, [asm('mtspr', { spr: 340, rs: 5 })]);
  core.regs.gpr[5] = 0x10000000;
  core.canRise = () => false;
  core.run(1);
  expect(core.canBeInterrupted).toBe(true);
});

const NOWHERE = 0x80000000;
const mapNowhere = (m: ReturnType<typeof ready>): void => map(m.core, 1, { ea: NOWHERE, pa: 0x9_0000_0000, size: 1 });

test('a read that nothing answers is a machine check on the instruction while MSR[ME] is set', () => {
  const m = ready(MSR.ME);
  mapNowhere(m);
  m.core.regs.gpr[4] = NOWHERE | 0;
  m.core.regs.gpr[3] = 77;
  put(m.ram, 0x1000, [asm('lwz', { rt: 3, ra: 4, d: 8 })]);
  const trap = { kind: 'machine-check', cause: 'data-read', address: NOWHERE + 8 };
  expect(m.core.run(10)).toEqual({ kind: 'trap', trap });
  expect([m.core.regs.pc, m.core.regs.gpr[3], m.core.retired]).toEqual([0x1000, 77, 0]);
});

test('with MSR[ME] clear it reads 0, goes on, and the machine check comes when ME is set', () => {
  const m = ready();
  mapNowhere(m);
  const { core } = m;
  core.regs.gpr[4] = NOWHERE | 0;
  core.regs.gpr[3] = 77;
  core.regs.gpr[5] = MSR.ME;
  put(m.ram, 0x1000, [asm('lwz', { rt: 3, ra: 4 }), asm('stw', { rs: 3, ra: 4 }), nop, asm('mtmsr', { rs: 5 }), nop]);
  const stop = core.run(100);
  expect([core.regs.pc, core.regs.gpr[3]]).toEqual([0x1010, 0]);
  expect(stop).toEqual({ kind: 'trap', trap: { kind: 'machine-check', cause: 'data-write', address: 0 } });
  expect(core.system.get('mcsr')).toBe(MCSR.MCS | MCSR.DRB | MCSR.DWB);
  deliver({ kind: 'machine-check', cause: 'data-write', address: 0 }, core.regs, core.system);
  setMsr(core, MSR.ME);
  expect(core.pendingInterrupt()).toBeNull();
});

test('an instruction fetch that nothing answers is a machine check, or the end while MSR[ME] is clear', () => {
  const m = ready(MSR.ME);
  mapNowhere(m);
  m.core.regs.pc = NOWHERE;
  const trap = { kind: 'machine-check', cause: 'instruction-fetch', address: NOWHERE };
  expect(m.core.run(10)).toEqual({ kind: 'trap', trap });
  setMsr(m.core, 0);
  expect(m.core.run(10)).toEqual({ kind: 'checkstop' });
});

test.each([
  [0x10000000, 'core'],
  [0x20000000, 'chip'],
  [0x30000000, 'system'],
])('DBCR0[RST] = %i asks for a %s reset after the instruction', (value, reset) => {
  const { core, ram } = ready();
  put(ram, 0x1000, [asm('mtspr', { spr: 308, rs: 5 })]);
  core.regs.gpr[5] = value;
  expect(core.run(100)).toEqual({ kind: 'reset', reset });
  expect([core.regs.pc, core.retired]).toEqual([0x1004, 1]);
  core.reset();
  expect(core.resetRequest).toBeUndefined();
  expect([core.regs.pc, core.system.msr, core.system.get('pvr'), core.system.get('dbcr0')]).toEqual([
    0, 0, 0x422218d3, 0,
  ]);
});

test('DBCR0 with RST clear resets nothing', () => {
  const { core, ram } = ready();
  put(ram, 0x1000, [asm('mtspr', { spr: 308, rs: 5 })]);
  core.regs.gpr[5] = 0xcfffffff;
  expect(core.run(10)).toEqual({ kind: 'quantum' });
});

test('while the clock is held nothing runs; an alarm rings before the instruction of its cycle', () => {
  const { core, clock } = ready();
  const rang: number[] = [];
  const alarm = new (class extends Alarm {
    override ring(): void {
      rang.push(core.retired);
      this.due = Infinity;
    }
  })();
  alarm.due = 7;
  clock.add(alarm);
  clock.hold(alarm);
  expect([core.run(10).kind, core.retired]).toEqual(['quantum', 0]);
  clock.release(alarm);
  core.run(10);
  expect([rang, clock.now]).toEqual([[7], 10]);
});
