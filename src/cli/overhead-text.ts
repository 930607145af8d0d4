import type { CostModel } from '../devicetree/cost-models.js';
import { exitKinds } from '../devicetree/bindings/partitions.js';
import { affordable, type Priced } from '../hypervisor/overhead.js';
import { columns, count, fixed } from './columns.js';
import type { Comparison, MeasuredVariant } from './overhead.js';

const FACTORS = [0.25, 0.5, 1, 2, 4, 8];
/** Details of a kind that are printed. */
const MOST_DETAILS = 6;

/** What `hv440 overhead` prints. */
export function overheadText(comparisons: readonly Comparison[], model: CostModel): string[] {
  return [...comparisons.flatMap((c) => [...comparisonLines(c), '']), ...modelLines(model)];
}

const modelLines = ({ exits, worldSwitch, runAhead }: CostModel): string[] => [
  `cost model (cycles an exit; docs/overhead.md tells where they come from): ${exitKinds.map((k) => `${k} ${exits[k]}`).join(', ')}, world-switch ${worldSwitch}, run-ahead ${runAhead} an instruction`,
];

function comparisonLines(comparison: Comparison): string[] {
  const { partition, image, bare, variants, leftOut } = comparison;
  const unlike = variants.filter((v) => v.reached !== bare.reached).map((v) => `  ${v.variant} ${v.reached}`);
  return [
    `${partition} (${image}), until it ${bare.reached}:`,
    ...unlike,
    ...indented(countTable(comparison)),
    ...variants.flatMap((v) => ['', ...variantLines(v)]),
    ...(variants.length > 0 ? ['', ...indented(summaryTable(variants))] : []),
    ...leftOut.map(({ variant, reason }) => `  ${variant}: left out, since ${reason}`),
  ];
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => (line === '' ? '' : `  ${line}`));

/** Nothing but counts: what is bought at zero cost an exit. */
function countTable({ bare, variants }: Comparison): string[] {
  const row = (name: string, ofBare: number | undefined, of: (v: MeasuredVariant) => number): string[] => [
    name,
    ofBare === undefined ? '' : count(ofBare),
    ...variants.map((v) => count(of(v))),
  ];
  return columns(
    ['', 'bare', ...variants.map((v) => v.variant)],
    [
      row('instructions', bare.instructions, (v) => v.counts.instructions),
      row('  run by the core', bare.instructions, (v) => v.counts.own),
      row('  run by the hypervisor for it', 0, (v) => v.counts.emulated),
      row('  more or fewer than bare', undefined, (v) => v.counts.instructions - bare.instructions),
      row('interrupts taken', bare.interrupts, (v) => v.counts.interrupts),
      row('cycles idle', bare.idle, (v) => v.counts.idle),
      row('exits', 0, (v) => v.priced.exits),
    ],
  );
}

function variantLines(v: MeasuredVariant): string[] {
  const rows = v.priced.kinds.flatMap((k) => [
    [k.kind, count(k.count), fixed(k.perMillion, 1), count(k.cost), count(k.cycles), `${fixed(k.percent, 2)} %`],
    ...detailRows(v, k.kind),
  ]);
  const { exits, exitsPerMillion, overhead, percent } = v.priced;
  const total = ['all', count(exits), fixed(exitsPerMillion, 1), '', count(overhead), `${fixed(percent, 2)} %`];
  const table = columns(['exit', 'count', 'per million', 'cycles each', 'cycles', 'adds'], [...rows, total]);
  return indented([`${v.variant}:`, ...indented([...table, ...answers(v)])]);
}

function detailRows(v: MeasuredVariant, kind: Priced['kinds'][number]['kind']): string[][] {
  if (kind === 'world-switch') return [];
  const details = kind === 'run-ahead' ? v.ahead : (v.exits[kind]?.details ?? []);
  return details.slice(0, MOST_DETAILS).map((d) => [`  ${d.name}`, count(d.count), fixed(d.perMillion, 1)]);
}

function answers({ priced, simulated }: MeasuredVariant): string[] {
  const at = FACTORS.map((factor) => `x${factor} ${fixed(priced.percent * factor, 2)} %`).join(', ');
  const most = [2, 20].map((percent) => `${percent} % with ${fixed(affordable(priced, percent), 1)}`).join(', ');
  return [
    `at other costs: x0 0 %, ${at}`,
    `adds ${most} cycles an exit on average`,
    `with these costs in force: ${count(simulated.cycles)} cycles for ${count(simulated.instructions)} instructions, ${fixed(simulated.percent, 2)} % more than without a hypervisor`,
  ];
}

const summaryTable = (variants: readonly MeasuredVariant[]): string[] =>
  columns(
    ['as a partition', 'exits', 'per million', 'cycles added', 'adds'],
    variants.map(({ variant, priced }) => [
      variant,
      count(priced.exits),
      fixed(priced.exitsPerMillion, 1),
      count(priced.overhead),
      `${fixed(priced.percent, 2)} %`,
    ]),
  );
