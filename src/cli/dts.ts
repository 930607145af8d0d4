import { writeFileSync } from 'node:fs';
import { applyOverlay } from '../devicetree/apply-overlay.js';
import { decodeBlob, encodeBlob } from '../devicetree/blob.js';
import { configure } from '../devicetree/configuration.js';
import { differences, type Difference } from '../devicetree/difference.js';
import { printTree } from '../devicetree/print.js';
import type { Finding } from '../devicetree/finding.js';
import { applyIgnores, ignoreRules } from '../devicetree/ignores.js';
import { ruleNames } from '../devicetree/checks/index.js';
import { sorted } from '../devicetree/sort.js';
import { didYouMean } from '../devicetree/suggest.js';
import type { Tree } from '../devicetree/tree.js';
import { checkAsDtc, dtcCheckNames, gradeAsDtc, Levels } from '../devicetree/warnings/index.js';
import { guestTree } from '../hypervisor/guest-tree.js';
import { checkConfig, readTree, type Configured, type SourceFlags } from '../launch/config.js';
import { insist } from './config.js';
import { UsageError } from '../launch/errors.js';
import { Files } from '../launch/files.js';

export interface DtsOptions extends SourceFlags {
  readonly partition?: string;
  readonly blob?: boolean;
  readonly symbols?: boolean;
  readonly sort?: boolean;
  /** Overlays to apply, in this order. */
  readonly overlay?: readonly string[];
  /** Compare with this tree. */
  readonly diff?: string;
  readonly output?: string;
  /** `-W` and `-E`, in their order. */
  readonly levels?: readonly LevelChoice[];
  /** No warnings. */
  readonly quiet?: boolean;
}

/** What `-W` or `-E` says: the name of a check of dtc's, or one with `no-` before it. */
export interface LevelChoice {
  readonly kind: 'warning' | 'error';
  readonly text: string;
}

/**
 * `hv440 dts CONFIG.dts`: a tree, the one that a partition's guest gets, or how it differs from another, on standard
 * output or in a file. Gives the exit status: 1 where trees differ.
 */
export function dts(config: string, options: DtsOptions): number {
  const { partition, sort = false, diff, output } = options;
  const { blob = /\.dtbo?$/.test(output ?? '') } = options;
  // As it is, whatever the rules say of it: only its syntax has to be right.
  const whole = readMerged(config, options);
  const tree = partition === undefined ? whole : partitionTree({ tree: whole, findings: [] }, partition);
  if (diff !== undefined) return showDifferences(config, tree, diff, insist(readTree(diff, options)));
  const shown = sort ? sorted(tree) : tree;
  const text = blob ? encodeBlob(shown) : printTree(shown);
  if (output === undefined) process.stdout.write(text);
  else writeOutput(output, text);
  return 0;
}

/** A tree with its overlays applied. */
function readMerged(config: string, options: DtsOptions): Tree {
  const { overlay = [], symbols = false } = options;
  const tree = likeDtc(readTree(config, { ...options, withSymbols: symbols || overlay.length > 0 }), options);
  for (const file of overlay) {
    insist({ tree, findings: applyOverlay(tree, insist(readTree(file, { ...options, withSymbols: true }))) });
  }
  return tree;
}

/** A tree, once dtc's checks have said what they do of it; quietly where it is only an input to something else. */
function likeDtc({ tree, findings }: Configured, options: DtsOptions): Tree {
  const levels = levelsOf(options.levels ?? []);
  const graded = gradeAsDtc(findings, levels);
  const { diff, partition, quiet = diff !== undefined || partition !== undefined } = options;
  const said = graded.some(({ severity }) => severity === 'error') ? graded : [...graded, ...warn(tree, levels)];
  return insist({ tree, findings: quiet ? said.filter(({ severity }) => severity === 'error') : said });
}

/** What dtc's checks find and no comment ignores; what is wrong with the comments is for `hv440 check` to say. */
const warn = (tree: Tree, levels: Levels): Finding[] =>
  applyIgnores(checkAsDtc(tree, levels), tree.ignores, {
    known: ruleNames,
    ran: () => false,
    waivable: () => true,
  }).filter(({ rule }) => !ignoreRules.some(({ name }) => name === rule));

function levelsOf(choices: readonly LevelChoice[]): Levels {
  const levels = new Levels();
  for (const { kind, text } of choices) {
    if (levels.option(kind, text)) continue;
    const name = text.replace(/^no[-_]/, '');
    throw new UsageError(`${name}: dtc has no such check; ${didYouMean(name, dtcCheckNames)}`);
  }
  return levels;
}

function writeOutput(file: string, text: string | Uint8Array): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`--output ${file}: ${(error as Error).message}; name a file that can be written`);
  }
}

function showDifferences(one: string, before: Tree, other: string, after: Tree): number {
  const found = differences(before, after);
  if (found.length === 0) return 0;
  const lines = [`--- ${one}`, `+++ ${other}`, ...found.flatMap(differenceLines)];
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 1;
}

const differenceLines = ({ place, before, after }: Difference): string[] => [
  ...(before === undefined ? [] : [`- ${place} = ${before}`]),
  ...(after === undefined ? [] : [`+ ${place} = ${after}`]),
];

/** By way of a blob, as the guest's is: what a tree says beside its properties' bytes is not the guest's. */
function partitionTree(configured: Configured, name: string): Tree {
  const tree = insist(checkConfig(configured, new Files()));
  const { partitions } = configure(tree);
  const named = partitions.find((p) => p.name === name) ?? partitions.find((p) => p.label === name);
  if (named) return decodeBlob(encodeBlob(guestTree(named, tree, partitions.indexOf(named) + 1)), `${named.name}.dtb`);
  const names = partitions.map((p) => p.name).join(', ');
  throw new UsageError(`--partition ${name}: there is no such partition; there are ${names}`);
}
