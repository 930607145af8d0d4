import { memo } from '../memo.js';
import { isManaged, isManagedPartition, isReceiveDoorbell, isSendDoorbell, portsOf, referred } from '../partitions.js';
import type { Node } from '../tree.js';
import { at, nameOf, type Context, type Problem, type Rule } from './rule.js';

/** Ports of a partition that refer to what another port of the same kind refers to already. */
function* repeated(
  partition: Node,
  { tree }: Context,
  wanted: (port: Node) => boolean,
  property: string,
  what: string,
): Iterable<Problem> {
  const seen = new Map<Node, Node>();
  for (const port of portsOf(partition).filter(wanted)) {
    const target = referred(tree, port, property);
    const before = target && seen.get(target);
    if (target && !before) seen.set(target, port);
    if (!before) continue;
    yield {
      ...at(port, property),
      message: `${nameOf(port)} ${what} '${target.name}', as '${before.name}' does already`,
      remedy: `take one of the two out, or let it be for another`,
    };
  }
}

const doorbellTwice: Rule = {
  name: 'doorbell-twice',
  severity: 'warning',
  over: 'partition',
  summary: 'A partition has one node to ring a doorbell by, and one to hear it by.',
  remedy: 'Take one of the nodes out; each has a handle, and each that hears an interrupt line.',
  *run(partition, context) {
    yield* repeated(partition, context, isSendDoorbell, 'global-doorbell', 'rings');
    yield* repeated(partition, context, isReceiveDoorbell, 'global-doorbell', 'hears');
  },
};

const doorbellToItself: Rule = {
  name: 'doorbell-to-itself',
  severity: 'note',
  over: 'partition',
  summary: 'A doorbell that a partition rings is heard by another: otherwise the partition interrupts itself alone.',
  remedy: 'Let another partition hear it, or take the doorbell out.',
  *run(partition, { tree, partitions }) {
    const ends = memo(tree.root, 'who rings and hears', () => endsOf(tree, partitions));
    for (const port of portsOf(partition).filter(isSendDoorbell)) {
      const bell = referred(tree, port, 'global-doorbell');
      const hearers = bell && ends.get(bell);
      if (hearers?.size !== 1 || !hearers.has(partition)) continue;
      yield {
        ...at(port, 'global-doorbell'),
        message: `${nameOf(port)} rings '${bell!.name}', which only the same partition hears`,
        remedy: 'add a receive-doorbell to the partition that is to hear it',
      };
    }
  },
};

/** The partitions that hear each doorbell. */
function endsOf(tree: Context['tree'], partitions: readonly Node[]): Map<Node, Set<Node>> {
  const ends = new Map<Node, Set<Node>>();
  for (const partition of partitions)
    for (const port of portsOf(partition).filter(isReceiveDoorbell)) {
      const bell = referred(tree, port, 'global-doorbell');
      if (!bell) continue;
      const hearers = ends.get(bell) ?? new Set();
      ends.set(bell, hearers.add(partition));
    }
  return ends;
}

const managedTwice: Rule = {
  name: 'managed-twice',
  severity: 'warning',
  over: 'partition',
  summary: 'A manager has one node for each partition that it manages.',
  remedy: 'Take one of the nodes out: each takes three interrupt lines and a handle.',
  *run(partition, context) {
    yield* repeated(partition, context, isManagedPartition, 'partition', 'manages');
  },
};

const neverStarted: Rule = {
  name: 'never-started',
  severity: 'note',
  over: 'partition',
  reads: ['no-auto-start'],
  summary: 'A partition with `no-auto-start` has a manager, which can start it; otherwise only a person can.',
  remedy: 'Give it a manager, or take `no-auto-start` out.',
  *run(partition, { tree }) {
    if (!partition.has('no-auto-start') || isManaged(tree, partition)) return;
    yield {
      ...at(partition, 'no-auto-start'),
      message: `${nameOf(partition)} is not started by itself, and no partition manages it: only a person can start it`,
      remedy: 'add a managed-partition node to another partition, or take no-auto-start out',
    };
  },
};

const watchdogWithoutManager: Rule = {
  name: 'watchdog-without-manager',
  severity: 'warning',
  over: 'partition',
  reads: ['watchdog-timeout'],
  summary: 'A partition whose `watchdog-timeout` is `manager-notify` has a manager to notify.',
  remedy: 'Give it a manager, or write `partition-reset` or `partition-stop`.',
  *run(partition, { tree }) {
    if (partition.get('watchdog-timeout')?.string !== 'manager-notify' || isManaged(tree, partition)) return;
    yield {
      ...at(partition, 'watchdog-timeout'),
      message: `the managers of ${nameOf(partition)} are to hear of its watchdog, and it has none`,
      remedy: 'write watchdog-timeout = "partition-reset"; or give it a manager',
    };
  },
};

/** What can be wrong with who rings, hears, manages and is told of whom. */
export const relationRules: readonly Rule[] = [
  doorbellTwice,
  doorbellToItself,
  managedTwice,
  neverStarted,
  watchdogWithoutManager,
];
