import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../../launch/errors.js';
import type { TestResult } from './results.js';

/** The environment of vitest's process has here the seed that tests are to begin with. */
export const SEED = 'HV440_TEST_SEED';

export interface CodeOptions {
  /** `vitest-process.js`. */
  readonly program: string;
  readonly workers: number;
  readonly filter?: string;
  readonly bail?: number;
  readonly seed?: number;
}

/** What the process that runs vitest is told, as JSON. */
export interface VitestOrder extends CodeOptions {
  /** Of the module `vitest/node` of the user's project. */
  readonly module: string;
  /** Absolute. */
  readonly files: readonly string[];
  /** Where vitest's own JSON report goes. */
  readonly report: string;
}

/** Runs tests in code by the vitest of the user's project. Throws a UsageError where there is none. */
export async function runCode(files: readonly string[], options: CodeOptions): Promise<TestResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-test-'));
  const report = join(folder, 'report.json');
  try {
    const order = { ...options, module: vitestModule(), files: files.map((file) => resolve(file)), report };
    const said = await run(order);
    if (!existsSync(report)) return files.map((file) => broken(file, 'vitest gave no report', said.split('\n')));
    const results = resultsOf(JSON.parse(readFileSync(report, 'utf8')) as Report, files);
    // What a filter leaves out is not told apart from what is skipped.
    return options.filter === undefined ? results : results.filter(({ outcome }) => outcome !== 'skipped');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where `vitest/node` is, from the working directory. */
function vitestModule(): string {
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'package.json')).resolve('vitest/node')).href;
  } catch {
    throw new UsageError('there are tests in code, and no vitest to run them: `npm install --save-dev vitest`');
  }
}

/** Gives what it printed. */
function run(order: VitestOrder): Promise<string> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [order.program, JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...(order.seed !== undefined && { [SEED]: String(order.seed) }) },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
    child.on('close', () => done(said.trimEnd()));
  });
}

/** What of vitest's JSON report is read (its format is Jest's). */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly duration?: number | null;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

function resultsOf({ testResults }: Report, files: readonly string[]): TestResult[] {
  const found = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name).split(sep).join('/');
    if (assertionResults.length === 0 && status === 'failed')
      return [broken(file, 'it could not be loaded', [message])];
    return assertionResults.map((each): TestResult => {
      const lines = (each.failureMessages ?? []).flatMap((text) => plain(text).split('\n'));
      const outcome = each.status === 'passed' || each.status === 'failed' ? each.status : 'skipped';
      const [first = 'it failed', ...details] = lines;
      return {
        name: `${file} > ${each.fullName}`,
        file,
        title: each.fullName,
        combination: {},
        outcome,
        milliseconds: each.duration ?? 0,
        ...(outcome === 'failed' && { failure: { message: `${file}: ${first}`, details, again: [] } }),
      };
    });
  });
  const silent = files.filter((file) => !testResults.some(({ name }) => resolve(name) === resolve(file)));
  return withOwnNames([...found, ...silent.map((file) => broken(file, 'vitest did not run it', []))]);
}

/** Two tests of a file may have the same name; the second is `NAME (2)`. */
function withOwnNames(results: readonly TestResult[]): TestResult[] {
  const seen = new Map<string, number>();
  return results.map((result) => {
    const times = (seen.get(result.name) ?? 0) + 1;
    seen.set(result.name, times);
    return times === 1 ? result : { ...result, name: `${result.name} (${times})`, title: `${result.title} (${times})` };
  });
}

const broken = (file: string, problem: string, details: readonly string[]): TestResult => ({
  name: file,
  file,
  title: file,
  combination: {},
  outcome: 'failed',
  milliseconds: 0,
  failure: { message: `${file}: ${problem}`, details: details.flatMap((text) => plain(text).split('\n')), again: [] },
});

const ESCAPES = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;]*m`, 'g');

/** Without colours. */
const plain = (text: string): string => text.replaceAll(ESCAPES, '');
