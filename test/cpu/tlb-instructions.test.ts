import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { MSR, XER } from '../../src/isa/registers.js';
import { R } from '../../src/cpu/state.js';
import { searchTlb } from '../../src/cpu/supervisor.js';
import { anyEntry, lookupNear, translate, type Entry } from '../mmu/reference.js';
import { execute, map, mapped, setMsr } from './machine.js';

const EPN = 0x40000210; // valid, 4 KiB, space 0

/** A core with word, index and result registers as the instructions below use them. */
function fresh(mmucr = 0) {
  const m = mapped();
  m.core.system.set('mmucr', mmucr);
  const write = (entry: number, word: number, value: number) => {
    m.core.regs.gpr[5] = value;
    m.core.regs.gpr[6] = entry;
    return execute(m, asm('tlbwe', { rs: 5, ra: 6, ws: word }));
  };
  const read = (entry: number, word: number): number => {
    m.core.regs.gpr[6] = entry;
    expect(execute(m, asm('tlbre', { rt: 7, ra: 6, ws: word }))).toBeNull();
    return m.core.regs.gpr[7]! >>> 0;
  };
  const search = (address: number, record = 0): number => {
    m.core.regs.gpr[8] = address;
    m.core.regs.gpr[7] = 0x5eed;
    expect(execute(m, asm('tlbsx', { rt: 7, rb: 8, rc: record }))).toBeNull();
    return m.core.regs.gpr[7]!;
  };
  return { ...m, write, read, search };
}

test('tlbwe takes the TID from MMUCR[STID] with word 0, and tlbre of word 0 gives it back there', () => {
  const { core, write, read } = fresh(0xfb0042);
  write(9, 0, EPN);
  core.system.set('mmucr', 0xfb0055);
  write(9, 1, 0x12345c0a);
  write(9, 2, 0xfe3f);
  expect(core.system.tlb.tid(9)).toBe(0x42);
  expect([read(9, 1), read(9, 2), core.system.get('mmucr')]).toEqual([0x12345c0a, 0xfe3f, 0xfb0055]);
  expect(read(9, 0)).toBe(EPN);
  expect(core.system.get('mmucr')).toBe(0xfb0042); // only STID has changed
});

test('only the last six bits of the index count', () => {
  const { write, read } = fresh();
  write(0x7fffff45, 0, EPN);
  expect(read(5, 0)).toBe(EPN);
});

test('words above 2 are not there: tlbwe does nothing, tlbre gives 0 and leaves MMUCR alone', () => {
  const { core, write, read } = fresh(0x11);
  write(3, 0, EPN);
  core.system.set('mmucr', 0x22);
  const before = core.system.tlb.words.slice();
  write(3, 3, 0xffffffff);
  write(3, 31, 0xffffffff);
  expect(core.system.tlb.words).toEqual(before);
  expect([read(3, 3), core.system.get('mmucr')]).toEqual([0, 0x22]);
});

test('tlbsx finds by MMUCR[STS] and MMUCR[STID], not by MSR and PID', () => {
  const { core, search } = fresh();
  map(core, 20, { ea: 0x50000000, pa: 0, size: 1, space: 1, tid: 7 });
  core.system.set('pid', 9);
  const found = (mmucr: number): number => {
    core.system.set('mmucr', mmucr);
    return search(0x50000abc);
  };
  expect([0x10007, 0x10008, 0x10000, 0x00007].map(found)).toEqual([20, 0x5eed, 0x5eed, 0x5eed]);
});

test('tlbsx. sets CR0[EQ] when it has found an entry, and copies XER[SO]; without the dot CR0 stays', () => {
  const { core, search } = fresh();
  core.regs.cr = 0xffffffff | 0;
  search(0x1000);
  expect(core.regs.cr >>> 0).toBe(0xffffffff);
  search(0x1000, 1);
  expect(core.regs.cr >>> 0).toBe(0x2fffffff);
  core.regs.words[R.XER] = XER.SO;
  search(0x90000000, 1);
  expect(core.regs.cr >>> 0).toBe(0x1fffffff);
});

