import { readdirSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { ConfigError, type Finding } from '../../devicetree/finding.js';
import { axesOf, combinations, testPlan, unknownVariant, type Combination } from '../../devicetree/test-plan.js';
import type { Tree } from '../../devicetree/tree.js';
import { hasErrors, readTree, type SourceFlags } from '../../launch/config.js';
import { FileError, UsageError } from '../../launch/errors.js';
import { crc32 } from '../../loader/crc32.js';

/** One run of one test in a tree: of a matrix, one combination. */
export interface TestCase {
  /** Relative to the working directory, with forward slashes. */
  readonly file: string;
  readonly title: string;
  /** `FILE > TITLE [AXIS=VARIANT …]`: unique, and the same in every run. */
  readonly name: string;
  readonly combination: Combination;
  /** The test says itself that it is not to be run. */
  readonly disabled: boolean;
}

/** What files there are to test. */
export interface Found {
  /** Trees with tests, `*.test.dts`, or what was named. */
  readonly trees: readonly string[];
  /** Tests in code, which vitest runs. */
  readonly code: readonly string[];
}

const TREE = /\.test\.dts$/;
const CODE = /\.test\.(ts|mts|js|mjs)$/;

/** Folders that hold no tests of one's own. */
const passedOver = ['node_modules', 'dist', '.git'];

/** The tests in files and folders, each once, in the order of their names. Throws a FileError for what is not there. */
export function findTests(paths: readonly string[]): Found {
  const all = new Set(paths.flatMap((path) => filesAt(path)).map(shown));
  const files = [...all].sort();
  return { trees: files.filter((file) => !CODE.test(file)), code: files.filter((file) => CODE.test(file)) };
}

/** A path as reports have it. */
const shown = (path: string): string => relative(process.cwd(), path).split(sep).join('/') || '.';

function filesAt(path: string): string[] {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (!kind)
    throw new FileError(path, 'there is no such file', 'name a test, *.test.dts or *.test.ts, or a folder of them');
  return kind.isDirectory() ? filesBelow(path) : [path];
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return passedOver.includes(entry.name) ? [] : filesBelow(path);
    return TREE.test(entry.name) || CODE.test(entry.name) ? [path] : [];
  });
}

/** The tests of a tree, one for each combination of its matrix, or what is wrong with it. */
export function casesOf(
  file: string,
  flags: SourceFlags,
): readonly TestCase[] | { readonly findings: readonly Finding[] } {
  const read = treeOf(file, flags);
  if ('findings' in read) return read;
  const plan = testPlan(read);
  if (!plan) return { findings: [noTest(file)] };
  const title = plan.description ?? basename(file).replace(/(\.test)?\.dts$/, '');
  const { disabled } = plan;
  const picked = Object.fromEntries((flags.variant ?? []).map((text) => text.split('=', 2)));
  const axes = axesOf(read).map(({ name, variants }) => ({
    name,
    variants: variants.filter((one) => one === (picked[name] ?? one)),
  }));
  return combinations(axes).map((combination) => {
    const variants = variantsText(combination);
    return { file, title, name: `${file} > ${title}${variants && ` [${variants}]`}`, combination, disabled };
  });
}

/** What is wrong with a `--variant` that no tree can follow, as `unknownVariant` says it; a test without that axis is run as it is. */
export function missingVariant(files: readonly string[], flags: SourceFlags): string | undefined {
  const trees = files.flatMap((file) => {
    const read = treeOf(file, flags);
    return 'findings' in read ? [] : read;
  });
  if (trees.length === 0) return undefined;
  for (const [axis, variant] of (flags.variant ?? []).map((text) => text.split('=', 2))) {
    const problems = trees.map((tree) => unknownVariant(axesOf(tree), { [axis!]: variant ?? '' }));
    if (problems.includes(undefined)) continue;
    // The one that has the axis knows its variants
    return (
      problems.find((problem) => problem?.includes('has no variant')) ??
      problems.find((p) => p?.includes('no axis')) ??
      problems[0]
    );
  }
  return undefined;
}

/** `memory=small quantum=long`. */
export const variantsText = (combination: Combination): string =>
  Object.entries(combination)
    .map(([axis, variant]) => `${axis}=${variant}`)
    .join(' ');

/** A tree as far as its test goes: what else is wrong with it is told when it is booted. */
function treeOf(
  file: string,
  { include = [], define = [], set = [] }: SourceFlags,
): Tree | { readonly findings: readonly Finding[] } {
  try {
    const { tree, findings } = readTree(file, { include, define, set });
    return hasErrors(findings) ? { findings } : tree;
  } catch (error) {
    if (error instanceof ConfigError) return { findings: error.findings };
    if (!(error instanceof FileError)) throw error;
    const { problem, remedy } = error;
    return { findings: [{ rule: 'file', severity: 'error', at: { file, line: 1, col: 1 }, message: problem, remedy }] };
  }
}

const noTest = (file: string): Finding => ({
  rule: 'test',
  severity: 'error',
  at: { file, line: 1, col: 1 },
  message: 'there is no /test node, so there is nothing to test',
  remedy: 'add test { compatible = "hv440,test"; … }; to the root (docs/testing.md)',
});

/** Whether the name of a test, or of a file of tests, belongs to shard `i/n`; a test stays in its shard whatever others there are. */
export const inShard = (name: string, shard: Shard | undefined): boolean =>
  shard === undefined || crc32(new TextEncoder().encode(name)) % shard.of === shard.index - 1;

export interface Shard {
  /** From 1 on. */
  readonly index: number;
  readonly of: number;
}

/** `2/3`. Throws a UsageError. */
export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  if (shard.index >= 1 && shard.index <= shard.of) return shard;
  throw new UsageError(`--shard ${text}: give it as I/N, the first of three is 1/3`);
}

/** What `--filter` looks for. Throws a UsageError. */
export function parseFilter(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError(`--filter ${text}: ${(error as Error).message}`);
  }
}
