import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, type Finding } from '../devicetree/finding.js';
import type { SourceFlags } from '../launch/config.js';
import type { EngineOptions } from '../launch/engine-options.js';
import { UsageError } from '../launch/errors.js';
import { casesOf, findTests, inShard, parseFilter, parseShard, type TestCase } from './test/cases.js';
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
  if (!options.watch) return (await runAll(named, options)).status;
  return watch(named, (changed) => runAll(named, options, changed));
}

/** What one run of all has come to. */
export interface RunOfAll {
  readonly status: number;
  /** The files that each test file's configuration is made of, absolute. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

/** Tests of files that `changed` does not want are left out. */
async function runAll(
  paths: readonly string[],
  options: TestOptions,
  changed: (file: string) => boolean = () => true,
): Promise<RunOfAll> {
  const began = new Date();
  const start = performance.now();
  const { trees, code } = findTests(paths);
  const { cases, broken, sources } = collect(trees.filter(changed), options);
  const programs = code.filter((file) => changed(file) && inShard(file, shardOf(options)));
  if (trees.length + code.length === 0)
    throw new UsageError(`${paths.join(', ')}: there are no tests, *.test.dts or *.test.ts`);

  const all = [...broken, ...cases.filter(({ disabled }) => disabled).map(skipped)];
  const wanted = cases.filter(({ disabled }) => !disabled);
  const order = [...all, ...wanted].toSorted(byFile).map(({ name }) => name);
  const reporter = options.reporter ?? 'list';
  const listed = reporter === 'list' || options.output !== undefined;
  const list = new ListReport(listed ? paper(reporter === 'list' ? options.output : undefined) : nowhere, order);
  const files = new Map(sources);
  for (const result of all) list.ended(result);
  const take = (result: TestResult): void => {
    all.push(result);
    list.ended(result);
  };
  const failures = (): number => all.filter(({ outcome }) => outcome === 'failed').length;
  const most = options.bail === true ? 1 : (options.bail ?? Infinity);
  const workers = options.workers ?? availableParallelism();
  await new Pool(wanted, {
    workers,
    common: commonOf(options),
    started: (one) => list.started(one),
    ended: (result, used) => {
      files.set(result.file, [...new Set([...(files.get(result.file) ?? []), ...used])]);
      take(result);
    },
    enough: () => failures() >= most,
  }).run();
  if (programs.length > 0 && failures() < most) {
    const results = await runCode(programs, codeOptions(options, workers, most - failures()));
    order.push(...results.map(({ name }) => name));
    results.forEach(take);
  }
  for (const file of programs) files.set(file, [file]);
  const seconds = (performance.now() - start) / 1000;
  list.finish(seconds);
  const sorted = all.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  write(options, reporter, { junit: () => junit(sorted, seconds, began), tap: () => tap(sorted, order.length) });
  return { status: statusOf(tally(all)), files };
}

/** Those of one file stay as they are. */
const byFile = (a: { readonly file: string }, b: { readonly file: string }): number =>
  a.file === b.file ? 0 : a.file < b.file ? -1 : 1;

const shardOf = ({ shard }: TestOptions) => (shard === undefined ? undefined : parseShard(shard));

interface Collected {
  readonly cases: TestCase[];
  readonly broken: TestResult[];
  /** Of the files that are broken, those that something is wrong with. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
}

/** The tests that are wanted, and the files that have none since they are broken. */
function collect(trees: readonly string[], options: TestOptions): Collected {
  const filter = options.filter === undefined ? undefined : parseFilter(options.filter);
  const shard = shardOf(options);
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
function write(options: TestOptions, reporter: 'list' | 'junit' | 'tap', texts: Texts): void {
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
