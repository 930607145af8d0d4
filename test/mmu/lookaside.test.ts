import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { MSR } from '../../src/isa/registers.js';
import { writeSpr, writeTlb } from '../../src/cpu/supervisor.js';
import { SharedMemory } from '../../src/bus/memory.js';
import { contextOf, Lookaside, SLOTS } from '../../src/mmu/lookaside.js';
import type { Use } from '../../src/mmu/tlb.js';
import { machine, put, setMsr } from '../cpu/machine.js';
import { translate, type Entry } from './reference.js';

/** Data lies in 256 KiB of RAM of which each word is `addi r3,0,n`, n its number; the code that uses it behind them. */
const DATA = 0x40000;
const CODE = 0xf0000000;
const RESULT = 3;

type Step =
  | {
      readonly kind: 'tlbwe';
      readonly entry: number;
      readonly word: number;
      readonly value: number;
      readonly tid: number;
    }
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'msr'; readonly msr: number }
  | { readonly kind: 'access'; readonly use: Use; readonly address: number };

// Few pages, entries and processes, so that they meet often. 4 MiB apart, pages share a slot of the lookaside.
const pages = [0x10000, 0x11000, 0x12000, 0x13000, 0x1f000, 0x20000, 0x410000, 0x411000, 0x10010000];
const entry = fc.nat(7);
const tid = fc.constantFrom(0, 0, 0, 1, 2);
const word0 = fc
  .tuple(
    fc.constantFrom(...pages),
    fc.constantFrom(0, 0x400, 0x800, 0xc00), // for the pages of 1 KiB
    fc.constantFrom(0, 0, 1, 1, 1, 2, 3, 4, 5, 9, 6),
    fc.nat(1),
    fc.constantFrom(0x200, 0x200, 0x200, 0),
  )
  .map(([epn, part, size, space, valid]) => epn | part | (size << 4) | (space << 8) | valid);
const word1 = fc.oneof(
  fc.nat(0x3f).map((page) => page << 12),
  fc.constantFrom(0x40000 * 4, 1),
);
const word2 = fc.oneof(fc.constant(0x3f), fc.nat(0x3f));
const access = fc.record({
  kind: fc.constant('access' as const),
  use: fc.constantFrom<Use>('read', 'write', 'execute'),
  address: fc.tuple(fc.constantFrom(...pages), fc.nat(0x3ff)).map(([page, word]) => page + 4 * word),
});
const tlbwe = fc.oneof(
  ...[word0, word1, word2].map((value, word) =>
    fc.record({ kind: fc.constant('tlbwe' as const), entry, word: fc.constant(word), value, tid }),
  ),
);
const msrBits = fc
  .subarray([MSR.PR, MSR.DS, MSR.IS])
  .map((bits) => bits.reduce((all, bit) => all | bit, MSR.ME as number));
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { arbitrary: access, weight: 10 },
    { arbitrary: tlbwe, weight: 2 },
    { arbitrary: fc.record({ kind: fc.constant('pid' as const), pid: fc.constantFrom(0, 1, 2) }), weight: 1 },
    { arbitrary: fc.record({ kind: fc.constant('msr' as const), msr: msrBits }), weight: 1 },
  ),
  { minLength: 100, maxLength: 200 },
);
/** Entries to begin with: most accesses then hit. */
const beginnings = fc.array(fc.tuple(entry, word0, word1, word2, tid), { minLength: 4, maxLength: 8 });

const { core, ram, bus } = machine({ ram: DATA + 0x1000 });
for (let n = 0; n < DATA / 4; n++) ram.write(4 * n, 4, asm('addi', { rt: RESULT, si: n }));
put(ram, DATA, [asm('lwz', { rt: RESULT, ra: 4 }), asm('stw', { rs: 5, ra: 4 })]);

