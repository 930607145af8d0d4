import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Region } from '../../src/bus/bus.js';
import { Ram, SharedMemory } from '../../src/bus/memory.js';
import { place } from '../../src/hypervisor/placement.js';
import { naturalAlignment } from '../../src/devicetree/placement.js';

const PAGE = 0x1000;
const memory = new SharedMemory(0x3000000);
const whole = Ram.allocate(memory, 0x2000000);

const region = (base: number, size: number, at = 0): Region<Ram> => ({
  name: 'memory',
  base,
  size,
  target: whole.window(at, size),
});
const MIB = 0x100000;
const pages = fc.integer({ min: 1, max: 600 }).map((n) => n * PAGE);

const sum = (sizes: readonly number[]): number => sizes.reduce((a, b) => a + b, 0);

test('places do not overlap, lie on the board, and are the very bytes of its memory', () => {
  fc.assert(
    fc.property(
      fc.array(pages, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(0, 0x40000000, 0xf_0000_0000),
      (sizes, base) => {
        const board = region(base, 0x2000000);
        const placed = place([board], sizes);
        placed.forEach(({ physical, ram }, i) => {
          expect(ram.size).toBe(sizes[i]);
          expect(physical % PAGE).toBe(0);
          expect(ram.offset - whole.offset).toBe(physical - base);
          expect(physical >= base && physical + ram.size <= base + board.size).toBe(true);
          for (const other of placed.slice(0, i)) {
            expect(physical >= other.physical + other.ram.size || other.physical >= physical + ram.size).toBe(true);
          }
        });
      },
    ),
  );
});

test('where there is room, each begins at a multiple of the largest page that it can hold', () => {
  fc.assert(
    fc.property(fc.array(pages, { minLength: 1, maxLength: 6 }), (sizes) => {
      // Twice as much as is needed, rounded up, is always enough
      for (const { physical, ram } of place([region(0, 0x2000000)], sizes)) {
        expect(physical % naturalAlignment(ram.size)).toBe(0);
      }
    }),
  );
});

test('powers of two fill a board to the last byte and are aligned nevertheless', () => {
  const sizes = [1, 8, 2, 4, 1, 16].map((n) => n * MIB);
  const placed = place([region(0, sum(sizes))], sizes);
  for (const { physical, ram } of placed) expect(physical % ram.size).toBe(0);
});

test('a gap that alignment leaves is given to a smaller one', () => {
  const sizes = [6, 5, 2].map((n) => n * MIB); // 6 and 5 are aligned to 4: the gap from 6 to 8 is what 2 needs
  expect(place([region(0, 13 * MIB)], sizes).map((p) => p.physical / MIB)).toEqual([0, 8, 6]);
});

test('where alignment wastes too much they are packed', () => {
  const sizes = [3, 3, 3].map((n) => n * MIB);
  expect(place([region(0, 9 * MIB)], sizes).map((p) => p.physical / MIB)).toEqual([0, 3, 6]);
  expect(place([region(0, 12 * MIB)], sizes).map((p) => p.physical / MIB)).toEqual([0, 4, 8]);
});

test('a board that is full to the last page holds all there is, in whatever sizes', () => {
  fc.assert(
    fc.property(fc.array(pages, { minLength: 1, maxLength: 12 }), (sizes) => {
      expect(place([region(0, sum(sizes))], sizes)).toHaveLength(sizes.length);
    }),
  );
});

test('a board with several memories has each place in one of them', () => {
  const boards = [region(0, 2 * MIB), region(0x80000000, 8 * MIB, 2 * MIB)];
  const placed = place(
    boards,
    [2, 6, 1, 1].map((n) => n * MIB),
  );
  expect(placed.map((p) => p.physical)).toEqual([0, 0x80000000, 0x80600000, 0x80700000]);
});

test.each([
  [0x1000, 0x1000],
  [0x1fff_f000, 0x1000_0000],
  [0x3000, 0x2000],
  [0x100000, 0x100000],
  [0x4000_0000, 0x1000_0000], // the largest page of a 440
])('the natural alignment of %i bytes is %i', (bytes, alignment) => {
  expect(naturalAlignment(bytes)).toBe(alignment);
});
