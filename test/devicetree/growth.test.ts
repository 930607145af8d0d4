import { join } from 'node:path';
import { expect, test } from 'vitest';
import { check } from '../../src/devicetree/checks/index.js';
import { imagesByName } from '../../src/devicetree/examples/index.js';
import { parse } from '../../src/devicetree/source.js';
import { Node, Property } from '../../src/devicetree/tree.js';
import { checkAsDtc } from '../../src/devicetree/warnings/index.js';
import { root } from '../tools.js';
import { manyPartitions } from './many-partitions.mjs';
import { readFile } from './trees.js';

const board = join(root, 'devicetrees/hv440-board.dtsi');

/** How often properties and values are looked at, names compared and children listed while a configuration is checked. */
function looks(partitions: number): number {
  const { tree, findings } = parse(manyPartitions(partitions, board), 'many.dts', readFile);
  expect(findings).toEqual([]);
  let count = 0;
  const undo: (() => void)[] = [];
  const watch = (owner: object, name: string): void => {
    const whole = Object.getOwnPropertyDescriptor(owner, name)!;
    const key = whole.get ? 'get' : 'value';
    const inner = whole[key] as (...args: unknown[]) => unknown;
    const counting = function (this: unknown, ...args: unknown[]): unknown {
      count++;
      return inner.apply(this, args);
    };
    Object.defineProperty(owner, name, { ...whole, [key]: counting });
    undo.push(() => void Object.defineProperty(owner, name, whole));
  };
  for (const name of ['get', 'has', 'walk', 'baseName', 'unitAddress']) watch(Node.prototype, name);
  for (const name of ['cells', 'strings']) watch(Property.prototype, name);
  for (const node of tree.root.walk()) {
    const { parent, children } = node;
    const counted = (value: unknown) => ({
      configurable: true,
      get: () => {
        count++;
        return value;
      },
    });
    Object.defineProperty(node, 'parent', counted(parent));
    Object.defineProperty(node, 'children', counted(children));
  }
  count = 0;
  try {
    expect(check(tree, imagesByName)).toEqual([]);
    checkAsDtc(tree);
  } finally {
    for (const one of undo) one();
  }
  return count;
}

test('twice the partitions are twice the work of checking them, and little more', () => {
  const work = [16, 32, 64, 128, 256].map(looks);
  for (const [i, more] of work.slice(1).entries()) expect(more / work[i]!).toBeLessThan(2.2);
  // Several thousand for each, whatever the others are: far less than a comparison of each with all.
  expect(work.at(-1)! / 256).toBeLessThan(6000);
});
