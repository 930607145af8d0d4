import { LEVEL_HIGH, interruptsOf, physicalReg, regOf, type Range } from './addresses.js';
import { bindingOf, placeOf } from './bindings/index.js';
import { byteChannel } from './bindings/byte-channel.js';
import { doorbell, managedPartition, receiveDoorbell, sendDoorbell } from './bindings/doorbells.js';
import { finisher } from './bindings/finisher.js';
import { partition as partitionBinding } from './bindings/partition.js';
import { serial } from './bindings/serial.js';
import { sharedMemory, sharedMemoryWindow } from './bindings/shared-memory.js';
import { memo, memoOf } from './memo.js';
import type { Node, Tree } from './tree.js';

/** Inputs of an interrupt controller (UIC). */
export const LINES = 32;

/** A line of a partition's own controller. */
export interface Line {
  readonly line: number;
  readonly type: number;
}

const RISING_EDGE = 1;

/** Whether a node is to be left out (`status = "disabled"`). */
export const disabled = (node: Node): boolean => node.get('status')?.string === 'disabled';

/** `/partitions`, or undefined. */
export const partitionsNode = (tree: Tree): Node | undefined => tree.root.children.find((c) => c.name === 'partitions');

/** The partitions of a tree in the order of the source, without those that are disabled. */
export const partitionNodes = (tree: Tree): readonly Node[] =>
  memo(tree.root, 'partitions', () =>
    (partitionsNode(tree)?.children ?? []).filter((node) => node.isCompatible('hv440,partition') && !disabled(node)),
  );

/** The devices that the hypervisor provides to a partition, in the order of the source. */
export const portsOf: (partition: Node) => readonly Node[] = memoOf((partition) =>
  partition.children.filter((node) => bindingOf(node)?.place === 'partition' && !disabled(node)),
);

/** The ports that a partition's console can be. */
export const consolesOf = (partition: Node): Node[] =>
  portsOf(partition).filter((p) => isSerial(p) || isByteChannel(p));

export const isSerial = (node: Node): boolean => node.isCompatible(...serial.compatible);
export const isByteChannel = (node: Node): boolean => node.isCompatible(...byteChannel.compatible);
export const isFinisher = (node: Node): boolean => node.isCompatible(...finisher.compatible);

export const isSendDoorbell = (node: Node): boolean => node.isCompatible(...sendDoorbell.compatible);
export const isReceiveDoorbell = (node: Node): boolean => node.isCompatible(...receiveDoorbell.compatible);
export const isSharedMemoryWindow = (node: Node): boolean => node.isCompatible(...sharedMemoryWindow.compatible);
export const isManagedPartition = (node: Node): boolean => node.isCompatible(...managedPartition.compatible);

/** The doorbells of a tree, without those that are disabled. */
export const doorbellNodes = (tree: Tree): readonly Node[] =>
  memo(tree.root, 'doorbells', () =>
    (partitionsNode(tree)?.children ?? []).filter((n) => n.isCompatible(...doorbell.compatible) && !disabled(n)),
  );

/** What is shared between partitions, without what is disabled. */
export const sharedMemoryNodes = (tree: Tree): readonly Node[] =>
  memo(tree.root, 'shared memories', () =>
    (partitionsNode(tree)?.children ?? []).filter((n) => n.isCompatible(...sharedMemory.compatible) && !disabled(n)),
  );

/** Bytes of shared memory; 0 where its `size` is not two cells. */
export function sharedSizeOf(memory: Node): number {
  const cells = memory.get('size')?.cells ?? [];
  return cells.length === 2 ? cells[0]! * 2 ** 32 + cells[1]! : 0;
}

/** The node that a property refers to, where it is one reference and leads to a node. */
export function referred(tree: Tree, node: Node, property: string): Node | undefined {
  const value = node.get(property);
  return value?.value.length === 4 ? tree.byPhandle(value.cells[0]!) : undefined;
}

/** Whether a byte channel leads to another partition instead of to a stream. */
export const isConnected = (port: Node): boolean => isByteChannel(port) && port.has('endpoint');

/** The ports of a partition that have a stream at the multiplexer. */
export const streamPortsOf = (partition: Node): Node[] => consolesOf(partition).filter((port) => !isConnected(port));

/** The partitions that a partition manages. */
export const managedBy = (tree: Tree, partition: Node): Node[] =>
  portsOf(partition)
    .filter(isManagedPartition)
    .flatMap((port) => referred(tree, port, 'partition') ?? []);

/** Whether some other partition manages this one. */
export const isManaged = (tree: Tree, partition: Node): boolean =>
  memo(tree.root, 'managed', () => {
    const all = partitionNodes(tree);
    return new Set(all.flatMap((other) => managedBy(tree, other).filter((one) => one !== other)));
  }).has(partition);

/** How many interrupts a port has, and of which type where it does not say. */
function wantedLines(port: Node): { count: number; type: number } {
  if (isByteChannel(port)) return { count: byteChannel.properties.interrupts.interrupts, type: LEVEL_HIGH };
  if (isReceiveDoorbell(port)) return { count: receiveDoorbell.properties.interrupts.interrupts, type: RISING_EDGE };
  if (isManagedPartition(port)) return { count: managedPartition.properties.interrupts.interrupts, type: RISING_EDGE };
  return { count: isSerial(port) ? 1 : 0, type: LEVEL_HIGH };
}

/** The ports of a partition that have interrupts. */
export const wiredPortsOf = (partition: Node): Node[] =>
  portsOf(partition).filter((port) => wantedLines(port).count > 0);

