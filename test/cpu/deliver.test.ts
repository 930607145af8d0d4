import { expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { ESR, MCSR, MSR, MSR_BITS } from '../../src/isa/registers.js';
import { deliver } from '../../src/cpu/deliver.js';
import { S } from '../../src/cpu/state.js';
import { vectors, type Trap } from '../../src/cpu/trap.js';
import { execute, mapped, setMsr } from './machine.js';

/** PPC440x5 User's Manual, "Interrupts and Exceptions", Table 6-2 and the definition of each interrupt. */
interface Row {
  readonly trap: Trap;
  readonly ivor: number;
  /** Which pairs of registers the pc and the MSR are saved in. */
  readonly saved: readonly ('srr' | 'csrr' | 'mcsrr')[];
  /** MSR bits that stay as they are. */
  readonly kept: number;
  /** Undefined: left as it was. */
  readonly esr?: number;
  readonly dear?: number;
  readonly mcsr?: number;
}

const base = { saved: ['srr'], kept: MSR.CE | MSR.ME | MSR.DE } as const;
const critical = { saved: ['csrr'], kept: MSR.ME } as const;
const machineCheck = { saved: ['csrr', 'mcsrr'], kept: 0 } as const;

// prettier-ignore
const rows: readonly Row[] = [
  { trap: { kind: 'critical-input' }, ivor: 0, ...critical },
  { trap: { kind: 'machine-check', cause: 'instruction-fetch', address: 0x1234 }, ivor: 1, ...machineCheck, esr: 0x80000000, mcsr: MCSR.MCS | MCSR.IB },
  { trap: { kind: 'machine-check', cause: 'data-read', address: 0x1234 }, ivor: 1, ...machineCheck, mcsr: MCSR.MCS | MCSR.DRB },
  { trap: { kind: 'machine-check', cause: 'data-write', address: 0x1234 }, ivor: 1, ...machineCheck, mcsr: MCSR.MCS | MCSR.DWB },
  { trap: { kind: 'data-storage', address: 0xdeadbeec, access: 'read' }, ivor: 2, ...base, esr: 0, dear: 0xdeadbeec },
  { trap: { kind: 'data-storage', address: 0xdeadbeec, access: 'write' }, ivor: 2, ...base, esr: 0x00800000, dear: 0xdeadbeec },
  { trap: { kind: 'instruction-storage' }, ivor: 3, ...base, esr: 0 },
  { trap: { kind: 'external-input' }, ivor: 4, ...base },
  { trap: { kind: 'alignment', address: 0x1001, access: 'read' }, ivor: 5, ...base, esr: 0, dear: 0x1001 },
  { trap: { kind: 'alignment', address: 0x1001, access: 'write' }, ivor: 5, ...base, esr: 0x00800000, dear: 0x1001 },
  { trap: { kind: 'program', cause: 'illegal' }, ivor: 6, ...base, esr: 0x08000000 },
  { trap: { kind: 'program', cause: 'privileged' }, ivor: 6, ...base, esr: 0x04000000 },
  { trap: { kind: 'program', cause: 'trap' }, ivor: 6, ...base, esr: 0x02000000 },
  { trap: { kind: 'fp-unavailable' }, ivor: 7, ...base },
  { trap: { kind: 'system-call', level: 0 }, ivor: 8, ...base },
  { trap: { kind: 'ap-unavailable' }, ivor: 9, ...base },
  { trap: { kind: 'decrementer' }, ivor: 10, ...base },
  { trap: { kind: 'fixed-interval' }, ivor: 11, ...base },
  { trap: { kind: 'watchdog' }, ivor: 12, ...critical },
  { trap: { kind: 'data-tlb-miss', address: 0xfffffffc, access: 'read' }, ivor: 13, ...base, esr: 0, dear: 0xfffffffc },
  { trap: { kind: 'data-tlb-miss', address: 0xfffffffc, access: 'write' }, ivor: 13, ...base, esr: 0x00800000, dear: 0xfffffffc },
  { trap: { kind: 'instruction-tlb-miss' }, ivor: 14, ...base },
  { trap: { kind: 'debug' }, ivor: 15, ...critical },
];

const describe = (trap: Trap): string =>
  [trap.kind, 'cause' in trap ? trap.cause : '', 'access' in trap ? trap.access : ''].filter(Boolean).join(' ');

test('the table below has every kind of trap', () => {
  expect([...new Set(rows.map((r) => r.trap.kind))].sort()).toEqual(Object.keys(vectors).sort());
  expect(Object.keys(vectors)).toHaveLength(16);
});

test.each(rows.map((row) => [describe(row.trap), row] as const))('%s', (_, row) => {
  for (const msr of [MSR_BITS, 0, MSR.CE | MSR.PR]) {
    const { core } = mapped();
    const { regs, system } = core;
    for (const name of ['srr0', 'srr1', 'csrr0', 'csrr1', 'mcsrr0', 'mcsrr1', 'dear'] as const)
      system.set(name, 0x5eed);
    system.set('esr', 0x00020000);
    system.set('ivpr', 0xabcd0000);
    for (let i = 0; i < 16; i++) system.words[S.ivor0 + i] = 0x1000 + 0x100 * i;
    system.msr = msr;
    regs.pc = 0x80001000;
    deliver(row.trap, regs, system);

    const unsigned = (name: keyof typeof S): number => system.get(name) >>> 0;
    for (const pair of ['srr', 'csrr', 'mcsrr'] as const) {
      const saved = row.saved.includes(pair);
      expect([unsigned(`${pair}0`), unsigned(`${pair}1`)], pair).toEqual(saved ? [0x80001000, msr] : [0x5eed, 0x5eed]);
    }
    expect(system.msr).toBe(msr & row.kept);
    expect(unsigned('esr')).toBe(row.esr ?? 0x00020000);
    expect(unsigned('dear')).toBe(row.dear ?? 0x5eed);
    expect(system.get('mcsr')).toBe(row.mcsr ?? 0);
    expect(regs.pc).toBe(0xabcd1000 + 0x100 * row.ivor);
    expect(vectors[row.trap.kind].ivor).toBe(row.ivor);
  }
});

test('the handler’s address has the prefix’s upper half and the offset’s bits 16 to 27', () => {
  const { core } = mapped();
  core.system.set('ivpr', 0x1234ffff);
  core.system.set('ivor8', 0xffffffff);
  deliver({ kind: 'system-call', level: 0 }, core.regs, core.system);
  expect(core.regs.pc).toBe(0x1234fff0);
});

test('ESR[MCI] stays until a program clears it', () => {
  const { core } = mapped();
  deliver({ kind: 'machine-check', cause: 'instruction-fetch', address: 0 }, core.regs, core.system);
  deliver({ kind: 'program', cause: 'trap' }, core.regs, core.system);
  expect(core.system.get('esr')).toBe(ESR.MCI | ESR.PTR);
  deliver({ kind: 'instruction-storage' }, core.regs, core.system);
  expect(core.system.get('esr')).toBe(ESR.MCI);
});

test('MCSR bits add up', () => {
  const { core } = mapped();
  deliver({ kind: 'machine-check', cause: 'data-read', address: 0 }, core.regs, core.system);
  deliver({ kind: 'machine-check', cause: 'data-write', address: 0 }, core.regs, core.system);
  expect(core.system.get('mcsr')).toBe(MCSR.MCS | MCSR.DRB | MCSR.DWB);
});

// prettier-ignore
const returns = [
  ['rfi',   'srr0',   'srr1'],
  ['rfci',  'csrr0',  'csrr1'],
  ['rfmci', 'mcsrr0', 'mcsrr1'],
] as const;

test.each(returns)('%s goes to %s with the MSR of %s', (name, pc, msr) => {
  const m = mapped();
  m.core.system.set(pc, 0x80002003);
  m.core.system.set(msr, 0xffffffff);
  expect(execute(m, asm(name))).toBeNull();
  expect([m.core.regs.pc, m.core.system.msr]).toEqual([0x80002000, MSR_BITS]);
});

test.each(returns)('%s in user mode is a privileged instruction and changes nothing', (name) => {
  const m = mapped();
  setMsr(m.core, MSR.PR | MSR.EE);
  expect(execute(m, asm(name))).toEqual({ kind: 'program', cause: 'privileged' });
  expect([m.core.regs.pc, m.core.system.msr]).toEqual([0x1000, MSR.PR | MSR.EE]);
});

test('a system call is saved behind itself and counts as an instruction; any other trap on itself and does not', () => {
  const m = mapped();
  expect(execute(m, asm('sc'))).toEqual({ kind: 'system-call', level: 0 });
  expect([m.core.regs.pc, m.core.retired, m.clock.now]).toEqual([0x1004, 1, 1]);
  expect(execute(m, asm('sc', { lev: 1 }))).toEqual({ kind: 'system-call', level: 1 });
  expect(execute(m, asm('tw', { to: 31 }))).toEqual({ kind: 'program', cause: 'trap' });
  expect([m.core.regs.pc, m.core.retired, m.clock.now]).toEqual([0x1000, 2, 2]);
});
