import { decodeBlob, encodeBlob } from '../devicetree/blob.js';
import { configure } from '../devicetree/configuration.js';
import { printTree } from '../devicetree/print.js';
import type { Tree } from '../devicetree/tree.js';
import { guestTree } from '../hypervisor/guest-tree.js';
import { checkConfig, insist, readTree, type Configured, type SourceFlags } from './config.js';
import { UsageError } from './errors.js';
import { Files } from './files.js';

export interface DtsOptions extends SourceFlags {
  readonly partition?: string;
  readonly blob?: boolean;
  readonly symbols?: boolean;
}

/** `hv440 dts CONFIG.dts`: a tree, or the one that a partition's guest gets, on standard output. Gives the exit status. */
export function dts(config: string, options: DtsOptions): number {
  const { partition, blob = false, symbols = false } = options;
  const configured = readTree(config, { ...options, withSymbols: symbols });
  // As it is, whatever the rules say of it: only its syntax has to be right.
  const tree = partition === undefined ? insist(configured) : partitionTree(configured, partition);
  process.stdout.write(blob ? encodeBlob(tree) : printTree(tree));
  return 0;
}

/** By way of a blob, as the guest's is: what a tree says beside its properties' bytes is not the guest's. */
function partitionTree(configured: Configured, name: string): Tree {
  const tree = insist(checkConfig(configured, new Files()));
  const { partitions } = configure(tree);
  const named = partitions.find((p) => p.name === name) ?? partitions.find((p) => p.label === name);
  if (named) return decodeBlob(encodeBlob(guestTree(named, tree, partitions.indexOf(named) + 1)), `${named.name}.dtb`);
  const names = partitions.map((p) => p.name).join(', ');
  throw new UsageError(`--partition ${name}: there is no such partition; there are ${names}`);
}
