import { gzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { loadImage } from '../../src/loader/image.js';
import { code, join, uimage, words, type UimageSpec } from './build.js';

const segments = [{ address: 0x4000, bytes: code, size: 8 }];

test('an uncompressed image is loaded and entered where its header says', () => {
  const image = loadImage(uimage({ entry: 0x4004 }), 'uImage');
  expect(image).toEqual({ ok: true, format: 'uimage', segments, entry: 0x4004, system: 'linux' });
});

test('a gzip image is decompressed', () => {
  const image = loadImage(uimage({ compression: 1, data: gzipSync(code) }), 'uImage');
  expect(image).toEqual({ ok: true, format: 'uimage', segments, entry: 0x4000, system: 'linux' });
});

test('bytes behind the data are padding', () => {
  expect(loadImage(join(uimage(), new Uint8Array(100).fill(0xff)), 'uImage')).toMatchObject({ ok: true, segments });
});

test('reading an image leaves the caller’s bytes alone', () => {
  const bytes = Buffer.from(uimage());
  const before = Buffer.from(bytes);
  loadImage(bytes, 'uImage');
  expect(bytes.equals(before)).toBe(true);
});

test('the first part of a multi-file image is loaded, compressed or not', () => {
  const parts = (first: Uint8Array) =>
    join(words(first.length, 4, 0), first, new Uint8Array(-first.length & 3), words(0));
  expect(loadImage(uimage({ type: 4, data: parts(code) }), 'uImage')).toMatchObject({ ok: true, segments });
  const packed = uimage({ type: 4, compression: 1, data: parts(gzipSync(code)) });
  expect(loadImage(packed, 'uImage')).toMatchObject({ ok: true, segments });
});

// prettier-ignore
const refused: readonly (readonly [string, UimageSpec, string])[] = [
  ['another architecture', { architecture: 22 }, 'uImage is a uImage for arm64; make it with mkimage -A ppc'],
  ['an unknown architecture', { architecture: 99 }, 'uImage is a uImage for number 99; make it with mkimage -A ppc'],
  ['a ramdisk', { type: 3 }, 'uImage is a uImage that holds a ramdisk; give one made with mkimage -T kernel'],
  ['another system', { os: 14 }, 'uImage is a uImage for vxworks, which needs its own way to boot; use -O linux, u-boot or rtems'],
  ['bzip2', { compression: 2 }, 'uImage is a uImage compressed by bzip2; make it with mkimage -C gzip or none'],
  ['lzma', { compression: 3 }, 'uImage is a uImage compressed by lzma; make it with mkimage -C gzip or none'],
  ['zstd', { compression: 6 }, 'uImage is a uImage compressed by zstd; make it with mkimage -C gzip or none'],
  ['data cut off', { size: 9 }, 'uImage is a uImage cut off: 8 of its 9 bytes of data are there; copy it again'],
  ['no data', { data: new Uint8Array() }, 'uImage is a uImage without any data; run mkimage on a program'],
  ['a place beyond 4 GiB', { load: 0xfffffffc }, 'uImage is a uImage that ends beyond 4 GiB when loaded at 0xfffffffc; use a lower mkimage -a'],
  ['an entry outside', { entry: 0x4008 }, 'uImage is a uImage whose entry 0x4008 is not a word of what it loads (0x4000 to 0x4008); use another mkimage -e'],
  ['an odd entry', { entry: 0x4002 }, 'uImage is a uImage whose entry 0x4002 is not a word of what it loads (0x4000 to 0x4008); use another mkimage -e'],
  ['bad gzip data', { compression: 1 }, 'uImage has a gzip header that is damaged or cut off; make it again'],
  ['a table that does not end', { type: 4, data: words(4, 4) }, 'uImage is a multi-file uImage whose table of parts does not fit its data; make it again'],
  ['a table of nothing', { type: 4, data: words(0) }, 'uImage is a multi-file uImage whose table of parts does not fit its data; make it again'],
  ['a part that is too large', { type: 4, data: words(8, 0, 0) }, 'uImage is a multi-file uImage whose table of parts does not fit its data; make it again'],
];

test.each(refused)('a uImage with %s is refused with the reason', (_, spec, reason) => {
  expect(loadImage(uimage(spec), 'uImage')).toEqual({ ok: false, reason });
});

test('a damaged header, damaged data and a header cut off are refused with the reason', () => {
  const flipped = (at: number) => uimage().map((byte, i) => (i === at ? byte ^ 1 : byte));
  expect(loadImage(flipped(20), 'uImage')).toMatchObject({
    reason: 'uImage is a uImage whose header does not match its checksum; copy it or run mkimage again',
  });
  expect(loadImage(flipped(65), 'uImage')).toMatchObject({
    reason: 'uImage is a uImage whose data does not match its checksum; copy it or run mkimage again',
  });
  expect(loadImage(uimage().subarray(0, 63), 'uImage')).toMatchObject({
    reason: 'uImage is a uImage cut off after 63 bytes of its 64-byte header; copy it again',
  });
});