/** The partition's console: what `stdout` names, or else its first stream; undefined where it names none or there is none. */
export function consoleOf(tree: Tree, partition: Node): Node | undefined {
  const consoles = consolesOf(partition);
  const stdout = partition.get('stdout');
  if (!stdout) return streamPortsOf(partition)[0];
  // A blob does not say whether these are a reference or three letters; no phandle of ours is as large as letters.
  const referred = stdout.value.length === 4 && consoles.find((port) => port.phandle === stdout.cells[0]);
  if (referred) return referred;
  const name = stdout.string.split(':')[0]!;
  const named = name.startsWith('/') ? tree.find(name) : partition.child(name);
  return consoles.find((port) => port === named);
}

/** The board's devices that a partition has to itself, as far as its references lead to a node. */
export const devicesOf = (tree: Tree, partition: Node): Node[] =>
  (partition.get('devices')?.cells ?? []).flatMap((phandle) => tree.byPhandle(phandle) ?? []);

/** Everything but the memory that a partition's guest finds at an address: its ports, and the board's devices it has. */
export function registersOf(tree: Tree, partition: Node): { node: Node; range: Range }[] {
  const ports = portsOf(partition).flatMap((node) => regOf(node).map((range) => ({ node, range })));
  const devices = devicesOf(tree, partition).flatMap((node) => physicalReg(node).map((range) => ({ node, range })));
  return [...ports, ...devices];
}

/** The lines that a port's own `interrupts` name; none where it leaves the choice to us. */
export function statedLines(port: Node): Line[] {
  const cells = port.get('interrupts')?.cells ?? [];
  return Array.from({ length: cells.length >> 1 }, (_, i) => ({ line: cells[i * 2]!, type: cells[i * 2 + 1]! }));
}

/**
 * The lines of every port of a partition that has any. First come those that are stated, here and by the board's
 * devices it has; then, in the order of the source, serial ports get the line of the board's device with the same
 * unit address, if it is free; then all others the lowest free lines, and last, under its own node, a partition that has a manager the one by which it is told to
 * shut down. What finds none free is left out.
 */
export function linesOf(tree: Tree, partition: Node): Map<Node, Line[]> {
  const lines = new Map<Node, Line[]>();
  const taken = new Set(devicesOf(tree, partition).flatMap((node) => interruptsOf(node).map((i) => i.line)));
  const give = (port: Node, chosen: Line[]): void => {
    lines.set(port, chosen);
    for (const { line } of chosen) taken.add(line);
  };
  const ports = wiredPortsOf(partition);
  for (const port of ports) if (port.has('interrupts')) give(port, statedLines(port));
  for (const port of ports.filter((p) => isSerial(p) && !lines.has(p))) {
    const [like] = boardInterrupts(tree, port);
    if (like && !taken.has(like.line)) give(port, [like]);
  }
  const giveFree = (node: Node, { count, type }: { count: number; type: number }): void => {
    const free = Array.from({ length: LINES }, (_, line) => line).filter((line) => !taken.has(line));
    const chosen = free.slice(0, count).map((line) => ({ line, type }));
    if (chosen.length === count) give(node, chosen);
  };
  for (const port of ports.filter((p) => !lines.has(p))) giveFree(port, wantedLines(port));
  if (isManaged(tree, partition)) giveFree(partition, { count: 1, type: RISING_EDGE });
  return lines;
}

/** The interrupts of the board's node with the same unit address as this port. */
function boardInterrupts(tree: Tree, { unitAddress }: Node): readonly Line[] {
  const byUnit = memo(tree.root, 'interrupts by unit address', () => {
    const lines = new Map<string, Line[]>();
    for (const node of tree.root.walk()) {
      const unit = node.unitAddress?.toLowerCase();
      if (unit === undefined || lines.has(unit) || placeOf(node) !== 'board') continue;
      const interrupts = interruptsOf(node);
      if (interrupts.length > 0)
        lines.set(
          unit,
          interrupts.map(({ line, type }) => ({ line, type })),
        );
    }
    return lines;
  });
  return byUnit.get(unitAddress?.toLowerCase() ?? '@') ?? [];
}

/** The guest-physical ranges of a partition's memory, as stated. */
export function memoryOf(partition: Node): Range[] {
  const cells = partition.get('memory')?.cells ?? [];
  return Array.from({ length: cells.length >> 2 }, (_, i) => {
    const [baseHigh, baseLow, sizeHigh, sizeLow] = cells.slice(i * 4, i * 4 + 4) as [number, number, number, number];
    return { base: baseHigh * 2 ** 32 + baseLow, size: sizeHigh * 2 ** 32 + sizeLow };
  });
}

/** What `paravirtualization` may name. */
export type Offer = (typeof partitionBinding.properties.paravirtualization.values)[number];

/** Is the guest of a partition offered this beside a plain 440? */
export const offers = (partition: Node, offer: Offer): boolean =>
  partition.get('paravirtualization')?.strings.includes(offer) ?? false;

/** Sizes of the pages of the board's memory that a partition's magic pages take: one a processor. */
export function magicPagesOf(partition: Node): number[] {
  const { vcpus } = partitionBinding.properties;
  const pages = offers(partition, 'magic-page') ? (partition.cell('vcpus') ?? vcpus.default) : 0;
  return Array.from({ length: pages }, () => 4096);
}

/** A word of an image to be replaced once it is loaded. */
export interface ImagePatch {
  /** Guest-physical. */
  readonly address: number;
  /** What has to be there, or the image is another one. */
  readonly expected: number;
  readonly word: number;
}

export function imagePatchesOf(partition: Node): ImagePatch[] {
  const cells = partition.get('image-patch')?.cells ?? [];
  return Array.from({ length: Math.floor(cells.length / 3) }, (_, i) => {
    const [address, expected, word] = cells.slice(i * 3) as [number, number, number];
    return { address, expected, word };
  });
}
