import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { parse } from '../../src/devicetree/source.js';
import { printTree } from '../../src/devicetree/print.js';
import { testWith, tool } from '../tools.js';
import { anyTree, dtc, goodSources, plainTree, readFile, treeOf } from './trees.js';

const program = tool('dtc');

test('a tree is printed as dtc lays it out', () => {
  const tree = treeOf(`/dts-v1/; /memreserve/ 1 2; / {
    a = <1 0xabc>; two = "x", "\\"q\\" \\n\\x01"; b = [01 ff]; flag; l: m: n: node@1 { p: empty = ""; inner { }; }; };`);
  expect(printTree(tree)).toBe(`/dts-v1/;

/memreserve/	0x0000000000000001 0x0000000000000002;
/ {
	a = <0x01 0xabc>;
	two = "x", "\\"q\\" \\n\\x01";
	b = [01 ff];
	flag;

	l: m: n: node@1 {
		p: empty = "";

		inner {
		};
	};
};
`);
});

test('a value whose form is not known is shown as dtc guesses: text, else cells, else bytes', () => {
  const source =
    'a = [61 00]; b = [61 00 00 00]; c = [61 62 63 64]; d = [61 ff 00]; e = [00]; f = "a", <0x62630000>; g = [61 09 00];';
  const lines = printTree(decodeBlob(encodeBlob(treeOf(`/dts-v1/; / { ${source} };`)), 'x')).split('\n');
  expect(lines.slice(3, -2)).toEqual([
    '\ta = "a";',
    '\tb = <0x61000000>;',
    '\tc = <0x61626364>;',
    '\td = [61 ff 00];',
    '\te = [00];',
    '\tf = "a", "bc", "";',
    '\tg = "a\\t";',
  ]);
});

test('text in other alphabets is printed in escapes and stays the same bytes', () => {
  const tree = treeOf('/dts-v1/; / { a = "grün"; };');
  expect(printTree(tree)).toContain('a = "gr\\xc3\\xbcn";');
  expect(plainTree(treeOf(printTree(tree)))).toEqual(plainTree(tree));
});

test('printing any tree and parsing the text gives the tree again', () => {
  fc.assert(
    fc.property(anyTree, (tree) => {
      expect(plainTree(treeOf(printTree(tree)))).toEqual(plainTree(tree));
    }),
    { numRuns: 200 },
  );
});

test('printing every good source and parsing the text gives the same blob', () => {
  const sources = goodSources();
  expect(sources.length).toBeGreaterThan(8);
  for (const file of sources) {
    const { tree } = parse(readFileSync(file, 'utf8'), file, readFile);
    const again = parse(printTree(tree), file, readFile);
    expect([file, again.findings]).toEqual([file, []]);
    expect([file, Buffer.from(encodeBlob(again.tree)).equals(encodeBlob(tree))]).toEqual([file, true]);
  }
});

const bamboo = ['/usr/share/qemu/bamboo.dtb'].find((path) => existsSync(path));

testWith(program, bamboo)("dtc makes the same blob of what is printed of QEMU's board", () => {
  const blob = readFileSync(bamboo!);
  const text = printTree(decodeBlob(blob, bamboo!));
  expect(dtc(program!, new TextEncoder().encode(text))!.equals(blob)).toBe(true);
});
