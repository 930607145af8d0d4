import { assert } from '../bus/assert.js';
import type { AddressMap, Region } from '../bus/bus.js';
import type { Ram } from '../bus/memory.js';
import type { Configuration, PartitionConfiguration } from '../devicetree/configuration.js';
import { placeMemory } from '../devicetree/placement.js';
import { magicPageAt } from './magic-page.js';

/** A stretch of the board's memory that a partition has: the same bytes, and where they lie for the real core. */
export interface Placed {
  readonly ram: Ram;
  /** Physical address on the board. */
  readonly physical: number;
  /** Other partitions may have the same bytes: they are no part of what is cleared and loaded with this one. */
  readonly shared?: true;
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

/** What all partitions have of the board's memory, one after the other, and then what is shared between them. */
export const allSizes = ({ partitions, sharedMemories }: Configuration): number[] => [
  ...partitions.flatMap(memorySizes),
  ...sharedMemories.map(({ size }) => size),
];

/**
 * Places for all that is to be had of the board's memory. A partition's are those of `memorySizes` and then its windows of
 * shared memory, in their order.
 */
export function placeAll(
  board: readonly Region<Ram>[],
  configuration: Configuration,
): { readonly partitions: readonly (readonly Placed[])[]; readonly shared: readonly Placed[] } {
  const places = place(board, allSizes(configuration));
  const own = configuration.partitions.map((config) => places.splice(0, memorySizes(config).length));
  const shared = new Map(configuration.sharedMemories.map(({ name }, i) => [name, places[i]!]));
  const windowOf = (memory: string, readOnly: boolean): Placed => {
    const whole = shared.get(memory);
    assert(whole !== undefined, 'a window is of shared memory that there is');
    return { physical: whole.physical, ram: whole.ram.window(0, whole.ram.size, readOnly), shared: true };
  };
  return {
    partitions: configuration.partitions.map(({ windows }, i) => [
      ...own[i]!,
      ...windows.map(({ memory, readOnly }) => windowOf(memory, readOnly)),
    ]),
    shared: places,
  };
}

/** Let a partition's bus have what there is beside its memory: magic pages, which it gives, and windows of shared memory. */
export function attachBeside(
  bus: { readonly ram: AddressMap<Ram> },
  { memory, windows }: PartitionConfiguration,
  places: readonly Placed[],
): Placed[] {
  const shared = places.filter((placed) => placed.shared);
  const pages = places.slice(memory.length).filter((placed) => !placed.shared);
  pages.forEach(({ ram }, i) => bus.ram.attach(`magic page ${i}`, magicPageAt(i), ram.size, ram));
  windows.forEach(({ name, base, size }, i) => bus.ram.attach(name, base, size, shared[i]!.ram));
  return pages;
}

/** Zero what a partition has of its own. */
export function clearOwn(places: readonly Placed[]): void {
  for (const { ram, shared } of places) if (!shared) ram.clearDirty();
}
