import { assert } from '../bus/assert.js';
import type { Region } from '../bus/bus.js';
import type { Ram } from '../bus/memory.js';
import type { PartitionConfiguration } from '../devicetree/configuration.js';
import { placeMemory } from '../devicetree/placement.js';

/** A stretch of the board's memory that a partition has: the same bytes, and where they lie for the real core. */
export interface Placed {
  readonly ram: Ram;
  /** Physical address on the board. */
  readonly physical: number;
}

/** Places for partitions' memory on the board, one for each size, in the same order. They fit: the configuration was checked. */
export function place(board: readonly Region<Ram>[], sizes: readonly number[]): Placed[] {
  const places = placeMemory(board, sizes);
  assert(places !== undefined, 'the partitions’ memory fits on the board');
  return places.map((physical, i) => {
    const region = board.find(({ base, size }) => physical >= base && physical < base + size)!;
    return { physical, ram: region.target.window(physical - region.base, sizes[i]!) };
  });
}

/** What a partition has of the board's memory: its own ranges, then its magic pages. */
export const memorySizes = ({ memory, magicPages }: PartitionConfiguration): number[] => [
  ...memory.map(({ size }) => size),
  ...magicPages,
];
