import { tally, type TestResult } from '../results.js';

/**
 * Results as JUnit XML, in the form that Jenkins' xunit plug-in and GitLab read: a suite for each file, a case for each test.
 * `now` is the moment at which the tests were begun.
 */
export function junit(results: readonly TestResult[], seconds: number, now: Date): string {
  const files = [...new Set(results.map(({ file }) => file))];
  const suites = files.map((file) =>
    suite(
      file,
      results.filter((result) => result.file === file),
      now,
    ),
  );
  const { failed, trouble, skipped } = tally(results);
  const counts = { tests: results.length, failures: failed, errors: trouble, skipped };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { name: 'hv440 test', ...counts, time: seconds.toFixed(3) }, suites)}`;
}

function suite(file: string, results: readonly TestResult[], now: Date): string {
  const { failed, trouble, skipped } = tally(results);
  const attributes = {
    name: file,
    tests: results.length,
    failures: failed,
    errors: trouble,
    skipped,
    time: secondsOf(results.reduce((sum, { milliseconds }) => sum + milliseconds, 0)),
    timestamp: now.toISOString().replace(/\.\d+Z$/, ''),
  };
  return element('testsuite', attributes, results.map(testCase));
}

function testCase({ file, title, combination, outcome, milliseconds, run, failure }: TestResult): string {
  const variants = Object.entries(combination).map(([axis, variant]) => `${axis}=${variant}`);
  const name = variants.length > 0 ? `${title} [${variants.join(' ')}]` : title;
  const attributes = { name, classname: file, time: secondsOf(milliseconds) };
  const figures = run ? [`${run.cycles} cycles`, `${run.instructions} instructions`, `${run.exits} exits`] : [];
  const children = [
    ...(outcome === 'skipped' ? [element('skipped', {})] : []),
    ...(failure ? [trouble(outcome === 'trouble' ? 'error' : 'failure', failure)] : []),
    ...(figures.length > 0 ? [element('system-out', {}, [escaped(figures.join(', '))])] : []),
  ];
  return element('testcase', attributes, children);
}

function trouble(kind: 'error' | 'failure', { message, details, again }: NonNullable<TestResult['failure']>): string {
  const type = kind === 'error' ? 'configuration' : 'test';
  return element(kind, { message, type }, [escaped([message, ...details, ...again].join('\n'))]);
}

const secondsOf = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

type Attributes = Readonly<Record<string, string | number>>;

/** An element; text in `children` has to be escaped already. */
function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const all = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  const open = `<${name}${all.join('')}`;
  if (children.length === 0) return `${open}/>\n`;
  const inside = children.join('');
  return inside.startsWith('<') ? `${open}>\n${inside}</${name}>\n` : `${open}>${inside}</${name}>\n`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** Text as XML 1.0 may hold it: what it cannot hold at all becomes U+FFFD. */
const escaped = (text: string): string =>
  text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"\n\t]/g, (character) => entities[character] ?? character);
