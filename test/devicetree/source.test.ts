import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeBlob } from '../../src/devicetree/blob.js';
import { describe } from '../../src/devicetree/finding.js';
import { parse } from '../../src/devicetree/source.js';
import { root, testWith, tool } from '../tools.js';
import { dtc, DtcCrashed, findingsOf, good, goodSources, parseText, plainTree, readFile, treeOf } from './trees.js';

const program = tool('dtc');

/** The cells of the root's property `x`. */
const x = (value: string) => treeOf(`/dts-v1/; / { x = ${value}; };`).root.get('x')!.cells;

test('a source becomes a tree with the bytes, the order and the labels it says', () => {
  const tree = treeOf(`/dts-v1/;
/memreserve/ 0x1000 0x20;
/ {
	compatible = "hv440,board", "amcc,bamboo";
	soc: bus@80000000 {
		lbl: reg = <0x80000000 16>;
		flag;
		mac = [00 11 22];
	};
};`);
  expect(plainTree(tree)).toEqual({
    bootCpu: 0,
    reservations: [[0x1000n, 0x20n]],
    root: {
      name: '',
      labels: [],
      properties: [['compatible', Buffer.from('hv440,board\0amcc,bamboo\0').toString('hex'), []]],
      children: [
        {
          name: 'bus@80000000',
          labels: ['soc'],
          properties: [
            ['reg', '8000000000000010', ['lbl']],
            ['flag', '', []],
            ['mac', '001122', []],
          ],
          children: [],
        },
      ],
    },
  });
  const forms = [...tree.find('/bus')!.properties.values()].map((p) => p.form);
  expect(forms).toEqual(['cells', 'empty', 'bytes']);
});

test('every name has its place, through includes, line markers, labels, comments and tabs', () => {
  const files = { 'dir/inc.dtsi': '/* two\nlines */ n: in {\n\tp;\n};\n' };
  const source =
    '/dts-v1/;\n/ {\n  a: /* x */ first = "1\n2"; second;\n/include/ "inc.dtsi"\n};\n# 40 "other.dts"\n/ { last; };';
  const { tree } = parseText(source, files, 'dir/a.dts');
  const places = [...tree.root.properties.values(), ...tree.root.children, tree.find('/in')!.get('p')!].map(
    ({ name, at: { file, line, col } }) => `${name} ${file}:${line}:${col}`,
  );
  expect(places).toEqual([
    'first dir/a.dts:3:14',
    'second dir/a.dts:4:5',
    'last other.dts:40:5',
    'in dir/inc.dtsi:2:13',
    'p dir/inc.dtsi:3:2',
  ]);
});

test('a later body changes earlier ones in place, and the place of a property is that of its last value', () => {
  const tree = treeOf(
    '/dts-v1/; / { a = <1>; b = <2>; n: n { }; };\n&n { x; };\n/ { a = "new"; /delete-property/ b; c; };',
  );
  expect([...tree.root.properties.keys()]).toEqual(['a', 'c']);
  expect(tree.root.get('a')).toMatchObject({ string: 'new', at: { line: 3, col: 5 } });
  expect(tree.find('/n')!.has('x')).toBe(true);
});

test('labels, paths and strings of a value point where they say', () => {
  const tree = treeOf(
    '/dts-v1/; / { a = <&n 7 &{/m}>; b = &n; m { q: n: node { }; }; };'.replace('&{/m}', '&{/m/node}'),
  );
  expect(tree.root.get('a')!.cells).toEqual([1, 7, 1]);
  expect(tree.root.get('b')).toMatchObject({ string: '/m/node', form: 'strings' });
  expect(tree.byPhandle(1)).toBe(tree.find('&q'));
});

test('expressions are 64-bit, unsigned, and bind as in C', () => {
  expect(x('<(1 + 2 * 3) (2 - 3 - 4) (1 << 2 + 1) (6 & 3 | 8) (1 ? 0 ? 4 : 5 : 6)>')).toEqual([
    7, 0xfffffffb, 8, 10, 5,
  ]);
  expect(x('<(-1 > 0) (-1 / 0x100000000) (1 << 64) (!5) (~0 & 0xff)>')).toEqual([1, 0xffffffff, 0, 0, 255]);
  expect(x("<'a' '\\n' '\\x41' '\\'' 010 0x10UL>")).toEqual([0x61, 10, 0x41, 0x27, 8, 16]);
});

