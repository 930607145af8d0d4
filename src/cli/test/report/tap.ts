import { tally, type TestResult } from '../results.js';

/** Results in the Test Anything Protocol, version 14: a line for each, YAML below those that failed. */
export function tap(results: readonly TestResult[], planned: number): string {
  const lines = results.flatMap((result, i) => [point(result, i + 1), ...diagnostics(result)]);
  const bail = results.length < planned ? [`Bail out! ${planned - results.length} tests were not begun`] : [];
  const { passed, failed, skipped, trouble } = tally(results);
  const sums = `# ${passed} passed, ${failed} failed, ${trouble} could not be run, ${skipped} skipped`;
  return `${['TAP version 14', `1..${planned}`, ...lines, sums, ...bail].join('\n')}\n`;
}

const point = ({ name, outcome }: TestResult, id: number): string => {
  const ok = outcome === 'passed' || outcome === 'skipped' ? 'ok' : 'not ok';
  return `${ok} ${id} - ${escaped(name)}${outcome === 'skipped' ? ' # SKIP its status is disabled' : ''}`;
};

/** A backslash makes a `#` no directive. */
const escaped = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\p{Cc}/gu, '\ufffd')
    .replaceAll(/[\\#]/g, (character) => `\\${character}`);

function diagnostics({ run, failure, milliseconds }: TestResult): string[] {
  const figures = run ? [`cycles: ${run.cycles}`, `instructions: ${run.instructions}`, `exits: ${run.exits}`] : [];
  const lines = [`duration_ms: ${milliseconds.toFixed(3)}`, ...figures, ...(failure ? failureLines(failure) : [])];
  return ['---', ...lines, '...'].map((line) => `  ${line}`);
}

const failureLines = ({ message, details, again }: NonNullable<TestResult['failure']>): string[] => [
  `message: ${JSON.stringify(message)}`,
  'severity: fail',
  ...block('details', details),
  ...block('again', again),
];

const block = (key: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${key}:`, ...lines.map((line) => `  - ${JSON.stringify(line)}`)];
