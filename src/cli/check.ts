import { ruleNamed, ruleNames } from '../devicetree/checks/index.js';
import { ConfigError, describe, type Finding } from '../devicetree/finding.js';
import { examples, findingsOfExample } from '../devicetree/examples/index.js';
import { provenance } from '../devicetree/origin.js';
import { didYouMean } from '../devicetree/suggest.js';
import { axesOf, combinations } from '../devicetree/test-plan.js';
import type { Tree } from '../devicetree/tree.js';
import { Levels, warningNamed } from '../devicetree/warnings/index.js';
import { boardFile, checkConfig, hasErrors, readTree, type SourceFlags } from '../launch/config.js';
import { explain } from './config.js';
import { FileError, USAGE_STATUS, UsageError } from '../launch/errors.js';
import { Files, readFile } from '../launch/files.js';
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
}

/** What the command line says of a rule's warnings and notes: only those (and others so named), or not those. */
export interface RuleChoice {
  readonly name: string;
  readonly shown: boolean;
}

/** `hv440 check CONFIG.dts…`: all that is wrong with all of them, on standard output. Gives the exit status. */
export function check(configs: readonly string[], options: CheckOptions): number {
  if (options.explain !== undefined) return explainRule(options.explain);
  if (configs.length === 0) throw new UsageError('check: no configuration is named; name one, or --explain RULE');
  const { json = false, source = false } = options;
  for (const { name } of options.rule ?? []) known(name);
  const findings = configs.flatMap((config) => findingsOf(config, options)).filter((f) => wanted(f, options));
  const errors = findings.filter((f) => f.severity === 'error').length;
  const lines = json
    ? [JSON.stringify(findings, null, 2)]
    : options.sarif
      ? [JSON.stringify(sarif(findings, version()), null, 2)]
      : findings.flatMap((finding) => [explain(finding), ...(source ? context(finding) : [])]);
  if (!json && !options.sarif && errors === 0) lines.push(`${configs.join(', ')}: no errors`);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return errors > 0 ? USAGE_STATUS : 0;
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

function known(name: string): NonNullable<ReturnType<typeof ruleNamed>> {
  const rule = ruleNamed(name);
  if (rule) return rule;
  throw new UsageError(`${name}: there is no such rule; ${didYouMean(name, ruleNames)}`);
}

/** What a rule wants, how to keep to it, and an example: wrong, what is said of it, and mended. */
function explainRule(name: string): number {
  const rule = known(name);
  const { summary, remedy, requires = [] } = rule;
  const example = examples[name];
  const board = readFile(boardFile);
  const [found] = example && board ? findingsOfExample(name, example, 'wrong', board) : [];
  const lines = [`${name} (${rule.severity ?? found?.severity ?? 'error'})`, '', summary];
  if (remedy !== undefined) lines.push('', remedy);
  if (requires.length > 0) lines.push('', `Looked at where these found nothing: ${requires.join(', ')}`);
  const plain = lines.map((line) => line.replaceAll('`', '').replaceAll('&lt;', '<'));
  if (example && found) {
    plain.push('', 'For example', '', ...shown(example.wrong), '', 'has', '');
    plain.push(`    ${found.severity}: ${found.message}; ${found.remedy} [${name}]`, '', 'and this has not:', '');
    plain.push(...shown(example.right === '' ? '/* the same without it */' : example.right));
  }
  process.stdout.write(plain.map((line) => `${line}\n`).join(''));
  return 0;
}

const LONGEST_EXAMPLE = 40;

/** The lines of an example, indented; of a long one the first. */
function shown(text: string): string[] {
  const lines = text.trimEnd().split('\n');
  const first = lines.slice(0, LONGEST_EXAMPLE).map((line) => `    ${line}`);
  return lines.length > LONGEST_EXAMPLE ? [...first, '    …'] : first;
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
function findingsOf(config: string, options: CheckOptions): readonly Finding[] {
  try {
    const files = new Files();
    const { tree, findings } = checkConfig(readTree(config, options), files, levelsOf(options));
    if (options.variant !== undefined || hasErrors(findings)) return findings;
    return [...findings, ...variantFindings(config, options, tree, findings, files)];
  } catch (error) {
    if (error instanceof ConfigError) return error.findings;
    if (error instanceof FileError) return [unusable(error)];
    throw error;
  }
}

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
