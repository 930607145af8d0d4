import type { PartitionConfiguration } from '../devicetree/configuration.js';
import type { Node } from '../devicetree/tree.js';
import { Doorbell } from './doorbell.js';
import type { Partition } from './partition.js';

/** What a guest may name besides its byte channels, by handle. */
export interface Handles {
  readonly partitions: ReadonlyMap<number, Partition>;
  /** Doorbells that it may ring. */
  readonly doorbells: ReadonlyMap<number, Doorbell>;
}

export const NO_HANDLES: Handles = { partitions: new Map(), doorbells: new Map() };

/** The numbers of a partition's handles: behind its byte channels', in the order of the source. */
function numbersOf({ byteChannels, sendDoorbells, managedPartitions }: PartitionConfiguration) {
  const first = byteChannels.length + 1;
  const managed = first + sendDoorbells.length;
  return {
    send: (index: number): number => first + index,
    partition: (index: number): number => managed + 2 * index,
    /** Of the doorbell that tells a managed partition to shut down. */
    shutdown: (index: number): number => managed + 2 * index + 1,
    count: managed + 2 * managedPartitions.length - 1,
  };
}

/** Lead byte channels to their peers and doorbells from whoever rings them to whoever hears them; give every guest its handles. */
export function connect(partitions: readonly Partition[]): void {
  const bells = new Map<string, Doorbell>();
  const bell = (name: string): Doorbell => {
    const known = bells.get(name) ?? new Doorbell();
    bells.set(name, known);
    return known;
  };
  for (const partition of partitions) {
    const { config } = partition;
    partition.channels.connect((name) => partitions.find((p) => p.name === name)?.channels);
    const numbers = numbersOf(config);
    const named = new Map<number, Partition>();
    const rung = new Map<number, Doorbell>();
    config.sendDoorbells.forEach(({ doorbell }, i) => rung.set(numbers.send(i), bell(doorbell)));
    for (const end of config.receiveDoorbells) bell(end.doorbell).attach(partition.line(end));
    if (config.shutdown) partition.doorbells.shutdown.attach(partition.line(config.shutdown));
    config.managedPartitions.forEach((managed, i) => {
      const other = partitions.find((p) => p.name === managed.partition);
      if (!other) return;
      named.set(numbers.partition(i), other);
      rung.set(numbers.shutdown(i), other.doorbells.shutdown);
      other.doorbells.stateChange.attach(partition.line(managed.stateChange));
      other.doorbells.watchdogExpiration.attach(partition.line(managed.watchdogExpiration));
      other.doorbells.resetRequest.attach(partition.line(managed.resetRequest));
    });
    partition.handles = { partitions: named, doorbells: rung };
  }
}

interface Line {
  readonly line: number;
  readonly type: number;
}

/** /hypervisor/handles as Topaz has it: doorbells, and the partitions that this one manages with theirs. */
export function addHandles(handles: Node, config: PartitionConfiguration): void {
  const numbers = numbersOf(config);
  const handle = (node: Node, number: number): void => {
    node.setCells('hv-handle', number);
    node.setCells('reg', number);
  };
  const keepPhandle = (from: Node, to: Node): void => {
    if (from.phandle !== undefined) to.setCells('phandle', from.phandle);
  };
  const receive = (parent: Node, name: string, { line, type }: Line, special: readonly string[] = []): Node => {
    const node = parent.add(name);
    node.setStrings('compatible', ...special, 'epapr,hv-receive-doorbell');
    node.setCells('interrupts', line, type);
    return node;
  };
  config.sendDoorbells.forEach(({ node: from, name }, i) => {
    const node = handles.add(name);
    node.setStrings('compatible', 'epapr,hv-send-doorbell');
    handle(node, numbers.send(i));
    keepPhandle(from, node);
  });
  for (const end of config.receiveDoorbells) keepPhandle(end.node, receive(handles, end.name, end));
  if (config.shutdown) receive(handles, 'shutdown', config.shutdown, ['fsl,hv-shutdown-doorbell']);
  config.managedPartitions.forEach((managed, i) => {
    const node = handles.add(managed.name);
    node.setStrings('compatible', 'fsl,hv-partition-handle');
    node.setStrings('label', managed.label);
    node.setCells('#address-cells', 1);
    node.setCells('#size-cells', 0);
    handle(node, numbers.partition(i));
    keepPhandle(managed.node, node);
    receive(node, 'state-change', managed.stateChange, ['fsl,hv-state-change-doorbell']);
    receive(node, 'watchdog-expiration', managed.watchdogExpiration, ['fsl,hv-watchdog-expiration-doorbell']);
    receive(node, 'reset-request', managed.resetRequest, ['fsl,hv-reset-request-doorbell']);
    const shutdown = node.add('shutdown');
    shutdown.setStrings('compatible', 'fsl,hv-shutdown-doorbell', 'epapr,hv-send-doorbell');
    handle(shutdown, numbers.shutdown(i));
  });
}
