import type { Board } from '../board/board.js';
import { assert } from '../bus/assert.js';
import type { PartitionConfiguration } from '../devicetree/configuration.js';
import type { Placed } from './placement.js';

/** Guest-physical addresses that the real core may be let at: memory, or pages of a device that it has to itself. */
export interface Grant {
  readonly base: number;
  readonly size: number;
  /** Where it begins on the real board. */
  readonly physical: number;
  readonly device: boolean;
  /** Nothing is stored there: a store is one to where nothing is. */
  readonly readOnly: boolean;
}

/** What a partition is granted: its memory and windows of what is shared, with where that lies on the real board, and the pages of its devices. */
export const grantsOf = (config: PartitionConfiguration, board: Board, places: readonly Placed[]): Grant[] => [
  ...memoryGrants(board, places),
  ...pageGrants(config),
];

function memoryGrants(board: Board, places: readonly Placed[]): Grant[] {
  return board.bus.ram.regions.map(({ base, size, target }) => {
    const place = places.find(({ ram }) => ram === target);
    assert(place !== undefined, 'every range of a partition’s memory has a place');
    return { base, size, physical: place.physical, device: false, readOnly: target.readOnly };
  });
}

/** A device that is passed through is at the same address for the guest as on the board. */
const pageGrants = ({ pages }: PartitionConfiguration): Grant[] =>
  pages.map(({ base, size }) => ({ base, size, physical: base, device: true, readOnly: false }));
