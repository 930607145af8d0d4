import type { Range } from './addresses.js';

const PAGE = 4096;
/** The largest page that a 440 has: nothing gains from being aligned to more. */
const LARGEST_PAGE = 0x10000000;

/**
 * Physical addresses for partitions' memory in the board's ranges, one for each size, in the same order; undefined where
 * they do not fit. Each begins at a multiple of the largest page that it can hold, so that a guest's large pages can be the
 * real core's large pages; where that wastes too much, they are packed. All sizes are whole pages.
 */
export const placeMemory = (board: readonly Range[], sizes: readonly number[]): number[] | undefined =>
  tryToPlace(board, sizes, naturalAlignment) ?? tryToPlace(board, sizes, () => PAGE);

function tryToPlace(
  board: readonly Range[],
  sizes: readonly number[],
  alignment: (size: number) => number,
): number[] | undefined {
  const gaps = board.map(({ base, size }) => ({ start: base, end: base + size }));
  const placed: number[] = [];
  const largestFirst = sizes.map((size, i) => ({ size, i })).toSorted((a, b) => b.size - a.size || a.i - b.i);
  for (const { size, i } of largestFirst) {
    const align = (address: number): number => Math.ceil(address / alignment(size)) * alignment(size);
    const gap = gaps.find(({ start, end }) => align(start) + size <= end);
    if (!gap) return undefined;
    const { start } = gap;
    const physical = align(start);
    gap.start = physical + size;
    if (physical > start) gaps.unshift({ start, end: physical }); // a smaller one may fit before it
    placed[i] = physical;
  }
  return placed;
}

/** The largest power of two, up to the largest page, that is no more than the size. */
export function naturalAlignment(size: number): number {
  let alignment = PAGE;
  while (alignment < LARGEST_PAGE && alignment * 2 <= size) alignment *= 2;
  return alignment;
}
