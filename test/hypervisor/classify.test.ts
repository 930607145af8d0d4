import { describe, expect, test } from 'vitest';
import { vectors, type Trap } from '../../src/cpu/trap.js';
import { MSR } from '../../src/isa/registers.js';
import { classify, type Exit } from '../../src/hypervisor/exit.js';
import { Code, FINISHER } from './code.js';
import { both, hex, hypervisor } from './guest.js';

// A guest that has mapped, in space 0: a page of RAM at 0x10000 for both, at 0x20000 for the supervisor, a page without rights
// at 0x30000, the page of its finisher, and a page of an address where it has nothing.
const { partition } = hypervisor({ guest: { program: new Code().finish() } });
const vcpu = partition('guest').vcpus[0]!;
const { system, regs } = vcpu.machine;
system.tlb.words.fill(0);
const pages = [
  [0x10000, 0x10000, 0x3f],
  [0x20000, 0x20000, 0x07],
  [0x30000, 0x30000, 0x00],
  [FINISHER & ~0xfff, FINISHER & ~0xfff, 0x3f],
  [0x50000, 0xe0000000, 0x3f],
] as const;
pages.forEach(([ea, pa, rights], i) => [ea | 0x210, pa, rights].forEach((word, n) => system.tlb.write(i, n, word, 0)));

type State = 'supervisor' | 'user';
const both_ = ['supervisor', 'user'] as const;

/** The exit's kind, and what it is reflected as where it is reflected. */
const told = (exit: Exit): string => {
  if (exit.kind !== 'reflect') return exit.kind;
  const { trap } = exit;
  return `reflect ${trap.kind}${'cause' in trap ? ` ${trap.cause}` : ''}`;
};

const data = (
  kind: 'data-tlb-miss' | 'data-storage' | 'alignment',
  address: number,
  access: 'read' | 'write' = 'read',
): Trap => ({ kind, address, access });
const fetched = (kind: 'instruction-tlb-miss' | 'instruction-storage', at: number): [Trap, number] => [{ kind }, at];

// prettier-ignore
const table: readonly (readonly [Trap | [Trap, number], State | readonly State[], string])[] = [
  [{ kind: 'critical-input' },                     both_,        'host-interrupt'],
  [{ kind: 'external-input' },                     both_,        'host-interrupt'],
  [{ kind: 'decrementer' },                        both_,        'host-interrupt'],
  [{ kind: 'fixed-interval' },                     both_,        'host-interrupt'],
  [{ kind: 'watchdog' },                           both_,        'host-interrupt'],
  [{ kind: 'debug' },                              both_,        'host-interrupt'],
  [{ kind: 'program', cause: 'privileged' },       both_,        'emulate'],
  [{ kind: 'program', cause: 'illegal' },          both_,        'reflect program illegal'],
  [{ kind: 'program', cause: 'trap' },             both_,        'reflect program trap'],
  [{ kind: 'system-call', level: 0 },              both_,        'reflect system-call'],
  [{ kind: 'system-call', level: 1 },              'supervisor', 'hypercall'],
  [{ kind: 'system-call', level: 1 },              'user',       'reflect program privileged'],
  [{ kind: 'system-call', level: 2 },              both_,        'reflect system-call'],
  [{ kind: 'fp-unavailable' },                     both_,        'reflect fp-unavailable'],
  [{ kind: 'ap-unavailable' },                     both_,        'reflect ap-unavailable'],
  [data('alignment', 0x10002),                     both_,        'reflect alignment'],
  [{ kind: 'machine-check', cause: 'data-read', address: 0 }, both_, 'reflect machine-check data-read'],
  [data('data-tlb-miss', 0x10010),                 both_,        'shadow-miss'],
  [data('data-tlb-miss', 0x10010, 'write'),        both_,        'shadow-miss'],
  [data('data-storage', 0x10010, 'write'),         both_,        'shadow-miss'],
  [data('data-tlb-miss', 0x20010),                 'supervisor', 'shadow-miss'],
  [data('data-tlb-miss', 0x20010),                 'user',       'reflect data-storage'],
  [data('data-storage', 0x20010),                  'user',       'reflect data-storage'],
  [data('data-storage', 0x30010),                  both_,        'reflect data-storage'],
  [data('data-tlb-miss', 0x30010),                 both_,        'reflect data-storage'],
  [data('data-tlb-miss', 0x40010),                 both_,        'reflect data-tlb-miss'],
  [data('data-storage', 0x40010),                  both_,        'reflect data-tlb-miss'],
  [data('data-tlb-miss', FINISHER, 'write'),       both_,        'device'],
  [data('data-tlb-miss', 0x50010),                 both_,        'device'],
  [fetched('instruction-tlb-miss', 0x10010),       both_,        'shadow-miss'],
  [fetched('instruction-storage', 0x10010),        both_,        'shadow-miss'],
  [fetched('instruction-tlb-miss', 0x20010),       'user',       'reflect instruction-storage'],
  [fetched('instruction-storage', 0x30010),        both_,        'reflect instruction-storage'],
  [fetched('instruction-tlb-miss', 0x40010),       both_,        'reflect instruction-tlb-miss'],
  [fetched('instruction-storage', 0x40010),        both_,        'reflect instruction-tlb-miss'],
  [fetched('instruction-tlb-miss', FINISHER),      both_,        'device'],
];

