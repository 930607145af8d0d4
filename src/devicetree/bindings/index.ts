import { memoOf } from '../memo.js';
import type { Node } from '../tree.js';
import type { Binding, Place, Properties } from './binding.js';
import { boardSerial, serial } from './serial.js';
import { byteChannel } from './byte-channel.js';
import { configurationDcrs, cpu, memory, uic } from './board.js';
import { doorbell, managedPartition, receiveDoorbell, sendDoorbell } from './doorbells.js';
import { finisher } from './finisher.js';
import { partition } from './partition.js';
import { partitions } from './partitions.js';
import { sharedMemory, sharedMemoryWindow } from './shared-memory.js';
import { standard } from './standard.js';
import { matrixAxis, testMatrix, testNode, testScript, testStep } from './test.js';

/** Every kind of node that hv440 reads, those of its own first. */
export const bindings: readonly Binding[] = [
  partitions,
  partition,
  serial,
  finisher,
  byteChannel,
  doorbell,
  sendDoorbell,
  receiveDoorbell,
  managedPartition,
  sharedMemory,
  sharedMemoryWindow,
  testNode,
  testScript,
  testStep,
  testMatrix,
  matrixAxis,
  cpu,
  memory,
  uic,
  configurationDcrs,
  boardSerial,
];

/** Where the node stands, or undefined for what nobody looks at (below a device of a partition, or in a `node-update`). */
export const placeOf: (node: Node) => Place | undefined = memoOf((node) => {
  const { parent } = node;
  if (!parent) return 'board';
  if (!parent.parent) return atRoot(node);
  const above = placeOf(parent);
  if (above === 'test') return node.name === 'matrix' ? 'matrix' : 'script';
  if (above === 'script') return 'step';
  if (above === 'matrix') return 'axis';
  // What is in the wrong place is a mistake as a whole; what it holds is not the board's.
  if (above === 'board') return parent.isCompatible('hv440,partition', 'hv440,partitions') ? undefined : 'board';
  if (above === 'root') return 'partitions';
  return above === 'partitions' && node.name !== 'node-update' ? 'partition' : undefined;
});

function atRoot(node: Node): Place {
  if (node.name === 'partitions') return 'root';
  return node.name === 'test' && (!node.has('compatible') || node.isCompatible(...testNode.compatible))
    ? 'test'
    : 'board';
}

/** The kinds of node that may stand in a place. */
export const bindingsAt = (place: Place): Binding[] => bindings.filter((b) => b.place === place);

/** The binding that tells what a node may say, or undefined. */
export const bindingOf = memoOf((node): Binding | undefined => {
  const place = placeOf(node);
  return bindings.find((binding) => {
    if (binding.place !== place) return false;
    if (binding.deviceType !== undefined) return node.get('device_type')?.string === binding.deviceType;
    return binding.compatible === undefined || node.isCompatible(...binding.compatible);
  });
});

/** What a node's properties may be: those of its binding, and unless that is closed, those of any node. */
export const propertiesOf = memoOf((node): Properties => {
  const binding = bindingOf(node);
  if (!binding) return standard;
  return binding.closed ? binding.properties : { ...standard, ...binding.properties };
});
