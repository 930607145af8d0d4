import type { Finding } from './finding.js';
import { parse } from './source.js';
import type { Tree } from './tree.js';

/** A property to be set, as the command line has it: `/partitions/hello/memory=<0 0 0 0x1000000>`. */
export interface Setting {
  /** The node: a path, or a label with its `&`. */
  readonly node: string;
  readonly property: string;
  /** The value as source text; undefined: a flag. */
  readonly value: string | undefined;
}

/** What findings call the text of settings; their lines count the settings. */
export const SETTINGS = '--set';

const FORM = "give it as PATH=VALUE, such as /partitions/hello/memory='<0 0 0 0x2000000>'";

/**
 * A setting as it is written: `NODE/PROPERTY=VALUE` or, for a flag, `NODE/PROPERTY`; NODE is a path or `&label`. A value that
 * is no source text is a cell where it is a number, and a string else. Or what is wrong with it.
 */
export function parseSetting(text: string): Setting | { readonly problem: string } {
  const equals = text.indexOf('=');
  const path = equals < 0 ? text : text.slice(0, equals);
  const slash = path.lastIndexOf('/');
  const node = slash === 0 ? '/' : path.slice(0, Math.max(slash, 0));
  const property = path.slice(slash + 1);
  if (!/^(\/|&[A-Za-z_])/.test(path) || node === '' || property === '')
    return { problem: `${text}: that names no property of a node; ${FORM}` };
  if (!/^[A-Za-z0-9,._+*#?@-]+$/.test(property))
    return { problem: `${text}: '${property}' cannot be a property's name; ${FORM}` };
  return { node, property, value: equals < 0 ? undefined : valueText(text.slice(equals + 1)) };
}

const NUMBER = /^(0x[0-9a-f]+|\d+)$/i;
const SOURCE = /^\s*([<"[]|&[{A-Za-z_]|\/bits\/|\/incbin\/|[A-Za-z_]\w*:)/;

/** A value as source text. */
function valueText(value: string): string | undefined {
  if (value === '') return undefined;
  if (NUMBER.test(value)) return `<${value}>`;
  return SOURCE.test(value) ? value : JSON.stringify(value);
}

/** A source with settings behind it. Files that they name are relative to where the program was started. */
export function withSettings(source: string, settings: readonly Setting[]): string {
  if (settings.length === 0) return source;
  return `${source}\n#line 1 "${SETTINGS}"\n${settings.map(statement).join('\n')}\n`;
}

function statement({ node, property, value }: Setting): string {
  const reference = node === '/' ? '/' : node.startsWith('&') ? node : `&{${node}}`;
  return `${reference} { ${property}${value === undefined ? '' : ` = ${value}`}; };`;
}

/** The same in a tree that was read from a blob, which knows no labels. Gives what is wrong. */
export function applySettings(tree: Tree, settings: readonly Setting[]): Finding[] {
  const findings: Finding[] = [];
  for (const [i, { node, property, value }] of settings.entries()) {
    const at = { file: SETTINGS, line: i + 1, col: 1 };
    const target = node.startsWith('&') ? undefined : tree.find(node);
    if (!target) {
      const remedy = 'name a node of the blob by its full path';
      findings.push({ rule: 'dts-reference', severity: 'error', at, message: `there is no node ${node}`, remedy });
      continue;
    }
    const text = `${'\n'.repeat(i)}/dts-v1/; / { ${property}${value === undefined ? '' : ` = ${value}`}; };`;
    const read = parse(text, SETTINGS, () => undefined);
    findings.push(...read.findings);
    const set = read.tree.root.get(property);
    if (set) target.set(property, set.value, set.form, at);
  }
  return findings;
}