const rows = table.flatMap(([what, states, exit]) => {
  const [trap, pc] = Array.isArray(what) ? what : [what, 0x10000];
  const name = `${trap.kind} ${JSON.stringify({ ...trap, kind: undefined })} at ${hex(pc)}`;
  return [states].flat().map((state) => ({ trap, pc, state, exit, name }));
});

describe('whose business a trap is', () => {
  test.each(rows)('$name in the $state: $exit', ({ trap, pc, state, exit }) => {
    system.msr = state === 'user' ? MSR.PR : 0;
    regs.pc = pc;
    const before = [...regs.words, ...system.words, ...system.tlb.words];
    expect(told(classify({ kind: 'trap', trap }, vcpu, false))).toBe(exit);
    expect(told(classify({ kind: 'trap', trap }, vcpu, true))).toBe(exit);
    expect([...regs.words, ...system.words, ...system.tlb.words]).toEqual(before);
  });

  test('every kind of trap is in the table', () => {
    expect([...new Set(rows.map((r) => r.trap.kind))].toSorted()).toEqual(Object.keys(vectors).toSorted());
  });

  test('a core that ran as long as it was told is preempted at the end of the quantum, and interrupted before', () => {
    expect(classify({ kind: 'quantum' }, vcpu, true)).toEqual({ kind: 'preempted' });
    expect(classify({ kind: 'quantum' }, vcpu, false)).toEqual({ kind: 'host-interrupt' });
  });

  test('a translation in the other space, or of another process, is a miss', () => {
    const miss = data('data-tlb-miss', 0x10010);
    system.msr = MSR.DS;
    expect(told(classify({ kind: 'trap', trap: miss }, vcpu, false))).toBe('reflect data-tlb-miss');
    system.msr = 0;
    system.tlb.write(0, 0, 0x10210, 9);
    expect(told(classify({ kind: 'trap', trap: miss }, vcpu, false))).toBe('reflect data-tlb-miss');
    system.set('pid', 9);
    expect(told(classify({ kind: 'trap', trap: miss }, vcpu, false))).toBe('shadow-miss');
    system.set('pid', 0);
    system.tlb.write(0, 0, 0x10210, 0);
  });
});

/** A user that executes `sc` with a level, with handlers for both of what may come of it. */
const userCall = (lev: number): Code => {
  const code = new Code().tlb(0, { ea: 0, pa: 0, size: 9 }).vector(6, 'program').vector(8, 'call').rfi('user', MSR.PR);
  code.label('user').li(11, 0x10003).label('sc').op('sc', { lev });
  code.at(0x2000).label('program').report(0x100, 'SRR0', 'SRR1', 'ESR').stw(11, 0x10c).finish();
  code.at(0x3000).label('call').report(0x100, 'SRR0', 'SRR1').li(28, 0xca11).stw(28, 0x108).stw(11, 0x10c).finish();
  return code;
};

test('a system call of the user is its supervisor’s', () => {
  const code = userCall(0);
  expect(both(code, 4).left).toEqual([hex(code.address('sc') + 4), hex(MSR.PR), 'ca11', '10003']);
});

test('a hypercall by the user is a privileged program interrupt that points at the sc', () => {
  const code = userCall(1);
  const { hv, partition: named } = hypervisor({ guest: { program: code } });
  hv.run(10_000);
  const ram = named('guest').board.bus.ram.regions[0]!.target;
  const left = [0, 4, 8, 12].map((i) => hex(ram.read(0x100 + i, 4)));
  expect(left).toEqual([hex(code.address('sc')), hex(MSR.PR), hex(0x04000000), '10003']);
});

test('a system call of the supervisor with LEV 0 is its own', () => {
  const code = new Code().vector(8, 'call').li(11, 0x10003).label('sc').op('sc');
  code.at(0x2000).label('call').report(0x100, 'SRR0').finish();
  expect(both(code, 1).left).toEqual([hex(code.address('sc') + 4)]);
});