function writeEntry(
  entries: (Entry | undefined)[],
  { entry, word, value, tid }: Omit<Step & { kind: 'tlbwe' }, 'kind'>,
): void {
  core.system.set('mmucr', tid);
  writeTlb(core, entry, word, value);
  const old = entries[entry] ?? { words: [0, 0, 0], tid: 0 };
  entries[entry] = {
    words: old.words.map((w, n) => (n === word ? value : w)) as [number, number, number],
    tid: word === 0 ? tid : old.tid,
  };
}

/** Do an access; the number of the word that it found, or what it raised. */
function attempt(use: Use, address: number): string | number {
  const { regs } = core;
  regs.gpr[4] = address;
  regs.gpr[RESULT] = -1;
  regs.pc = use === 'execute' ? address : use === 'read' ? CODE : CODE + 4;
  regs.gpr[5] = 0x12345678; // in no word of RAM
  const trap = core.step();
  if (trap) return trap.kind;
  if (use !== 'write') return regs.gpr[RESULT]! & 0xffff;
  for (let n = 0; n < DATA / 4; n++) {
    if (ram.memory.words[(ram.offset >>> 2) + n] !== 0x12345678) continue;
    ram.write(4 * n, 4, asm('addi', { rt: RESULT, si: n }));
    return n;
  }
  return 'stored nowhere';
}

function expected(
  entries: readonly (Entry | undefined)[],
  use: Use,
  address: number,
  msr: number,
  pid: number,
): string | number {
  const space = msr & (use === 'execute' ? MSR.IS : MSR.DS) ? 1 : 0;
  const answer = translate(entries, { address, space, pid, user: (msr & MSR.PR) !== 0, use });
  const side = use === 'execute' ? 'instruction' : 'data';
  if (answer === 'miss') return `${side}-tlb-miss`;
  if (answer === 'forbidden') return `${side}-storage`;
  return answer.real < DATA ? answer.real / 4 : 'machine-check';
}

test('whatever TLB, PID and MSR have been before, an access does what the TLB says now', () => {
  const seen: Record<string, number> = {};
  fc.assert(
    fc.property(beginnings, steps, (beginning, list) => {
      core.reset();
      const entries: (Entry | undefined)[] = [];
      for (const [entry, ...rest] of beginning)
        [0, 1, 2].forEach((word) => writeEntry(entries, { entry, word, value: rest[word]!, tid: rest[3]! }));
      for (const space of [0, 1])
        [CODE | 0x210 | (space << 8), DATA, 0x3f].forEach((value, word) =>
          writeEntry(entries, { entry: 62 + space, word, value, tid: 0 }),
        );
      setMsr(core, MSR.ME);
      for (const step of list) {
        if (step.kind === 'tlbwe') writeEntry(entries, step);
        else if (step.kind === 'msr') setMsr(core, step.msr);
        else if (step.kind === 'pid') {
          const { msr } = core.system;
          setMsr(core, 0);
          writeSpr(core, 48, step.pid);
          setMsr(core, msr);
        } else {
          const { msr, pid } = core.system;
          const wanted = expected(entries, step.use, step.address, msr, pid);
          expect(attempt(step.use, step.address), JSON.stringify({ step, msr, pid })).toBe(wanted);
          const outcome = typeof wanted === 'number' ? 'ok' : wanted;
          seen[outcome] = (seen[outcome] ?? 0) + 1;
        }
      }
    }),
    { numRuns: 60 },
  );
  console.log('accesses by outcome:', seen);
  expect(bus.devices.regions).toEqual([]);
  expect(seen['ok']).toBeGreaterThan(200);
  expect(Object.keys(seen)).toHaveLength(6);
});

