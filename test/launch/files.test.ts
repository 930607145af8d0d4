import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Files } from '../../src/launch/files.js';
import { root } from '../tools.js';

let folder: string;

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'hv440-files-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('an image is read once, however its path is written', () => {
  const path = join(folder, 'hello.elf');
  cpSync(join(root, 'firmware/hello/hello.elf'), path);
  const files = new Files();
  const image = files.image(relative(process.cwd(), path));
  expect(image.ok).toBe(true);
  writeFileSync(path, 'something else by now');
  expect(files.image(path)).toBe(image);
  expect(files.inspect(path, 'image')).toMatchObject({ ok: true, entry: image.ok && image.entry });
});

test('trouble is told by the path as it was written, and looked for anew', () => {
  const files = new Files();
  const path = join(folder, 'later.elf');
  expect(files.image(path)).toMatchObject({ ok: false, missing: true });
  writeFileSync(path, 'no image');
  for (const written of [path, relative(process.cwd(), path)])
    expect(files.image(written)).toMatchObject({ ok: false, missing: false, reason: expect.stringContaining(written) });
  cpSync(join(root, 'firmware/hello/hello.elf'), path);
  expect(files.image(path).ok).toBe(true);
});
