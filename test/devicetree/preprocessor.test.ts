import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeBlob } from '../../src/devicetree/blob.js';
import { describe } from '../../src/devicetree/finding.js';
import { preprocess } from '../../src/devicetree/preprocessor.js';
import { provenance } from '../../src/devicetree/origin.js';
import type { SourceOptions } from '../../src/devicetree/source.js';
import { parse } from '../../src/devicetree/source.js';
import { root, testWith, tool } from '../tools.js';
import { dice } from './fuzz.js';
import { dtc, parseText, readFile } from './trees.js';

const compiler = tool('powerpc-linux-gnu-gcc');
const program = tool('dtc');
const folder = join(root, 'test/devicetree/preprocessed');

const read = (text: string, files: Readonly<Record<string, string>> = {}, options: SourceOptions = {}) => {
  const bytes = (path: string) => (files[path] === undefined ? undefined : new TextEncoder().encode(files[path]));
  return parse(text, 'a.dts', bytes, options);
};

const findings = (...args: Parameters<typeof read>): string[] => read(...args).findings.map(describe);

/** The cells of the root's property `x`, after these lines. */
function x(value: string, lines = '', options: SourceOptions = {}): number[] | string[] {
  const { tree, findings: found } = read(`/dts-v1/;\n${lines}\n/ { x = ${value}; };`, {}, options);
  return found.length > 0 ? found.map(describe) : tree.root.get('x')!.cells;
}

/** What GNU cpp and dtc make of a file together. */
function reference(file: string, more: readonly string[] = []): Buffer | undefined {
  const options = ['-E', '-nostdinc', '-undef', '-D__DTS__', '-x', 'assembler-with-cpp', ...more];
  const { status, stdout } = spawnSync(compiler!, [...options, file], { cwd: folder, maxBuffer: 1 << 26 });
  return status === 0 ? dtc(program!, stdout) : undefined;
}

testWith(compiler, program)('a source with every construct becomes what cpp and dtc make of it', () => {
  const file = join(folder, 'everything.dts');
  const { tree, findings: found } = parse(readFileSync(file, 'utf8'), file, readFile, {
    includePaths: [join(folder, 'include')],
  });
  expect(found.map(describe)).toEqual([]);
  expect(Buffer.from(encodeBlob(tree)).equals(reference(file, ['-I', 'include'])!)).toBe(true);
});

// prettier-ignore
const expanded: readonly [lines: string, value: string, cells: readonly number[]][] = [
  ['#define A 1', '<A>', [1]],
  ['#define A', '<A 2 A>', [2]],
  ['#define A 1\n#undef A\n#define A 2', '<A>', [2]],
  ['#define A 1 + 1', '<(2 * A)>', [3]],
  ['  #  define A(b) (b * 2)', '<A(3) A (4) A((5))>', [6, 8, 10]],
  ['#define A() 7', '<A() A( )>', [7, 7]],
  ['#define A (7)', '<A>', [7]],
  ['#define A(b, c) b c', '<A(1, 2) A((3 + 1), ) A(,5)>', [1, 2, 4, 5]],
  ['#define A(b, c) b##c', '<A(1, 2) A(0x, ff) A(,3) A(4,)>', [12, 255, 3, 4]],
  ['#define A B\n#define B C\n#define C 5', '<A>', [5]],
  ['#define A(...) __VA_ARGS__', '<A(1) A() A(2)>', [1, 2]],
  ['#define A(b, ...) <b> , ## __VA_ARGS__', 'A(1), A(2, <3>, <4>)', [1, 2, 3, 4]],
  ['#define X 2\n#define CAT(a, b) a ## b\n#define XCAT(a, b) CAT(a, b)', '<XCAT(1, X)>', [12]],
  ['#define A 1 \\\n 2', '<A>', [1, 2]],
  ['#define A 1 /* two\nlines */ 2', '<A>', [1, 2]],
  ['#define A(b) <b>', 'A(1\n2\n/* x */ 3)', [1, 2, 3]],
  ['#ifdef A\n#define B 1\n#else\n#define B 2\n#endif', '<B>', [2]],
  ['#if defined(A) || defined B\n#define B 1\n#elif 1\n#define B 2\n#elif 1\n#define B 3\n#endif', '<B>', [2]],
  ['#if(1)\n#define B 1\n#endif\n#if!1\n#define B 2\n#endif', '<B>', [1]],
  ['#if 0x10 == 16 && 010 == 8 && 2 - 1 - 1 == 0 && -1 < 0 && -1 > 0u && (3 & 6 | 8) == 10\n#define B 1\n#endif', '<B>', [1]],
  ['#if 1 << 2 + 1 == 8 && ~0 == -1 && -7 / 2 == -3 && -7 % 2 == -1 && (0 && 1 / 0) == 0\n#define B 1\n#endif', '<B>', [1]],
  ['#define Z(n) n\n#if Z(1) ? Z(0) : nothing\n#define B 1\n#else\n#define B 2\n#endif', '<B>', [2]],
  ['#if 0\n"\n\'\n/* #endif */\n#endif\n#define B 3', '<B>', [3]],
  ['', '<__LINE__>', [3]],
  ['#line 70', '<__LINE__>', [70]],
];

