import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { gzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { crc32 } from '../../src/loader/crc32.js';
import { gunzip } from '../../src/loader/gzip.js';
import { loadImage } from '../../src/loader/image.js';
import { shared, testWith } from '../tools.js';
import { code, elf, join, uimage } from './build.js';

test('the CRC is that of zlib', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array())).toBe(0);
});

test('gzip of an ELF file, of a uImage and of raw code is what it holds', () => {
  for (const [bytes, name] of [
    [elf(), 'a.elf.gz'],
    [uimage(), 'uImage.gz'],
    [code, 'a.bin.gz'],
  ] as const) {
    const image = loadImage(gzipSync(bytes, { filename: name }), name);
    expect(image.ok).toBe(true);
    expect(image).toEqual(loadImage(bytes, name.replace('.gz', '')));
  }
});

test('raw code is loaded where the caller says, or at 0 when its name ends in .bin', () => {
  const at = (address: number) => ({
    ok: true,
    format: 'raw',
    segments: [{ address, bytes: code, size: 8 }],
    entry: address,
  });
  expect(loadImage(code, 'a.bin')).toEqual(at(0));
  expect(loadImage(code, 'a.bin', { rawAddress: 0x100 })).toEqual(at(0x100));
  expect(loadImage(code, 'a', { rawAddress: 0xfffffff8 })).toEqual(at(0xfffffff8));
});

test('a known format is never taken for raw code', () => {
  expect(loadImage(elf(), 'a.bin', { rawAddress: 0x100 })).toMatchObject({ format: 'elf', entry: 0x1000 });
});

test.each([
  [new Uint8Array(), 'a.bin', undefined, 'a.bin is empty; give a program'],
  [
    code,
    'a',
    undefined,
    'a is not an ELF, uImage or gzip image; if it is raw code, name it .bin or say where to load it',
  ],
  [code, 'a', 2, 'a cannot be loaded at 0x2; give a multiple of 4'],
  [code, 'a', -4, 'a cannot be loaded at 0x-4; give a multiple of 4'],
  [code, 'a', 0xfffffffc, 'a ends beyond 4 GiB when loaded at 0xfffffffc; give a lower address'],
])('bytes that are no image are refused with the reason (%#)', (bytes, name, rawAddress, reason) => {
  const options = rawAddress === undefined ? {} : { rawAddress };
  expect(loadImage(bytes, name, options)).toEqual({ ok: false, reason });
});

const text = Uint8Array.from({ length: 5000 }, (_, i) => (Math.imul(i, 0x9e3779b1) >>> 20) & 0x3f);
const damaged = 'x is gzip data that is damaged or cut off (its checksum does not match); copy or make it again';

test('gzip headers with every optional field are understood', () => {
  const plain = gzipSync(text);
  const fields = [3, 0, 1, 2, 3, 97, 0, 98, 99, 0, 0, 0]; // FEXTRA, FNAME, FCOMMENT, FHCRC
  const header = [...plain.subarray(0, 3), 0x1e, ...plain.subarray(4, 10)];
  expect(gunzip(Uint8Array.from([...header, ...fields, ...plain.subarray(10)]), 'x')).toEqual(text);
});

test('zeros behind gzip data are padding, anything else is damage', () => {
  const packed = gzipSync(text);
  expect(gunzip(join(packed, new Uint8Array(1000)), 'x')).toEqual(text);
  expect(gunzip(join(packed, Uint8Array.of(1)), 'x')).toEqual({ ok: false, reason: damaged });
});

test('gzip data that is damaged or cut off is refused with the reason', () => {
  const packed = gzipSync(text);
  expect(
    gunzip(
      packed.map((byte, i) => (i === 40 ? byte ^ 0x10 : byte)),
      'x',
    ),
  ).toEqual({ ok: false, reason: damaged });
  expect(gunzip(packed.subarray(0, packed.length - 1), 'x')).toEqual({ ok: false, reason: damaged });
  expect(gunzip(packed.subarray(0, 100), 'x')).toEqual({ ok: false, reason: damaged });
  expect(gunzip(packed.subarray(0, 9), 'x')).toEqual({
    ok: false,
    reason: 'x has a gzip header that is damaged or cut off; make it again',
  });
});

test('gzip data that grows beyond the limit is refused before it has', () => {
  const bomb = gzipSync(new Uint8Array(8 * 1024 * 1024));
  expect(gunzip(bomb, 'x', 1024 * 1024)).toEqual({
    ok: false,
    reason: 'x decompresses to more than 1048576 bytes; give a smaller image, or an uncompressed one',
  });
});

const samples: readonly (readonly [string, Uint8Array])[] = [
  ['an ELF file', elf({ symbols: [{ name: 'main', value: 0x1000, size: 8, type: 2 }] })],
  ['a uImage', uimage({ compression: 1, data: gzipSync(text) })],
  ['a multi-file uImage', uimage({ type: 4, data: join(Uint8Array.of(0, 0, 0, 8, 0, 0, 0, 0), code) })],
  ['gzip of an ELF file', gzipSync(elf())],
];

test.each(samples)('%s that is cut off anywhere gives an image or a reason', (_, bytes) => {
  for (let length = 0; length < bytes.length; length++) judge(bytes.subarray(0, length));
});

test.each(samples)('%s with any bytes changed gives an image or a reason', (_, bytes) => {
  const change = fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const changed = new Uint8Array(bytes);
      for (const { at, value } of changes) changed[at] = value;
      judge(changed);
    }),
    { numRuns: 500 },
  );
});

/** An image keeps what its type promises, and a problem is said. */
function judge(bytes: Uint8Array): void {
  const image = loadImage(bytes, 'x');
  if (!image.ok) {
    expect(image.reason).toMatch(/^x .*; .*/);
    return;
  }
  expect(image.segments.length).toBeGreaterThan(0);
  for (const { address, bytes, size } of image.segments) {
    expect(size).toBeGreaterThanOrEqual(bytes.length);
    expect(address + size).toBeLessThanOrEqual(0x1_0000_0000);
  }
  const home = image.segments.find(
    ({ address, bytes }) => image.entry >= address && image.entry < address + bytes.length,
  );
  expect(home).toBeDefined();
}

const vmlinux = shared('guests/vmlinux-tiny');
const kernel = shared('guests/uImage-tiny');

testWith(vmlinux, kernel)('Linux is the same program as an ELF file and as a uImage', () => {
  const program = loadImage(readFileSync(vmlinux!), 'vmlinux-tiny');
  const packed = loadImage(readFileSync(kernel!), 'uImage-tiny');
  if (!program.ok || !packed.ok) throw new Error('neither should be refused');
  expect(program).toMatchObject({ format: 'elf', entry: 0 });
  expect(program.segments.map(({ address, size }) => [address, size])).toEqual([[0, 0x2efeb4]]);
  expect(packed).toMatchObject({ format: 'uimage', entry: 0 });
  expect(packed.segments.map(({ address, size }) => [address, size])).toEqual([[0, 0x2dcc00]]);
  expect(crc32(packed.segments[0]!.bytes)).toBe(crc32(program.segments[0]!.bytes));
});
