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
import type { Node } from '../tree.js';
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
    if (!node || known.includes(node)) return;
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
    const ports = partitions.flatMap(portsOf);
    for (const node of doorbellNodes(tree)) {
      const ends = ports.filter((port) => referred(tree, port, 'global-doorbell') === node);
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
    if (!node || (partitions.includes(node) && node !== port.parent)) return;
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

const managerCycle: Rule = {
  name: 'manager-cycle',
  severity: 'error',
  over: 'partition',
  summary: 'No partition manages, itself or by others that it manages, one of its own managers.',
  remedy: 'Take one of the `managed-partition` nodes out.',
  *run(partition, { tree, partitions }) {
    const below = (from: Node): Set<Node> => {
      const all = new Set(managedBy(tree, from));
      for (const one of all) for (const other of managedBy(tree, one)) all.add(other);
      return all;
    };
    const cycle = [...below(partition)].filter((one) => below(one).has(partition));
    const last = cycle.every((one) => partitions.indexOf(one) <= partitions.indexOf(partition));
    const back = cycle.find((one) => one !== partition && managedBy(tree, one).includes(partition));
    if (!last || !back) return;
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
