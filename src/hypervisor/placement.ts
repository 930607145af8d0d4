import { assert } from '../bus/assert.js';
import type { Region } from '../bus/bus.js';
import { PAGE_SIZE, type Ram } from '../bus/memory.js';

/** The largest page that a 440 has: nothing gains from being aligned to more. */
const LARGEST_PAGE = 0x10000000;

/** A stretch of the board's memory that a partition has: the same bytes, and where they lie for the real core. */
export interface Placed {
  readonly ram: Ram;
  /** Physical address on the board. */
  readonly physical: number;
}

/**
 * Places for partitions' memory on the board, one for each size, in the same order. Each begins at a multiple of the largest
 * page that it can hold, so that a guest's large pages can be the real core's large pages; where that wastes too much, they
 * are packed. The sizes are whole pages and together no more than the board has: the configuration was checked.
 */
export function place(board: readonly Region<Ram>[], sizes: readonly number[]): Placed[] {
  const placed = tryToPlace(board, sizes, naturalAlignment) ?? tryToPlace(board, sizes, () => PAGE_SIZE);
  assert(placed !== undefined, 'the partitions’ memory fits on the board');
  return placed;
}

function tryToPlace(
  board: readonly Region<Ram>[],
  sizes: readonly number[],
  alignment: (size: number) => number,
): Placed[] | undefined {
  const gaps = board.map((region) => ({ region, start: region.base, end: region.base + region.size }));
  const placed: Placed[] = [];
  const largestFirst = sizes.map((size, i) => ({ size, i })).toSorted((a, b) => b.size - a.size || a.i - b.i);
  for (const { size, i } of largestFirst) {
    const align = (address: number): number => Math.ceil(address / alignment(size)) * alignment(size);
    const gap = gaps.find(({ start, end }) => align(start) + size <= end);
    if (!gap) return undefined;
    const { region, start } = gap;
    const physical = align(start);
    gap.start = physical + size;
    if (physical > start) gaps.unshift({ region, start, end: physical }); // a smaller one may fit before it
    placed[i] = { physical, ram: region.target.window(physical - region.base, size) };
  }
  return placed;
}

/** The largest power of two, up to the largest page, that is no more than the size. */
export function naturalAlignment(size: number): number {
  let alignment = PAGE_SIZE;
  while (alignment < LARGEST_PAGE && alignment * 2 <= size) alignment *= 2;
  return alignment;
}
