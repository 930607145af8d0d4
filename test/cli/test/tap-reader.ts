// A reader of TAP 14 that takes nothing but what the specification's grammar has, of what a flat run needs.

export interface TapPoint {
  readonly ok: boolean;
  readonly description: string;
  readonly directive: string | undefined;
  readonly yaml: Record<string, unknown>;
}

export interface Tap {
  readonly plan: number;
  readonly points: TapPoint[];
  readonly bail: string | undefined;
}

/** Throws for a line that is none of TAP's, for numbers out of order, and where the plan is not kept. */
export function readTap(text: string): Tap {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  if (lines.shift() !== 'TAP version 14') throw new Error('no version');
  const plan = Number(/^1\.\.(\d+)$/.exec(lines.shift() ?? '')?.[1] ?? NaN);
  if (Number.isNaN(plan)) throw new Error('no plan');
  const points: TapPoint[] = [];
  let bail: string | undefined;
  while (lines.length > 0) {
    const line = lines.shift()!;
    if (bail !== undefined) throw new Error(`something behind the end: ${line}`);
    if (line.startsWith('#')) continue;
    bail = /^Bail out! (.*)$/.exec(line)?.[1];
    if (bail === undefined) points.push({ ...readPoint(line, points.length + 1), yaml: readYaml(lines) });
  }
  if (bail === undefined && points.length !== plan) throw new Error(`${plan} planned, ${points.length} there`);
  return { plan, points, bail };
}

function readPoint(line: string, number: number): Omit<TapPoint, 'yaml'> {
  const [, not, id, rest = ''] = /^(not )?ok (\d+) - (.*)$/.exec(line) ?? [];
  if (Number(id) !== number) throw new Error(`no test point ${number}: ${line}`);
  // A directive begins at a # that no backslash stands before.
  const [, escaped = '', , directive, after] = /^((?:[^\\#]|\\.)*?)( # (SKIP|TODO)\b(.*))?$/.exec(rest) ?? [];
  if (escaped === '' || (after === undefined) !== (directive === undefined)) throw new Error(`no description: ${line}`);
  if (escaped.replaceAll(/\\[\\#]/g, '').includes('\\'))
    throw new Error(`a backslash that stands for nothing: ${line}`);
  return { ok: not === undefined, description: escaped.replaceAll(/\\(.)/g, '$1'), directive };
}

/** The block of YAML below a point: keys with JSON values, or lists of such. */
function readYaml(lines: string[]): Record<string, unknown> {
  const yaml: Record<string, unknown> = {};
  if (lines[0] !== '  ---') return yaml;
  lines.shift();
  let list: unknown[] | undefined;
  for (;;) {
    const line = lines.shift();
    if (line === undefined) throw new Error('a block of YAML without an end');
    if (line === '  ...') return yaml;
    const item = /^ {4}- (.*)$/.exec(line)?.[1];
    const [, key, value] = /^ {2}(\w+):(?: (.*))?$/.exec(line) ?? [];
    if (item !== undefined && list) list.push(JSON.parse(item));
    else if (key !== undefined) yaml[key] = value === undefined ? (list = []) : scalar(value);
    else throw new Error(`no YAML: ${line}`);
  }
}

const scalar = (text: string): unknown => (/^[a-z]+$/.test(text) ? text : JSON.parse(text));
