import type { Node } from './tree.js';

/** What has been found out about a tree, by its root, while nobody changes it. */
const known = new WeakMap<Node, Map<unknown, unknown>>();

/** The root of the tree that a node stands in. */
export function rootOf(node: Node): Node {
  let root = node;
  while (root.parent) root = root.parent;
  return root;
}

/**
 * Does work that leaves a tree as it is: what is asked of it by {@link memo} and {@link memoOf} is then found out once.
 * Outside of it everything is found out anew each time, since trees are merged and rewritten.
 */
export function whileUnchanged<T>(root: Node, work: () => T): T {
  if (known.has(root)) return work();
  known.set(root, new Map());
  try {
    return work();
  } finally {
    known.delete(root);
  }
}

/** What there is to know of a tree as a whole, under a key of its own. */
export function memo<T>(root: Node, key: unknown, find: () => T): T {
  const table = known.get(root);
  if (!table) return find();
  if (!table.has(key)) table.set(key, find());
  return table.get(key) as T;
}

/** A question about a node, answered once while its tree is not changed. */
export function memoOf<T>(find: (node: Node) => T): (node: Node) => T {
  return (node) => {
    const table = known.get(rootOf(node));
    if (!table) return find(node);
    let answers = table.get(find) as Map<Node, T> | undefined;
    if (!answers) table.set(find, (answers = new Map<Node, T>()));
    if (!answers.has(node)) answers.set(node, find(node));
    return answers.get(node) as T;
  };
}
