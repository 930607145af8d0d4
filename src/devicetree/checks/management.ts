import {
  doorbellNodes,
  isManagedPartition,
  isReceiveDoorbell,
  isSendDoorbell,
  managedBy,
  portsOf,
  referred,
  statedLines,
} from '../partitions.js';
import { didYouMean } from '../suggest.js';
import { memo } from '../memo.js';
import type { Node, Tree } from '../tree.js';
import { at, nameOf, type Rule } from './rule.js';

const RISING_EDGE = 1;
const FALLING_EDGE = 2;

const doorbellUnknown: Rule = {
  name: 'doorbell-unknown',
  severity: 'error',
  over: 'port',
  reads: ['global-doorbell'],
  requires: ['phandle-to-nowhere', 'missing-property'],
  summary: 'A `global-doorbell` is a doorbell of `/partitions` that is not disabled.',
  remedy: 'Refer to a child of `/partitions` whose `compatible` is `doorbell`.',
  *run(port, { tree }) {
    if (!isSendDoorbell(port) && !isReceiveDoorbell(port)) return;
    const node = referred(tree, port, 'global-doorbell');
    const known = doorbellNodes(tree);
    if (!node || memo(tree.root, 'set of doorbells', () => new Set(known)).has(node)) return;
    const names = known.map(({ name }) => name);
    yield {
      ...at(port, 'global-doorbell'),
      message: `${nameOf(port)} is to be for ${node.path}, which is no doorbell of /partitions`,
      remedy:
        names.length === 0
          ? 'add one to /partitions: bell: bell { compatible = "doorbell"; };'
          : `refer to a doorbell: ${didYouMean(node.name, names)}`,
    };
  },
};

const doorbellOneEnded: Rule = {
  name: 'doorbell-one-ended',
  severity: 'warning',
  over: 'tree',
  summary: 'A doorbell has somebody to ring it and somebody to hear it.',
  remedy: 'Add the `send-doorbell` or `receive-doorbell` that is missing, or take the doorbell out.',
  *run(_root, { tree, partitions }) {
    const allEnds = new Map<Node, Node[]>();
    for (const port of partitions.flatMap(portsOf)) {
      const bell = referred(tree, port, 'global-doorbell');
      if (bell) (allEnds.get(bell) ?? allEnds.set(bell, []).get(bell)!).push(port);
    }
    for (const node of doorbellNodes(tree)) {
      const ends = allEnds.get(node) ?? [];
      const [rung, heard] = [ends.some(isSendDoorbell), ends.some(isReceiveDoorbell)];
      if (rung && heard) continue;
      const missing = rung ? 'receive-doorbell' : 'send-doorbell';
      yield {
        node,
        message: `nobody ${rung ? 'hears' : heard ? 'rings' : 'rings or hears'} the doorbell '${node.name}'`,
        remedy: `add to a partition: ${node.name} { compatible = "${missing}"; global-doorbell = <&…>; };`,
      };
    }
  },
};

const doorbellEdge: Rule = {
  name: 'doorbell-edge',
  severity: 'error',
  over: 'port',
  reads: ['interrupts'],
  requires: ['interrupt-type', 'interrupt-line-range'],
  summary: 'The interrupts of a doorbell are of type 1 or 2: a ring is an edge, and no level stands after it.',
  remedy: 'Write 1 behind the line, or leave `interrupts` out.',
  *run(port) {
    if (!isReceiveDoorbell(port) && !isManagedPartition(port)) return;
    const level = statedLines(port).find(({ type }) => type !== RISING_EDGE && type !== FALLING_EDGE);
    if (!level) return;
    yield {
      ...at(port, 'interrupts'),
      message: `${nameOf(port)} has interrupt line ${level.line} of type ${level.type}, and a doorbell gives edges`,
      remedy: `write <${level.line} 1>, or leave interrupts out`,
    };
  },
};

const managedUnknown: Rule = {
  name: 'managed-partition-unknown',
  severity: 'error',
  over: 'port',
  reads: ['partition'],
  requires: ['phandle-to-nowhere', 'missing-property'],
  summary: 'A managed partition is a partition that is not disabled, and not the manager itself.',
  remedy: 'Refer to another partition by its label.',
  *run(port, { tree, partitions }) {
    if (!isManagedPartition(port)) return;
    const node = referred(tree, port, 'partition');
    const runs = memo(tree.root, 'set of partitions', () => new Set(partitions));
    if (!node || (runs.has(node) && node !== port.parent)) return;
    const others = partitions.filter((other) => other !== port.parent).map(({ name }) => name);
    yield {
      ...at(port, 'partition'),
      message:
        node === port.parent
          ? `${nameOf(port)} is to manage its own partition, which any guest can by handle -1`
          : `${nameOf(port)} is to manage ${node.path}, which is no partition that runs`,
      remedy: others.length === 0 ? 'take it out' : `refer to another: ${others.join(', ')}`,
    };
  },
};

/**
 * The last partition of every set of partitions that manage each other, directly or by others, with one of them that
 * manages it: the strongly connected components of who manages whom, by Tarjan's algorithm.
 */
function cycles(tree: Tree, partitions: readonly Node[]): Map<Node, Node> {
  const order = new Map(partitions.map((node, i) => [node, i]));
  const seen = new Map<Node, { readonly index: number; low: number; open: boolean }>();
  const stack: Node[] = [];
  const found = new Map<Node, Node>();
  const visit = (root: Node): void => {
    const begin = (node: Node) => {
      seen.set(node, { index: seen.size, low: seen.size, open: true });
      stack.push(node);
      return { node, next: managedBy(tree, node).values() };
    };
    const path = [begin(root)];
    while (path.length > 0) {
      const { node, next } = path.at(-1)!;
      const mark = seen.get(node)!;
      const step = next.next();
      if (!step.done) {
        const known = seen.get(step.value);
        if (!known) path.push(begin(step.value));
        else if (known.open) mark.low = Math.min(mark.low, known.index);
        continue;
      }
      path.pop();
      const above = path.at(-1);
      if (above) seen.get(above.node)!.low = Math.min(seen.get(above.node)!.low, mark.low);
      if (mark.low === mark.index) close(node);
    }
  };
  const close = (node: Node): void => {
    const members = stack.splice(stack.lastIndexOf(node));
    for (const member of members) seen.get(member)!.open = false;
    members.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
    const last = members.at(-1)!;
    const back = members.find((one) => one !== last && managedBy(tree, one).includes(last));
    if (back) found.set(last, back);
  };
  for (const partition of partitions) if (!seen.has(partition)) visit(partition);
  return found;
}

const managerCycle: Rule = {
  name: 'manager-cycle',
  severity: 'error',
  over: 'partition',
  summary: 'No partition manages, itself or by others that it manages, one of its own managers.',
  remedy: 'Take one of the `managed-partition` nodes out.',
  *run(partition, { tree, partitions }) {
    const back = memo(tree.root, 'manager cycles', () => cycles(tree, partitions)).get(partition);
    if (!back) return;
    yield {
      node: partition,
      message: `${nameOf(partition)} is managed by ${nameOf(back)}, which it manages itself, or by others`,
      remedy: 'take one of the managed-partition nodes out',
    };
  },
};

/** What can be wrong with doorbells and managers. */
export const managementRules: readonly Rule[] = [
  doorbellUnknown,
  doorbellEdge,
  doorbellOneEnded,
  managedUnknown,
  managerCycle,
];