test('text of other files is included relative to the file that names them', () => {
  const files = {
    'board/common.dtsi': '/dts-v1/;\n#include "../lib/soc.dtsi"\n',
    'lib/soc.dtsi': '/ { soc { data = /incbin/("fw/code.bin", 1, 2); }; };',
    'lib/fw/code.bin': Uint8Array.of(1, 2, 3, 4),
  };
  const { tree, findings } = parseText('/include/ "common.dtsi"\n', files, 'board/a.dts');
  expect(findings).toEqual([]);
  expect([...tree.find('/soc')!.get('data')!.value]).toEqual([2, 3]);
});

test('an included binary that is shorter than what is asked for is a warning', () => {
  const source = '/dts-v1/; / { a = /incbin/("x", 2, 4); };';
  expect(findingsOf(source, { x: Uint8Array.of(1, 2, 3) })).toEqual([
    "a.dts:1:37: warning: 'x' has 3 bytes, too few for 4 from offset 2; correct the offset and length; the value is shorter as it is [dts-incbin-range]",
  ]);
});

test('one mistake does not hide the next', () => {
  const source = `/dts-v1/;
/ {
	a = <1>
	b = <0x100000000>;
	c "text";
	soc {
		d = <&missing (1 / 0)>;
		e = [0g];
		lost: = 4;
	}
	f = <&lost &sock>;
	sock: z { };
};
}
/delete-node/ &nobody;
`;
  expect(findingsOf(source)).toEqual([
    "a.dts:4:2: error: expected ';' after property 'a', found 'b'; end property 'a' with ';' [dts-syntax]",
    'a.dts:4:7: error: 0x100000000 does not fit an element of 32 bits; write it as two cells, 0x1 0x0, or use /bits/ 64 [dts-value-range]',
    "a.dts:5:4: error: expected '=', '{' or ';' behind 'c', found the string \"text\"; write 'c = value;', 'c { … };' or 'c;' [dts-syntax]",
    'a.dts:7:20: error: 1 / 0 divides by zero; divide by something else; both sides of ?:, && and || count [dts-division-by-zero]',
    "a.dts:8:8: error: expected two hexadecimal digits, or ']' to end the bytes, found '0g'; write each byte as two digits, without 0x [dts-syntax]",
    "a.dts:9:9: error: expected the name of a property or child, found '='; give a property or a child its name [dts-syntax]",
    "a.dts:11:2: error: expected ';' after node 'soc', found 'f'; write '};' at its end [dts-syntax]",
    "a.dts:11:2: error: property 'f' stands behind a child of its node; move it to before the first child [dts-property-order]",
    "a.dts:14:1: error: expected '/ {', '&label {' or a directive, found '}'; put it inside '/ { };', or take it out [dts-syntax]",
    "a.dts:15:15: error: no node has the label 'nobody' here; define it before this, or correct the label [dts-unknown-label]",
    "a.dts:7:8: error: no node has the label 'missing'; put 'missing:' before the node that is meant [dts-unknown-label]",
  ]);
});

test('a misspelt label is met with the one that was meant', () => {
  expect(findingsOf('/dts-v1/; / { a = <&UATR0>; UART0: n { }; };')).toEqual([
    "a.dts:1:20: error: no node has the label 'UATR0'; did you mean '&UART0'? [dts-unknown-label]",
  ]);
});

test('a string that runs over the end of a line is named where a statement breaks off behind it', () => {
  expect(findingsOf('/dts-v1/;\n/ { a = "one;\n b = "two"; };')).toEqual([
    "a.dts:3:7: error: expected ';' after property 'a', found 'two'; close the string that begins in line 2, if it is not meant to run over the line [dts-syntax]",
    'a.dts:3:10: error: this string has no closing quote; write " at its end [dts-unclosed]',
    "a.dts:3:15: error: expected '}' to end the root node, which begins in line 2, found the end of the source; write '};' at its end [dts-syntax]",
  ]);
});

