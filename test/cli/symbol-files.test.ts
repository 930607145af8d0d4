import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { programFile } from '../../src/cli/symbol-files.js';
import { inRoot } from './child.js';

const folder = mkdtempSync(join(tmpdir(), 'hv440-symbols-'));
afterAll(() => rmSync(folder, { recursive: true }));

const hello = inRoot('firmware/hello/hello.elf');
const inFolder = (name: string): string => join(folder, name);

test('an ELF is its own file of symbols, and other images have none', () => {
  expect(programFile(hello)?.path).toBe(hello);
  writeFileSync(inFolder('raw.bin'), Uint8Array.of(0x60, 0, 0, 0));
  expect(programFile(inFolder('raw.bin'))).toBeUndefined();
  expect(programFile(inFolder('nowhere.elf'))).toBeUndefined();
});

test('of an image in gzip it is what is inside, or the file beside that loads the same', () => {
  const packed = inFolder('guest.gz');
  const bytes = readFileSync(hello);
  writeFileSync(packed, gzipSync(bytes));
  expect(programFile(packed)).toEqual({ path: inFolder('guest'), bytes: new Uint8Array(bytes) });

  const more = Buffer.concat([bytes, Buffer.from('debug information')]);
  writeFileSync(inFolder('guest'), more);
  expect(programFile(packed)?.bytes).toEqual(more);

  copyFileSync(inRoot('firmware/traps/traps.elf'), inFolder('guest')); // another program
  expect(programFile(packed)).toEqual({ path: inFolder('guest'), bytes: new Uint8Array(bytes) });
});
