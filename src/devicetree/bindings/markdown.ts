import type { Binding, Properties, PropertySpec, PropertyType } from './binding.js';
import { bindings } from './index.js';
import { standard } from './standard.js';

/** How a type is called to a person. */
export const typeNames: Readonly<Record<PropertyType, string>> = {
  flag: 'a flag, without a value',
  cell: 'a number',
  cells: 'numbers',
  ranges64: 'ranges of four cells, <base-high base-low size-high size-low>',
  reg: 'an address and a size',
  interrupts: 'interrupts of two cells, <line type>',
  dcrs: 'device control registers, <first count>',
  phandle: 'a reference to a node, <&label>',
  phandles: 'references to nodes, <&label …>',
  string: 'a string',
  strings: 'strings',
  duration: 'a duration, as a string',
  regex: 'a regular expression, as a string',
  regexes: 'regular expressions, as strings',
  path: 'a path, as a string',
  console: 'the name of a node, as a string, or a reference to it, <&label>',
  ranges: 'numbers, or nothing',
};

/** A value that a property does not take, as it is written, and what is said of it. */
export interface Mistake {
  readonly written: string;
  readonly says: string;
}

/** Finds a mistake to show of a property, or undefined. */
export type MistakeOf = (binding: Binding, name: string, spec: PropertySpec) => Mistake | undefined;

/** The text of `docs/bindings.md`: everything that a configuration may say, with a mistake of each property where one is given. */
export function bindingsMarkdown(mistakeOf: MistakeOf = () => undefined): string {
  const own = bindings.filter((b) => b.closed);
  const board = bindings.filter((b) => !b.closed);
  return [
    '# What a configuration may say',
    'Generated from `src/devicetree/bindings`. A configuration is one device tree: the board, and below `/partitions` who gets what of it. What the checks say about mistakes is in `rules.md`.',
    "## hv440's own nodes",
    'A property that is not listed is an error.',
    ...own.map((binding) => section(binding, mistakeOf)),
    '## Nodes of the board',
    'What else they say is left alone, and passed on where a partition is given the device.',
    ...board.map((binding) => section(binding, mistakeOf)),
    '## Any node',
    table(standard),
    '',
  ].join('\n\n');
}

function section(binding: Binding, mistakeOf: MistakeOf): string {
  const names = (binding.compatible ?? []).map((name) => `\`${name}\``).join(', ');
  const byType = binding.deviceType === undefined ? 'told by its place' : `device_type: \`${binding.deviceType}\``;
  const told = names === '' ? byType : `compatible: ${names}`;
  return [
    `### ${binding.title}`,
    told,
    binding.meaning,
    table(binding.properties),
    `\`\`\`dts\n${binding.example}\n\`\`\``,
    ...mistakes(binding, mistakeOf),
  ].join('\n\n');
}

function mistakes(binding: Binding, mistakeOf: MistakeOf): string[] {
  const rows = Object.entries(binding.properties).flatMap(([name, spec]) => {
    const mistake = mistakeOf(binding, name, spec);
    return mistake ? `| \`${mistake.written}\` | ${markdownCell(mistake.says)} |` : [];
  });
  return rows.length === 0 ? [] : [['| A mistake | What is said of it |', '| --- | --- |', ...rows].join('\n')];
}

function table(properties: Properties): string {
  const rows = Object.entries(properties).map(
    ([name, spec]) =>
      `| \`${name}\` | ${markdownCell(typeNames[spec.type])} | ${markdownCell(allowed(spec))} | ${markdownCell(fallback(spec))} | ${markdownCell(spec.meaning)} | ${markdownCell(spec.source)} |`,
  );
  return [
    '| Property | Value | Allowed | If left out | Meaning | Source |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** Text for a cell of a Markdown table; `<` is kept as it is within code. */
export const markdownCell = (text: string): string =>
  text
    .replaceAll('|', '\\|')
    .split('`')
    .map((part, i) => (i % 2 === 0 ? part.replaceAll('<', '&lt;') : part))
    .join('`');

/** What values a property may have, in words; empty where its type says all. */
export function allowed(spec: PropertySpec): string {
  if (spec.values) return spec.values.map((value) => `\`${value}\``).join(', ');
  if (spec.min !== undefined || spec.max !== undefined) return `${spec.min ?? 0} to ${spec.max ?? 0xffffffff}`;
  if (spec.interrupts !== undefined) return `${spec.interrupts} of them`;
  if (spec.minSize !== undefined) return `at least ${spec.minSize} bytes`;
  return '';
}

function fallback(spec: PropertySpec): string {
  if (spec.required) return 'an error';
  if (spec.default !== undefined) return `\`${spec.default}\``;
  return spec.otherwise ?? '';
}
