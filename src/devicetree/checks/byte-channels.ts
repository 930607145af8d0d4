import { consoleOf, disabled, isByteChannel, isConnected, partitionNodes, referred } from '../partitions.js';
import { placeOf } from '../bindings/index.js';
import type { Node, Tree } from '../tree.js';
import { at, nameOf, type Problem, type Rule } from './rule.js';

/** The byte channel of a partition that a connected one names; undefined where it names something else. */
function peerOf(tree: Tree, port: Node): Node | undefined {
  const other = isConnected(port) ? referred(tree, port, 'endpoint') : undefined;
  return other && placeOf(other) === 'partition' && isByteChannel(other) ? other : undefined;
}

/** `<&link>`, as far as the node has a label. */
const reference = ({ labels: [label = '…'] }: Node): string => `<&${label}>`;

const unknown: Rule = {
  name: 'byte-channel-unknown',
  severity: 'error',
  over: 'port',
  reads: ['endpoint'],
  summary: '`endpoint` of a byte channel refers to a byte channel of a partition.',
  remedy:
    'Refer to the byte channel node in the other partition, or take `endpoint` out: the channel is then a stream.',
  *run(port, { tree }) {
    if (!isConnected(port) || peerOf(tree, port)) return;
    const other = referred(tree, port, 'endpoint');
    yield {
      ...at(port, 'endpoint'),
      message: `'endpoint' of ${nameOf(port)} refers to ${other ? nameOf(other) : 'nothing'}, which is no byte channel`,
      remedy: 'refer to a byte channel of another partition, or take endpoint out',
    };
  },
};

const toItself: Rule = {
  name: 'byte-channel-to-itself',
  severity: 'error',
  over: 'port',
  reads: ['endpoint'],
  summary: 'A byte channel is not connected to itself.',
  remedy: 'Refer to the byte channel of the other partition.',
  *run(port, { tree }) {
    if (peerOf(tree, port) !== port) return;
    yield {
      ...at(port, 'endpoint'),
      message: `${nameOf(port)} is connected to itself`,
      remedy: 'refer to a byte channel of another partition, or take endpoint out',
    };
  },
};

const toNobody: Rule = {
  name: 'byte-channel-to-disabled',
  severity: 'error',
  over: 'port',
  reads: ['endpoint'],
  summary: 'The byte channel at the other end, and the partition that it belongs to, are not disabled.',
  remedy: 'Enable what is disabled, disable this end too, or take `endpoint` out.',
  *run(port, { tree }) {
    const other = peerOf(tree, port);
    if (!other || present(tree, other)) return;
    const missing = disabled(other) ? other : other.parent!;
    yield {
      ...at(port, 'endpoint'),
      message: `${nameOf(port)} is connected to ${nameOf(other)}, and ${disabled(other) ? 'that' : nameOf(missing)} is disabled`,
      remedy: `disable '${port.name}' too, or enable ${nameOf(missing)}`,
    };
  },
};

/** Whether a byte channel is there when the board runs. */
const present = (tree: Tree, port: Node): boolean => !disabled(port) && partitionNodes(tree).includes(port.parent!);

const twice: Rule = {
  name: 'byte-channel-twice',
  severity: 'error',
  over: 'port',
  reads: ['endpoint'],
  requires: ['byte-channel-to-itself', 'byte-channel-to-disabled'],
  summary: 'A byte channel is connected to one other.',
  remedy: 'Give the partition a byte channel for each that it is to be connected to.',
  *run(port, { tree }) {
    const other = peerOf(tree, port);
    const third = other && peerOf(tree, other);
    if (!other || !third || third === port || third === other || peerOf(tree, third) !== other) return;
    yield {
      ...at(port, 'endpoint'),
      message: `${nameOf(port)} is connected to ${nameOf(other)}, which is connected to ${nameOf(third)} already`,
      remedy: `give ${nameOf(other.parent!)} another byte channel, with endpoint = ${reference(port)};`,
    };
  },
};

const oneEnded: Rule = {
  name: 'byte-channel-one-ended',
  severity: 'error',
  over: 'port',
  reads: ['endpoint'],
  requires: ['byte-channel-to-itself', 'byte-channel-to-disabled', 'byte-channel-twice'],
  summary: 'Of two connected byte channels each names the other.',
  remedy: 'Give the other end an `endpoint` that refers to this one.',
  *run(port, context): Iterable<Problem> {
    const { tree } = context;
    const other = peerOf(tree, port);
    if (!other || !context.sound(other, 'endpoint') || peerOf(tree, other) === port) return;
    const named = referred(tree, other, 'endpoint');
    yield {
      ...at(port, 'endpoint'),
      message: `${nameOf(port)} is connected to ${nameOf(other)}, which ${named ? `names ${nameOf(named)}` : 'has no endpoint'}`,
      remedy: `write endpoint = ${reference(port)}; in ${nameOf(other)}`,
    };
  },
};

const consoleToPartition: Rule = {
  name: 'console-to-partition',
  severity: 'warning',
  over: 'partition',
  reads: ['stdout'],
  summary: "A partition's console is a stream that a person can see, not a channel to another partition.",
  remedy: 'Name another port by `stdout`, or leave it out for the first that is a stream.',
  *run(partition, { tree }) {
    const console = consoleOf(tree, partition);
    const other = console && peerOf(tree, console);
    if (!other) return;
    yield {
      ...at(partition, 'stdout'),
      message: `the console of ${nameOf(partition)} is connected to ${nameOf(other)}: what it prints cannot be seen`,
      remedy: 'name a serial port, or a byte channel without endpoint',
    };
  },
};

/** What can be wrong with byte channels between partitions. */
export const byteChannelRules: readonly Rule[] = [unknown, toItself, toNobody, twice, oneEnded, consoleToPartition];