test('a page that a smaller one with a lower number lies in is not remembered as a whole', () => {
  core.reset();
  const entries: (Entry | undefined)[] = [];
  const write = (entry: number, words: readonly number[]): void =>
    words.forEach((value, word) => writeEntry(entries, { entry, word, value, tid: 0 }));
  write(62, [CODE | 0x210, DATA, 0x3f]);
  write(5, [0x10210, 0x20000, 0x3f]);
  write(2, [0x10400 | 0x200, 0x30400, 0x3f]);
  setMsr(core, MSR.ME);
  const places = [0x10000, 0x10400, 0x10000, 0x107fc, 0x10800, 0x103fc, 0x10400];
  const found = (use: Use): (string | number)[] => places.map((address) => attempt(use, address));
  const words = [0x20000, 0x30400, 0x20000, 0x307fc, 0x20800, 0x203fc, 0x30400].map((real) => real / 4);
  expect([found('read'), found('write'), found('execute')]).toEqual([words, words, words]);
  write(2, [0, 0, 0]);
  expect(attempt('read', 0x10400)).toBe(0x20400 / 4);
});

test('a slot holds one page of one context, for one use, and only where the access is aligned', () => {
  const lookaside = new Lookaside(new SharedMemory(0x20000));
  const context = contextOf(3, 1, true);
  lookaside.fill('read', 0x80012345 | 0, context, 0x7345);
  const hit = (use: Use, address: number, width: number, wanted: number): boolean =>
    lookaside.tags[use][(address >>> 12) & (SLOTS - 1)] === ((address & (~0xfff | (width - 1))) | wanted);
  expect(hit('read', 0x80012ffc, 4, context)).toBe(true);
  expect((0x80012ffc + lookaside.deltas.read[0x12]!) >>> 0).toBe(0x7ffc);
  expect(hit('read', 0x80012ffd, 4, context)).toBe(false);
  expect(hit('read', 0x80012ffe, 4, context)).toBe(false);
  expect(hit('read', 0x80012ffe, 2, context)).toBe(true);
  expect(hit('read', 0x80013000, 1, context)).toBe(false);
  expect(hit('read', 0x80412000, 1, context)).toBe(false);
  expect(hit('write', 0x80012000, 1, context)).toBe(false);
  for (const other of [contextOf(2, 1, true), contextOf(3, 0, true), contextOf(3, 1, false)])
    expect(hit('read', 0x80012000, 4, other)).toBe(false);
});

test('contexts differ wherever PID, address space or privilege do, and stay clear of page and alignment bits', () => {
  const contexts = new Set<number>();
  for (let pid = 0; pid < 256; pid++)
    for (const space of [0, 1]) for (const user of [false, true]) contexts.add(contextOf(pid, space, user));
  expect(contexts.size).toBe(1024);
  for (const context of contexts) expect(context & ~0xffc).toBe(0);
});

test('an empty slot matches no address', () => {
  const { tags } = new Lookaside(new SharedMemory(0x20000));
  for (let slot = 0; slot < SLOTS; slot++) expect((tags.read[slot]! >>> 12) & (SLOTS - 1)).not.toBe(slot);
});

test('invalidating forgets the pages of a range and, up to 64 KiB, no others', () => {
  const lookaside = new Lookaside(new SharedMemory(0x20000));
  const filled = (page: number): boolean => lookaside.tags.write[page & (SLOTS - 1)] === page << 12;
  const fill = (): void => [8, 15, 16, 31, 32].forEach((page) => lookaside.fill('write', page << 12, 0, page << 12));
  fill();
  lookaside.invalidate(0x10000, 0x10000);
  expect([8, 15, 16, 31, 32].map(filled)).toEqual([true, true, false, false, true]);
  lookaside.invalidate(0x8400, 0x400);
  expect(filled(8)).toBe(false);
  fill();
  lookaside.invalidate(0x20000, 0);
  expect(filled(32)).toBe(true);
  lookaside.invalidate(0xf0000000, 0x10000000);
  expect([8, 15, 16, 31, 32].map(filled)).toEqual([false, false, false, false, false]);
  lookaside.fill('write', 0xfffff000 | 0, 0, 0);
  lookaside.invalidate(0xfffffc00, 0x400);
  expect(lookaside.tags.write[1023]).not.toBe(0xfffff000 | 0);
});
