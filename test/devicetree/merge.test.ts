import { expect, test } from 'vitest';
import { describe } from '../../src/devicetree/finding.js';
import { mergeInto } from '../../src/devicetree/merge.js';
import { printTree } from '../../src/devicetree/print.js';
import { treeOf } from './trees.js';

/** The target's source lines after merging one body over another, and what was found. */
function merged(target: string, overlay: string): { lines: string[]; findings: string[] } {
  const tree = treeOf(`/dts-v1/; / { ${target} };`);
  const findings = mergeInto(tree.root, treeOf(`/dts-v1/; / { ${overlay} };`).root).map(describe);
  const lines = printTree(tree).split('\n').map((line) => line.trim()); // prettier-ignore
  return { lines: lines.filter((line) => line !== '').slice(2, -1), findings };
}

test('properties replace those of their name in place, and children are merged or added', () => {
  const { lines, findings } = merged(
    'a = <1>; b = <2>; n { x; }; m { };',
    'b = "new"; c; a = <3>; n { y; deep { z; }; }; o { };',
  );
  expect(lines).toEqual([
    'a = <0x03>;',
    'b = "new";',
    'c;',
    'n {',
    'x;',
    'y;',
    'deep {',
    'z;',
    '};',
    '};',
    'm {',
    '};',
    'o {',
    '};',
  ]);
  expect(findings).toEqual([]);
});

test('delete-prop, delete-node and delete-subnodes take out what they name before anything is merged', () => {
  const target = 'a; b; c; n { }; m@1 { }; o { x { }; y { }; };';
  const overlay =
    'delete-prop = "a", "b"; delete-node = "n", "m@1"; b = "again"; m@1 { z; }; o { delete-subnodes; y { w; }; };';
  expect(merged(target, overlay)).toEqual({
    lines: ['c;', 'b = "again";', 'o {', 'y {', 'w;', '};', '};', 'm@1 {', 'z;', '};'],
    findings: [],
  });
});

test('prepend-stringlist puts strings before those a property has, and the later before the earlier', () => {
  const overlay = 'prepend-stringlist = "compatible", "a", "new", "b", "compatible", "c";';
  expect(merged('compatible = "x", "y";', overlay).lines).toEqual(['compatible = "c", "a", "x", "y";', 'new = "b";']);
});

test('the overlay stays as it was and shares nothing with the target', () => {
  const target = treeOf('/dts-v1/; / { };');
  const overlay = treeOf('/dts-v1/; / { l: a = [01]; k: n { }; };');
  const before = printTree(overlay);
  mergeInto(target.root, overlay.root);
  expect(printTree(target)).toBe(before);
  target.root.get('a')!.value[0] = 9;
  target.root.children[0]!.setFlag('x');
  expect(printTree(overlay)).toBe(before);
});

test('orders that name nothing, or are no lists of strings, are findings', () => {
  const overlay =
    'delete-prop = "x"; delete-node = "n"; o { delete-prop = <1>; delete-node; prepend-stringlist = "a", "b", "c"; };';
  expect(merged('n@1 { };', overlay).findings).toEqual([
    "a.dts:1:34: warning: node '/' has no child 'n' to delete; correct the name, with its unit address, or take it out [node-update]",
    "a.dts:1:15: warning: node '/' has no property 'x' to delete; correct the name, with its unit address, or take it out [node-update]",
    'a.dts:1:76: error: \'delete-node\' is not a list of strings; write delete-node = "name", "name"; [node-update]',
    'a.dts:1:57: error: \'delete-prop\' is not a list of strings; write delete-prop = "name", "name"; [node-update]',
    "a.dts:1:89: error: 'prepend-stringlist' has 'c' without a string for it; write pairs of the name of a property and a string [node-update]",
  ]);
});
