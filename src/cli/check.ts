import { ConfigError, describe, type Finding } from '../devicetree/finding.js';
import { provenance } from '../devicetree/origin.js';
import { axesOf, combinations } from '../devicetree/test-plan.js';
import type { Tree } from '../devicetree/tree.js';
import { Levels, warningNamed } from '../devicetree/warnings/index.js';
import { checkConfig, hasErrors, readTree, type SourceFlags } from '../launch/config.js';
import { explain } from './config.js';
import { explainRule, knownRule } from './explain-rule.js';
import { FileError, USAGE_STATUS, UsageError } from '../launch/errors.js';
import { Files, readFile } from '../launch/files.js';
import { joinPath } from '../devicetree/paths.js';
import { partitionNodes } from '../devicetree/partitions.js';
import { sarif } from './sarif.js';
import { version } from './version.js';

export interface CheckOptions extends SourceFlags {
  readonly json?: boolean;
  readonly sarif?: boolean;
  /** Show each finding's line, with a caret below its place. */
  readonly source?: boolean;
  /** `--rule` and `--no-rule`, in their order. */
  readonly rule?: readonly RuleChoice[];
  readonly explain?: string;
  /** Again whenever a file changes that the configurations are made of. */
  readonly watch?: boolean;
}

/** What the command line says of a rule's warnings and notes: only those (and others so named), or not those. */
export interface RuleChoice {
  readonly name: string;
  readonly shown: boolean;
}

/** `hv440 check CONFIG.dts…`: all that is wrong with all of them, on standard output. Gives the exit status. */
export async function check(configs: readonly string[], options: CheckOptions): Promise<number> {
  if (options.explain !== undefined) return explainRule(options.explain);
  if (configs.length === 0) throw new UsageError('check: no configuration is named; name one, or --explain RULE');
  for (const { name } of options.rule ?? []) knownRule(name);
  if (!options.watch) return checkOnce(configs, options).status;
  const { watchChecks } = await import('./check-watch.js');
  return watchChecks(() => checkOnce(configs, options));
}

/** What one look at configurations has found. */
export interface Checked {
  readonly status: number;
  readonly errors: number;
  readonly others: number;
  /** The files that it depends on, those that are missing too. */
  readonly files: readonly string[];
}

function checkOnce(configs: readonly string[], options: CheckOptions): Checked {
  const { json = false, source = false } = options;
  const files = new Set(configs);
  const findings = configs.flatMap((config) => findingsOf(config, options, files)).filter((f) => wanted(f, options));
  const errors = findings.filter((f) => f.severity === 'error').length;
  const lines = json
    ? [JSON.stringify(findings, null, 2)]
    : options.sarif
      ? [JSON.stringify(sarif(findings, version()), null, 2)]
      : findings.flatMap((finding) => [explain(finding), ...(source ? context(finding) : [])]);
  if (!json && !options.sarif && errors === 0) lines.push(`${configs.join(', ')}: no errors`);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  const status = errors > 0 ? USAGE_STATUS : 0;
  return { status, errors, others: findings.length - errors, files: [...files] };
}

/** An error keeps a configuration from booting, and is always told. */
function wanted({ severity, rule }: Finding, { rule: choices = [] }: CheckOptions): boolean {
  if (severity === 'error') return true;
  const last = choices.findLast(({ name }) => name === rule);
  return last?.shown ?? !choices.some(({ shown }) => shown);
}

/** dtc's checks as it runs them by itself, and those that are asked for by name. */
function levelsOf({ rule: choices = [] }: CheckOptions): Levels {
  const levels = new Levels();
  for (const { name, shown } of choices) if (shown && warningNamed(name)) levels.option('warning', name);
  return levels;
}

/** The line of a finding with a caret below its place, and by what it came to stand there. */
function context({ at }: Finding): string[] {
  const bytes = readFile(at.file);
  const line = bytes && new TextDecoder().decode(bytes).split('\n')[at.line - 1];
  const how = provenance(at).map((origin) => `    ${origin}`);
  if (line === undefined || bytes?.includes(0)) return how;
  const before = line.slice(0, at.col - 1).replaceAll(/[^\t]/g, ' ');
  return [`    ${line}`, `    ${before}^`, ...how];
}

/** Everything that is wrong with a file; a broken blob, or no such file, is a finding like others. */
function findingsOf(config: string, options: CheckOptions, used: Set<string>): readonly Finding[] {
  try {
    const files = new Files();
    const read = readTree(config, options);
    for (const file of [...(read.sources ?? []), ...imagesOf(read.tree)]) used.add(file);
    const { tree, findings } = checkConfig(read, files, levelsOf(options));
    if (options.variant !== undefined || hasErrors(findings)) return findings;
    return [...findings, ...variantFindings(config, options, tree, findings, files)];
  } catch (error) {
    if (error instanceof ConfigError) return error.findings;
    if (error instanceof FileError) return [unusable(error)];
    throw error;
  }
}

/** The images and initial RAM disks that a tree names. */
const imagesOf = (tree: Tree): string[] =>
  partitionNodes(tree).flatMap((partition) =>
    ['image', 'initrd'].flatMap((name) => {
      const property = partition.get(name);
      return property ? joinPath(property.at.file, property.string) : [];
    }),
  );

/** Of more combinations of variants than this, only every variant by itself is looked at. */
const MOST_COMBINATIONS = 64;

/** What is wrong with the variants of a test's matrix and not with the configuration itself. */
function variantFindings(
  config: string,
  options: CheckOptions,
  tree: Tree,
  known: readonly Finding[],
  files: Files,
): Finding[] {
  const axes = axesOf(tree);
  if (axes.length === 0) return [];
  const all = combinations(axes);
  const alone = axes.flatMap(({ name, variants }) => variants.map((variant) => ({ [name]: variant })));
  const told = new Set(known.map(describe));
  const looked = all.length > MOST_COMBINATIONS || axes.length === 1 ? alone : [...alone, ...all];
  return looked.flatMap((combination) => {
    const variant = Object.entries(combination).map(([axis, name]) => `${axis}=${name}`);
    const { findings } = checkConfig(readTree(config, { ...options, variant }), files, levelsOf(options));
    return findings.flatMap((finding) => {
      if (told.has(describe(finding))) return [];
      told.add(describe(finding));
      return { ...finding, message: `with ${variant.join(' ')}, ${finding.message}` };
    });
  });
}

const unusable = ({ file, problem, remedy }: FileError): Finding => ({
  rule: 'file',
  severity: 'error',
  at: { file, line: 1, col: 1 },
  message: problem,
  remedy,
});
