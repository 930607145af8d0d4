import { expect, test } from 'vitest';
import { bareSource, packBoard, parseGenerated, runSource } from '../../src/cli/config.js';
import type { PackedDraft } from '../../src/devicetree/packed-draft.js';

const MIB = 2 ** 20;
const packed = JSON.parse(JSON.stringify(packBoard())) as PackedDraft;
const sources = [
  bareSource({ label: 'vmlinux', memory: 128 * MIB }),
  bareSource({ label: 'a "b"', memory: 64 * MIB, bootargs: 'console=ttyS0 /include/' }),
  runSource({ image: 'hello.elf', label: 'hello', memory: 128 * MIB, onReset: 'stop', bootargs: 'x' }),
];

test('the board that was read when the program was built gives the tree that reading it gives, with all its places', () => {
  for (const source of sources) {
    const { tree, findings } = parseGenerated(source);
    const prepared = parseGenerated(source, packed);
    expect(prepared.tree).toEqual(tree);
    expect(tree.root.child('plb')?.at).toMatchObject({ line: expect.any(Number), via: { at: { line: 2 } } });
    expect(prepared.findings).toEqual(findings);
    expect(prepared.tree.ignores).toHaveLength(2);
  }
});

test('a board file that has changed since is read anew', () => {
  const changed: PackedDraft = { ...packed, text: `${packed.text} `, root: ['', [1, 1], [], [], []] };
  expect(parseGenerated(sources[0]!, changed).tree).toEqual(parseGenerated(sources[0]!).tree);
});
