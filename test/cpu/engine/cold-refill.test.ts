import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ram } from '../../../src/bus/memory.js';
import { foresee } from '../../../src/cpu/access.js';
import { REFILL, REFILLED, USES } from '../../../src/cpu/engine/cold-run.js';
import { coldModule } from '../../../src/cpu/engine/cold-template.js';
import { TABLE_PLACES } from '../../../src/cpu/engine/cold.js';
import { imports } from '../../../src/cpu/engine/emit-effects.js';
import { KnownPages } from '../../../src/cpu/engine/known-pages.js';
import { listVariants } from '../../../src/cpu/engine/printed.js';
import { MOST_LOGGED, MOST_REGIONS, RamMap } from '../../../src/cpu/engine/ram-map.js';
import { DEFAULT_HOT, Translator } from '../../../src/cpu/engine/translator.js';
import { instructions } from '../../../src/isa/instructions.js';
import { MSR } from '../../../src/isa/registers.js';
import { R } from '../../../src/cpu/state.js';
import type { Use } from '../../../src/mmu/tlb.js';
import { machine, map, mapped, put, setMsr } from '../machine.js';

const RAM = 0x40000;
/** Where nothing may be stored: above 4 GiB. */
const ROM = 0x1_0008_0000;
const listed = listVariants(instructions);

/** A machine, and the function that finds pages for the interpreter of cold code. */
function made(mostRegions = 2) {
  const one = machine({ ram: RAM });
  const { core, memory, bus } = one;
  const rom = Ram.allocate(memory, 0x10000);
  bus.ram.attach('rom', ROM, 0x10000, rom.window(0, 0x10000, true));
  for (let i = 2; i < mostRegions; i++)
    bus.ram.attach(`ram ${i}`, ROM + i * 0x100000, 0x1000, Ram.allocate(memory, 0x1000));
  const tables = memory.allocate(TABLE_PLACES.end);
  const module = coldModule(listed, {
    lookaside: core.lookaside,
    decoding: tables,
    sprs: { read: tables + TABLE_PLACES.readSpr, write: tables + TABLE_PLACES.writeSpr },
    reach: tables + TABLE_PLACES.reach,
    ram: tables + TABLE_PLACES.ram,
    known: tables + TABLE_PLACES.known,
    hot: DEFAULT_HOT,
  });
  const called = Object.fromEntries(imports.map(({ name }) => [name, () => 0]));
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  const env = { memory: memory.wasm, table, ...called };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env });
  const refill = exports[`f${REFILL}`]!;
  core.contextChanged();
  core.regs.words[R.SYSTEM] = core.system.at;
  return {
    ...one,
    regions: new RamMap(core, tables + TABLE_PLACES.ram),
    known: new KnownPages(memory, tables + TABLE_PLACES.known),
    refill: (address: number, use: Use) => refill(core.regs.words.byteOffset, address, USES[use]),
  };
}
type Made = ReturnType<typeof made>;

const tagsOf = ({ core: { lookaside } }: Made) => [
  ...Object.values(lookaside.tags).map((tags) => [...tags]),
  ...Object.values(lookaside.deltas).map((deltas) => [...deltas]),
  [...lookaside.zeroable],
  [...lookaside.translations],
];

/** What else is done for a page of code that the lookaside has got: it has a table, here one that its number tells. */
function addTable({ core, known }: Made, address: number): void {
  const context = core.regs.words[R.CODE_CONTEXT]!;
  const host = core.lookaside.find('execute', address, context) & -4096;
  const user = (context & 0x800) !== 0;
  const base = (address & -4096) >>> 0;
  const table = host + (base >>> 12) + (user ? 0x100000 : 0);
  core.lookaside.translations[(address >>> 12) & 1023] = table;
  const none = { covered: new Uint8Array(0), functions: new Set<never>(), targets: new Map<number, never>() };
  known.put({ host, base, user, table, overflow: false, spoilt: 0, ...none });
}

const entry = fc.record({
  at: fc.nat(63),
  ea: fc.nat(0x7f).map((page) => (page % 64) * 0x400 + (page >> 6) * 0xc000_0000),
  pa: fc.oneof(
    fc.nat(0x1ff).map((page) => page * 0x400),
    fc.nat(0x7f).map((page) => ROM + page * 0x400),
  ),
  size: fc.constantFrom(0, 1, 1, 1, 2, 3, 5, 6, 9), // 6 is reserved
  space: fc.constantFrom(0 as const, 0 as const, 1 as const),
  tid: fc.constantFrom(0, 0, 1, 2),
  rights: fc
    .constantFrom(0x3f, 0x3f, 0x0f, 0x07, 0x38, 0x15, 0x2a)
    .chain((rights) => fc.constantFrom(rights, rights | 0x400, rights | 0x800)),
});
const visit = fc.record({
  address: fc.nat(0xffff).chain((low) => fc.nat(1).map((high) => high * 0xc000_0000 + low)),
  use: fc.constantFrom('read' as const, 'write' as const, 'execute' as const),
  msr: fc.constantFrom(0, 0, MSR.PR, MSR.DS, MSR.IS, MSR.PR | MSR.DS | MSR.IS),
  pid: fc.nat(2),
});