test.each(expanded)('%j: %s', (lines, value, cells) => {
  expect(x(value, lines)).toEqual(cells);
});

testWith(compiler, program)('cpp and dtc read the same in each of them', () => {
  for (const [lines, value] of expanded) {
    const text = `/dts-v1/;\n${lines}\n/ { x = ${value}; };`;
    const { status, stdout } = spawnSync(compiler!, ['-E', '-nostdinc', '-undef', '-x', 'assembler-with-cpp', '-'], {
      input: text,
    });
    expect(status, text).toBe(0);
    const theirs = dtc(program!, stdout);
    expect(theirs && Buffer.from(theirs).equals(Buffer.from(encodeBlob(read(text).tree))), text).toBe(true);
  }
});

test('names that begin with # are no directives, wherever they stand', () => {
  const text =
    '/dts-v1/; / {\n#address-cells = <1>;\n  #size-cells = <2>;\n#define-cells = <3>;\n#if-cells;\n#include = <4>;\n};';
  const { tree, findings: found } = read(text);
  expect(found).toEqual([]);
  expect([...tree.root.properties.keys()]).toEqual([
    '#address-cells',
    '#size-cells',
    '#define-cells',
    '#if-cells',
    '#include',
  ]);
});

test('strings and comments are left alone', () => {
  const { tree } = read('#define A B\n/dts-v1/; / { /* A */ x = "A /* A */ // A\nA"; }; // A\n');
  expect(tree.root.get('x')!.string).toBe('A /* A */ // A\nA');
});

test('macros come from the command line too', () => {
  const defines = ['A', 'B=2', 'C(x)=(x + 1)', 'D='];
  expect(x('<A B C(2) D>', '', { defines })).toEqual([1, 2, 3]);
  expect(findings('/dts-v1/; / { };', {}, { defines: ['1=2'] })).toEqual([
    "<command line>:1:9: error: '#define' names no macro; write #define NAME VALUE [dts-preprocessor]",
  ]);
});

test('quoted files are looked for beside the file that names them and then in the include paths, others only there', () => {
  const files = {
    'dir/a.h': '#include "b.h"\n#include <b.h>\n',
    'dir/b.h': '#define NEAR 1\n',
    'inc/b.h': '#define FAR 2\n',
    'inc/soc.dtsi': '/ { n = <NEAR FAR>; };\n',
  };
  const text = '/dts-v1/;\n#include "dir/a.h"\n/include/ "soc.dtsi"\n#include <a.h>\n';
  const { tree, findings: found } = read(text, files, { includePaths: ['inc'] });
  expect(tree.root.get('n')!.cells).toEqual([1, 2]);
  expect(found.map(describe)).toEqual([
    "a.dts:4:1: error: 'inc/a.h' cannot be read; give its folder with -I DIR [dts-include-missing]",
  ]);
});

test('a place in a macro is the one where it is used, and says where it is from', () => {
  const files = {
    'b.dtsi': '#define INNER <&nobody>\n#define OUTER(x) x INNER\n/ {\n  p = OUTER();\n  q = <1 \n&arg>;\n};\n',
  };
  const { findings: found } = read('/dts-v1/;\n#include "b.dtsi"\n', files);
  expect(found.map((finding) => [describe(finding), ...provenance(finding.at)])).toEqual([
    [
      "b.dtsi:4:7: error: no node has the label 'nobody'; put 'nobody:' before the node that is meant [dts-unknown-label]",
      "from the macro 'INNER', defined at b.dtsi:1:9",
      "from the macro 'OUTER', defined at b.dtsi:2:9",
      'included at a.dts:2:1',
    ],
    [
      "b.dtsi:6:1: error: no node has the label 'arg'; put 'arg:' before the node that is meant [dts-unknown-label]",
      'included at a.dts:2:1',
    ],
  ]);
});