/** Texts that dtc refuses, with the rules of ours that do. */
// prettier-ignore
const refused: readonly [text: string, ...rules: string[]][] = [
  ['', 'dts-version'],
  ['/ { };', 'dts-version'],
  ['/dts-v1/ / { };', 'dts-syntax'],
  ['/dts-v1/;', 'dts-syntax'],
  ['/dts-v1/; / { }', 'dts-syntax'],
  ['/dts-v1/; / {', 'dts-syntax'],
  ['/dts-v1/; / { }; };', 'dts-syntax'],
  ['/dts-v1/; / { a }; ', 'dts-syntax'],
  ['/dts-v1/; / { a = ; };', 'dts-syntax'],
  ['/dts-v1/; / { a = l: ; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <1>, ; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <1> <2>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <-1>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <1 + 1>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <(1 +)>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <(1 ? 2)>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <(1 = 1)>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <(&b)>; b: b { }; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <"b">; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <1, 2>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <b>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = 1; };', 'dts-syntax'],
  ['/dts-v1/; / { a = [0]; };', 'dts-syntax'],
  ['/dts-v1/; / { a = [0x01]; };', 'dts-syntax'],
  ['/dts-v1/; / { a = [01, 02]; };', 'dts-syntax'],
  ['/dts-v1/; / { a = /bits/ <1>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = /bits/ (8) <1>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = /bits/ 12 <1>; };', 'dts-bits'],
  ['/dts-v1/; / { a = /bits/ 0 <1>; };', 'dts-bits'],
  ['/dts-v1/; / { a = /bits/ 8 <256>; };', 'dts-value-range'],
  ['/dts-v1/; / { a = /bits/ 8 <(-129)>; b = /bits/ 16 <0x10000>; };', 'dts-value-range'],
  ['/dts-v1/; / { a = /bits/ 64 <&b>; b: b { }; };', 'dts-reference-size'],
  ['/dts-v1/; / { a = /bits/ 8 <&b>; b: b { }; };', 'dts-reference-size'],
  ['/dts-v1/; / { a = <0x100000000>; };', 'dts-value-range'],
  ['/dts-v1/; / { a = /bits/ 64 <0x10000000000000000>; };', 'dts-number'],
  ['/dts-v1/; / { a = <08>; };', 'dts-number'],
  ['/dts-v1/; / { a = <1LU>; };', 'dts-syntax'],
  ['/dts-v1/; / { a = <0x>; };', 'dts-syntax'],
  ["/dts-v1/; / { a = <''>; };", 'dts-character'],
  ["/dts-v1/; / { a = <'ab'>; };", 'dts-character'],
  ["/dts-v1/; / { a = <'é'>; };", 'dts-character'],
  ["/dts-v1/; / { a = <'a>; };", 'dts-unclosed'],
  ['/dts-v1/; / { a = "b; };', 'dts-unclosed'],
  ['/dts-v1/; / { a = "b\\\nc"; };', 'dts-unclosed'],
  ['/dts-v1/; / { a = "\\xg"; };', 'dts-escape'],
  ['/dts-v1/; / { }; /* more', 'dts-unclosed'],
  ['/dts-v1/; / { }; // more', 'dts-unclosed'],
  ['/dts-v1/; / { a = <(1 / 0)>; };', 'dts-division-by-zero'],
  ['/dts-v1/; / { a = <(1 || 1 % 0)>; };', 'dts-division-by-zero'],
  ['/dts-v1/; / { a = <&b>; };', 'dts-unknown-label'],
  ['/dts-v1/; / { a = &b; };', 'dts-unknown-label'],
  ['/dts-v1/; / { a = <&{/b}>; b@1 { }; };', 'dts-unknown-path'],
  ['/dts-v1/; / { a = &{/b/c}; b { }; };', 'dts-unknown-path'],
  ['/dts-v1/; / { }; &b { };', 'dts-unknown-label'],
  ['/dts-v1/; / { }; l: &b { };', 'dts-unknown-label'],
  ['/dts-v1/; &b { };', 'dts-unknown-label'],
  ['/dts-v1/; / { }; /delete-node/ &b;', 'dts-unknown-label'],
  ['/dts-v1/; / { }; /omit-if-no-ref/ &{/b};', 'dts-unknown-path'],
  ['/dts-v1/; / { }; /delete-node/ b;', 'dts-syntax'],
  ['/dts-v1/; /delete-node/ &b; / { b: b { }; };', 'dts-syntax'],
  ['/dts-v1/; / { b: b { }; /delete-node/ &b; };', 'dts-syntax'],
  ['/dts-v1/; / { /delete-property/ &b; };', 'dts-syntax'],
  ['/dts-v1/; / { a: b: c { }; }; a: b: &{/c} { };', 'dts-syntax'],
  ['/dts-v1/; l: / { };', 'dts-syntax'],
  ['/dts-v1/; / { }; /memreserve/ 1 2;', 'dts-syntax'],
  ['/dts-v1/; /memreserve/ 1; / { };', 'dts-syntax'],
  ['/dts-v1/; /memreserve/ -1 1; / { };', 'dts-syntax'],
  ['/dts-v1/; / { n { }; p; };', 'dts-property-order'],
  ['/dts-v1/; / { n { }; /delete-property/ p; };', 'dts-property-order'],
  ['/dts-v1/; / { p; p; };', 'dts-duplicate-property'],
  ['/dts-v1/; / { n { }; n { }; };', 'dts-duplicate-node'],
  ['/dts-v1/; / { l: a { }; l: b { }; };', 'dts-duplicate-label'],
  ['/dts-v1/; / { l: p; l: b { }; };', 'dts-duplicate-label'],
  ['/dts-v1/; / { p = <l: 1 l: 2>; };', 'dts-duplicate-label'],
  ['/dts-v1/; / { n?m { }; };', 'dts-node-name'],
  ['/dts-v1/; / { n@1@2 { }; };', 'dts-node-name'],
  ['/dts-v1/; / { p@1; };', 'dts-property-name'],
  ['/dts-v1/; / { n { name = "m"; }; };', 'dts-name-property'],
  ['/dts-v1/; / { n { name = <1>; }; };', 'dts-name-property'],
  ['/dts-v1/; / { n { phandle = <0>; }; };', 'dts-phandle'],
  ['/dts-v1/; / { n { phandle = <0xffffffff>; }; };', 'dts-phandle'],
  ['/dts-v1/; / { n { phandle = <1 2>; }; };', 'dts-phandle'],
  ['/dts-v1/; / { n { phandle = <1>; }; m { phandle = <1>; }; };', 'dts-phandle'],
  ['/dts-v1/; / { n { phandle = <1>; linux,phandle = <2>; }; };', 'dts-phandle'],
  ['/dts-v1/; / { n { phandle = <&m>; }; m: m { }; };', 'dts-phandle'],
  ['/dts-v1/; /include/ "missing" / { };', 'dts-include-missing'],
  ['/dts-v1/; / { a = /incbin/("missing"); };', 'dts-include-missing'],
  ['/dts-v1/; / { a = /incbin/("missing", 1); };', 'dts-syntax'],
  ['/dts-v1/; / { a = /incbin/ "missing"; };', 'dts-syntax'],
  ['# 1 "a\\0b"\n/dts-v1/; / { };', 'dts-line-marker'],
  ['/dts-v1/; / {\n#define 1\n};', 'dts-preprocessor'],
  ['/dts-v1/; / {\n#ifdef A\n};', 'dts-preprocessor'],
  ['/dts-v1/; /plugin/; / { a = &b; };', 'dts-unknown-label'],
  ['/dts-v1/; /plugin/; / { }; l: &b { };', 'dts-unknown-label'],
  ['/dts-v1/; /plugin/; /dts-v1/; / { };', 'dts-syntax'],
  ['/plugin/; /dts-v1/; / { };', 'dts-version', 'dts-syntax'],
  ['/dts-v1/; / { $ };', 'dts-syntax'],
  ['/dts-v1/; / { /what/ a; };', 'dts-syntax'],
];

