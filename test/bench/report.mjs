// Measurements as tables: for a terminal, or for the README.

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Median, least and greatest. */
export const spread = (values) =>
  values.length === 0 ? undefined : { median: median(values), min: Math.min(...values), max: Math.max(...values) };

/** The middle of ratios over several guests. */
export const geometricMean = (values) => Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);

const number = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 0 });
const times = (value) => (value >= 9.95 ? value.toFixed(0) : value.toFixed(value >= 0.95 ? 1 : 2));
/** Median, and between what. */
export const range = (s) => (s === undefined ? '-' : `${times(s.median)} (${times(s.min)}-${times(s.max)})`);

/** Rows of cells as text: the first column to the left, the others to the right; as Markdown with bars. */
export function table(rows, markdown) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(markdown ? ' | ' : '  ');
  if (!markdown) return rows.map(line).join('\n');
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ');
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].map((text) => `| ${text} |`).join('\n');
}

/** How fast: millions of instructions a second, and how many times longer than QEMU it took. */
export function speedTable(results, markdown = false) {
  const head = ['guest', 'instructions', 'bare MIPS', 'partition MIPS', 'QEMU MIPS'];
  head.push('bare : QEMU', 'partition : QEMU', 'bare : -icount', 'partition : -icount');
  const rows = results.map(({ name, instructions, mips, ratios }) => [
    name,
    number(instructions),
    ...['bare', 'partition', 'qemu'].map((machine) => (mips[machine] ? times(mips[machine].median) : '-')),
    range(ratios.bareToQemu),
    range(ratios.partitionToQemu),
    range(ratios.bareToIcount),
    range(ratios.partitionToIcount),
  ]);
  return table([head, ...rows], markdown);
}

/** Exits of a guest count for its kind where they are most of its exits and so many. */
const ENOUGH = 10_000;

/** What a round trip to the hypervisor takes, by the guests that do little else: simulated cycles, and wall time. */
export function exitTable(results, markdown = false) {
  const head = ['exit', 'guest', 'exits', 'cycles each', 'ns each'];
  const rows = results.flatMap(({ name, exits, seconds }) => {
    const total = exits.reduce((sum, { count }) => sum + count, 0);
    const [most] = exits.toSorted((a, b) => b.count - a.count);
    if (!most || most.count < ENOUGH) return [];
    const more = spread(seconds.partition.map((time, i) => ((time - seconds.bare[i]) * 1e9) / total));
    return [[most.kind, name, number(total), (most.cycles / most.count).toFixed(1), nanoseconds(more)]];
  });
  return rows.length === 0 ? undefined : table([head, ...rows], markdown);
}

const nanoseconds = ({ median, min, max }) => `${number(median)} (${number(min)}-${number(max)})`;

/** What virtualisation costs, exactly, in simulated cycles; and in wall time, as it happened to be. */
export function costTable(results, markdown = false) {
  const head = ['guest', 'bare cycles', 'partition cycles', 'more', 'exits by kind', 'wall time'];
  const rows = results.map(({ name, cycles, exits, ratios }) => [
    name,
    number(cycles.bare),
    number(cycles.partition),
    `${number(cycles.partition - cycles.bare)} (${((cycles.partition / cycles.bare - 1) * 100).toFixed(2)} %)`,
    exits.map(({ kind, count }) => `${kind} ${number(count)}`).join(', '),
    range(ratios.partitionToBare),
  ]);
  return table([head, ...rows], markdown);
}

/** The lines for the README: where and when, and the middle of all guests. */
export function readme({ machine, results }) {
  const mean = (pick) => geometricMean(results.map(pick));
  const speed = `${times(mean((r) => r.mips.bare.median))} million instructions a second on the bare board, ${times(mean((r) => r.mips.partition.median))} in a partition`;
  const compared = results.every((r) => r.ratios.bareToQemu)
    ? `; QEMU ${machine.qemu} took 1/${times(mean((r) => r.ratios.bareToQemu.median))} of the bare board's time on the same images`
    : '';
  const where = `${machine.processor}, ${machine.processors} cores, load ${machine.loadBefore} before, Node ${machine.node}, ${machine.date}`;
  return [
    `${speed}${compared} (geometric means of ${results.length} guests; ${where}).`,
    '',
    speedTable(results, true),
  ].join('\n');
}
