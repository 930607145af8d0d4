import { regOf } from './addresses.js';
import { placeOf } from './bindings/index.js';
import { memo } from './memo.js';
import { disabled } from './partitions.js';
import type { Node, Tree } from './tree.js';

/** The processors of the board in the order of the source, those that are disabled too. */
export const coreNodes = (tree: Tree): readonly Node[] =>
  memo(tree.root, 'cores', () =>
    [...tree.root.walk()].filter((node) => node.get('device_type')?.string === 'cpu' && placeOf(node) === 'board'),
  );

/** What a core is called by: its `reg`. */
export const coreNumber = (node: Node): number => regOf(node)[0]?.base ?? 0;

/** The numbers of the cores that run: those of processors that are not disabled. */
export const coresOf = (tree: Tree): readonly number[] =>
  memo(tree.root, 'cores that run', () =>
    coreNodes(tree)
      .filter((node) => !disabled(node))
      .map(coreNumber),
  );

/** The cores that a partition may have: those that run of its `affinity`, or all of them. */
export function affinityOf(tree: Tree, partition: Node): readonly number[] {
  const cores = coresOf(tree);
  const named = partition.get('affinity')?.cells;
  return named ? cores.filter((core) => named.includes(core)) : cores;
}
