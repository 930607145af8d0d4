import type { Binding, PropertySpec } from '../bindings/binding.js';
import { markdownCell, type Mistake } from '../bindings/markdown.js';
import { chapters, check, type RuleText } from '../checks/index.js';
import type { Finding } from '../finding.js';
import { ignoreRules } from '../ignores.js';
import { parse } from '../source.js';
import { sourceRules } from '../source-rules.js';
import { dtcErrors, warnings } from '../warnings/index.js';
import { examples, findingsOfExample, imagesByName } from './index.js';

/** The text of `docs/rules.md`: everything that is checked before anything boots; `board` is the source of hv440's board. */
export function rulesMarkdown(board: Uint8Array): string {
  const source = Object.entries(sourceRules).map(([name, summary]) => `| \`${name}\` | ${markdownCell(summary)} |`);
  const shown = (names: readonly string[]): string[] => names.flatMap((name) => exampleMarkdown(name, board));
  const ofDtc = Object.entries(dtcErrors).map(
    ([name, rules]) => `| \`${name}\` | ${rules.map((rule) => `\`${rule}\``).join(', ') || 'nothing'} |`,
  );
  return [
    '# What is checked before anything boots',
    'Generated from `src/devicetree`. Everything that is wrong is reported together, as `file:line:column: severity: what is wrong; how to mend it [rule]`. An error keeps the configuration from booting, a warning does not. `hv440 check --explain RULE` prints what is said here of a rule; [checks.md](checks.md) tells how findings are chosen and ignored. Behind each table come examples: what is wrong, what is said of it, and the same mended.',
    '## The text',
    ['| Rule | What is wrong |', '| --- | --- |', ...source].join('\n'),
    ...shown(Object.keys(sourceRules)),
    ...chapters.flatMap(({ title, rules }) => [`## ${title}`, table(rules), ...shown(rules.map(({ name }) => name))]),
    '## Comments that ignore findings',
    table(ignoreRules),
    ...shown(ignoreRules.map(({ name }) => name)),
    "## dtc's checks",
    'Under the names that `dtc -W` takes; `hv440 dts` knows `-W`, `-E` and `no-` before a name as dtc does. They find what dtc 1.6.1 finds, and `interrupt_map` what 1.7 does. dtc has those called `off` only by name. A check is not run where one that it comes after has found anything in the whole tree. Those that are errors in dtc are found while the text is read:',
    ["| dtc's error | here |", '| --- | --- |', ...ofDtc].join('\n'),
    table(warnings.map((warning) => ({ ...warning, severity: warning.level, requires: warning.after ?? [] }))),
    ...shown(warnings.map(({ name }) => name)),
    '',
  ].join('\n\n');
}

type Row = Omit<RuleText, 'severity'> & { readonly severity: string };

function table(list: readonly Row[]): string {
  const rows = list.map(
    ({ name, severity, summary, remedy = '', requires }) =>
      `| \`${name}\` | ${severity} | ${markdownCell(summary)} | ${markdownCell(sentence(remedy))} | ${(requires ?? []).map((r) => `\`${r}\``).join(', ')} |`,
  );
  return [
    '| Rule | Severity | What must hold | How to mend it | Looked at after |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** The end of a message as a sentence of its own. */
const sentence = (text: string): string =>
  text === '' || /[.;}]$/.test(text) ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function exampleMarkdown(name: string, board: Uint8Array): string[] {
  const example = examples[name];
  if (!example) return [];
  const [found] = findingsOfExample(name, example, 'wrong', board);
  if (!found) return [];
  const short = (text: string): string => (text.length > 1000 ? `${text.slice(0, 400)} …` : text.trimEnd());
  const right = example.right === '' ? '/* without it */' : short(example.right);
  const text = `/* wrong */\n${short(example.wrong)}\n/* right */\n${right}`;
  return [`\`${name}\`: ${said(found)}`, `\`\`\`dts\n${text}\n\`\`\``];
}

const said = ({ severity, message, remedy }: Finding): string =>
  `*${severity}: ${`${message}; ${remedy}`.replaceAll('*', '\\*').replaceAll('<', '&lt;').replaceAll('_', '\\_')}*`;

/** A value that a property does not take, as one may write it. */
function wrongValue({ type, values, min = 0, max = 0xffffffff }: PropertySpec): string {
  if (values) return '"nonsense"';
  const numeric = ['cell', 'cells', 'ranges64', 'reg', 'interrupts', 'dcrs', 'phandle', 'phandles', 'ranges'];
  if (type === 'console') return '""';
  if (!numeric.includes(type)) return '<1>';
  if (type === 'cell' && min > 0) return `<${min - 1}>`;
  if (type === 'cell' && max < 0xffffffff) return `<${max + 1}>`;
  if (type === 'ranges64') return '<0x0 0x01000000>';
  if (type === 'reg' || type === 'interrupts' || type === 'dcrs') return '<1>';
  return type === 'phandle' || type === 'phandles' ? '<99>' : '"text"';
}

/** What stands around a node of each place. */
const around: Readonly<Record<Binding['place'], readonly [before: string, behind: string]>> = {
  board: ['node {', '};'],
  root: ['partitions {', '};'],
  partitions: ['partitions { compatible = "hv440,partitions"; node {', '}; };'],
  partition: [
    'partitions { compatible = "hv440,partitions"; guest { compatible = "hv440,partition"; node {',
    '}; }; };',
  ],
  test: ['test {', '};'],
  script: ['test { compatible = "hv440,test"; node {', '}; };'],
  step: ['test { compatible = "hv440,test"; guest { node {', '}; }; };'],
  matrix: ['test { compatible = "hv440,test"; matrix {', '}; };'],
  axis: ['test { compatible = "hv440,test"; matrix { axis {', '}; }; };'],
};

/** What is said of a property with a value that it does not take, for `docs/bindings.md`. */
export function mistakeOf(binding: Binding, name: string, spec: PropertySpec): Mistake | undefined {
  const [known] = binding.compatible ?? [];
  const told = known === undefined ? '' : `compatible = "${known}";`;
  const kind = binding.deviceType === undefined ? told : `device_type = "${binding.deviceType}";`;
  const written = `${name} = ${wrongValue(spec)};`;
  const body = `${kind.startsWith(`${name} `) ? '' : kind} ${written}`;
  const [before, behind] = around[binding.place];
  const { tree, findings } = parse(`/dts-v1/; / {\n${before}\n${body}\n${behind} };`, 'example.dts', () => undefined);
  const column = body.indexOf(written) + 1;
  const found = [...findings, ...check(tree, imagesByName)].find(({ at }) => at.line === 3 && at.col === column);
  return found && { written, says: `${found.message} [${found.rule}]` };
}
