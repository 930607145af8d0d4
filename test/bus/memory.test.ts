import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PAGE_SIZE, Ram, SharedMemory } from '../../src/bus/memory.js';

const SIZE = 4 * PAGE_SIZE;
const fresh = (): Ram => Ram.allocate(new SharedMemory(0x20000), SIZE);
const dirtyPages = (ram: Ram): number[] => [...ram.dirty.keys()].filter((page) => ram.dirty[page] !== 0);

test('a word of guest memory is a word of the shared memory, in the host’s own order', () => {
  const ram = fresh();
  const { words, halves, bytes } = ram.memory;
  ram.load(8, Uint8Array.of(0x12, 0x34, 0x56, 0x78));
  expect(words[(ram.offset + 8) >>> 2]).toBe(0x12345678);
  expect([halves[((ram.offset + 8) ^ 2) >>> 1], halves[((ram.offset + 10) ^ 2) >>> 1]]).toEqual([0x1234, 0x5678]);
  expect([8, 9, 10, 11].map((at) => bytes[(ram.offset + at) ^ 3])).toEqual([0x12, 0x34, 0x56, 0x78]);
  words[(ram.offset + 12) >>> 2] = 0x9abcdef0 | 0;
  expect([ram.read(12, 4), ram.read(12, 2), ram.read(15, 1)]).toEqual([0x9abcdef0, 0x9abc, 0xf0]);
});

test('reads and writes of every width and alignment agree with plain big-endian memory', () => {
  const ram = fresh();
  const model = new DataView(new ArrayBuffer(SIZE));
  const access = fc.record({
    width: fc.constantFrom<1 | 2 | 4>(1, 2, 4),
    offset: fc.nat(SIZE - 4),
    value: fc.nat(0xffffffff),
  });
  fc.assert(
    fc.property(fc.array(access, { minLength: 1, maxLength: 30 }), (accesses) => {
      for (const { width, offset, value } of accesses) {
        ram.write(offset, width, value);
        if (width === 1) model.setUint8(offset, value);
        else if (width === 2) model.setUint16(offset, value);
        else model.setUint32(offset, value);
        expect(ram.read(offset, 4)).toBe(model.getUint32(offset));
        expect(ram.read(offset & ~1, 2)).toBe(model.getUint16(offset & ~1));
      }
      expect(ram.slice(0, SIZE)).toEqual(new Uint8Array(model.buffer));
    }),
    { numRuns: 20 },
  );
});

test('load, fill and slice are in guest order, at any offset', () => {
  const ram = fresh();
  const bytes = Uint8Array.from({ length: 11 }, (_, i) => i + 1);
  ram.load(PAGE_SIZE - 5, bytes);
  expect(ram.slice(PAGE_SIZE - 5, 11)).toEqual(bytes);
  expect(ram.read(PAGE_SIZE - 1, 2)).toBe(0x0506);
  ram.fill(PAGE_SIZE - 1, 3, 0xee);
  expect(ram.slice(PAGE_SIZE - 2, 5)).toEqual(Uint8Array.of(4, 0xee, 0xee, 0xee, 8));
});

test('a copy of a slice stays as it was', () => {
  const ram = fresh();
  const copy = ram.slice(0, 4);
  ram.write(0, 4, 0xffffffff);
  expect([...copy]).toEqual([0, 0, 0, 0]);
});

test('whatever writes marks the pages that it touches, and reading marks none', () => {
  const ram = fresh();
  expect(dirtyPages(ram)).toEqual([]);
  ram.read(0, 4);
  ram.slice(0, SIZE);
  expect(dirtyPages(ram)).toEqual([]);
  ram.write(2 * PAGE_SIZE - 2, 4, 0);
  expect(dirtyPages(ram)).toEqual([1, 2]);
  ram.clearDirty();
  ram.load(3 * PAGE_SIZE - 1, Uint8Array.of(1, 2));
  expect(dirtyPages(ram)).toEqual([2, 3]);
  ram.clearDirty();
  ram.fill(PAGE_SIZE, PAGE_SIZE, 1);
  expect(dirtyPages(ram)).toEqual([1]);
  ram.clearDirty();
  ram.load(0, Uint8Array.of());
  ram.fill(5, 0, 1);
  expect(dirtyPages(ram)).toEqual([]);
  ram.touch(SIZE - 1);
  expect(dirtyPages(ram)).toEqual([3]);
});

test('clearing zeroes the marked pages and no others', () => {
  const ram = fresh();
  ram.fill(0, SIZE, 0xab);
  ram.dirty.fill(0);
  ram.write(PAGE_SIZE + 4, 1, 1);
  ram.clearDirty();
  const zeros = [...ram.slice(0, SIZE).entries()].filter(([, byte]) => byte === 0).map(([at]) => at);
  expect([zeros.length, zeros[0], zeros.at(-1)]).toEqual([PAGE_SIZE, PAGE_SIZE, 2 * PAGE_SIZE - 1]);
  expect(dirtyPages(ram)).toEqual([]);
});