// prettier-ignore
const mistaken: readonly [lines: string, ...found: string[]][] = [
  ['#define', "a.dts:1:1: error: '#define' names no macro; write #define NAME VALUE [dts-preprocessor]"],
  ['#define A(b', "a.dts:1:9: error: the parameters of macro 'A' have no ')'; write #define NAME VALUE [dts-preprocessor]"],
  ['#define A(b b) b', "a.dts:1:9: error: the parameters of macro 'A' are not separated by commas; write #define NAME VALUE [dts-preprocessor]"],
  ['#define A(b, b) b', "a.dts:1:9: error: macro 'A' has two parameters 'b'; write #define NAME VALUE [dts-preprocessor]"],
  ['#define A ## 1', "a.dts:1:9: error: macro 'A' begins or ends with '##'; write #define NAME VALUE [dts-preprocessor]"],
  ['#define defined', "a.dts:1:9: error: no macro can be called 'defined'; write #define NAME VALUE [dts-preprocessor]"],
  ['#define A 1\n#define A 2', "a.dts:2:9: warning: macro 'A' is defined otherwise already, at a.dts:1:9; write '#undef A' before this if it is meant [dts-macro]"],
  ['#define A  1\n#define A 1'],
  ['#define A(b) b\nA(1, 2)', "a.dts:2:1: error: macro 'A' takes 1 argument, but is given 2; see its definition, a.dts:1 [dts-macro]"],
  ['#undef', "a.dts:1:1: error: '#undef' names no macro; write #undef NAME [dts-preprocessor]"],
  ['#ifdef\n#endif', "a.dts:1:1: error: '#ifdef' names no macro; write #ifdef NAME [dts-preprocessor]"],
  ['#if\n#endif', "a.dts:1:1: error: this condition cannot be worked out: a number is missing at its end; write whole numbers, names, defined(NAME) and C operators [dts-preprocessor]"],
  ['#if 1 +\n#endif', "a.dts:1:1: error: this condition cannot be worked out: a number is missing at its end; write whole numbers, names, defined(NAME) and C operators [dts-preprocessor]"],
  ['#if 1 2\n#endif', "a.dts:1:1: error: this condition cannot be worked out: '2' stands behind its end; write whole numbers, names, defined(NAME) and C operators [dts-preprocessor]"],
  ['#if (1\n#endif', "a.dts:1:1: error: this condition cannot be worked out: it lacks a ')'; write whole numbers, names, defined(NAME) and C operators [dts-preprocessor]"],
  ['#if 1 / 0\n#endif', "a.dts:1:1: error: this condition cannot be worked out: it divides by zero; write whole numbers, names, defined(NAME) and C operators [dts-preprocessor]"],
  ['#if 1.5\n#endif', "a.dts:1:1: error: this condition cannot be worked out: '1.5' is no whole number; write whole numbers, names, defined(NAME) and C operators [dts-preprocessor]"],
  ['#if "a"\n#endif', "a.dts:1:1: error: this condition cannot be worked out: '\"a\"' is no number; write whole numbers, names, defined(NAME) and C operators [dts-preprocessor]"],
  ['#if 1', "a.dts:1:1: error: this conditional has no '#endif'; write '#endif' at its end [dts-preprocessor]"],
  ['#else', "a.dts:1:1: error: '#else' has no '#if' before it; take it out, or write the #if [dts-preprocessor]"],
  ['#elif 1', "a.dts:1:1: error: '#elif' has no '#if' before it; take it out, or write the #if [dts-preprocessor]"],
  ['#endif', "a.dts:1:1: error: '#endif' has no '#if' before it; take it out, or write the #if [dts-preprocessor]"],
  ['#if 1\n#else\n#else\n#endif', "a.dts:3:1: error: '#else' stands behind '#else'; write it before the #else [dts-preprocessor]"],
  ['#error not for this board', 'a.dts:1:1: error: the source says: not for this board; mend that, or take the #error out [dts-told]'],
  ['#warning old', 'a.dts:1:1: warning: the source says: old; mend that, or take the #warning out [dts-told]'],
  ['#include', "a.dts:1:1: error: '#include' names no file; write #include \"file\" or <file> [dts-preprocessor]"],
  ['#include <x.h>', "a.dts:1:1: error: 'x.h' cannot be read; give its folder with -I DIR [dts-include-missing]"],
  ['#include "x.h"', "a.dts:1:1: error: 'x.h' cannot be read; write it, or correct 'x.h' [dts-include-missing]"],
];

