import { partitions as partitionsBinding } from '../bindings/partitions.js';
import { partition as partitionBinding } from '../bindings/partition.js';
import { affinityOf, coreNodes, coreNumber, coresOf } from '../cores.js';
import { CoreShares, type Demand } from '../core-shares.js';
import { memo } from '../memo.js';
import { disabled, partitionsNode } from '../partitions.js';
import type { Node } from '../tree.js';
import { at, nameOf, type Context, type Rule } from './rule.js';

/** `'a', 'b' and 'c'`, or how many they are where that would be long. */
function listed(nodes: readonly Node[]): string {
  const names = nodes.map(({ name }) => `'${name}'`);
  if (names.length > 4) return `${names.length} partitions`;
  if (names.length === 1) return `partition ${names[0]}`;
  return `partitions ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

const coresText = (cores: readonly number[]): string =>
  `${cores.length === 1 ? 'core' : 'cores'} ${cores.join(cores.length === 2 ? ' and ' : ', ')}`;

/** Whether every core has a number that can be read. */
const numbered = (context: Context): boolean => coreNodes(context.tree).every((node) => context.sound(node, 'reg'));

const unknownCore: Rule = {
  name: 'affinity-unknown-core',
  severity: 'error',
  over: 'partition',
  reads: ['affinity'],
  summary: 'A partition may have cores that the board has and that are not disabled.',
  remedy: 'Name processors of `/cpus` by their `reg`, or leave `affinity` out.',
  *run(partition, context) {
    const { tree } = context;
    const running = coresOf(tree);
    if (running.length === 0 || !numbered(context)) return;
    const named = [...new Set(partition.get('affinity')?.cells)];
    const known = named.filter((core) => running.includes(core));
    for (const core of named) {
      if (running.includes(core)) continue;
      const off = coreNodes(tree).find((node) => disabled(node) && coreNumber(node) === core);
      yield {
        ...at(partition, 'affinity'),
        message: `${nameOf(partition)} may have core ${core}, ${off ? `and ${off.path} is disabled` : 'which the board has not'}`,
        remedy: `write affinity = <${(known.length > 0 ? known : running).join(' ')}>;`,
      };
    }
  },
};

const coreTwice: Rule = {
  name: 'affinity-core-twice',
  severity: 'warning',
  over: 'partition',
  reads: ['affinity'],
  summary: 'A partition names each core that it may have once.',
  remedy: 'Write the core once, or the one that was meant beside it.',
  *run(partition) {
    const cores = partition.get('affinity')?.cells ?? [];
    const twice = cores.find((core, i) => cores.indexOf(core) < i);
    if (twice === undefined) return;
    yield {
      ...at(partition, 'affinity'),
      message: `${nameOf(partition)} names core ${twice} twice`,
      remedy: `write affinity = <${[...new Set(cores)].join(' ')}>;`,
    };
  },
};

interface Asked extends Demand {
  readonly partition: Node;
}

/** The cores that more is guaranteed of than they have, each set once, with the first partition that finds too little. */
interface Allotment {
  readonly shares: CoreShares;
  readonly demands: readonly Asked[];
  readonly tooMuch: readonly { readonly partition: Node; readonly cores: readonly number[] }[];
}

const readable = (partition: Node, context: Context): boolean =>
  ['guarantee', 'affinity', 'vcpus'].every((name) => context.sound(partition, name)) &&
  affinityOf(context.tree, partition).length > 0;

/** What comes of all guarantees together. */
function allot(context: Context): Allotment {
  const { tree, partitions } = context;
  const { vcpus } = partitionBinding.properties;
  const demands = partitions
    .filter((partition) => partition.has('guarantee') && readable(partition, context))
    .map((partition) => ({
      partition,
      percent: partition.cell('guarantee')! * (partition.cell('vcpus') ?? vcpus.default),
      cores: affinityOf(tree, partition),
    }));
  const shares = new CoreShares(coresOf(tree));
  const tooMuch = new Map<string, Allotment['tooMuch'][number]>();
  for (const demand of demands) {
    const cores = shares.add(demand);
    const key = cores?.join(' ');
    if (cores && key !== undefined && !tooMuch.has(key)) tooMuch.set(key, { partition: demand.partition, cores });
  }
  return { shares, demands, tooMuch: [...tooMuch.values()] };
}

const allotment = (context: Context): Allotment => memo(context.tree.root, 'guarantees', () => allot(context));

const overCommitted: Rule = {
  name: 'cores-over-committed',
  severity: 'error',
  over: 'partitions',
  summary: 'Partitions are guaranteed no more of the cores that they may have than these have: 100 per cent each.',
  remedy: 'Lower guarantees, or let partitions have other cores by `affinity`.',
  *run(_node, context) {
    const { demands, tooMuch } = allotment(context);
    for (const { partition, cores } of tooMuch) {
      const confined = demands.filter((demand) => demand.cores.every((core) => cores.includes(core)));
      const sum = confined.reduce((all, { percent }) => all + percent, 0);
      const whole = 100 * cores.length;
      const elsewhere = coresOf(context.tree).length > cores.length;
      yield {
        ...at(partition, 'guarantee'),
        message: `${listed(confined.map((one) => one.partition))} ${confined.length === 1 ? 'is' : 'are'} guaranteed ${sum} % of ${coresText(cores)}, and there is ${whole} %`,
        remedy: `lower guarantees by ${sum - whole} % in all${elsewhere ? ', or let one of them have another core by affinity' : ''}`,
      };
    }
  },
};

const nothingLeft: Rule = {
  name: 'guarantees-leave-nothing',
  severity: 'warning',
  over: 'partition',
  summary: 'A partition without a guarantee finds something left of a core by those that have one.',
  remedy: 'Lower a guarantee, so that less than 100 per cent are promised to others.',
  *run(partition, context) {
    if (partition.has('guarantee') || !readable(partition, context)) return;
    const { shares, tooMuch, demands } = allotment(context);
    const cores = affinityOf(context.tree, partition);
    if (demands.length === 0 || tooMuch.length > 0 || shares.leaves(cores)) return;
    yield {
      node: partition,
      message: `all of ${coresText(cores)} is guaranteed to others, and ${nameOf(partition)} has no guarantee: it runs only while they wait`,
      remedy: "lower one of the others' guarantees",
    };
  },
};

/** In stretches that are shorter than this everybody should have its share: the window that QNX Neutrino keeps shares in. */
const WINDOWS_PER_SECOND = 10;

const rareTurns: Rule = {
  name: 'guarantee-in-rare-turns',
  severity: 'note',
  over: 'partition',
  reads: ['guarantee', 'affinity'],
  summary: 'A guarantee comes to a quantum at least in 100 ms: in a shorter time than that it promises nothing.',
  remedy: 'Make `quantum` smaller, or the guarantee larger.',
  *run(partition, context) {
    const { tree } = context;
    const guarantee = partition.cell('guarantee');
    const node = partitionsNode(tree);
    if (guarantee === undefined || !node || !context.sound(node, 'quantum')) return;
    const quantum = node.cell('quantum') ?? partitionsBinding.properties.quantum.default;
    const cores = affinityOf(tree, partition);
    const frequencies = coreNodes(tree)
      .filter((core) => cores.includes(coreNumber(core)) && context.sound(core, 'clock-frequency'))
      .map((core) => core.cell('clock-frequency') ?? 0);
    const slowest = Math.min(...frequencies);
    const most = Math.floor((slowest * guarantee) / (100 * WINDOWS_PER_SECOND));
    if (frequencies.length === 0 || slowest === 0 || quantum <= most) return;
    const milliseconds = Math.round((quantum * 100_000) / guarantee / slowest);
    yield {
      ...at(partition, 'guarantee'),
      message: `a quantum of ${quantum} cycles is ${guarantee} % of ${milliseconds} ms: in less time than that nothing is guaranteed to ${nameOf(partition)}`,
      remedy: most < partitionsBinding.properties.quantum.min ? 'guarantee more' : `write quantum = <${most}>; or less`,
    };
  },
};

/** What can be wrong with which cores partitions may have, and how much of them they are guaranteed. */
export const coreRules: readonly Rule[] = [unknownCore, coreTwice, overCommitted, nothingLeft, rareTurns];
