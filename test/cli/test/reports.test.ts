import { expect, test } from 'vitest';
import { junit } from '../../../src/cli/test/report/junit.js';
import { ListReport } from '../../../src/cli/test/report/list.js';
import { matrixLines } from '../../../src/cli/test/report/matrix.js';
import { tap } from '../../../src/cli/test/report/tap.js';
import { statusOf, tally, type TestResult } from '../../../src/cli/test/results.js';
import { readTap } from './tap-reader.js';
import { readXml, junitProblems } from './junit-reader.js';

const run = { cycles: 4_960_000, frequency: 400e6, instructions: 1234, exits: 5678 };

const result = (title: string, more: Partial<TestResult> = {}): TestResult => ({
  name: `a.test.dts > ${title}`,
  file: 'a.test.dts',
  title,
  combination: {},
  outcome: 'passed',
  milliseconds: 12.5,
  run,
  ...more,
});

const nasty = 'a < b && "c" > \'d\' # \\ \u001b[31m ü 😀\u0000';

const results: TestResult[] = [
  result('passes'),
  result('fails', {
    outcome: 'failed',
    failure: {
      message: `a.test.dts:3:4: ${nasty}`,
      details: ['  | one', 'two: # {', nasty],
      again: ['hv440 replay x'],
    },
  }),
  result('rests', { outcome: 'skipped' }),
  result(nasty, { outcome: 'trouble', failure: { message: 'wrong', details: [], again: [] } }),
  result('varies', {
    combination: { memory: 'small', quantum: 'long' },
    name: 'a.test.dts > varies [memory=small quantum=long]',
  }),
  result('varies', {
    combination: { memory: 'large', quantum: 'long' },
    name: 'a.test.dts > varies [memory=large quantum=long]',
    outcome: 'failed',
    failure: { message: 'late', details: [], again: [] },
  }),
  result('other', { file: 'b.test.ts', name: 'b.test.ts > other' }),
];

test('JUnit XML keeps to the schema, and has the same results', () => {
  const xml = junit(results, 1.5, new Date('2026-01-02T03:04:05.678Z'));
  const root = readXml(xml);
  expect(junitProblems(root)).toEqual([]);
  expect(root.attributes).toMatchObject({ tests: '7', failures: '2', errors: '1', skipped: '1', time: '1.500' });
  expect(
    root.children.map(({ attributes }) => [attributes['name'], attributes['tests'], attributes['timestamp']]),
  ).toEqual([
    ['a.test.dts', '6', '2026-01-02T03:04:05'],
    ['b.test.ts', '1', '2026-01-02T03:04:05'],
  ]);
  const [, failed] = root.children[0]!.children;
  expect(failed!.children[0]!.attributes['message']).toBe(
    'a.test.dts:3:4: a < b && "c" > \'d\' # \\ \ufffd[31m ü 😀\ufffd',
  );
  expect(failed!.children[0]!.text).toContain('  | one\ntwo: # {\n');
  expect(root.children[0]!.children[4]!.attributes['name']).toBe('varies [memory=small quantum=long]');
});

test('TAP 14 is read by a strict reader, and has the same results', () => {
  const read = readTap(tap(results, 7));
  expect(read.plan).toBe(7);
  expect(read.points.map(({ ok, directive }) => `${ok}${directive ?? ''}`)).toEqual([
    'true',
    'false',
    'trueSKIP',
    'false',
    'true',
    'false',
    'true',
  ]);
  expect(read.points[3]!.description).toBe(`a.test.dts > ${nasty.replaceAll(/\p{Cc}/gu, '\ufffd')}`);
  expect(read.points[1]!.yaml['message']).toBe(`a.test.dts:3:4: ${nasty}`);
  expect(read.points[1]!.yaml['details']).toEqual(['  | one', 'two: # {', nasty]);
  expect(read.points[0]!.yaml['cycles']).toBe(4_960_000);
});

test('TAP bails out where tests were not begun', () => {
  expect(readTap(tap(results.slice(0, 2), 7)).bail).toBe('5 tests were not begun');
});

/** What a list prints on paper, or on a terminal. */
function list(tty: boolean, act: (report: ListReport) => void, order = results.map(({ name }) => name)): string {
  let text = '';
  act(new ListReport({ write: (more) => (text += more), tty, width: 40 }, order));
  return text;
}

test('a list is in the order of the tests, however they end', () => {
  const [first, second, third] = results as [TestResult, TestResult, TestResult];
  const text = list(
    false,
    (report) => {
      for (const one of [second, third, first]) report.started(one);
      for (const one of [second, third, first]) report.ended(one);
      report.finish(2);
    },
    [first, second, third].map(({ name }) => name),
  );
  expect(text.split('\n')).toEqual([
    '✓ a.test.dts > passes  12.4 ms, 5,678 exits',
    '✗ a.test.dts > fails  12.4 ms, 5,678 exits',
    `    a.test.dts:3:4: ${nasty}`,
    '      | one',
    '    two: # {',
    `    ${nasty}`,
    '    the same again: hv440 replay x',
    '- a.test.dts > rests  12.4 ms, 5,678 exits',
    '1 passed, 1 failed, 1 skipped (2.0 s)',
    '',
  ]);
});

test('on a terminal the last line says what is being run, in its width', () => {
  const [first] = results as [TestResult];
  const text = list(true, (report) => {
    report.started(first);
    report.started({ name: 'another with a very long name that does not fit' });
    report.ended(first);
    report.finish(1);
  });
  const shown = text.split('\r\u001b[K');
  expect(shown[1]).toBe('0/7 a.test.dts > passes');
  expect(shown[2]).toBe('0/7 a.test.dts > passes, another with …');
  expect(shown[3]).toContain('\u001b[32m✓\u001b[0m a.test.dts > passes');
  expect(text).not.toMatch(/another[^\r]*\n/);
  expect(text).toContain('6 not begun');
});

test('a matrix is a table', () => {
  expect(matrixLines(results)).toEqual([
    '',
    'a.test.dts > varies',
    '  memory  quantum  result     time  exits  instructions',
    '  small      long  passed  12.4 ms  5,678         1,234',
    '  large      long  failed  12.4 ms  5,678         1,234',
    '',
  ]);
});

test('the status is 2 for trouble, 1 for failures, 0 else', () => {
  const status = (...outcomes: TestResult['outcome'][]): number =>
    statusOf(tally(outcomes.map((outcome) => result('x', { outcome }))));
  expect([status(), status('passed', 'skipped'), status('passed', 'failed'), status('failed', 'trouble')]).toEqual([
    0, 0, 1, 2,
  ]);
});