test.each(refused)('%j is refused', (text, ...rules) => {
  const found = parseText(text)
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ rule }) => rule);
  expect([...new Set(found)]).toEqual(expect.arrayContaining(rules));
});

testWith(program)('dtc refuses all that is refused here', () => {
  const accepted = refused.filter(([text]) => dtc(program!, new TextEncoder().encode(text)) !== undefined);
  expect(accepted.map(([text]) => text)).toEqual([]);
});

test('what dtc would take but cannot be meant is refused too', () => {
  expect(findingsOf('/dts-v1/; / { }; /delete-node/ &{/};')).toEqual([
    'a.dts:1:32: error: this deletes the whole tree; delete the nodes in it [dts-delete-root]',
  ]);
});

test('files that include themselves or too many others, deep nodes and deep expressions are findings', () => {
  expect(findingsOf('/dts-v1/; / { };\n/include/ "b"', { b: '/include/ "a.dts"', 'a.dts': '' })).toEqual([
    "b:1:1: error: 'a.dts' includes itself; break the circle of includes [dts-include-cycle]",
  ]);
  const twice = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}`, `/include/ "${i + 1}"\n`.repeat(2)]));
  const rules = (text: string) => parseText(text, twice).findings.map(({ rule }) => rule);
  expect(new Set(rules('/dts-v1/; / { };\n/include/ "0"'))).toEqual(
    new Set(['dts-include-missing', 'dts-include-depth']),
  );
  expect(rules(`/dts-v1/; / { ${'n { '.repeat(100_000)}`).slice(0, 1)).toEqual(['dts-too-deep']);
  expect(rules(`/dts-v1/; / { a = <${'('.repeat(100_000)}; };`)).toEqual(['dts-too-deep']);
  expect(rules(`/dts-v1/; / { a = <(${'1 ? 2 : '.repeat(100_000)}3)>; };`)).toEqual(['dts-too-deep']);
  expect(rules(`/dts-v1/; / { a = <(${'~'.repeat(100_000)}3)>; };`)).toEqual([]);
});

test('a large source is read in one go', () => {
  const blob = new Uint8Array(1 << 20).fill(7);
  const many = Array.from({ length: 20_000 }, (_, i) => `n${i} { p = <${i}>; };`).join(' ');
  const { root: top } = treeOf(`/dts-v1/; / { a = &l, /incbin/("x"); l: l { }; ${many} };`, { x: blob });
  expect([top.children.length, top.get('a')!.value.length]).toEqual([20_001, blob.length + 3]);
});

testWith(program)('every good source becomes the very bytes that dtc makes of it', () => {
  const sources = goodSources();
  expect(sources.length).toBeGreaterThan(8);
  for (const file of sources) {
    const { tree, findings } = parse(readFileSync(file, 'utf8'), file, readFile);
    const shown = relative(root, file);
    expect([shown, findings.map(describe)]).toEqual([shown, []]);
    expect([shown, Buffer.from(encodeBlob(tree)).equals(dtc(program!, file)!)]).toEqual([shown, true]);
  }
});

/** Pieces that mutations put into sources. */
const pieces = ['{', '}', ';', '<', '>', '[', ']', '"', "'", '/', '\\', '&', 'l:', ',', '=', '(', ')', '/*', '//', '\n']
  .concat([
    '/bits/ 16',
    '0x1',
    '08',
    '&a',
    '&{/a}',
    '?',
    ':',
    '<<',
    '\\x',
    '/plugin/;',
    '/delete-node/',
    'name',
    '# 1 "b"\n',
  ])
  .concat([
    '/include/ "a.dts"',
    '/incbin/("a.dts")',
    '\0',
    '\ud800',
    'é',
    '/memreserve/ 1 2;',
    '/omit-if-no-ref/',
    '/ {',
  ]);

const words = (text: string): string[] => text.match(/[A-Za-z0-9_,#.@-]+|\s+|[^]/g) ?? [];

const corpus = readdirSync(good)
  .filter((name) => name.endsWith('.dts'))
  .map((name) => words(readFileSync(join(good, name), 'utf8')));

/** A good source with some words replaced, left out, or put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.array(fc.tuple(fc.nat(10_000), fc.nat(2), fc.constantFrom(...pieces)), { minLength: 1, maxLength: 4 }),
  )
  .map(([source, changes]) => {
    const text = [...source];
    for (const [at, remove, piece] of changes) text.splice(at % text.length, remove, ...(remove === 1 ? [] : [piece]));
    return text.join('');
  });

test('no mutation of a source makes the parser throw, or its tree unfit to be written', () => {
  const check = (text: string) => {
    encodeBlob(parse(text, join(good, 'a.dts'), readFile).tree);
  };
  fc.assert(fc.property(mutated, check), { numRuns: 1000 });
  fc.assert(fc.property(fc.string({ unit: 'binary' }), check));
});

/** The blob that dtc makes of a text, or what becomes of it instead. */
function verdict(text: string): string {
  try {
    return dtc(program!, new TextEncoder().encode(text))?.toString('hex') ?? 'refused';
  } catch (trouble) {
    if (trouble instanceof DtcCrashed) return 'crashed';
    throw trouble;
  }
}

testWith(program)('dtc and this parser take and refuse the same mutations, and make the same bytes of them', () => {
  fc.assert(
    fc.property(mutated, (mutation) => {
      fc.pre(!/\\\r?\n/.test(mutation)); // goes on in the next line, as for cpp; dtc alone refuses it
      // To dtc any byte above 0x7f or below 1 outside of a string is the end of the source.
      const text = mutation.replace(/[^\x01-\x7f]/gu, '~');
      const { tree, findings } = parse(text, 'mutated.dts', () => undefined);
      const ours = findings.some(({ severity }) => severity === 'error')
        ? 'refused'
        : Buffer.from(encodeBlob(tree)).toString('hex');
      const theirs = verdict(text);
      fc.pre(theirs !== 'crashed');
      const deleted = findings.some(({ rule }) => rule === 'dts-delete-root');
      expect(deleted ? theirs : ours).toBe(theirs);
    }),
    { numRuns: 300 },
  );
});