test('what is found for cold code is what is found for all other, page by page and entry by entry', () => {
  const results = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 10, maxLength: 60 }),
      fc.array(visit, { minLength: 1, maxLength: 40 }),
      (entries, visits) => {
        const [one, other] = [made(), made()];
        for (const { core } of [one, other]) for (const { at, ...page } of entries) map(core, at, page);
        for (const { address, use, msr, pid } of visits) {
          for (const { core } of [one, other]) {
            core.system.set('pid', pid);
            setMsr(core, msr);
          }
          one.regions.begin();
          const result = one.refill(address, use);
          one.regions.end();
          const kind = `${use} ${result}`;
          results.set(kind, (results.get(kind) ?? 0) + 1);
          const expected = foresee(other.core, address, use);
          if (expected && use === 'execute') addTable(other, address);
          if (result !== REFILLED.UNKNOWN) expect(result === REFILLED.DONE).toBe(expected);
          else if (foresee(one.core, address, use) && use === 'execute') addTable(one, address);
          expect(tagsOf(one)).toEqual(tagsOf(other));
          if (expected) expect([...one.ram.dirty]).toEqual([...other.ram.dirty]);
        }
      },
    ),
    { numRuns: 100, seed: 440 },
  );
  const { UNKNOWN, DONE, REFUSED } = REFILLED;
  for (const use of ['read', 'write', 'execute'])
    for (const result of [UNKNOWN, DONE, REFUSED]) expect(results.get(`${use} ${result}`) ?? 0).toBeGreaterThan(0);
});

test('it is left to others where a debugger looks at accesses, and where there are more regions than it knows', () => {
  const probed = made();
  map(probed.core, 0, { ea: 0, pa: 0, size: 5 });
  probed.core.probeWith({ guards: () => false } as unknown as NonNullable<typeof probed.core.probes>);
  probed.regions.begin();
  expect(probed.refill(0x1000, 'read')).toBe(REFILLED.UNKNOWN);
  probed.core.probeWith(undefined);
  probed.regions.begin();
  expect(probed.refill(0x1000, 'read')).toBe(REFILLED.DONE);

  const results = [MOST_REGIONS, MOST_REGIONS + 1].map((most) => {
    const many = made(most);
    map(many.core, 0, { ea: 0, pa: ROM + 15 * 0x100000, size: 1 });
    many.regions.begin();
    return many.refill(0, 'write');
  });
  expect(results).toEqual([REFILLED.DONE, REFILLED.UNKNOWN]);
});

test('pages that are written are told when the engine comes back, and no more of them than are kept', () => {
  const one = made();
  map(one.core, 0, { ea: 0, pa: 0, size: 5 });
  one.regions.begin();
  const results = Array.from({ length: MOST_LOGGED + 2 }, (_, i) => {
    one.core.lookaside.flush();
    return one.refill(0x1000 * (i % 0x40), 'write');
  });
  expect(results.filter((result) => result === REFILLED.DONE).length).toBe(MOST_LOGGED);
  expect(results.slice(-2)).toEqual([REFILLED.UNKNOWN, REFILLED.UNKNOWN]);
  expect(one.ram.dirty.every((mark) => mark === 0)).toBe(true);
  one.regions.end();
  expect([...one.ram.dirty].slice(0, MOST_LOGGED).every((mark) => mark === 1)).toBe(true);
  one.regions.begin();
  expect([0, 1].map(() => one.refill(0x3f000, 'write'))).toEqual([REFILLED.DONE, REFILLED.REFUSED]); // it has it now
});

test('code whose page is not in the lookaside any more is translated anew after a store to it', () => {
  const one = mapped({ engine: new Translator({ hot: 1 }) });
  const { core, ram } = one;
  // li r3,1; stw r4,0(r5); b .: the store changes what the first has loaded
  put(ram, 0x1000, [0x38600001, 0x90850000, 0x4bfffff8]);
  core.regs.pc = 0x1000;
  core.regs.gpr.set([0x38600002, 0x2000], 4);
  core.run(300);
  expect(core.memory.isTranslated(ram.offset + 0x1000)).toBe(true);
  expect(core.regs.gpr[3]).toBe(1);
  core.regs.gpr[5] = 0x1000;
  core.lookaside.forgetWritable();
  core.run(30);
  expect(core.regs.gpr[3]).toBe(2);
});
