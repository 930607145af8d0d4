import type { Finding } from '../finding.js';
import { applyIgnores, ignoreRules } from '../ignores.js';
import { whileUnchanged } from '../memo.js';
import { sourceRules } from '../source-rules.js';
import type { Tree } from '../tree.js';
import { checkAsDtc, warningNamed, warnings, type Levels } from '../warnings/index.js';
import { boardRules } from './board.js';
import { byteChannelRules } from './byte-channels.js';
import { coreRules } from './cores.js';
import { conformanceRules } from './conformance.js';
import { deviceRules, registerRules } from './devices.js';
import { imageRules } from './images.js';
import { interruptRules } from './interrupts.js';
import { linuxRules } from './linux.js';
import { managementRules } from './management.js';
import { memoryRules } from './memory.js';
import { Context, type ImageInspector, type Rule } from './rule.js';
import { relationRules } from './relations.js';
import { sharedMemoryRules } from './shared-memory.js';
import { scheduleRules } from './schedule.js';
import { propertyRules, shapeRules } from './shape.js';
import { partitionRules, structureRules } from './structure.js';
import { testRules } from './test.js';

export type { ImageInspector, Inspection, Rule, Segment } from './rule.js';

/** Rules by what they are about, each after those that it requires. */
export const chapters: readonly { readonly title: string; readonly rules: readonly Rule[] }[] = [
  { title: 'Values', rules: shapeRules },
  { title: 'Nodes', rules: structureRules },
  { title: 'Properties', rules: propertyRules },
  { title: 'The board', rules: boardRules },
  { title: 'The specification', rules: conformanceRules },
  { title: 'Partitions', rules: partitionRules },
  { title: 'Sharing the core', rules: [...scheduleRules, ...coreRules] },
  { title: 'Memory', rules: memoryRules },
  { title: 'Registers', rules: registerRules },
  { title: 'Devices', rules: deviceRules },
  { title: 'Shared memory', rules: sharedMemoryRules },
  { title: 'Interrupts', rules: interruptRules },
  { title: 'Doorbells and managers', rules: [...managementRules, ...relationRules] },
  { title: 'Byte channels', rules: byteChannelRules },
  { title: 'Images', rules: imageRules },
  { title: 'Linux', rules: linuxRules },
  { title: 'Tests', rules: testRules },
];

/** Every rule, in the order in which they are run. */
export const rules: readonly Rule[] = chapters.flatMap((chapter) => chapter.rules);

/** What a rule is about: of one on the text, its summary alone. */
export interface RuleText {
  readonly name: string;
  readonly summary: string;
  readonly severity?: Finding['severity'];
  readonly remedy?: string;
  readonly requires?: readonly string[];
}

/** The rule of that name, or undefined: one of the text, of what it means, of dtc's checks, or of what is ignored. */
export function ruleNamed(name: string): RuleText | undefined {
  const ofText: Readonly<Record<string, string | undefined>> = sourceRules;
  const summary = Object.hasOwn(sourceRules, name) ? ofText[name] : undefined;
  if (summary !== undefined) return { name, summary };
  return rules.find((rule) => rule.name === name) ?? ignoreRules.find((rule) => rule.name === name) ?? dtcRule(name);
}

function dtcRule(name: string): RuleText | undefined {
  const warning = warningNamed(name);
  if (!warning) return undefined;
  const { summary, remedy, level, after = [] } = warning;
  return { name, summary, remedy, severity: level === 'error' ? 'error' : 'warning', requires: after };
}

/** The names of all rules, those of the text first, dtc's last. */
export const ruleNames: readonly string[] = [
  ...Object.keys(sourceRules),
  ...rules.map(({ name }) => name),
  ...ignoreRules.map(({ name }) => name),
  ...warnings.map(({ name }) => name),
];

/**
 * All that there is to say of a configuration whose text has no errors: what was found in the text, what the rules and,
 * where levels are given, dtc's checks and matters of style, without what its comments ignore.
 */
export function checkAll(tree: Tree, ofText: readonly Finding[], files: ImageInspector, levels?: Levels): Finding[] {
  const whole = check(tree, files);
  const own = levels ? whole : whole.filter(({ rule }) => !styles.has(rule));
  const asDtc = levels ? checkAsDtc(tree, levels) : [];
  const remaining = applyIgnores([...ofText, ...own, ...asDtc], tree.ignores, {
    known: ruleNames,
    ran: (name) =>
      (warningNamed(name) === undefined && (levels !== undefined || !styles.has(name))) ||
      (levels !== undefined && levels.of(name) !== 'off'),
    waivable: (name) => rules.find((rule) => rule.name === name)?.waivable ?? warningNamed(name) !== undefined,
  });
  // Where a rule of our own has something to say, dtc's check most likely says the same, less exactly.
  const places = new Set(own.map(placeOf));
  const doubled = new Set(asDtc.filter((finding) => places.has(placeOf(finding))));
  const all = remaining.filter((finding) => !doubled.has(finding));
  const text = new Set(ofText);
  return [...all.filter((f) => text.has(f)), ...all.filter((f) => !text.has(f)).sort(bySource)];
}

/** The rules that are told only where somebody asks for checks. */
const styles = new Set(rules.filter((rule) => rule.style).map(({ name }) => name));

const placeOf = ({ at: { file, line, col } }: Finding): string => `${file}:${line}:${col}`;

/**
 * Everything that is wrong with a configuration, in the order of the source. A rule is not run on a node where
 * one that it requires has found something, or where a property that it reads is of the wrong shape; all others are.
 */
export const check = (tree: Tree, files: ImageInspector): Finding[] => run(rules, tree, files);

/** What is wrong with the board alone, for running an image without partitions. */
export function checkBoard(tree: Tree): Finding[] {
  const nothing: ImageInspector = { inspect: () => ({ ok: false, missing: true, reason: 'no files are read' }) };
  return run([...shapeRules, ...propertyRules, ...boardRules], tree, nothing);
}

const run = (chosen: readonly Rule[], tree: Tree, files: ImageInspector): Finding[] =>
  whileUnchanged(tree.root, () => runAll(chosen, tree, files));

function runAll(chosen: readonly Rule[], tree: Tree, files: ImageInspector): Finding[] {
  const context = new Context(tree, files);
  const findings: Finding[] = [];
  for (const rule of chosen) {
    const { name, severity, requires = [], reads = [] } = rule;
    const isShape = shapeRules.includes(rule);
    for (const subject of context.subjects(rule.over)) {
      if (!context.spotless) {
        if (!context.passed(subject, ...requires)) continue;
        if (!reads.every((property) => context.sound(subject, property))) continue;
      }
      for (const problem of rule.run(subject, context)) {
        const { at } = problem.property ?? problem.node;
        findings.push({ rule: name, severity, at, message: problem.message, remedy: problem.remedy });
        context.fail(name, problem, isShape);
      }
    }
  }
  return findings.sort(bySource);
}

const bySource = ({ at: a }: Finding, { at: b }: Finding): number =>
  a.file === b.file ? a.line - b.line || a.col - b.col : a.file < b.file ? -1 : 1;
