import { LEVEL_HIGH, regOf, type Range } from './addresses.js';
import { partition as partitionBinding, watchdogTimeouts } from './bindings/partition.js';
import { exitKinds, partitions as partitionsBinding, type ExitKind } from './bindings/partitions.js';
import {
  consoleOf,
  devicesOf,
  isByteChannel,
  isFinisher,
  isManaged,
  isManagedPartition,
  isReceiveDoorbell,
  isSendDoorbell,
  isSerial,
  isSharedMemoryWindow,
  linesOf,
  imagePatchesOf,
  magicPagesOf,
  memoryOf,
  offers,
  partitionNodes,
  partitionsNode,
  portsOf,
  referred,
  sharedMemoryNodes,
  sharedSizeOf,
  disabled,
  type ImagePatch,
  type Line,
} from './partitions.js';
import { affinityOf } from './cores.js';
import { ownPages } from './pages.js';
import { placeOf } from './bindings/index.js';
import { costModels, isCostModel } from './cost-models.js';
import { serial as serialBinding } from './bindings/serial.js';
import { joinPath } from './paths.js';
import { whileUnchanged } from './memo.js';
import type { Node, Position, Tree } from './tree.js';

/** What becomes of a partition whose guest resets its processor. */
export type OnReset = 'stop' | 'restart';

/** What becomes of a partition whose watchdog asks for a reset. */
export type WatchdogTimeout = (typeof watchdogTimeouts)[number];

/** A virtual UART. */
export interface SerialConfiguration extends Line {
  readonly node: Node;
  /** The node's name, which the stream is called by: `serial@ef600300`. */
  readonly name: string;
  readonly base: number;
  readonly size: number;
  /** Hz. */
  readonly clockFrequency: number;
  /** Bits a second. */
  readonly currentSpeed: number;
}

/** A byte channel, with its two interrupts. */
export interface ByteChannelConfiguration {
  readonly node: Node;
  readonly name: string;
  readonly rx: Line;
  readonly tx: Line;
  /** Where it leads instead of to a stream: the byte channel of that name in that partition. */
  readonly peer?: { readonly partition: string; readonly name: string };
}

/** What a guest is offered beside a plain 440, and how it calls its hypervisor. */
export interface Paravirtualization {
  /** KVM's interface: `linux,kvm`, and KVM_HC_FEATURES. */
  readonly kvm: boolean;
  /** `has-idle`. */
  readonly idle: boolean;
  readonly hcallInstructions: 'epapr' | 'kvm';
}

/** A button of a doorbell; `doorbell` is the name of the node in /partitions. */
export interface SendDoorbellConfiguration {
  readonly node: Node;
  readonly name: string;
  readonly doorbell: string;
}

/** A bell of a doorbell. */
export interface ReceiveDoorbellConfiguration extends SendDoorbellConfiguration, Line {}

/** Another partition that this one manages, and the lines on which it hears of it. */
export interface ManagedPartitionConfiguration {
  readonly node: Node;
  readonly name: string;
  /** The other's name and label. */
  readonly partition: string;
  readonly label: string;
  readonly stateChange: Line;
  readonly watchdogExpiration: Line;
  readonly resetRequest: Line;
}

/** Memory that partitions see by windows. */
export interface SharedMemoryConfiguration {
  readonly name: string;
  /** Bytes, whole pages. */
  readonly size: number;
}

/** Where a partition sees shared memory, by guest-physical address. */
export interface WindowConfiguration extends Range {
  readonly node: Node;
  readonly name: string;
  /** The name of the shared memory. */
  readonly memory: string;
  readonly readOnly: boolean;
}

