import { expect, test } from 'vitest';
import { AddressMap } from '../../src/bus/bus.js';
import { Ram, SharedMemory } from '../../src/bus/memory.js';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { Node, Tree } from '../../src/devicetree/tree.js';
import { EPAPR_MAGIC, loadProgram, type BootContents, type BootState } from '../../src/loader/boot.js';
import type { Image, Segment } from '../../src/loader/image.js';

const MIB = 0x100000;
const here = { file: 'boot.dts', line: 1, col: 1 };

function tree(): Tree {
  const root = new Node('', here);
  root.setStrings('model', 'a board');
  return new Tree(root);
}

function memory(...ranges: readonly (readonly [base: number, size: number])[]): AddressMap<Ram> {
  const shared = new SharedMemory(ranges.reduce((sum, [, size]) => sum + size, MIB));
  const map = new AddressMap<Ram>();
  for (const [base, size] of ranges) map.attach(`memory@${base}`, base, size, Ram.allocate(shared, size));
  return map;
}

const image = (segments: readonly Segment[], entry = segments[0]!.address): Image => ({
  ok: true,
  format: 'elf',
  segments,
  entry,
});
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const small = (address: number): Image => image([{ address, bytes: bytes(1, 2, 3, 4), size: 4 }]);

/** Loads, and insists that it fitted. */
function load(ram: AddressMap<Ram>, contents: Partial<BootContents>): BootState {
  const state = loadProgram(ram, { image: small(0x1000), tree: tree(), ...contents });
  if ('problem' in state) throw new Error(state.problem);
  return state;
}

const read = (ram: AddressMap<Ram>, at: number, size: number): Uint8Array => {
  const region = ram.find(at)!;
  return region.target.slice(at - region.base, size);
};

test('segments lie where they say, with zeros behind their bytes', () => {
  const ram = memory([0, MIB], [0x40000000, 0x10000]);
  ram.regions[0]!.target.fill(0, 0x8000, 0xff);
  const state = load(ram, {
    image: image(
      [
        { address: 0x1000, bytes: bytes(1, 2, 3), size: 8 },
        { address: 0x40000010, bytes: bytes(9), size: 1 },
      ],
      0x1004,
    ),
  });
  expect([...read(ram, 0xfff, 10)]).toEqual([0xff, 1, 2, 3, 0, 0, 0, 0, 0, 0xff]);
  expect([...read(ram, 0x40000010, 2)]).toEqual([9, 0]);
  expect(state.entry).toBe(0x1004);
});

test('the device tree is at the end of the memory at 0, and r3 leads to it', () => {
  const ram = memory([0, MIB]);
  const contents = tree();
  const state = load(ram, { tree: contents });
  const blob = encodeBlob(contents);
  expect(state.tree).toBe(MIB - 4096);
  expect(read(ram, state.tree, blob.length)).toEqual(blob);
  expect(decodeBlob(blob, 'x').root.get('model')!.string).toBe('a board');
});

test('of a memory larger than 256 MiB only what Linux’s first TLB entry maps is used for the tree', () => {
  const ram = memory([0, 257 * MIB]);
  const state = load(ram, {});
  expect(state.tree).toBe(256 * MIB - 4096);
  expect(state.mapped).toBe(257 * MIB);
});

test('the initrd lies below the tree, on a page of its own, and /chosen says where', () => {
  const ram = memory([0, MIB]);
  const initrd = Uint8Array.from({ length: 5000 }, (_, i) => i);
  const contents = tree();
  const state = load(ram, { initrd, tree: contents });
  const { root } = decodeBlob(read(ram, state.tree, encodeBlob(contents).length), 'x');
  const [start, end] = ['linux,initrd-start', 'linux,initrd-end'].map((name) => root.child('chosen')!.cell(name)!);
  expect(start! % 4096).toBe(0);
  expect([end! - start!, end! <= state.tree, state.tree - start!]).toEqual([5000, true, 8192]);
  expect(read(ram, start!, 5000)).toEqual(initrd);
});

test('without an initrd nothing is said of one', () => {
  const contents = tree();
  load(memory([0, MIB]), { tree: contents });
  expect(contents.root.child('chosen')?.has('linux,initrd-start') ?? false).toBe(false);
});

test('loading again gives the same, to the byte', () => {
  const contents = { image: small(0x1000), initrd: bytes(1, 2, 3), tree: tree() };
  const ram = memory([0, MIB]);
  const first = load(ram, contents);
  const before = read(ram, 0, MIB);
  expect(load(ram, contents)).toEqual(first);
  expect(Buffer.compare(read(ram, 0, MIB), before)).toBe(0);
});

test('the stack is where QEMU’s bamboo has it, or in a smaller memory below the tree', () => {
  expect(load(memory([0, 17 * MIB]), {}).stack).toBe(16 * MIB - 8);
  expect(load(memory([0, 2 * MIB]), {}).stack).toBe(2 * MIB - 0x10000 - 8);
});

test('r6 of a Book E program says EPAP', () => {
  expect(Buffer.from(EPAPR_MAGIC.toString(16), 'hex').toString()).toBe('EPAP');
});

test.each<[string, Partial<BootContents>, readonly [number, number][], RegExp]>([
  ['no memory at 0', {}, [[0x100000, MIB]], /no memory at address 0/],
  [
    'a segment behind the memory',
    { image: small(2 * MIB) },
    [[0, MIB]],
    /wants 4 bytes at 0x200000, where there is no memory/,
  ],
  [
    'a segment over the end of a memory',
    { image: image([{ address: 0x4000_0000, bytes: bytes(1), size: MIB + 1 }]) },
    [
      [0, MIB],
      [0x40000000, MIB],
    ],
    /wants 1048577 bytes at 0x40000000/,
  ],
  [
    'zeros where the tree is',
    { image: image([{ address: 0, bytes: bytes(1), size: MIB }]) },
    [[0, MIB]],
    /ends at 0x100000, which leaves no room for the device tree/,
  ],
  [
    'an initrd that is too large',
    { initrd: new Uint8Array(MIB - 0x2000) },
    [[0, MIB]],
    /no room for the initrd and the device tree/,
  ],
  [
    'an initrd larger than the memory',
    { initrd: new Uint8Array(3 * MIB) },
    [[0, MIB]],
    /no room for the initrd and the device tree/,
  ],
  ['a memory smaller than the tree', { image: small(0) }, [[0, 4096]], /no room for the device tree/],
])('%s is a problem, said in a sentence', (_, contents, ranges, problem) => {
  const result = loadProgram(memory(...ranges), { image: small(0x1000), tree: tree(), ...contents });
  expect(result).toHaveProperty('problem');
  expect((result as { problem: string }).problem).toMatch(problem);
});

test('an image that ends just below the tree fits', () => {
  const ram = memory([0, MIB]);
  expect(load(ram, { image: image([{ address: 0, bytes: bytes(1), size: MIB - 4096 }]) }).tree).toBe(MIB - 4096);
});
