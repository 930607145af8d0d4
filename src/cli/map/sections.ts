import type { Range } from '../../devicetree/addresses.js';
import { hertz, hex, sense, size, span } from './format.js';
import type { Block, BoardDevice, Channel, Ownership, PartitionMap, Physical, Wire } from './model.js';

/** A part of a map in words: what is shown as lines of a terminal, or as a table of a page. */
export interface Section {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** Who owns what, one section after the other; sections that would be empty are left out. */
export function sectionsOf(map: Ownership): Section[] {
  const all: Section[] = [
    { title: 'Memory of the board', rows: map.memory.map(memoryRow) },
    { title: 'Devices of the board', rows: map.devices.map(deviceRow) },
    { title: 'Cores', rows: coreRows(map) },
    { title: 'Channels', rows: map.channels.map(channelRow) },
    ...map.partitions.map(partitionSection),
  ];
  return all.filter(({ rows }) => rows.length > 0);
}

/** `amcc,bamboo, 1 core at 400 MHz, 256 MiB, 2 partitions`. */
export function summaryOf({ model, cores, memory, partitions }: Ownership): string {
  const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  const frequency = cores[0]?.frequency ?? 0;
  const total = memory.reduce((sum, each) => sum + each.size, 0);
  const at = frequency > 0 ? ` at ${hertz(frequency)}` : '';
  return `${model}, ${many(cores.length, 'core')}${at}, ${size(total)}, ${many(partitions.length, 'partition')}`;
}

const memoryRow = (block: Physical): string[] => [
  span(block),
  size(block.size),
  block.what,
  ...(block.guest === undefined ? [] : [`at its ${hex(block.guest)}`]),
];

/** `UIC0 3 level high`. */
const wireText = ({ controller, line, type }: Wire): string => `${controller} ${line} ${sense(type)}`;

function deviceRow(device: BoardDevice): string[] {
  const { name, registers, dcrs, wires } = device;
  const dcr = dcrs.map(({ base, size: count }) => `dcr ${hex(base, 3)}–${hex(base + count - 1, 3)}`);
  return [[...registers.map(span), ...dcr].join(', '), name, wires.map(wireText).join(', '), ownerText(device)];
}

function ownerText({ owner, registers, direct }: BoardDevice): string {
  if (owner === undefined) return 'the hypervisor';
  if (registers.length === 0) return owner;
  return `${owner}, ${direct ? 'without an exit' : 'each access an exit'}`;
}

function coreRows({ cores, partitions, quantum }: Ownership): string[][] {
  return cores.map(({ name, frequency }) => {
    const vcpus = partitions.filter((partition) => partition.cores.includes(name)).flatMap(vcpusOf);
    const time = frequency > 0 ? ` (${+((quantum / frequency) * 1e6).toFixed(1)} µs)` : '';
    const turns = vcpus.length > 1 ? `turns of ${quantum.toLocaleString('en-US')} cycles${time}` : '';
    return [name, vcpus.length === 0 ? 'nobody' : vcpus.join(', '), turns];
  });
}

/** `hello`, `hello 20 %` where that is guaranteed, `hello/cpu0` where there are several. */
function vcpusOf({ name, vcpus, guarantee }: PartitionMap): string[] {
  const share = guarantee === undefined ? '' : ` ${guarantee} %`;
  return Array.from({ length: vcpus }, (_, i) => `${vcpus === 1 ? name : `${name}/cpu${i}`}${share}`);
}

const listed = (names: readonly string[]): string => (names.length === 0 ? 'nobody' : names.join(', '));

const channelRow = (channel: Channel): string[] => [
  channel.kind === 'manager' ? channel.name : channelName(channel),
  `${listed(channel.from)} ${wayOf(channel)} ${listed(channel.to)}`,
];

/** `doorbell wake`, `byte channel link`. */
export const channelName = ({ kind, name }: Channel): string =>
  `${kind === 'byte-channel' ? 'byte channel' : kind} ${name}`;

/** Bytes go both ways. */
export const wayOf = ({ kind }: Channel): string => (kind === 'byte-channel' ? '↔' : '→');

function partitionSection(partition: PartitionMap): Section {
  const { name, label, blocks, wires, traits } = partition;
  const shown = label === name ? name : `${name} “${label}”`;
  return {
    title: `Partition ${shown}: ${traits.join(', ')}`,
    rows: [
      ...blocks.map((block) => blockRow(block, partition)),
      ...wires.map(({ line, type, source }) => [`interrupt ${line}`, '', `${source}, ${sense(type)}`]),
    ],
  };
}

function blockRow(block: Block, { blocks, entry, console }: PartitionMap): string[] {
  const inside = blocks.some((outer) => outer.kind === 'memory' && block.kind !== 'memory' && holds(outer, block));
  const notes = [
    ...(block.kind === 'image' && holds(block, { base: entry, size: 1 }) ? [`entered at ${hex(entry)}`] : []),
    ...(console !== undefined && block.node === console ? ['its console'] : []),
  ];
  return [`${inside ? '  ' : ''}${span(block)}`, size(block.size), [block.what, ...notes].join(', ')];
}

/** Does all of a range lie in another? */
export const holds = (outer: Range, inner: Range): boolean =>
  inner.base >= outer.base && inner.base + inner.size <= outer.base + outer.size;
