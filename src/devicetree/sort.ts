import { Node, Property, Tree } from './tree.js';

const byName = ({ name: a }: { readonly name: string }, { name: b }: { readonly name: string }): number =>
  a < b ? -1 : a > b ? 1 : 0;

/** The same tree with reservations by address, and properties and children by name, as `dtc -s` puts them. */
export function sorted(tree: Tree): Tree {
  const result = new Tree(sortedNode(tree.root, null));
  result.bootCpu = tree.bootCpu;
  const rank = ({ address: a, size: m }: { address: bigint; size: bigint }, b: { address: bigint; size: bigint }) =>
    a === b.address ? Number(m > b.size) - Number(m < b.size) : a < b.address ? -1 : 1;
  result.reservations.push(...tree.reservations.toSorted(rank));
  return result;
}

function sortedNode(node: Node, parent: Node | null): Node {
  const copy = new Node(node.name, node.at, parent);
  copy.labels.push(...node.labels);
  for (const { name, value, at, form, labels } of [...node.properties.values()].sort(byName)) {
    copy.properties.set(name, new Property(name, value, at, form, [...labels]));
  }
  for (const child of node.children.toSorted(byName)) copy.children.push(sortedNode(child, copy));
  return copy;
}