/** A partition as it is to be made: every default filled in. */
export interface PartitionConfiguration {
  readonly name: string;
  readonly label: string;
  readonly at: Position;
  readonly node: Node;
  /** Paths are joined with the folder of the file that holds the property. */
  readonly image: string;
  readonly imagePatches: readonly ImagePatch[];
  readonly initrd?: string;
  readonly bootargs?: string;
  /** By guest-physical address, in the order of the source. */
  readonly memory: readonly Range[];
  /** Shared memory that it sees, in the order of the source. */
  readonly windows: readonly WindowConfiguration[];
  readonly vcpus: number;
  /** Per cent of a core that each of its vcpus has whenever it wants it, 1 to 100; undefined: a part of what others leave. */
  readonly guarantee?: number;
  /** The cores that its vcpus may have, by their numbers, in the order of the board. */
  readonly affinity: readonly number[];
  readonly onReset: OnReset;
  readonly paravirtualization: Paravirtualization;
  /** Sizes of the pages of the board's memory that its processors' magic pages take, in order. */
  readonly magicPages: readonly number[];
  /** Whether it runs from power-on; otherwise it is loaded and waits to be started. */
  readonly autoStart: boolean;
  /** What becomes of it when its watchdog asks for a reset, where that is not as `onReset` says. */
  readonly watchdogTimeout?: WatchdogTimeout;
  /** TCR[WP], 0 to 3, of a watchdog that runs from its start; undefined: the guest's own affair. */
  readonly watchdogAutostartPeriod?: number;
  /** It may reset the whole board. */
  readonly privileged: boolean;
  readonly serials: readonly SerialConfiguration[];
  readonly byteChannels: readonly ByteChannelConfiguration[];
  readonly sendDoorbells: readonly SendDoorbellConfiguration[];
  readonly receiveDoorbells: readonly ReceiveDoorbellConfiguration[];
  readonly managedPartitions: readonly ManagedPartitionConfiguration[];
  /** Where it is told to shut down, if it has a manager. */
  readonly shutdown?: Line;
  readonly finisher?: { readonly node: Node; readonly base: number };
  /** Nodes of the board that it has to itself. */
  readonly devices: readonly Node[];
  /** Whole pages on which there is nothing but these devices, by physical address. */
  readonly pages: readonly Range[];
  /** The name of the serial port or byte channel that is its console. */
  readonly stdout?: string;
  /** What is merged over the guest's generated tree. */
  readonly nodeUpdate?: Node;
}

/** What to run, and how the partitions share the core. Times are in cycles of the core. */
export interface Configuration {
  readonly partitions: readonly PartitionConfiguration[];
  /** In the order of the source. */
  readonly sharedMemories: readonly SharedMemoryConfiguration[];
  readonly quantum: number;
  readonly worldSwitchCycles: number;
  /** How many instructions more may be emulated in one exit, and what each of them costs. */
  readonly runAhead: number;
  readonly runAheadCycles: number;
  /** What an exit of this kind costs. */
  exitCycles(kind: ExitKind): number;
}

/** A configuration from a tree in which `check` has found no errors; the same tree always gives the same. */
export const configure = (tree: Tree): Configuration => whileUnchanged(tree.root, () => configureAll(tree));

function configureAll(tree: Tree): Configuration {
  const node = partitionsNode(tree);
  const costOf = (kind: ExitKind): number =>
    node?.cell(`exit-cycles-${kind}`) ?? node?.cell('exit-cycles') ?? model.exits[kind];
  const { quantum, 'exit-cost-model': modelBinding, 'run-ahead': runAhead } = partitionsBinding.properties;
  const named = node?.get('exit-cost-model')?.string ?? modelBinding.default;
  const model = costModels[isCostModel(named) ? named : modelBinding.default];
  const costs = Object.fromEntries(exitKinds.map((kind) => [kind, costOf(kind)])) as Record<ExitKind, number>;
  return {
    partitions: partitionNodes(tree).map((partition) => configurePartition(tree, partition)),
    sharedMemories: sharedMemoryNodes(tree).map((memory) => ({ name: memory.name, size: sharedSizeOf(memory) })),
    quantum: node?.cell('quantum') ?? quantum.default,
    worldSwitchCycles: node?.cell('world-switch-cycles') ?? model.worldSwitch,
    runAhead: node?.cell('run-ahead') ?? runAhead.default,
    runAheadCycles: node?.cell('run-ahead-cycles') ?? model.runAhead,
    exitCycles: (kind) => costs[kind],
  };
}

