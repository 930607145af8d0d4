import { asSource, type Examples } from './example.js';

/** Sources whose root holds this. */
const pair = (wrong: string, right: string) =>
  asSource(`/dts-v1/;\n/ {\n\t${wrong}\n};\n`, `/dts-v1/;\n/ {\n\t${right}\n};\n`);

const HEADER = '/dts-v1/;\n';

/** Examples for the rules on the text. */
export const sourceExamples: Examples = {
  'dts-syntax': pair('reg = <1>', 'reg = <1>;'),
  'dts-version': asSource('/ { };\n', '/dts-v1/;\n/ { };\n'),
  'dts-unclosed': pair('label = "hello;', 'label = "hello";'),
  'dts-escape': pair(String.raw`label = "\xyz";`, String.raw`label = "\x41";`),
  'dts-number': pair('value = <089>;', 'value = <89>;'),
  'dts-character': pair("value = <'ab'>;", "value = <'a'>;"),
  'dts-line-marker': asSource(`${HEADER}#line 7 "board\\0.dts"\n/ { };\n`, `${HEADER}#line 7 "board.dts"\n/ { };\n`),
  'dts-preprocessor': asSource(`${HEADER}#ifdef BOARD\n/ { };\n`, `${HEADER}#ifndef BOARD\n/ { };\n#endif\n`),
  'dts-macro': asSource(
    `${HEADER}#define SIZE 8\n#define SIZE 16\n/ { size = <SIZE>; };\n`,
    `${HEADER}#define SIZE 8\n#undef SIZE\n#define SIZE 16\n/ { size = <SIZE>; };\n`,
  ),
  'dts-macro-limit': asSource(
    `${HEADER}${doubling(30)}/ { sizes = <X30>; };\n`,
    `${HEADER}${doubling(3)}/ { sizes = <X3>; };\n`,
  ),
  'dts-told': asSource(`${HEADER}#error no board\n/ { };\n`, `${HEADER}/ { };\n`),
  'dts-include-missing': asSource(`${HEADER}/include/ "missing.dtsi"\n/ { };\n`, `${HEADER}/ { };\n`),
  'dts-include-cycle': asSource(`${HEADER}#include "example.dts"\n/ { };\n`, `${HEADER}/ { };\n`),
  'dts-include-depth': asSource(
    `${HEADER}#include "deep-300.dtsi"\n/ { };\n`,
    `${HEADER}#include "deep-3.dtsi"\n/ { };\n`,
  ),
  'dts-incbin-range': pair('data = /incbin/("4-bytes.bin", 2, 8);', 'data = /incbin/("4-bytes.bin", 2, 2);'),
  'dts-too-deep': pair(`value = <${'('.repeat(300)}1${')'.repeat(300)}>;`, 'value = <((1))>;'),
  'dts-value-range': pair('value = /bits/ 8 <256>;', 'value = /bits/ 8 <255>;'),
  'dts-bits': pair('value = /bits/ 12 <1>;', 'value = /bits/ 16 <1>;'),
  'dts-reference-size': pair('value = /bits/ 64 <&{/}>;', 'value = <&{/}>;'),
  'dts-division-by-zero': pair('value = <(1 / 0)>;', 'value = <(1 / 2)>;'),
  'dts-property-order': pair('node { };\n\tvalue = <1>;', 'value = <1>;\n\tnode { };'),
  'dts-unknown-label': pair('value = <&nodes>;\n\tnode: node { };', 'value = <&node>;\n\tnode: node { };'),
  'dts-unknown-path': pair('value = <&{/nodes}>;\n\tnode { };', 'value = <&{/node}>;\n\tnode { };'),
  'dts-duplicate-label': pair('a: one { };\n\ta: two { };', 'a: one { };\n\tb: two { };'),
  'dts-duplicate-node': pair('one { };\n\tone { };', 'one { };\n\ttwo { };'),
  'dts-duplicate-property': pair('value = <1>;\n\tvalue = <2>;', 'value = <2>;'),
  'dts-node-name': pair('node@1@2 { };', 'node@1 { };'),
  'dts-property-name': pair('value@1 = <1>;', 'value-1 = <1>;'),
  'dts-name-property': pair('node { name = "other"; };', 'node { name = "node"; };'),
  'dts-phandle': pair('node { phandle = <0>; };', 'node { phandle = <1>; };'),
  'dts-delete-root': asSource(`${HEADER}/ { };\n/delete-node/ &{/};\n`, `${HEADER}/ { };\n`),
};

/** Macros of which each is two of the one before. */
function doubling(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => `#define X${i + 1} X${i} X${i}\n`);
  return `#define X0 1\n${lines.join('')}`;
}
