import { overlaps, physicalReg, type Range } from './addresses.js';
import { placeOf } from './bindings/index.js';
import { memo } from './memo.js';
import { disabled, registersOf } from './partitions.js';
import { RangeIndex } from './range-index.js';
import type { Node, Tree } from './tree.js';

/** The pages that a partition can be let at: of the TLB's page sizes, those in which all memory is shared out. */
export const PAGE = 4096;

/** Registers of something else on a page of a device. */
export interface Neighbour {
  readonly node: Node;
  readonly range: Range;
}

/** The whole pages that a device's registers lie on, by physical address; adjoining ones as one range. */
export function pagesOf(device: Node): Range[] {
  const pages: Range[] = [];
  const ranges = physicalReg(device).filter(({ size }) => size > 0);
  for (const { base, size } of ranges.toSorted((a, b) => a.base - b.base)) {
    const start = Math.floor(base / PAGE) * PAGE;
    const end = Math.ceil((base + size) / PAGE) * PAGE;
    const last = pages.at(-1);
    if (last && start <= last.base + last.size)
      pages[pages.length - 1] = { base: last.base, size: Math.max(last.base + last.size, end) - last.base };
    else pages.push({ base: start, size: end - start });
  }
  return pages;
}

/**
 * What else has registers on the pages of a device that is given to a partition: on the board, or provided to the
 * partition. Where there is nothing the partition can be given the pages themselves, since whatever it does there it does
 * to its own device.
 */
export function neighboursOf(tree: Tree, partition: Node, device: Node): Neighbour[] {
  const pages = pagesOf(device);
  const others = pages.flatMap((page) => boardAddresses(tree).overlapping(page));
  const own = registersOf(tree, partition).filter(({ range }) => pages.some((page) => overlaps(page, range)));
  const seen = new Set<Node>([device]);
  return [...others, ...own].filter(({ node }) => {
    if (seen.has(node)) return false;
    seen.add(node);
    return true;
  });
}

/** Where all that the board has is. */
const boardAddresses = (tree: Tree): RangeIndex<Neighbour> =>
  memo(tree.root, 'neighbours', () => {
    const board = [...tree.root.walk()].filter((node) => placeOf(node) === 'board' && !left(node));
    return new RangeIndex(board.flatMap((node) => physicalReg(node).map((range) => ({ node, range }))));
  });

/** The pages of the devices of a partition that have theirs to themselves, so that it can be let at them. */
export const ownPages = (tree: Tree, partition: Node, devices: readonly Node[]): Range[] =>
  devices.filter((device) => neighboursOf(tree, partition, device).length === 0).flatMap(pagesOf);

/** Is a node, or one that it is on, switched off, so that the board does not have it? */
function left(node: Node): boolean {
  for (let at: Node | null = node; at; at = at.parent) if (disabled(at)) return true;
  return false;
}