test('a window is the same bytes and the same marks, from its own 0 on', () => {
  const ram = fresh();
  const window = ram.window(PAGE_SIZE, 2 * PAGE_SIZE);
  window.write(PAGE_SIZE, 4, 0x01020304);
  expect([ram.read(2 * PAGE_SIZE, 4), dirtyPages(ram), dirtyPages(window)]).toEqual([0x01020304, [2], [1]]);
  ram.write(PAGE_SIZE + 2, 1, 7);
  expect([window.read(2, 1), dirtyPages(window)]).toEqual([7, [0, 1]]);
  ram.write(0, 1, 9);
  window.clearDirty();
  expect([ram.read(2 * PAGE_SIZE, 4), ram.read(0, 1), dirtyPages(ram)]).toEqual([0, 9, [0]]);
  const inner = window.window(PAGE_SIZE, PAGE_SIZE);
  inner.write(0, 1, 5);
  expect(ram.read(2 * PAGE_SIZE, 1)).toBe(5);
});

test('a window lies within its memory, and is made of whole pages', () => {
  const ram = fresh();
  expect(() => ram.window(PAGE_SIZE, SIZE)).toThrow('hv440 is broken: a window lies within its RAM');
  expect(() => ram.window(-PAGE_SIZE, PAGE_SIZE)).toThrow('hv440 is broken');
  expect(() => ram.window(0, 100)).toThrow('hv440 is broken: a RAM window is made of whole pages');
  expect(() => ram.load(SIZE - 1, Uint8Array.of(1, 2))).toThrow('hv440 is broken: loaded bytes lie within RAM');
});

test('what is allocated is aligned, apart from everything else, and never at 0', () => {
  const memory = new SharedMemory(0x20000);
  const places = [
    [10, 64],
    [4, 4],
    [100, 4096],
    [1, 64],
  ].map(([size, alignment]) => [memory.allocate(size!, alignment), size!, alignment!]);
  let end = 1;
  for (const [offset, size, alignment] of places) {
    expect(offset! % alignment!).toBe(0);
    expect(offset).toBeGreaterThanOrEqual(end);
    end = offset! + size!;
  }
  expect(() => memory.allocate(0x20000)).toThrow('hv440 is broken: shared memory is full: 131072 more bytes wanted');
});

test('guest memory lies behind all else, and does not move it', () => {
  const [one, other] = [new SharedMemory(0x40000), new SharedMemory(0x80000)];
  const ram = [Ram.allocate(one, 0x2000), Ram.allocate(one, 0x1000)];
  Ram.allocate(other, 0x50000);
  expect(ram.map(({ offset }) => offset)).toEqual([0x3e000, 0x3d000]);
  expect(one.allocate(0x4000)).toBe(other.allocate(0x4000));
  expect(one.free).toBe(0x3d000 - 0x7000);
  expect(() => Ram.allocate(one, 0x37000)).toThrow('hv440 is broken: shared memory is full: 225280 more bytes wanted');
});

test('the shared memory can be shared: its buffer is one, and its views see each other', () => {
  const memory = new SharedMemory(1);
  expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(memory.buffer.byteLength).toBe(65536);
  memory.words[4] = 0x01020304;
  expect([memory.bytes[16], memory.halves[8]]).toEqual([4, 0x0304]);
});

test('an image of any size is loaded byte for byte, wherever it begins', () => {
  const size = 0x20000;
  const ram = Ram.allocate(new SharedMemory(2 * size), size);
  for (const [offset, length] of [
    [0, 65535],
    [4, 65536],
    [8, 65537],
    [12, 65540],
    [3, 65547],
    [4096, 0x18003],
  ] as const) {
    ram.fill(0, size, 0xee);
    const image = Uint8Array.from({ length }, (_, i) => (i * 7 + (i >>> 8)) & 0xff);
    ram.load(offset, image);
    expect(ram.slice(offset, length)).toEqual(image);
    expect([ram.slice(0, offset), ram.slice(offset + length, 64)].flatMap((edge) => [...new Set(edge)])).toEqual(
      offset > 0 ? [0xee, 0xee] : [0xee],
    );
  }
});

test('filling changes these bytes and no others', () => {
  const ram = fresh();
  for (let offset = 8; offset < 14; offset++)
    for (let size = 0; size < 12; size++) {
      ram.fill(0, 64, 0x11);
      ram.fill(offset, size, 0x22);
      const expected = Uint8Array.from({ length: 64 }, (_, i) => (i >= offset && i < offset + size ? 0x22 : 0x11));
      expect(ram.slice(0, 64)).toEqual(expected);
    }
});
