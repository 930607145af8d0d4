import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { ConfigError } from '../../src/devicetree/finding.js';
import { Node, Tree } from '../../src/devicetree/tree.js';
import { testWith, tool } from '../tools.js';
import { anyTree, dtc, plainTree, treeOf } from './trees.js';

const program = tool('dtc');
/** QEMU's own board trees, made by dtc from Linux's sources. */
const qemu = ['bamboo', 'canyonlands'].map((name) => `/usr/share/qemu/${name}.dtb`).find((path) => existsSync(path));

/** 32-bit words in big-endian order. */
function words(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setUint32(i * 4, value));
  return new Uint8Array(view.buffer);
}

/** What is said of a blob that cannot be read. */
function complaint(bytes: Uint8Array): string {
  try {
    decodeBlob(bytes, 'x.dtb');
  } catch (trouble) {
    if (trouble instanceof ConfigError) return trouble.message;
    throw trouble;
  }
  return 'none';
}

const sample = () => encodeBlob(treeOf('/dts-v1/; /memreserve/ 16 32; / { a = "b"; node@1 { cells = <1>; }; };'));

/** The sample with some of its words changed, by their offsets. */
function changed(changes: Readonly<Record<number, number>>): Uint8Array {
  const bytes = sample();
  const view = new DataView(bytes.buffer);
  for (const [offset, word] of Object.entries(changes)) view.setUint32(Number(offset), word);
  return bytes;
}

test('a blob has a header, the reservations, the structure and the strings, each string once', () => {
  const blob = encodeBlob(treeOf('/dts-v1/; /memreserve/ 16 32; / { ab = [01]; b; node { ab; }; };'));
  const structure = words(1, 0, 3, 1, 0, 0x01000000, 3, 0, 1, 1, 0x6e6f6465, 0, 3, 0, 0, 2, 2, 9);
  const header = words(0xd00dfeed, 40 + 32 + 72 + 3, 72, 144, 40, 17, 16, 0, 3, 72);
  const expected = [header, words(0, 16, 0, 32, 0, 0, 0, 0), structure, Buffer.from('ab\0')];
  expect(Buffer.from(blob).toString('hex')).toBe(Buffer.concat(expected).toString('hex'));
});

test('a blob is read back as what it was made of', () => {
  const tree = decodeBlob(sample(), 'x.dtb');
  expect(tree.reservations).toEqual([{ address: 16n, size: 32n }]);
  expect(tree.root.get('a')).toMatchObject({ string: 'b', form: 'bytes', at: { file: 'x.dtb', line: 1, col: 1 } });
  expect(tree.find('/node@1')!.cell('cells')).toBe(1);
});

test('the number of the boot processor goes through a blob', () => {
  const tree = treeOf('/dts-v1/; / { cpus { cpu@2 { reg = <2>; }; }; };');
  expect([tree.bootCpu, decodeBlob(encodeBlob(tree), 'x').bootCpu]).toEqual([2, 2]);
});

testWith(qemu, program)("QEMU's board trees come out of reading and writing as the same bytes", () => {
  for (const name of ['bamboo', 'canyonlands']) {
    const path = `/usr/share/qemu/${name}.dtb`;
    if (!existsSync(path)) continue;
    const blob = encodeBlob(decodeBlob(readFileSync(path), path));
    expect([name, Buffer.from(blob).equals(dtc(program!, path, 'dtb')!)]).toEqual([name, true]);
  }
});

test('a blob of version 16, and one with gaps and NOPs, can be read', () => {
  const nops = words(4, 1, 0, 4, 3, 0, 0, 4, 2, 4, 9);
  const header = words(0xd00dfeed, 200, 64, 128, 40, 16, 16, 5, 2, 0xffffffff);
  const blob = new Uint8Array(200);
  blob.set(header);
  blob.set(nops, 64);
  blob.set(Buffer.from('p\0'), 128);
  const tree = decodeBlob(blob, 'x');
  expect([tree.bootCpu, [...tree.root.properties.keys()]]).toEqual([5, ['p']]);
});

