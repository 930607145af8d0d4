// Mutated sources and blobs: whatever is made of them has to be a tree or a message, in bounded time.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { checkAll } from '../../src/devicetree/checks/index.js';
import { configure } from '../../src/devicetree/configuration.js';
import { imagesByName } from '../../src/devicetree/examples/index.js';
import { dtcCheckNames, Levels } from '../../src/devicetree/warnings/index.js';
import { guestTree } from '../../src/hypervisor/guest-tree.js';
import { ConfigError, type Finding } from '../../src/devicetree/finding.js';
import { printTree } from '../../src/devicetree/print.js';
import { parse } from '../../src/devicetree/source.js';
import type { Tree } from '../../src/devicetree/tree.js';
import { root } from '../tools.js';

/** Numbers that only their seed decides (mulberry32), below `limit`. */
export function dice(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % limit;
  };
}

const folders = ['test/devicetree/good', 'test/devicetree/preprocessed', 'test/devicetree/near', 'test/devicetree/bad'];

/** The sources that are mutated. */
export const seeds: readonly string[] = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.dts'))
    .sort()
    .map((name) => readFileSync(join(root, folder, name), 'utf8'))
    .filter((text) => text.length < 4000),
);

/** What is put into sources: what a reader has to look at twice. */
// prettier-ignore
const bits: readonly string[] = [
  '{', '}', ';', '};', '<', '>', '[', ']', '"', "'", '\\', '/', '*', '/*', '*/', '//', '(', ')', ',', '=', ':', '?', '&', '#', '##', '@',
  '/dts-v1/;', '/plugin/;', '/include/ "fuzz.dts"', '/incbin/("fuzz.dts", 1, 0xffffffffffffffff)', '/bits/ 64', '/bits/ 8 <', '/memreserve/ 1 2;',
  '/delete-node/ ', '/delete-property/ ', '/omit-if-no-ref/ ', '&{/', '&label', 'label: ', '0xffffffffffffffff', '(1 / 0)', '<(', '1 ? ', '-', '~', '<<',
  '\n#define A A A\n', '\n#define F(x, ...) x F(x) #x __VA_ARGS__ ## x\n', 'F(F(A, A), F)', 'A', '\n#include "fuzz.dts"\n', '\n#if A\n', '\n#elif (\n', '\n#else\n',
  '\n#endif\n', '\n#undef A\n', '\n# 7 "x"\n', '\n#line 3\n', '\\\n', '\u0000', '\u{1f600}', 'phandle = <1>;', 'reg = <0 0>;', 'a { ', '/ { ', '&a { ',
];

export function mutatedSource(roll: (limit: number) => number): string {
  let text = seeds[roll(seeds.length)]!;
  for (let changes = 1 + roll(6); changes > 0; changes--) {
    const at = roll(text.length + 1);
    const end = Math.min(text.length, at + roll(roll(4) === 0 ? 200 : 8));
    const other = seeds[roll(seeds.length)]!;
    const from = roll(other.length);
    const piece = [bits[roll(bits.length)]!, other.slice(from, from + roll(80)), text.slice(at, end), ''][roll(4)]!;
    text = text.slice(0, at) + piece.repeat(roll(20) === 0 ? 1 + roll(40) : 1) + text.slice(roll(2) === 0 ? at : end);
  }
  return text;
}

/** Configurations that are right, or nearly. */
const configurations = seeds.filter((text) => text.includes('hv440,partition'));

/** A number, a text, a reference, a name, or a whole line that is a property or an empty node. */
const WORD = /\b(?:0x[0-9a-f]+|\d+)\b|"[^"\n]*"|&\w+|\b[a-z][\w,-]*(?= =|;)|^[^{}\n]*;$/gim;
const words: readonly string[] = [...new Set(configurations.flatMap((text) => text.match(WORD) ?? []))];
const numbers = ['0', '1', '3', '0xfff', '0x1000', '0x10000', '0x1000000', '0x80000000', '0xfffff000', '0xffffffff'];

