import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyOverlay } from '../../src/devicetree/apply-overlay.js';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { differences } from '../../src/devicetree/difference.js';
import { describe } from '../../src/devicetree/finding.js';
import { sorted } from '../../src/devicetree/sort.js';
import { parse } from '../../src/devicetree/source.js';
import type { Tree } from '../../src/devicetree/tree.js';
import { testWith, tool } from '../tools.js';
import { goodSources, readFile, treeOf } from './trees.js';

const program = tool('dtc');
const fdtoverlay = tool('fdtoverlay');

const withSymbols = (text: string): Tree => {
  const { tree, findings } = parse(text, 'a.dts', () => undefined, { symbols: true });
  expect(findings.map(describe)).toEqual([]);
  return tree;
};

testWith(program)('a sorted tree is the one that dtc -s makes', () => {
  for (const file of goodSources()) {
    const { tree } = parse(readFileSync(file, 'utf8'), file, readFile);
    const { stdout } = spawnSync(program!, ['-q', '-s', '-I', 'dts', '-O', 'dtb', file]);
    expect(Buffer.from(encodeBlob(sorted(tree))).equals(stdout), file).toBe(true);
  }
});

test('order and the numbers of phandles are no difference; the nodes they lead to are', () => {
  const one = treeOf('/dts-v1/; / { a = <1>; p = <&x &y>; x: x { }; y: y { phandle = <9>; }; };');
  const other = treeOf('/dts-v1/; / { p = <&x &y>; a = <1>; y: y { }; x: x { phandle = <5>; }; };');
  expect(differences(one, other)).toEqual([]);
  const swapped = treeOf('/dts-v1/; / { p = <&y &x>; a = <1>; y: y { }; x: x { phandle = <5>; }; };');
  expect(differences(one, swapped)).toEqual([{ place: '/: p', before: '<0x01 0x09>', after: '<0x01 0x05>' }]);
  const parent = (text: string) => treeOf(`/dts-v1/; / { interrupt-parent = <1>; ${text} };`);
  expect(differences(parent('a { phandle = <1>; }; b { };'), parent('a { }; b { phandle = <1>; };'))).toEqual([
    { place: '/: interrupt-parent', before: '<0x01>', after: '<0x01>' },
  ]);
});

test('numbers are compared as such, even where they could be phandles', () => {
  const one = treeOf('/dts-v1/; / { reg = <1>; x { phandle = <1>; }; };');
  const other = treeOf('/dts-v1/; / { reg = <2>; x { phandle = <2>; }; };');
  expect(differences(one, other)).toEqual([{ place: '/: reg', before: '<0x01>', after: '<0x02>' }]);
});

test('what only one has is named once, with how much it is', () => {
  const one = treeOf('/dts-v1/; /memreserve/ 0x1000 0x10; / { flag; gone { a; b { c; }; }; };');
  const other = treeOf('/dts-v1/; / { text = "x"; came { }; };');
  expect(differences(one, other)).toEqual([
    { place: '/memreserve/', before: '0x1000 0x10', after: undefined },
    { place: '/: flag', before: 'present', after: undefined },
    { place: '/: text', before: undefined, after: '"x"' },
    { place: '/gone', before: '{ 2 properties, 1 node below }', after: undefined },
    { place: '/came', before: undefined, after: '{ 0 properties, 0 nodes below }' },
  ]);
});

const base = `/dts-v1/; / {
  soc: soc { a = <1>; uart: serial@0 { phandle = <7>; status = "disabled"; }; i2c: i2c { }; };
  user { link = <&uart>; };
};`;
const overlay = `/dts-v1/; /plugin/;
&uart { status = "okay"; clocks = <&clock 3>, <&i2c>; };
&i2c { clock: clock { #clock-cells = <1>; self = <&clock>; }; };
&{/soc} { a = <2>; b; more { peer = <&uart &clock>; }; };
/ { note = "not a fragment"; };`;

testWith(program, fdtoverlay)('an overlay changes a tree as fdtoverlay changes it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-overlay-'));
  const put = (name: string, tree: Tree): string => {
    writeFileSync(join(folder, name), encodeBlob(tree));
    return join(folder, name);
  };
  const files = [put('base.dtb', withSymbols(base)), put('o.dtbo', withSymbols(overlay))];
  const result = join(folder, 'out.dtb');
  const { status, stderr } = spawnSync(fdtoverlay!, ['-i', files[0]!, '-o', result, files[1]!], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const theirs = decodeBlob(readFileSync(result), 'out.dtb');
  for (const change of [withSymbols(overlay), decodeBlob(readFileSync(files[1]!), 'o.dtbo')]) {
    const tree = withSymbols(base);
    expect(applyOverlay(tree, change).map(describe)).toEqual([]);
    expect(differences(theirs, tree)).toEqual([]);
    expect(tree.find('/soc/serial@0')!.get('clocks')!.cells[0]).toBe(tree.find('/soc/i2c/clock')!.phandle);
    expect(tree.find('/__symbols__')!.get('clock')!.string).toBe('/soc/i2c/clock');
  }
});

test('an overlay for a tree without its label, or its node, is refused', () => {
  const apply = (text: string): string[] => applyOverlay(withSymbols(base), withSymbols(text)).map(describe);
  expect(apply('/dts-v1/; /plugin/; &spi { x; };')).toEqual(
    [
      "a.dts:1:1: error: the tree has no label 'spi', which the overlay refers to; compile the tree with symbols (-@), or correct the label [overlay]",
    ].map((line) => expect.stringMatching(line.slice(line.indexOf(': error')).replaceAll(/[()[\]]/g, String.raw`\$&`))),
  );
  expect(apply('/dts-v1/; /plugin/; &{/nowhere} { x; };')).toEqual([
    expect.stringContaining("'fragment@0' is for '/nowhere', which the tree does not have"),
  ]);
});
