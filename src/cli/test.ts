import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, type Finding } from '../devicetree/finding.js';
import type { SourceFlags } from '../launch/config.js';
import type { EngineOptions } from '../launch/engine-options.js';
import { UsageError } from '../launch/errors.js';
import {
  casesOf,
  findTests,
  inShard,
  missingVariant,
  parseFilter,
  parseShard,
  type Shard,
  type TestCase,
} from './test/cases.js';
import { Pool } from './test/pool.js';
import { junit } from './test/report/junit.js';
import { ListReport, type Paper } from './test/report/list.js';
import { tap } from './test/report/tap.js';
import { statusOf, tally, type TestResult } from './test/results.js';
import { runCode } from './test/vitest.js';
import { watch } from './test/watch.js';

export interface TestOptions extends SourceFlags, EngineOptions {
  /** A regular expression that names must match. */
  readonly filter?: string;
  readonly workers?: number;
  /** `I/N`. */
  readonly shard?: string;
  readonly seed?: number;
  /** After so many failures no further test is begun; true: after the first. */
  readonly bail?: number | true;
  readonly reporter?: 'list' | 'junit' | 'tap';
  /** Where that report goes, in place of standard output. */
  readonly output?: string;
  readonly junit?: string;
  readonly tap?: string;
  readonly recordings?: string;
  readonly watch?: boolean;
}

/** `hv440 test [FILE|DIR…]`: run the tests that are there, and report. Gives the exit status. */
export async function test(paths: readonly string[], options: TestOptions): Promise<number> {
  const named = paths.length > 0 ? paths : ['.'];
  const missing = options.variant && missingVariant(findTests(named).trees, options);
  if (missing !== undefined) throw new UsageError(`--variant ${missing}`);
  if (!options.watch) {
    const { status, tests } = await runAll(named, options);
    const { filter, shard } = options;
    if (tests > 0 || filter === undefined || shard !== undefined) return status;
    throw new UsageError(`--filter ${filter}: no test has such a name; they are FILE > DESCRIPTION [AXIS=VARIANT …]`);
  }
  return watch(named, (changed) => runAll(named, options, changed));
}

/** What one run of all has come to. */
export interface RunOfAll {
  readonly status: number;
  /** How many tests there were, those that were skipped included. */
  readonly tests: number;
  /** The files that each test file's configuration is made of, absolute. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

/** Tests of files that `changed` does not want are left out. */
async function runAll(
  paths: readonly string[],
  options: TestOptions,
  changed: (file: string) => boolean = () => true,
): Promise<RunOfAll> {
  const shard = options.shard === undefined ? undefined : parseShard(options.shard);
  const { trees, code } = findTests(paths);
  if (trees.length + code.length === 0)
    throw new UsageError(`${paths.join(', ')}: there are no tests, *.test.dts or *.test.ts`);
  const run = new Run(options, collect(trees.filter(changed), options, shard));
  await run.trees();
  await run.code(code.filter((file) => changed(file) && inShard(file, shard)));
  return { status: run.report(), tests: run.tests, files: run.files };
}

/** One run of tests, and its reports. */
class Run {
  readonly files: Map<string, readonly string[]>;
  readonly #began = new Date();
  readonly #start = performance.now();
  readonly #results: TestResult[] = [];
  /** The names of all tests, in the order of the reports. */
  readonly #order: string[];
  readonly #wanted: readonly TestCase[];
  readonly #list: ListReport;
  readonly #workers: number;
  readonly #mostFailures: number;

  constructor(
    private readonly options: TestOptions,
    { cases, broken, sources }: Collected,
  ) {
    const { reporter = 'list', output, bail = Infinity, workers = availableParallelism() } = options;
    this.files = new Map(sources);
    this.#workers = workers;
    this.#mostFailures = bail === true ? 1 : bail;
    this.#wanted = cases.filter(({ disabled }) => !disabled);
    const known = [...broken, ...cases.filter(({ disabled }) => disabled).map(skipped)];
    this.#order = [...known, ...this.#wanted].toSorted(byFile).map(({ name }) => name);
    const listed = reporter === 'list' || output !== undefined;
    this.#list = new ListReport(listed ? paper(reporter === 'list' ? output : undefined) : nowhere, this.#order);
    known.forEach(this.#take);
  }

  #take = (result: TestResult): void => {
    this.#results.push(result);
    this.#list.ended(result);
  };

  get tests(): number {
    return this.#results.length;
  }

  /** How many more tests may fail before no further one is begun. */
  get #failuresLeft(): number {
    return this.#mostFailures - tally(this.#results).failed;
  }