function configurePartition(tree: Tree, node: Node): PartitionConfiguration {
  const { vcpus } = partitionBinding.properties;
  const ports = portsOf(node);
  const lines = linesOf(tree, node);
  const finisher = ports.find(isFinisher);
  const initrd = node.get('initrd');
  const bootargs = node.get('bootargs');
  const stdout = consoleOf(tree, node)?.name;
  const nodeUpdate = node.child('node-update');
  const devices = devicesOf(tree, node);
  const said = node.get('watchdog-timeout')?.string;
  const watchdogTimeout = watchdogTimeouts.find((value) => value === said);
  const period = node.cell('watchdog-autostart-period');
  const guarantee = node.cell('guarantee');
  return {
    name: node.name,
    label: node.get('label')?.string ?? node.name,
    at: node.at,
    node,
    image: pathIn(node, 'image') ?? '',
    imagePatches: imagePatchesOf(node),
    ...(initrd && { initrd: pathIn(node, 'initrd') ?? '' }),
    ...(bootargs && { bootargs: bootargs.string }),
    memory: memoryOf(node),
    windows: ports.filter(isSharedMemoryWindow).map((port) => windowOf(tree, port)),
    vcpus: node.cell('vcpus') ?? vcpus.default,
    ...(guarantee !== undefined && { guarantee }),
    affinity: affinityOf(tree, node),
    onReset: onResetOf(node),
    paravirtualization: paravirtualizationOf(node),
    magicPages: magicPagesOf(node),
    autoStart: !node.has('no-auto-start'),
    ...(watchdogTimeout && { watchdogTimeout }),
    ...(period !== undefined && { watchdogAutostartPeriod: period }),
    privileged: node.has('privileged'),
    serials: ports.filter(isSerial).map((port) => serialOf(port, lines.get(port))),
    byteChannels: ports.filter(isByteChannel).map((port) => byteChannelOf(tree, port, lines.get(port))),
    ...managementOf(tree, node, ports, lines),
    ...(finisher && { finisher: { node: finisher, base: baseOf(finisher).base } }),
    devices,
    pages: ownPages(tree, node, devices),
    ...(stdout !== undefined && { stdout }),
    ...(nodeUpdate && { nodeUpdate }),
  };
}

function pathIn(node: Node, name: string): string | undefined {
  const property = node.get(name);
  return property && joinPath(property.at.file, property.string);
}

function onResetOf(node: Node): OnReset {
  const said = node.get('on-reset')?.string;
  return said === 'restart' || said === 'stop' ? said : partitionBinding.properties['on-reset'].default;
}

function paravirtualizationOf(node: Node): Paravirtualization {
  return {
    kvm: offers(node, 'kvm'),
    idle: offers(node, 'idle'),
    hcallInstructions: node.get('hcall-instructions')?.string === 'kvm' ? 'kvm' : 'epapr',
  };
}

function managementOf(tree: Tree, partition: Node, ports: readonly Node[], lines: ReadonlyMap<Node, Line[]>) {
  const lineOf = (node: Node, i = 0): Line => lines.get(node)?.[i] ?? NO_LINE;
  const send = (node: Node): SendDoorbellConfiguration => ({
    node,
    name: node.name,
    doorbell: referred(tree, node, 'global-doorbell')?.name ?? '',
  });
  const managed = (node: Node): ManagedPartitionConfiguration => {
    const other = referred(tree, node, 'partition');
    return {
      node,
      name: node.name,
      partition: other?.name ?? '',
      label: other?.get('label')?.string ?? other?.name ?? '',
      stateChange: lineOf(node),
      watchdogExpiration: lineOf(node, 1),
      resetRequest: lineOf(node, 2),
    };
  };
  return {
    sendDoorbells: ports.filter(isSendDoorbell).map(send),
    receiveDoorbells: ports.filter(isReceiveDoorbell).map((node) => ({ ...send(node), ...lineOf(node) })),
    managedPartitions: ports.filter(isManagedPartition).map(managed),
    ...(isManaged(tree, partition) && { shutdown: lineOf(partition) }),
  };
}

const windowOf = (tree: Tree, node: Node): WindowConfiguration => ({
  node,
  name: node.name,
  ...baseOf(node),
  memory: referred(tree, node, 'shared-memory')?.name ?? '',
  readOnly: node.has('read-only'),
});

const baseOf = (node: Node): Range => regOf(node)[0] ?? { base: 0, size: 0 };

const NO_LINE: Line = { line: 0, type: LEVEL_HIGH };

function serialOf(node: Node, lines: readonly Line[] = []): SerialConfiguration {
  const { 'clock-frequency': clock, 'current-speed': speed } = serialBinding.properties;
  const { line, type } = lines[0] ?? NO_LINE;
  return {
    node,
    name: node.name,
    ...baseOf(node),
    line,
    type,
    clockFrequency: node.cell('clock-frequency') ?? clock.default,
    currentSpeed: node.cell('current-speed') ?? speed.default,
  };
}

function byteChannelOf(tree: Tree, node: Node, lines: readonly Line[] = []): ByteChannelConfiguration {
  const pick = ({ line, type }: Line): Line => ({ line, type });
  const other = referred(tree, node, 'endpoint');
  return {
    node,
    name: node.name,
    rx: pick(lines[0] ?? NO_LINE),
    tx: pick(lines[1] ?? NO_LINE),
    ...(other && { peer: { partition: other.parent?.name ?? '', name: other.name } }),
  };
}

/** The board's serial ports in the order of the source, without those that are disabled. */
export function boardSerials(tree: Tree): Node[] {
  return [...tree.root.walk()].filter((node) => placeOf(node) === 'board' && isSerial(node) && !disabled(node));
}
