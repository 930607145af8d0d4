import { deviceName, dcrsOf, interruptsOf, physicalReg, regOf, type Range } from '../../devicetree/addresses.js';
import { placeOf } from '../../devicetree/bindings/index.js';
import { encodeBlob } from '../../devicetree/blob.js';
import type { Configuration, PartitionConfiguration } from '../../devicetree/configuration.js';
import { coreNodes, coreNumber } from '../../devicetree/cores.js';
import { disabled, type Line } from '../../devicetree/partitions.js';
import { placeMemory } from '../../devicetree/placement.js';
import type { Node, Tree } from '../../devicetree/tree.js';
import { guestTree } from '../../hypervisor/guest-tree.js';
import { allSizes } from '../../hypervisor/placement.js';
import { layOut } from '../../loader/boot.js';
import type { Image } from '../../loader/image.js';

/** A stretch of an address space, and what is there. */
export interface Block extends Range {
  readonly kind:
    'memory' | 'image' | 'initrd' | 'device-tree' | 'virtual' | 'device' | 'magic-page' | 'shared' | 'free';
  /** `image ../firmware/hello/hello.elf`. */
  readonly what: string;
  /** The name of the node that it is of, for devices. */
  readonly node?: string;
}

/** A stretch of the board's memory; without an owner it is nobody's. */
export interface Physical extends Block {
  readonly owner?: string;
  /** Where its owner finds it. */
  readonly guest?: number;
}

/** An interrupt that arrives at a controller. */
export interface Wire extends Line {
  /** The controller's name on the board; a partition has only its own. */
  readonly controller: string;
  readonly source: string;
}

/** A device of the board; without an owner the hypervisor keeps it. */
export interface BoardDevice {
  readonly name: string;
  readonly registers: readonly Range[];
  /** Runs of register numbers. */
  readonly dcrs: readonly Range[];
  readonly wires: readonly Wire[];
  readonly owner?: string;
  /** Its owner reaches its registers without an exit. */
  readonly direct: boolean;
}

/** What one partition sees. */
export interface PartitionMap {
  readonly name: string;
  readonly label: string;
  readonly image: string;
  /** Guest-physical, in order; what an image fills lies in a block of memory. */
  readonly blocks: readonly Block[];
  readonly wires: readonly Wire[];
  readonly vcpus: number;
  /** Per cent of a core that each of them is guaranteed. */
  readonly guarantee?: number;
  /** The names of the cores that they may have. */
  readonly cores: readonly string[];
  readonly entry: number;
  /** The name of the port that is its console. */
  readonly console?: string;
  /** `auto-start`, `privileged` … as words for a person. */
  readonly traits: readonly string[];
}

