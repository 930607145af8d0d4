import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DebugFile } from '../debug/gdb/client.js';
import { readContents } from '../launch/files.js';
import { isElf } from '../loader/elf.js';
import { gunzip, isGzip } from '../loader/gzip.js';
import { loadImage, type Image } from '../loader/image.js';

/**
 * The ELF that a debugger reads a program's symbols from; undefined for other images, which have none. Of an image in gzip it is
 * what is inside, by the name without `.gz`; and where a file of that name lies beside it that loads the same to the byte, it is that
 * one: what a build left before it took the debug information out.
 */
export function programFile(path: string): DebugFile | undefined {
  const contents = readContents(path);
  if (!contents.ok) return undefined;
  if (!isGzip(contents.bytes)) return elf(resolve(path), contents.bytes);
  const inner = gunzip(contents.bytes, path);
  const packed = inner instanceof Uint8Array ? elf(unpackedName(path), inner) : undefined;
  return packed && (beside(packed) ?? packed);
}

const unpackedName = (path: string): string => resolve(path).replace(/\.gz$/i, '');

const elf = (path: string, bytes: Uint8Array): DebugFile | undefined => (isElf(bytes) ? { path, bytes } : undefined);

function beside({ path, bytes }: DebugFile): DebugFile | undefined {
  const contents = existsSync(path) ? readContents(path) : undefined;
  return contents?.ok && loadsSame(contents.bytes, bytes) ? elf(path, contents.bytes) : undefined;
}

function loadsSame(one: Uint8Array, other: Uint8Array): boolean {
  const [a, b] = [loadImage(one, 'the file'), loadImage(other, 'the image')];
  return a.ok && b.ok && a.entry === b.entry && sameSegments(a, b);
}

const sameSegments = (a: Image, b: Image): boolean =>
  a.segments.length === b.segments.length &&
  a.segments.every((segment, i) => {
    const { address, size, bytes } = b.segments[i]!;
    return segment.address === address && segment.size === size && Buffer.compare(segment.bytes, bytes) === 0;
  });