test.each(mistaken)('%j is said to be wrong where it is', (lines, ...found) => {
  expect(findings(`${lines}\n/dts-v1/; / { };\n`)).toEqual(found);
});

test('arguments that never end are one mistake', () => {
  expect(findings('/dts-v1/;\n/ { };\n#define A(b) b\nA(1, (2)\n')).toEqual([
    "a.dts:4:1: error: the arguments of macro 'A' have no end; close them with ')' [dts-macro]",
  ]);
});

test('macros that double each other, files that include themselves, and deep nesting come to an end', () => {
  const rules = (text: string, files: Readonly<Record<string, string>> = {}) =>
    [...new Set(read(`/dts-v1/; / { };\n${text}\n`, files).findings.map(({ rule }) => rule))].filter(
      (rule) => rule !== 'dts-syntax',
    );
  const doubling = Array.from({ length: 60 }, (_, i) => `#define M${i + 1} M${i} M${i}`).join('\n');
  expect(rules(`#define M0 x;\n${doubling}\nM60`)).toContain('dts-macro-limit');
  expect(rules(`#define F(x) x\n${'F('.repeat(5000)}${')'.repeat(5000)}`)).toContain('dts-macro-limit');
  expect(rules('#include "a.h"', { 'a.h': '#include "a.h"\n#include "a.h"\n' })).toEqual(['dts-include-cycle']);
  const counted = '#ifndef A\n#define A 1\n#include "a.h"\n#endif\n';
  expect(rules('#include "a.h"', { 'a.h': counted })).toEqual([]);
  const endless = '#define A\n#undef A\n#include "a.h"\n#include "a.h"\n';
  expect(rules('#include "a.h"', { 'a.h': endless })).toEqual(['dts-include-depth']);
  expect(rules(`#if ${'('.repeat(10_000)}\n#endif`)).toEqual(['dts-preprocessor']);
  expect(rules('#if 1\n'.repeat(10_000))).toEqual(['dts-preprocessor']);
});

test('a tree without directives is what it was', () => {
  const { tree } = parseText('/dts-v1/; / { a = <1>; /* x */ b; };');
  expect([...tree.root.properties.keys()]).toEqual(['a', 'b']);
});

/** Words, and what may be taken for some. */
const scraps =
  String.raw`/dts-v1/;|node|{|}|;|<|>|1|0x10|"a b"|"a\"b"|'c'|__LINE__|__FILE__|__x|_y|a__b|x.y|&lab|#cells|#|/|/*|*/|/* c */|/** **/|\|=|==|<<|>>|...|.5e+3|@|,|+|-|(|)|#if 0|#endif|#define __z 3|/include/ "none"|é|$a|%|!=|?`
    .split('|')
    .concat(['||', '\n', '\n', '\r\n', '\t', '// d\n', '//e\\\nf\n', '\\\n', '"a\nb"', '\n# ']);

test('words are passed in runs, or one by one where macros are defined: to the same text, places and findings', () => {
  const roll = dice(440);
  const made = (text: string, defines: readonly string[]) => {
    const found: unknown[] = [];
    const note = (...said: unknown[]): void => void found.push(said);
    const out = preprocess(text, 'a.dts', () => undefined, { error: note, warning: note, note } as never, { defines });
    return { text: out.text, places: Array.from(out.text, (_, i) => JSON.stringify(out.at(i))).join(), found };
  };
  for (let i = 0; i < 1500; i++) {
    const words = Array.from({ length: 1 + roll(40) }, () => scraps[roll(scraps.length)]! + (roll(2) === 0 ? ' ' : ''));
    const text = words.join('');
    const [run, single] = [made(text, []), made(text, ['unused'])];
    expect(single.text.endsWith(run.text), JSON.stringify(text)).toBe(true);
    expect(single.text.length - run.text.length).toBeLessThan(2); // the line that ends the definition's
    expect(single.places.endsWith(run.places), JSON.stringify(text)).toBe(true);
    expect(single.found).toEqual(run.found);
  }
});