/** The sample's structure block begins at 72: root, property `a`, child `node@1`, property `cells`, two ends, END. */
// prettier-ignore
const broken: readonly [what: string, bytes: Uint8Array, message: string][] = [
  ['nothing', new Uint8Array(0), '0 bytes are too few for a device-tree blob'],
  ['text', Buffer.from('/dts-v1/; / { };'), 'it begins with 0x2f647473; a device-tree blob begins with 0xd00dfeed'],
  ['a cut header', sample().subarray(0, 39), '39 bytes are too few for the 40 of its header'],
  ['a cut end', sample().subarray(0, 140), 'it is cut off: its totalsize is 144, but 140 bytes are there'],
  ['a small totalsize', changed({ 4: 39 }), 'its totalsize is 39, less than its header'],
  ['version 3', changed({ 20: 3, 24: 1 }), 'its version is 3, readable as 1; versions 16 and 17 can be read'],
  ['a version of the future', changed({ 20: 20, 24: 18 }), 'its version is 20, readable as 18; versions 16 and 17 can be read'],
  ['an odd structure offset', changed({ 8: 74 }), 'off_dt_struct 0x4a is not a multiple of 4'],
  ['an odd reservation offset', changed({ 16: 44 }), 'off_mem_rsvmap 0x2c is not a multiple of 8'],
  ['a structure outside', changed({ 8: 0x1000 }), 'its structure block, 64 bytes at 0x1000, is not within its 144 bytes'],
  ['a structure in the header', changed({ 8: 4 }), 'its structure block, 64 bytes at 0x4, is not within its 144 bytes'],
  ['huge strings', changed({ 32: 0xffffffff }), 'its strings block, 4294967295 bytes at 0x88, is not within its 144 bytes'],
  ['reservations outside', changed({ 16: 0xfffffff8 }), 'its memory reservation block, 16 bytes at 0xfffffff8, is not within its 144 bytes'],
  ['endless reservations', changed({ 16: 88 }), 'the memory reservation block has no end'],
  ['no root', changed({ 72: 2 }), 'the structure block does not begin with a node'],
  ['a named root', changed({ 76: 0x41000000 }), "the root node has the name 'A'"],
  ['an unknown token', changed({ 80: 7 }), "0x7 at 0x50, in node '/', begins nothing known"],
  ['an early END', changed({ 80: 9 }), "the structure block ends within node '/': an END_NODE is missing"],
  ['no END', changed({ 132: 4 }), 'the structure block ends within a node: an END_NODE or END is missing'],
  ['no END_NODE', changed({ 128: 4 }), "the structure block ends within node '/': an END_NODE is missing"],
  ['a name without end', changed({ 100: 0x61616161, 104: 0x61616161, 36: 36, 132: 9 }), 'the name of the node at 0x60 has no end'],
  ['a long value', changed({ 84: 1000 }), "property 'a' of '/' has 1000 bytes, more than the structure block"],
  ['a name outside the strings', changed({ 88: 8 }), "a property of '/' has its name at 0x8 of a strings block of 8 bytes"],
  ['strings without end', changed({ 32: 1 }), "the name of a property of '/', at 0x88, has no end within 255 bytes"],
  ['an empty name', changed({ 88: 1 }), "node '/' has a property with the name \"\""],
  ['a node name with a slash', changed({ 100: 0x6e2f6465 }), "node '/' has a child with the name \"n/de@1\""],
];

test.each(broken)('%s is refused', (_, bytes, message) => {
  expect(complaint(bytes)).toBe(
    `x.dtb:1:1: error: ${message}; make the blob anew from its source with dtc [dtb-format]`,
  );
});

test('two properties or children of one name, and nodes without end, are refused', () => {
  const twice = (structure: Uint8Array): string => {
    const header = words(
      0xd00dfeed,
      56 + structure.length + 2,
      56,
      56 + structure.length,
      40,
      17,
      16,
      0,
      2,
      structure.length,
    );
    return complaint(Buffer.concat([header, words(0, 0, 0, 0), structure, Buffer.from('p\0')]));
  };
  expect(twice(words(1, 0, 3, 0, 0, 3, 0, 0, 2, 9))).toContain("node '/' has two properties 'p'");
  expect(twice(words(1, 0, 1, 0x61000000, 2, 1, 0x61000000, 2, 2, 9))).toContain("node '/' has two children 'a'");
  const level = words(1, 0x61000000);
  const deep = Buffer.concat([words(1, 0), ...Array.from({ length: 100_000 }, () => level)]);
  expect(twice(deep)).toContain('its nodes are more than 256 levels deep');
});

test('any tree is what reading its blob gives', () => {
  fc.assert(
    fc.property(anyTree, (tree) => {
      for (const node of tree.root.walk()) node.labels.length = 0;
      expect(plainTree(decodeBlob(encodeBlob(tree), 'x'))).toEqual(plainTree(tree));
    }),
  );
});

testWith(program)('dtc reads the blob of any tree and writes the same bytes', () => {
  fc.assert(
    fc.property(anyTree, (tree) => {
      const blob = encodeBlob(tree);
      expect(dtc(program!, blob, 'dtb')?.toString('hex')).toBe(Buffer.from(blob).toString('hex'));
    }),
    { numRuns: 50 },
  );
});

test('a broken blob is refused with a reason or read, whatever is broken in it', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
  const outcome = (bytes: Uint8Array): void => {
    const said = complaint(bytes);
    if (said !== 'none') expect(said).toMatch(/^x\.dtb:1:1: error: .+ \[dtb-format\]$/);
  };
  fc.assert(
    fc.property(anyTree, damage, fc.nat(), (tree, changes, end) => {
      const bytes = encodeBlob(tree);
      for (const [offset, byte] of changes) bytes[offset % bytes.length] = byte;
      outcome(bytes);
      outcome(bytes.subarray(0, end % bytes.length));
    }),
    { numRuns: 500 },
  );
  for (let end = 0; end < sample().length; end++) expect(complaint(sample().subarray(0, end))).not.toBe('none');
});

test('a blob may be part of a larger buffer', () => {
  const blob = sample();
  const larger = new Uint8Array(blob.length + 100).fill(0xff);
  larger.set(blob, 50);
  const tree = decodeBlob(larger.subarray(50), 'x');
  expect(plainTree(tree)).toEqual(plainTree(decodeBlob(blob, 'x')));
});

test('a tree without anything in it is a blob of 72 bytes', () => {
  const tree = new Tree(new Node('', { file: '', line: 1, col: 1 }));
  expect(encodeBlob(tree).length).toBe(40 + 16 + 16);
});
