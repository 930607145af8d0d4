import type { Finding } from '../finding.js';
import type { SourceRule } from '../source-rules.js';
import type { Tree } from '../tree.js';
import { busWarnings } from './buses.js';
import { addressWarnings, aliasPaths, alwaysFail, chosenWarnings, nameWarnings } from './formats.js';
import { graphWarnings } from './graph.js';
import { lineWarnings, providerWarnings } from './providers.js';
import { State, type Complaint, type Level, type Warning } from './warning.js';

export type { Level, Warning } from './warning.js';

/** dtc's checks that are errors, and what finds the same here: while the source is read, before all others. */
export const dtcErrors: Readonly<Record<string, readonly SourceRule[]>> = {
  duplicate_node_names: ['dts-duplicate-node'],
  duplicate_property_names: ['dts-duplicate-property'],
  node_name_chars: ['dts-node-name'],
  node_name_format: ['dts-node-name'],
  property_name_chars: ['dts-property-name'],
  name_is_string: ['dts-name-property'],
  name_properties: ['dts-name-property'],
  duplicate_label: ['dts-duplicate-label'],
  explicit_phandles: ['dts-phandle'],
  phandle_references: ['dts-unknown-label', 'dts-unknown-path'],
  path_references: ['dts-unknown-label', 'dts-unknown-path'],
  omit_unused_nodes: [],
};

/** What some of these come after in dtc. */
const errorsAfter: Readonly<Record<string, readonly string[]>> = {
  node_name_format: ['node_name_chars'],
  name_properties: ['name_is_string'],
  phandle_references: ['duplicate_node_names', 'explicit_phandles'],
  path_references: ['duplicate_node_names'],
  omit_unused_nodes: ['phandle_references', 'path_references'],
};

/** dtc's other checks (1.6.1, and `interrupt_map` of 1.7), in the order in which it runs them. */
export const warnings: readonly Warning[] = [
  ...nameWarnings,
  ...addressWarnings,
  ...busWarnings,
  ...chosenWarnings,
  ...providerWarnings,
  ...lineWarnings,
  aliasPaths,
  ...graphWarnings,
  alwaysFail,
];

const byName = new Map(warnings.map((warning) => [warning.name, warning]));

/** The check of dtc's by that name, or undefined. */
export const warningNamed = (name: string): Warning | undefined => byName.get(name);

/** The names of all of dtc's checks, its errors first. */
export const dtcCheckNames: readonly string[] = [...Object.keys(dtcErrors), ...byName.keys()];

const prerequisites = (name: string): readonly string[] => byName.get(name)?.after ?? errorsAfter[name] ?? [];

/** Whether each check is told of as a warning, or as an error: both are dtc's, an error outweighs a warning. */
export class Levels {
  readonly #warn = new Set(warnings.flatMap(({ name, level }) => (level === 'warning' ? name : [])));
  readonly #error = new Set(Object.keys(dtcErrors));

  /** What `-W` (warning) or `-E` (error) says: a name, or one with `no-` before it. False where there is no such check. */
  option(kind: 'warning' | 'error', text: string): boolean {
    const off = /^no[-_]/.test(text);
    const name = off ? text.slice(3) : text;
    if (!dtcCheckNames.includes(name)) return false;
    const set = kind === 'warning' ? this.#warn : this.#error;
    if (off) this.#disable(set, name);
    else this.#enable(set, name);
    return true;
  }

  of(name: string): Level {
    return this.#error.has(name) ? 'error' : this.#warn.has(name) ? 'warning' : 'off';
  }

  /** With all that it relies on. */
  #enable(set: Set<string>, name: string): void {
    if (set.has(name)) return;
    set.add(name);
    for (const before of prerequisites(name)) this.#enable(set, before);
  }

  /** With all that relies on it. */
  #disable(set: Set<string>, name: string): void {
    if (!set.delete(name)) return;
    for (const other of dtcCheckNames) if (prerequisites(other).includes(name)) this.#disable(set, other);
  }
}

/** What was found while a source was read, as severe as the levels have dtc's checks that find the same. */
export function gradeAsDtc(findings: readonly Finding[], levels: Levels): Finding[] {
  return findings.flatMap((finding) => {
    const checks = Object.entries(dtcErrors).filter(([, rules]) => rules.some((rule) => rule === finding.rule));
    const of = new Set(checks.map(([name]) => levels.of(name)));
    if (of.size === 0 || of.has('error')) return finding;
    return of.has('warning') ? { ...finding, severity: 'warning' as const } : [];
  });
}

/** What a check has found, and what that is. */
export interface Told extends Complaint {
  readonly warning: Warning;
  readonly level: 'warning' | 'error';
}

/** What dtc would say of a tree that it accepts, in its order: of each check by its name, as the levels have it. */
export const checkAsDtc = (tree: Tree, levels = new Levels()): Finding[] =>
  complaintsOf(tree, levels).map(({ warning, level, node, property, message, remedy }) => ({
    rule: warning.name,
    severity: level,
    at: (property ?? node).at,
    message,
    remedy: remedy ?? warning.remedy,
  }));

/** The same by nodes. */
export function complaintsOf(tree: Tree, levels: Levels): Told[] {
  const told: Told[] = [];
  const state = new State(tree);
  const nodes = [...state.nodes()];
  const passed = new Map<string, boolean>(Object.keys(dtcErrors).map((name) => [name, true]));
  const run = (warning: Warning): boolean => {
    const { name, after = [] } = warning;
    const known = passed.get(name);
    if (known !== undefined) return known;
    const level = levels.of(name);
    const ready = after.map((before) => passed.get(before) ?? run(byName.get(before)!)).every(Boolean);
    const found = ready ? nodes.flatMap((node) => [...(warning.run(node, state) ?? [])]) : [];
    if (level !== 'off') told.push(...found.map((complaint) => ({ ...complaint, warning, level })));
    passed.set(name, ready && found.length === 0);
    return passed.get(name)!;
  };
  for (const warning of warnings) {
    if (levels.of(warning.name) === 'off') continue;
    // An error ends dtc's run.
    if (!run(warning) && told.some(({ level }) => level === 'error')) break;
  }
  return told;
}