  async trees(): Promise<void> {
    const pool = new Pool(this.#wanted, {
      workers: this.#workers,
      common: commonOf(this.options),
      started: (one) => this.#list.started(one),
      ended: (result, used) => {
        const { file } = result;
        this.files.set(file, [...new Set([...(this.files.get(file) ?? []), ...used])]);
        this.#take(result);
      },
      enough: () => this.#failuresLeft <= 0,
    });
    await pool.run();
  }

  async code(files: readonly string[]): Promise<void> {
    for (const file of files) this.files.set(file, [file]);
    if (files.length === 0 || this.#failuresLeft <= 0) return;
    const results = await runCode(files, codeOptions(this.options, this.#workers, this.#failuresLeft));
    this.#order.push(...results.map(({ name }) => name));
    results.forEach(this.#take);
  }

  /** Ends the list, and writes the other reports; gives the exit status. */
  report(): number {
    const { options } = this;
    const seconds = (performance.now() - this.#start) / 1000;
    this.#list.finish(seconds);
    const places = new Map(this.#order.map((name, i) => [name, i]));
    const results = this.#results.toSorted((a, b) => places.get(a.name)! - places.get(b.name)!);
    write(options, {
      junit: () => junit(results, seconds, this.#began),
      tap: () => tap(results, this.#order.length),
    });
    return statusOf(tally(results));
  }
}

/** Those of one file stay as they are. */
const byFile = (a: { readonly file: string }, b: { readonly file: string }): number =>
  a.file === b.file ? 0 : a.file < b.file ? -1 : 1;

interface Collected {
  readonly cases: TestCase[];
  readonly broken: TestResult[];
  /** Of the files that are broken, those that something is wrong with. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
}

/** The tests that are wanted, and the files that have none since they are broken. */
function collect(trees: readonly string[], options: TestOptions, shard: Shard | undefined): Collected {
  const filter = options.filter === undefined ? undefined : parseFilter(options.filter);
  const cases: TestCase[] = [];
  const broken: TestResult[] = [];
  const sources = new Map<string, readonly string[]>();
  for (const file of trees) {
    const found = casesOf(file, options);
    if ('findings' in found) {
      if (inShard(file, shard)) broken.push(brokenFile(file, found.findings));
      sources.set(file, [file, ...found.findings.map(({ at }) => at.file)]);
    } else cases.push(...found.filter(({ name }) => (filter?.test(name) ?? true) && inShard(name, shard)));
  }
  return { cases, broken, sources };
}

function brokenFile(file: string, findings: readonly Finding[]): TestResult {
  const [message = '', ...details] = findings.filter(({ severity }) => severity === 'error').map(describe);
  const failure = { message, details, again: [] };
  return { name: file, file, title: file, combination: {}, outcome: 'trouble', milliseconds: 0, failure };
}

const skipped = ({ name, file, title, combination }: TestCase): TestResult => ({
  name,
  file,
  title,
  combination,
  outcome: 'skipped',
  milliseconds: 0,
});

function commonOf({ include, define, set, engine, codeCache, seed, recordings = 'test-results' }: TestOptions) {
  return {
    flags: { ...(include && { include }), ...(define && { define }), ...(set && { set }) },
    engine: { ...(engine && { engine }), ...(codeCache !== undefined && { codeCache }) },
    ...(seed !== undefined && { seed }),
    recordings,
  };
}

/** Where the process is that runs vitest: a module by itself, whether this one is or is part of a bundle. */
const vitestProcess = new URL('../cli/test/vitest-process.js', import.meta.url);

function codeOptions({ filter, seed }: TestOptions, workers: number, most: number) {
  return {
    program: fileURLToPath(vitestProcess),
    workers,
    ...(filter !== undefined && { filter }),
    ...(most !== Infinity && { bail: most }),
    ...(seed !== undefined && { seed }),
  };
}

const nowhere: Paper = { write: () => {}, tty: false, width: 0 };

/** Standard output, or a file. */
function paper(file: string | undefined): Paper {
  if (file === undefined) {
    const { stdout } = process;
    const tty = stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
    return { write: (text) => void stdout.write(text), tty, width: stdout.columns ?? 80 };
  }
  writeText(file, '');
  let text = '';
  const write = (more: string): void => writeText(file, (text += more));
  return { write, tty: false, width: 80 };
}

type Texts = Readonly<Record<'junit' | 'tap', () => string>>;

/** The reports beside the list. */
function write(options: TestOptions, texts: Texts): void {
  const { reporter = 'list' } = options;
  for (const kind of ['junit', 'tap'] as const) {
    const file = options[kind];
    if (file !== undefined) writeText(file, texts[kind]());
  }
  if (reporter === 'list') return;
  if (options.output === undefined) process.stdout.write(texts[reporter]());
  else writeText(options.output, texts[reporter]());
}

function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}; name a file that can be written`);
  }
}