/** Something by which partitions reach each other. */
export interface Channel {
  readonly kind: 'doorbell' | 'manager' | 'byte-channel';
  readonly name: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** Who owns what. */
export interface Ownership {
  readonly model: string;
  readonly cores: readonly { readonly name: string; readonly frequency: number }[];
  /** Cycles before it is another's turn. */
  readonly quantum: number;
  /** The board's memory in the order of its addresses, without a gap. */
  readonly memory: readonly Physical[];
  readonly devices: readonly BoardDevice[];
  readonly partitions: readonly PartitionMap[];
  readonly channels: readonly Channel[];
}

/** What a partition boots, as far as a map wants to know. */
export interface Contents {
  readonly image: Image;
  /** Bytes. */
  readonly initrd?: number;
}

/** Who owns what in a tree that has no errors. */
export function ownershipOf(
  tree: Tree,
  configuration: Configuration,
  contentsOf: (partition: PartitionConfiguration) => Contents,
): Ownership {
  const nodes = [...tree.root.walk()].filter((node) => placeOf(node) === 'board' && !disabled(node));
  const cores = coreNodes(tree).filter((node) => !disabled(node));
  const { partitions, quantum } = configuration;
  return {
    model: tree.root.get('model')?.string ?? tree.root.get('compatible')?.string ?? 'a board without a name',
    cores: cores.map((node) => ({ name: node.name, frequency: node.cell('clock-frequency') ?? 0 })),
    quantum,
    memory: physicalMemory(nodes, configuration),
    devices: nodes.filter(isDevice).map((node) => boardDevice(node, partitions)),
    partitions: partitions.map((partition, i) => partitionMap(tree, partition, i + 1, contentsOf(partition))),
    channels: [...doorbells(partitions), ...byteChannels(partitions), ...managers(partitions)],
  };
}

const isMemory = (node: Node): boolean => node.get('device_type')?.string === 'memory';

const isDevice = (node: Node): boolean =>
  !isMemory(node) &&
  node.has('compatible') &&
  (regOf(node).length > 0 || node.has('dcr-reg') || node.has('interrupts'));

/** Ranges by address, with what is free between them as blocks of their own. */
function withGaps(whole: Range, taken: readonly Physical[]): Physical[] {
  const blocks: Physical[] = [];
  let at = whole.base;
  const free = (end: number): void => {
    if (end > at) blocks.push({ kind: 'free', what: 'free', base: at, size: end - at });
  };
  for (const block of taken.toSorted((a, b) => a.base - b.base)) {
    free(block.base);
    blocks.push(block);
    at = block.base + block.size;
  }
  free(whole.base + whole.size);
  return blocks;
}

function physicalMemory(nodes: readonly Node[], configuration: Configuration): Physical[] {
  const { partitions, sharedMemories } = configuration;
  const board = nodes.filter(isMemory).flatMap(physicalReg);
  const places = placeMemory(board, allSizes(configuration)) ?? [];
  const owned = partitions.flatMap((partition): Physical[] => {
    const { name: owner, memory, magicPages } = partition;
    const at = places.splice(0, memory.length + magicPages.length);
    return [
      ...memory.map(({ base: guest, size }, i): Physical => ({
        kind: 'memory',
        what: owner,
        base: at[i]!,
        size,
        owner,
        guest,
      })),
      ...magicPages.map((size, i): Physical => ({
        kind: 'magic-page',
        what: `magic page of ${owner}`,
        base: at[memory.length + i]!,
        size,
        owner,
      })),
    ];
  });
  const shared = sharedMemories.map(({ name, size }, i): Physical => ({
    kind: 'shared',
    what: `shared memory ${name}: ${seenBy(name, partitions)}`,
    base: places[i]!,
    size,
  }));
  return board
    .toSorted((a, b) => a.base - b.base)
    .flatMap((range) =>
      withGaps(
        range,
        [...owned, ...shared].filter(({ base }) => base >= range.base && base < range.base + range.size),
      ),
    );
}

/** `one at 0x80000000, two at 0x90000000 read-only`. */
function seenBy(memory: string, partitions: readonly PartitionConfiguration[]): string {
  const users = partitions.flatMap(({ name, windows }) =>
    windows
      .filter((window) => window.memory === memory)
      .map(({ base, readOnly }) => `${name} at 0x${base.toString(16)}${readOnly ? ' read-only' : ''}`),
  );
  return users.length === 0 ? 'nobody' : users.join(', ');
}

function boardDevice(node: Node, partitions: readonly PartitionConfiguration[]): BoardDevice {
  const owner = partitions.find(({ devices }) => devices.includes(node));
  const registers = physicalReg(node);
  const onOwnPage = ({ base, size }: Range): boolean =>
    owner?.pages.some((page) => base >= page.base && base + size <= page.base + page.size) ?? false;
  return {
    name: deviceName(node),
    registers,
    dcrs: dcrsOf(node),
    wires: wiresOf(node),
    ...(owner && { owner: owner.name }),
    direct: registers.length > 0 && registers.every(onOwnPage),
  };
}

const wiresOf = (node: Node): Wire[] =>
  interruptsOf(node).map(({ controller, line, type }) => ({
    controller: controller.name,
    line,
    type,
    source: deviceName(node),
  }));

function partitionMap(tree: Tree, partition: PartitionConfiguration, id: number, contents: Contents): PartitionMap {
  const { name, label, image, vcpus, guarantee, affinity, node } = partition;
  const guest = guestTree(partition, tree, id);
  const console = guest.find('/chosen')?.get('stdout-path')?.string.replace(/:.*$/, '').replace(/^.*\//, '');
  return {
    name,
    label,
    image: node.get('image')?.string ?? image,
    blocks: blocksOf(partition, contents, encodeBlob(guest).length),
    wires: guestWires(partition),
    vcpus,
    ...(guarantee !== undefined && { guarantee }),
    cores: coreNodes(tree)
      .filter((core) => !disabled(core) && affinity.includes(coreNumber(core)))
      .map((core) => core.name),
    entry: contents.image.entry,
    ...(console !== undefined && { console }),
    traits: traitsOf(partition),
  };
}

function blocksOf(partition: PartitionConfiguration, { image, initrd }: Contents, treeSize: number): Block[] {
  const { memory, windows, serials, finisher, devices, node } = partition;
  const low = memory.find(({ base }) => base === 0)?.size ?? 0;
  const at = layOut(low, treeSize, initrd);
  const named = (property: string): string => node.get(property)?.string ?? '';
  const blocks: Block[] = [
    ...memory.map((range): Block => ({ ...range, kind: 'memory', what: 'memory' })),
    ...windows.map(({ base, size, memory: shown, readOnly }): Block => ({
      kind: 'shared',
      what: `shared memory ${shown}${readOnly ? ', read-only' : ''}`,
      base,
      size,
    })),
    ...image.segments.map(({ address: base, size }): Block => ({
      kind: 'image',
      what: `image ${named('image')}`,
      base,
      size,
    })),
    { kind: 'device-tree', what: 'device tree', base: at.tree, size: treeSize },
    ...serials.map(({ name, base, size }): Block => ({
      kind: 'virtual',
      what: `${name}, virtual`,
      node: name,
      base,
      size,
    })),
    ...devices.flatMap((device) =>
      physicalReg(device).map((range): Block => ({
        ...range,
        kind: 'device',
        what: `${deviceName(device)} of the board`,
        node: deviceName(device),
      })),
    ),
  ];
  if (initrd !== undefined)
    blocks.push({ kind: 'initrd', what: `initrd ${named('initrd')}`, base: at.initrd, size: initrd });
  if (finisher) blocks.push({ kind: 'virtual', what: `${finisher.node.name}, virtual`, base: finisher.base, size: 4 });
  // Of two that begin at one place the larger holds the other.
  return blocks.filter(({ size }) => size > 0).toSorted((a, b) => a.base - b.base || b.size - a.size);
}

function guestWires(partition: PartitionConfiguration): Wire[] {
  const { serials, byteChannels, receiveDoorbells, managedPartitions, shutdown, devices } = partition;
  const wire = ({ line, type }: Line, source: string): Wire => ({ controller: 'own', line, type, source });
  return [
    ...serials.map((serial) => wire(serial, serial.name)),
    ...byteChannels.flatMap(({ name, rx, tx }) => [wire(rx, `${name} receive`), wire(tx, `${name} transmit`)]),
    ...receiveDoorbells.map((bell) => wire(bell, `${bell.name} (doorbell ${bell.doorbell})`)),
    ...managedPartitions.flatMap((managed) => [
      wire(managed.stateChange, `${managed.name}: state change`),
      wire(managed.watchdogExpiration, `${managed.name}: watchdog expiration`),
      wire(managed.resetRequest, `${managed.name}: reset request`),
    ]),
    ...(shutdown ? [wire(shutdown, 'shutdown, from its manager')] : []),
    ...devices.flatMap((device) => wiresOf(device).map((each) => ({ ...each, controller: 'own' }))),
  ].toSorted((a, b) => a.line - b.line);
}

function traitsOf(partition: PartitionConfiguration): string[] {
  const { autoStart, privileged, onReset, watchdogTimeout, paravirtualization, magicPages, byteChannels } = partition;
  const { kvm, idle, hcallInstructions } = paravirtualization;
  const timeout = watchdogTimeout === undefined ? [] : [`watchdog: ${watchdogTimeout}`];
  return [
    autoStart ? 'runs from power-on' : 'waits to be started',
    `on-reset: ${onReset}`,
    ...timeout,
    ...(privileged ? ['may reset the board'] : []),
    ...(kvm ? ['offered KVM’s interface'] : []),
    ...(idle ? ['offered idle'] : []),
    ...(magicPages.length > 0 ? ['magic page'] : []),
    ...(hcallInstructions === 'kvm' ? ['KVM’s hypercall instructions'] : []),
    ...byteChannels.map(({ name, peer }) => `byte channel ${name}${peer ? ` to ${peer.partition}` : ''}`),
  ];
}

function doorbells(partitions: readonly PartitionConfiguration[]): Channel[] {
  const names = new Set(
    partitions.flatMap((p) => [...p.sendDoorbells, ...p.receiveDoorbells].map(({ doorbell }) => doorbell)),
  );
  const having = (name: string, end: 'sendDoorbells' | 'receiveDoorbells'): string[] =>
    partitions.filter((p) => p[end].some(({ doorbell }) => doorbell === name)).map((p) => p.name);
  return [...names].map((name) => ({
    kind: 'doorbell',
    name,
    from: having(name, 'sendDoorbells'),
    to: having(name, 'receiveDoorbells'),
  }));
}

/** Each pair of connected channels once, from the end that stands first. */
const byteChannels = (partitions: readonly PartitionConfiguration[]): Channel[] => {
  const ends = partitions.flatMap((p) =>
    p.byteChannels.flatMap(({ name, peer }) => (peer ? [{ partition: p.name, name, peer }] : [])),
  );
  return ends.flatMap(({ partition, name, peer }, i): Channel[] => {
    if (ends.findIndex((end) => end.partition === peer.partition && end.name === peer.name) < i) return [];
    const both = name === peer.name ? name : `${name} ↔ ${peer.name}`;
    return [{ kind: 'byte-channel', name: both, from: [partition], to: [peer.partition] }];
  });
};

const managers = (partitions: readonly PartitionConfiguration[]): Channel[] =>
  partitions
    .filter(({ managedPartitions }) => managedPartitions.length > 0)
    .map(({ name, managedPartitions }) => ({
      kind: 'manager',
      name: 'manages',
      from: [name],
      to: managedPartitions.map(({ partition }) => partition),
    }));
