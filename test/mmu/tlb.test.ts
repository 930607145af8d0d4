import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageBytes, sizeFields, Tlb, TLB_ENTRIES, TLB_WORDS, word2 } from '../../src/mmu/tlb.js';
import { anyEntry, lookupNear, sizeOf, translate, type Answer, type Entry, type Lookup } from './reference.js';

function filled(entries: readonly Entry[], first = 0): Tlb {
  const tlb = new Tlb(new Int32Array(TLB_WORDS));
  entries.forEach(({ words, tid }, i) => words.forEach((word, n) => tlb.write(first + i, n, word, tid)));
  return tlb;
}

function answer(tlb: Tlb, { address, space, pid, user, use }: Lookup): Answer {
  const entry = tlb.find(address, space, pid);
  if (entry < 0) return 'miss';
  return tlb.allows(entry, use, user) ? { entry, real: tlb.real(entry, address) } : 'forbidden';
}

/** One entry of each page size, at the same effective address, of which the upper bits are taken. */
const entryOf = (size: number, { rights = 0x3f, epn = 0xa5a5a400, rpn = 0x5a5a5800, erpn = 0xc } = {}): Entry => ({
  words: [((epn & 0xfffffc00) | 0x200 | (size << 4)) >>> 0, (rpn | erpn) >>> 0, rights],
  tid: 0,
});

test('find, allows and real agree with the manual’s text on any entries and accesses', () => {
  const seen = { miss: 0, forbidden: 0, real: 0, above4GiB: 0 };
  const cases = fc
    .array(anyEntry, { minLength: 1, maxLength: TLB_ENTRIES })
    .chain((entries) =>
      fc.tuple(fc.constant(entries), fc.array(lookupNear(entries), { minLength: 20, maxLength: 20 })),
    );
  fc.assert(
    fc.property(cases, ([entries, lookups]) => {
      const tlb = filled(entries);
      for (const lookup of lookups) {
        const expected = translate(entries, lookup);
        expect(answer(tlb, lookup)).toEqual(expected);
        if (typeof expected === 'string') seen[expected]++;
        else seen[expected.real > 0xffffffff ? 'above4GiB' : 'real']++;
      }
    }),
    { numRuns: 400 },
  );
  console.log('TLB lookups by outcome:', seen);
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(100);
});

test.each(sizeFields)('a page with SIZE %i covers its bytes and not one more', (size) => {
  const bytes = sizeOf(size);
  const entry = entryOf(size);
  const tlb = filled([entry]);
  const base = Math.floor(entry.words[0] / bytes) * bytes;
  expect(pageBytes(size)).toBe(bytes);
  expect(tlb.base(0)).toBe(base);
  expect(tlb.bytes(0)).toBe(bytes);
  expect([base - 1, base, base + bytes - 1, base + bytes].map((at) => tlb.find(at, 0, 0))).toEqual([-1, 0, 0, -1]);
  const realBase = 0xc * 2 ** 32 + Math.floor(0x5a5a5800 / bytes) * bytes;
  expect(tlb.realBase(0)).toBe(realBase);
  expect(tlb.real(0, base + bytes - 1)).toBe(realBase + bytes - 1);
});

test.each([6, 8, 10, 11, 12, 13, 14, 15])('SIZE %i is not supported and maps nothing', (size) => {
  const tlb = filled([entryOf(size)]);
  expect(pageBytes(size)).toBe(0);
  expect([0, 0xa5a5a400, 0xffffffff].map((at) => tlb.find(at, 0, 0))).toEqual([-1, -1, -1]);
});

test('a real address has 36 bits', () => {
  const tlb = filled([entryOf(1, { rpn: 0xfffff000, erpn: 0xf })]);
  expect(tlb.real(0, 0xa5a5afff)).toBe(0xf_ffff_ffff);
});

test('the last page of the address space can be mapped', () => {
  const tlb = filled([entryOf(0, { epn: 0xfffffc00 }), entryOf(9, { epn: 0xf0000000 })]);
  expect(tlb.find(0xffffffff, 0, 0)).toBe(0);
  expect(tlb.find(0xffffffff | 0, 0, 0)).toBe(0);
  expect(tlb.find(0xfffffbff, 0, 0)).toBe(1);
  expect(tlb.real(1, 0xffffffff)).toBe(0xc_5fff_ffff);
});

test('TID 0 is every process’s; another is only the one’s that has the same PID', () => {
  const tlb = filled([{ ...entryOf(1), tid: 7 }]);
  expect([0, 6, 7, 8].map((pid) => tlb.find(0xa5a5a000, 0, pid))).toEqual([-1, -1, 0, -1]);
  tlb.write(0, 0, tlb.read(0, 0), 0);
  expect([0, 6, 7, 255].map((pid) => tlb.find(0xa5a5a000, 0, pid))).toEqual([0, 0, 0, 0]);
});

test('each permission bit allows one use in one mode', () => {
  const uses = ['execute', 'write', 'read'] as const;
  const bits = [word2.UX, word2.UW, word2.UR, word2.SX, word2.SW, word2.SR];
  bits.forEach((bit, i) => {
    const tlb = filled([entryOf(1, { rights: bit })]);
    const allowed = [true, false].flatMap((user) => uses.map((use) => tlb.allows(0, use, user)));
    expect(allowed).toEqual(bits.map((_, n) => n === i));
  });
});

test('bits that do not exist are not stored, words above 2 change nothing, and only word 0 takes the TID along', () => {
  const tlb = new Tlb(new Int32Array(TLB_WORDS));
  [0, 1, 2, 3].forEach((word) => tlb.write(5, word, 0xffffffff, word === 0 ? 0x1aa : 0x55));
  expect([0, 1, 2].map((word) => tlb.read(5, word) >>> 0)).toEqual([0xfffffff0, 0xfffffc0f, 0x0000ffbf]);
  expect(tlb.tid(5)).toBe(0xaa);
  expect(tlb.words.filter((word) => word !== 0)).toHaveLength(4);
});

test('the entry with the lowest number wins where the manual forbids that several match', () => {
  const tlb = filled([entryOf(3, { rpn: 0x10000000 }), entryOf(1, { rpn: 0x20000000 })], 10);
  expect(tlb.find(0xa5a5a000, 0, 0)).toBe(10);
  tlb.write(10, 0, 0, 0);
  expect(tlb.find(0xa5a5a000, 0, 0)).toBe(11);
});