test('tlbsx adds its two registers, and takes register 0 as none', () => {
  const m = fresh();
  m.core.regs.gpr.set([0x80000000 | 0, 0x1000, 0x2000]);
  expect(execute(m, asm('tlbsx', { rt: 9, ra: 0, rb: 1 }))).toBeNull();
  expect(execute(m, asm('tlbsx', { rt: 10, ra: 1, rb: 2 }))).toBeNull();
  expect([m.core.regs.gpr[9], m.core.regs.gpr[10]]).toEqual([63, 63]);
});

test('tlbsx agrees with the manual’s translation on any entries', () => {
  const m = fresh();
  const cases = fc
    .array(anyEntry, { minLength: 1, maxLength: 20 })
    .chain((entries) => fc.tuple(fc.constant(entries), lookupNear(entries)));
  fc.assert(
    fc.property(cases, ([entries, lookup]) => {
      const { tlb } = m.core.system;
      tlb.words.fill(0);
      m.core.system.set('mmucr', (lookup.space << 16) | lookup.pid);
      entries.forEach(({ words, tid }, i) => words.forEach((word, n) => tlb.write(i, n, word, tid)));
      // It looks for an entry only: every use is permitted
      const open = entries.map((e): Entry => ({ tid: e.tid, words: [e.words[0], e.words[1], 0x3f] }));
      const answer = translate(open, lookup);
      expect(searchTlb(m.core, lookup.address)).toBe(typeof answer === 'string' ? -1 : answer.entry);
    }),
    { numRuns: 300 },
  );
});

test('what tlbwe changes holds for the very next instruction, its own page included', () => {
  const m = fresh();
  const { core, ram } = m;
  ram.write(0x20000, 4, 0x11111111);
  ram.write(0x30000, 4, 0x22222222);
  map(core, 4, { ea: 0x40000000, pa: 0x20000, size: 1 });
  core.regs.gpr[4] = 0x40000000;
  const load = (): number => {
    expect(execute(m, asm('lwz', { rt: 3, ra: 4 }))).toBeNull();
    return core.regs.gpr[3]!;
  };
  expect(load()).toBe(0x11111111);
  m.write(4, 1, 0x30000);
  expect(load()).toBe(0x22222222);
  m.write(4, 2, 0x3e); // no supervisor read
  expect(execute(m, asm('lwz', { rt: 3, ra: 4 }))?.kind).toBe('data-storage');
  m.write(4, 0, 0x40000010); // not valid
  expect(execute(m, asm('lwz', { rt: 3, ra: 4 }))?.kind).toBe('data-tlb-miss');
  m.write(63, 0, 0);
  expect(core.step()?.kind).toBe('instruction-tlb-miss');
});

test('whoever keeps copies of entries hears of every valid one before it changes, and after where it maps other addresses', () => {
  const { core, write } = fresh();
  const heard: string[] = [];
  core.onTlbChange = (entry) => heard.push(`${entry}: ${(core.system.tlb.read(entry, 1) >>> 0).toString(16)}`);
  write(2, 1, 0x1000);
  expect(heard).toEqual([]); // not valid before or after
  write(2, 0, EPN);
  expect(heard).toEqual(['2: 1000']);
  write(2, 1, 0x2000);
  expect(heard).toEqual(['2: 1000', '2: 1000']);
  write(2, 0, EPN + 0x10000);
  expect(heard.slice(2)).toEqual(['2: 2000', '2: 2000']);
});

test.each(['tlbwe', 'tlbre', 'tlbsx', 'tlbsync'])('%s is the supervisor’s', (name) => {
  const m = mapped();
  setMsr(m.core, MSR.PR);
  const before = m.core.system.tlb.words.slice();
  expect(execute(m, asm(name))).toEqual({ kind: 'program', cause: 'privileged' });
  expect(m.core.system.tlb.words).toEqual(before);
});
