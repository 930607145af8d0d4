import { gzipSync } from 'fflate';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Image } from '../../src/loader/contents.js';
import { loadImage } from '../../src/loader/image.js';
import { isLinux } from '../../src/loader/operating-system.js';
import { root } from '../tools.js';
import { code, join as joined, uimage } from './build.js';

const text = (line: string): Uint8Array => new TextEncoder().encode(line);
const loaded = (bytes: Uint8Array, name: string): Image => {
  const image = loadImage(bytes, name);
  if (!image.ok) throw new Error(image.reason);
  return image;
};
const raw = (bytes: Uint8Array): Image => loaded(joined(code, bytes), 'it.bin');

// prettier-ignore
const images: readonly (readonly [string, () => Image, boolean | undefined])[] = [
  ['a uImage of Linux',                      () => loaded(uimage({ os: 5 }), 'uImage'),                     true],
  ['a uImage of RTEMS',                      () => loaded(uimage({ os: 18 }), 'uImage'),                    false],
  ['a program with Linux’s banner',          () => raw(text('\0Linux version 5.10.0 (a@b)\n')),             true],
  ['a program that speaks of Linux',         () => raw(text('runs beside Linux, version 5')),               false],
  ['a program with something compressed',    () => raw(joined(gzipSync(text('Linux version 6.1')))),        undefined],
  ['hello.elf',                              () => loaded(readFileSync(join(root, 'firmware/hello/hello.elf')), 'hello.elf'),    false],
  ['the Linux that comes along',             () => loaded(readFileSync(join(root, 'firmware/linux/vmlinux.gz')), 'vmlinux.gz'),  true],
];

test.each(images)('%s: is it a Linux?', (_, image, expected) => {
  expect(isLinux(image())).toBe(expected);
});
