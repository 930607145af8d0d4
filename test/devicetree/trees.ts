// What the tests of the device-tree front end share: reading sources, plain trees to compare, dtc, and random trees.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe } from '../../src/devicetree/finding.js';
import { parse } from '../../src/devicetree/source.js';
import { Node, Tree } from '../../src/devicetree/tree.js';
import { root, shared } from '../tools.js';

export const good = join(root, 'test/devicetree/good');

export const readFile = (path: string): Uint8Array | undefined => {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
};

/** Parses a text in a file system that has only these files. */
export function parseText(text: string, files: Readonly<Record<string, string | Uint8Array>> = {}, file = 'a.dts') {
  const read = (path: string) => {
    const found = files[path];
    return typeof found === 'string' ? new TextEncoder().encode(found) : found;
  };
  return parse(text, file, read);
}

/** The findings of a text, one line each. */
export const findingsOf = (text: string, files: Readonly<Record<string, string | Uint8Array>> = {}): string[] =>
  parseText(text, files).findings.map(describe);

/** The tree of a text that has nothing wrong with it. */
export function treeOf(text: string, files: Readonly<Record<string, string | Uint8Array>> = {}): Tree {
  const { tree, findings } = parseText(text, files);
  if (findings.length > 0) throw new Error(findings.map(describe).join('\n'));
  return tree;
}

/** A node as data: its properties in order with their bytes in hexadecimal, its children in order. */
export interface Plain {
  name: string;
  labels: string[];
  properties: [name: string, value: string, labels: string[]][];
  children: Plain[];
}

export const plainNode = ({ name, labels, properties, children }: Node): Plain => ({
  name,
  labels: [...labels],
  properties: [...properties.values()].map((p) => [p.name, Buffer.from(p.value).toString('hex'), [...p.labels]]),
  children: children.map(plainNode),
});

/** A tree as data. */
export const plainTree = ({ root: top, reservations, bootCpu }: Tree) => ({
  root: plainNode(top),
  reservations: reservations.map(({ address, size }) => [address, size]),
  bootCpu,
});

/** The sources that dtc and we must agree on: those here, the project's own, and the reference guests'. */
export function goodSources(): string[] {
  const folders = [good, join(root, 'devicetrees'), shared('guests')];
  return folders.flatMap((folder) => {
    if (folder === undefined) return [];
    const names = readdirSync(folder).filter((name) => name.endsWith('.dts'));
    return names.map((name) => join(folder, name));
  });
}

/** Thrown where dtc itself breaks down: its checks for warnings assert what they should ask. */
export class DtcCrashed extends Error {}

/** dtc's blob of a source or blob; undefined where it refuses it. */
export function dtc(program: string, input: string | Uint8Array, format: 'dts' | 'dtb' = 'dts'): Buffer | undefined {
  const file = typeof input === 'string' ? input : '-';
  const bytes = typeof input === 'string' ? undefined : input;
  const options = { maxBuffer: 1 << 26, ...(bytes ? { input: bytes } : {}) };
  const { status, stdout, signal } = spawnSync(program, ['-q', '-I', format, '-O', 'dtb', file], options);
  if (signal !== null) throw new DtcCrashed(signal);
  return status === 0 ? stdout : undefined;
}

const at = { file: 'random', line: 1, col: 1 };
const letters = [...'abcxyz019,._+-'];
const nodeName = fc
  .tuple(fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 8 }), fc.option(fc.nat(0xffff)))
  .map(([base, unit]) => (unit === null ? base : `${base}@${unit.toString(16)}`));
const propertyName = fc
  .string({ unit: fc.constantFrom(...letters, '#', '?', '*'), minLength: 1, maxLength: 8 })
  .filter((name) => name !== 'name' && name !== 'phandle');
const label = fc.string({ unit: fc.constantFrom(...'abcxyz_'), minLength: 1, maxLength: 6 });

const value = fc.oneof(
  fc.constant({ form: 'empty' as const, bytes: new Uint8Array(0) }),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => ({ form: 'bytes' as const, bytes })),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => ({ form: 'mixed' as const, bytes })),
  fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 6 }).map((cells) => ({
    form: 'cells' as const,
    bytes: Uint8Array.from(cells.flatMap((cell) => [...cell])),
  })),
  fc.array(fc.string({ unit: 'binary-ascii' }), { minLength: 1, maxLength: 4 }).map((texts) => ({
    form: 'strings' as const,
    bytes: Uint8Array.from(texts.map((text) => `${text}\0`).join(''), (c) => c.charCodeAt(0)),
  })),
);

interface Sketch {
  properties: { name: string; value: { form: 'empty' | 'bytes' | 'mixed' | 'cells' | 'strings'; bytes: Uint8Array } }[];
  children: { name: string; node: Sketch }[];
}

/** What may stand in a node with at most so many levels below it. */
const sketch = (levels: number): fc.Arbitrary<Sketch> =>
  fc.record({
    properties: fc.uniqueArray(fc.record({ name: propertyName, value }), { selector: (p) => p.name, maxLength: 5 }),
    children:
      levels === 0
        ? fc.constant([])
        : fc.uniqueArray(fc.record({ name: nodeName, node: sketch(levels - 1) }), {
            selector: (child) => child.name,
            maxLength: 3,
          }),
  });

function build(node: Node, { properties, children }: Sketch): Node {
  for (const { name, value: given } of properties) node.set(name, given.bytes, given.form);
  for (const child of children) build(node.add(child.name), child.node);
  return node;
}

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

/** Any tree that a source can say, with some labels. */
export const anyTree: fc.Arbitrary<Tree> = fc
  .tuple(
    sketch(3),
    fc.array(fc.record({ address: u64, size: u64.map((size) => size || 1n) }), { maxLength: 3 }),
    fc.uniqueArray(label),
  )
  .map(([given, reservations, labels]) => {
    const tree = new Tree(build(new Node('', at), given));
    tree.reservations.push(...reservations);
    const nodes = [...tree.root.walk()].slice(1);
    labels.forEach((name, i) => nodes[i % Math.max(1, nodes.length)]?.labels.push(name));
    return tree;
  });
