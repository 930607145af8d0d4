import { writeFileSync } from 'node:fs';
import { applyOverlay } from '../devicetree/apply-overlay.js';
import { decodeBlob, encodeBlob } from '../devicetree/blob.js';
import { configure } from '../devicetree/configuration.js';
import { differences, type Difference } from '../devicetree/difference.js';
import { printTree } from '../devicetree/print.js';
import { sorted } from '../devicetree/sort.js';
import type { Tree } from '../devicetree/tree.js';
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
  const tree = insist(readTree(config, { ...options, withSymbols: symbols || overlay.length > 0 }));
  for (const file of overlay) {
    insist({ tree, findings: applyOverlay(tree, insist(readTree(file, { ...options, withSymbols: true }))) });
  }
  return tree;
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