/** A configuration in which words stand in for others of their kind, so that its text is most often right. */
export function mutatedWords(roll: (limit: number) => number): string {
  const kindOf = (word: string): string =>
    /^\d/.test(word) ? '0' : /^["&]/.test(word) ? word[0]! : word.endsWith(';') ? ';' : 'a';
  let text = configurations[roll(configurations.length)]!;
  for (let changes = 1 + roll(3); changes > 0; changes--) {
    const all = [...text.matchAll(WORD)];
    const [match] = all.splice(roll(all.length), 1);
    if (!match) break;
    const alike =
      kindOf(match[0]) === '0' && roll(2) === 0 ? numbers : words.filter((w) => kindOf(w) === kindOf(match[0]));
    const instead = kindOf(match[0]) === ';' && roll(3) === 0 ? '' : alike[roll(alike.length)]!;
    text = text.slice(0, match.index) + instead + text.slice(match.index + match[0].length);
  }
  return text;
}

/** A board with little on it, so that many mutations can be tried. */
const board = new TextEncoder().encode(`/ {
  #address-cells = <1>; #size-cells = <1>; interrupt-parent = <&UIC0>;
  cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; clock-frequency = <400000000>; timebase-frequency = <400000000>; }; };
  memory0: memory@0 { device_type = "memory"; reg = <0 0x10000000>; };
  UIC0: interrupt-controller0 { compatible = "ibm,uic"; interrupt-controller; cell-index = <0>; dcr-reg = <0xc0 9>; #interrupt-cells = <2>; };
  ${[
    [0, 'ef600300'],
    [1, 'ef600400'],
    [3, 'ef600600'],
    [4, '9c000000'],
  ]
    .map(
      ([n, at]) =>
        `UART${n}: serial@${at} { compatible = "ns16550"; reg = <0x${at} 8>; interrupts = <${n} 4>; clock-frequency = <11059200>; };`,
    )
    .join('\n')}
  partitions: partitions { compatible = "hv440,partitions"; };
};`);

/** Sources may name themselves, and the board. */
const reading =
  (bytes: Uint8Array) =>
  (path: string): Uint8Array | undefined =>
    path === 'fuzz.dts' ? bytes : path.endsWith('hv440-board.dtsi') ? board : undefined;

/** Every check of dtc's, whatever its level. */
const levels = new Levels();
for (const name of dtcCheckNames) levels.option('warning', name);

/** Reads a source that may include itself, asks all rules about what became of it, and writes it again. */
export function trySource(text: string): 'tree' | 'findings' {
  const bytes = new TextEncoder().encode(text);
  const { tree, findings } = parse(text, 'fuzz.dts', reading(bytes), {
    symbols: true,
  });
  use(tree, findings);
  return findings.some(({ severity }) => severity === 'error') ? 'findings' : 'tree';
}

/** What the rules have no errors to say of can be booted: it has a configuration, and each guest a tree. */
function use(tree: Tree, ofText: readonly Finding[]): void {
  const findings = checkAll(tree, ofText, imagesByName, levels);
  printTree(tree);
  encodeBlob(tree);
  if (findings.some(({ severity }) => severity === 'error')) return;
  configured++;
  configure(tree).partitions.forEach((partition, i) => encodeBlob(guestTree(partition, tree, i + 1)));
}

let configured = 0;

const blobs: readonly Uint8Array[] = seeds.flatMap((text) => {
  const { tree, findings } = parse(text, 'a.dts', reading(board));
  return findings.length === 0 ? [encodeBlob(tree)] : [];
});

export function mutatedBlob(roll: (limit: number) => number): Uint8Array {
  const bytes = Uint8Array.from(blobs[roll(blobs.length)]!);
  for (let changes = 1 + roll(8); changes > 0; changes--) {
    const at = roll(roll(3) === 0 ? 40 : bytes.length);
    bytes[at] = [0, 1, 2, 3, 4, 9, 0x7f, 0xff, roll(256)][roll(9)]!;
  }
  return roll(8) === 0 ? bytes.subarray(0, roll(bytes.length)) : bytes;
}

export function tryBlob(bytes: Uint8Array): 'tree' | 'findings' {
  try {
    use(decodeBlob(bytes, 'fuzz.dtb'), []);
    return 'tree';
  } catch (trouble) {
    if (trouble instanceof ConfigError) return 'findings';
    throw trouble;
  }
}

const kinds = [
  { name: 'source', attempt: (roll) => trySource(mutatedSource(roll)) },
  { name: 'blob', attempt: (roll) => tryBlob(mutatedBlob(roll)) },
  { name: 'words', attempt: (roll) => trySource(mutatedWords(roll)) },
] as const satisfies readonly { name: string; attempt: (roll: (limit: number) => number) => 'tree' | 'findings' }[];

/** Tries so many sources and blobs; an error says by which seed it comes. Of the trees, `configured` had no errors at all. */
export function fuzz(count: number, seed: number): Readonly<Record<'tree' | 'findings' | 'configured', number>> {
  const outcomes = { tree: 0, findings: 0 };
  configured = 0;
  for (let i = 0; i < count; i++) {
    const roll = dice(seed + i);
    try {
      outcomes[kinds[i % kinds.length]!.attempt(roll)]++;
    } catch (trouble) {
      throw new Error(`seed ${seed + i} (${kinds[i % kinds.length]!.name})`, { cause: trouble });
    }
  }
  return { ...outcomes, configured };
}
