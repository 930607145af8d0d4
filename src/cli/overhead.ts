import { basename } from 'node:path';
import { exitKinds, type ExitKind } from '../devicetree/bindings/partitions.js';
import { configure } from '../devicetree/configuration.js';
import { costModels, type CostModel } from '../devicetree/cost-models.js';
import { partitionNodes, partitionsNode } from '../devicetree/partitions.js';
import type { Tree } from '../devicetree/tree.js';
import {
  partitionCounts,
  percentOf,
  price,
  type BareCounts,
  type PartitionCounts,
  type Priced,
} from '../hypervisor/overhead.js';
import type { VcpuReport } from '../hypervisor/report.js';
import { checkConfig, readTree, type Configured } from '../launch/config.js';
import { insist, parseGenerated, runSource } from './config.js';
import { UsageError } from '../launch/errors.js';
import { Files, namedImage, namedInitrd } from '../launch/files.js';
import { measureBare, measurePartitions, type MeasuredPartition, type Reached, type Until } from './measure.js';
import { overheadText } from './overhead-text.js';
import { parseCount } from './sizes.js';
import { variants, type Variant, type VariantName } from './variants.js';

/** Options of `hv440 overhead`. */
export interface OverheadOptions {
  readonly bootargs?: string;
  readonly initrd?: string;
  /** Bytes. */
  readonly memory?: number;
  readonly expect?: string;
  readonly maxInstructions?: number;
  /** `KIND=N`, or `N` for all kinds. */
  readonly exitCost?: readonly string[];
  readonly variant?: readonly VariantName[];
  readonly json?: boolean;
}

/** A guest as a partition, counted and priced. */
export interface MeasuredVariant {
  readonly variant: VariantName;
  readonly reached: Reached;
  readonly complete: boolean;
  /** The run with a cycle an exit. */
  readonly counts: PartitionCounts;
  /** What its exits were about. */
  readonly exits: VcpuReport['exits'];
  /** What else was emulated in them. */
  readonly ahead: VcpuReport['ahead']['details'];
  readonly priced: Priced;
  /** The run in which every exit took what the model says. */
  readonly simulated: { readonly cycles: number; readonly instructions: number; readonly percent: number };
}

/** An image bare and as a partition in several ways. */
export interface Comparison {
  readonly partition: string;
  readonly image: string;
  readonly bare: BareCounts & { readonly reached: Reached; readonly complete: boolean };
  readonly variants: readonly MeasuredVariant[];
  /** Why the other variants are not there. */
  readonly leftOut: readonly { readonly variant: VariantName; readonly reason: string }[];
}

const DEFAULT_MEMORY = 128 * 2 ** 20;
/** For magic pages. */
const SPARE = 2 ** 20;
const DEFAULT_LIMIT = 2e9;
/** A variant that needs so much more than the bare machine does not get where it should. */
const PATIENCE = 4;

/** `hv440 overhead IMAGE|CONFIG.dts…`: the same guests bare and as partitions. Gives the exit status. */
export function overhead(paths: readonly string[], options: OverheadOptions): number {
  const model = costModel(options.exitCost ?? []);
  const comparisons = paths.flatMap((path) => compare(path, options, model));
  const text = options.json ? JSON.stringify({ model, comparisons }) : overheadText(comparisons, model).join('\n');
  process.stdout.write(`${text}\n`);
  return comparisons.every((c) => c.bare.complete && c.variants.every((v) => v.complete)) ? 0 : 1;
}

/** The model of docs/overhead.md with what `--exit-cost` says otherwise. */
function costModel(changes: readonly string[]): CostModel {
  const { exits, worldSwitch, runAhead } = costModels.ppc440;
  const changed: Record<ExitKind, number> = { ...exits };
  for (const change of changes) {
    const [, kind, number = ''] = /^(?:([a-z-]+)=)?(.*)$/.exec(change)!;
    const cycles = parseCount('--exit-cost', number);
    if (kind === undefined) exitKinds.forEach((k) => (changed[k] = cycles));
    else if (kind in changed) changed[kind as ExitKind] = cycles;
    else throw new UsageError(`--exit-cost ${change}: there is no kind '${kind}'; there are ${exitKinds.join(', ')}`);
  }
  return { exits: changed, worldSwitch, runAhead };
}

