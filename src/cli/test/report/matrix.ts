import { describeCycles } from '../../../devicetree/duration.js';
import { columns, count } from '../../columns.js';
import type { TestResult } from '../results.js';

/** For each test that was run over a matrix a table: variants, result, simulated time, exits. */
export function matrixLines(results: readonly TestResult[]): string[] {
  const varied = results.filter(({ combination }) => Object.keys(combination).length > 0);
  return [...byTest(varied)].flatMap(([name, runs]) => ['', name, ...table(runs).map((line) => `  ${line}`), '']);
}

function byTest(results: readonly TestResult[]): Map<string, TestResult[]> {
  const all = new Map<string, TestResult[]>();
  for (const result of results) {
    const name = `${result.file} > ${result.title}`;
    all.set(name, [...(all.get(name) ?? []), result]);
  }
  return all;
}

function table(runs: readonly TestResult[]): string[] {
  const axes = Object.keys(runs[0]?.combination ?? {});
  const rows = runs.map(({ combination, outcome, run }) => [
    ...axes.map((axis) => combination[axis] ?? ''),
    outcome === 'trouble' ? 'could not be run' : outcome,
    ...(run ? [describeCycles(run.cycles, run.frequency), count(run.exits), count(run.instructions)] : []),
  ]);
  return columns([...axes, 'result', 'time', 'exits', 'instructions'], rows);
}