function compare(path: string, options: OverheadOptions, model: CostModel): Comparison[] {
  const files = new Files();
  const until = { maxInstructions: DEFAULT_LIMIT, ...options };
  const make = (): Configured => configuration(path, options);
  const plain = insist(checkConfig(make(), files));
  const bares = configure(plain).partitions.map((config) => measureBare(config, plain, files, until));
  const most = Math.max(...bares.map((b) => b.counts.instructions));
  const limited = { ...until, maxInstructions: Math.min(until.maxInstructions, PATIENCE * bares.length * most) };
  const wanted = variants.filter((v) => options.variant === undefined || options.variant.includes(v.name));
  const runs = wanted.map((variant) => measureVariant(variant, make, files, limited, model));
  return configure(plain).partitions.map(({ name, image }, i) => {
    const { counts, reached, complete } = bares[i]!;
    const mine = runs.map((run) => (run.left === undefined ? run.measured[i]! : { ...run, reason: run.left }));
    return {
      partition: name,
      image,
      bare: { ...counts, reached, complete },
      variants: mine.filter((m) => 'counts' in m),
      leftOut: mine.filter((m) => 'reason' in m).map(({ variant, reason }) => ({ variant, reason })),
    };
  });
}

/** A configuration from a device tree, or the one that `hv440 run IMAGE` makes. */
function configuration(path: string, options: OverheadOptions): Configured {
  if (/\.dt[sb]$/.test(path)) return readTree(path);
  const { bootargs, initrd, memory = DEFAULT_MEMORY } = options;
  namedImage(new Files(), path);
  if (initrd !== undefined) namedInitrd(initrd);
  const label = basename(path).replace(/(\.(elf|bin|img))?(\.gz)?$/, '');
  const files = { ...(initrd !== undefined && { initrd }), ...(bootargs !== undefined && { bootargs }) };
  return parseGenerated(runSource({ image: path, label, memory, onReset: 'stop', spare: SPARE, ...files }));
}

type VariantRun =
  | { readonly variant: VariantName; readonly left: string }
  | { readonly variant: VariantName; readonly left?: undefined; readonly measured: readonly MeasuredVariant[] };

/** Run a variant twice: to count, and to see what the costs do to guests that look at the time. */
function measureVariant(
  { name, apply, uses }: Variant,
  make: () => Configured,
  files: Files,
  until: Until,
  model: CostModel,
): VariantRun {
  const run = (costs: CostModel): MeasuredPartition[] | string => {
    const configured = make();
    const problem = partitionNodes(configured.tree)
      .map((node) => apply(node))
      .find((p) => p !== undefined);
    if (problem !== undefined) return problem;
    setCosts(configured.tree, costs);
    return measurePartitions(insist(checkConfig(configured, files)), files, until);
  };
  const counted = run(costModels.unit);
  if (typeof counted === 'string') return { variant: name, left: counted };
  const unused = counted.map((m) => uses(m.counts)).find((reason) => reason !== undefined);
  if (unused !== undefined) return { variant: name, left: unused };
  const simulated = run(model) as MeasuredPartition[];
  return { variant: name, measured: counted.map((m, i) => variantOf(name, m, simulated[i]!, model)) };
}

function variantOf(
  name: VariantName,
  run: MeasuredPartition,
  costed: MeasuredPartition,
  model: CostModel,
): MeasuredVariant {
  const counts = partitionCounts(run.counts);
  const priced = price(counts, model);
  const { cycles, instructions } = costed.counts;
  return {
    variant: name,
    reached: run.reached,
    complete: run.complete && costed.complete,
    counts,
    exits: run.counts.exits,
    ahead: run.counts.ahead.details,
    priced,
    simulated: { cycles, instructions, percent: percentOf(cycles - priced.work, priced.work) },
  };
}

/** Have the simulation charge these costs, whatever the configuration said. */
function setCosts(tree: Tree, { exits, worldSwitch, runAhead }: CostModel): void {
  const node = partitionsNode(tree);
  for (const kind of exitKinds) node?.setCells(`exit-cycles-${kind}`, exits[kind]);
  node?.setCells('world-switch-cycles', worldSwitch);
  node?.setCells('run-ahead-cycles', runAhead);
}
