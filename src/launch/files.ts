import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { inflateRaw } from './compression.js';
import type { ImageInspector, Inspection } from '../devicetree/checks/index.js';
import { isLinux } from '../loader/operating-system.js';
import { loadImage, type Image } from '../loader/image.js';
import { FileError, UsageError } from './errors.js';

/** A file's bytes, or why they cannot be had, as the rest of a sentence; `missing` where there is no such file at all. */
export type Contents =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly missing: boolean; readonly reason: string };

// prettier-ignore
const reasons: Readonly<Record<string, string>> = {
  ENOENT:  'there is no such file',
  ENOTDIR: 'there is no such file, as something on the way is not a folder',
  EISDIR:  'that is a folder',
  EACCES:  'it may not be read by you',
};

/** Read a file whole. */
export function readContents(path: string): Contents {
  try {
    return { ok: true, bytes: readFileSync(path) };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    return { ok: false, missing, reason: reasons[code] ?? `it cannot be read: ${message}` };
  }
}

/** A file's bytes, or undefined where it cannot be read: what a source's includes are read by. */
export function readFile(path: string): Uint8Array | undefined {
  const contents = readContents(path);
  return contents.ok ? contents.bytes : undefined;
}

/** Why an image cannot be loaded, as a sentence; `missing` where there is no such file. */
export interface ImageTrouble {
  readonly ok: false;
  readonly reason: string;
  readonly missing: boolean;
}

/** Images and initrds of a configuration: each image is read once, for the checks and for the boot. */
export class Files implements ImageInspector {
  /** By whole paths, since a tree names a file otherwise than a command does. */
  readonly #images = new Map<string, Image>();
  readonly #inspections = new Map<string, Inspection>();

  /** The image of that path, or why it cannot be loaded. */
  image(path: string): Image | ImageTrouble {
    const whole = resolve(path);
    const image = this.#images.get(whole) ?? this.#load(path);
    if (image.ok) this.#images.set(whole, image);
    return image;
  }

  #load(path: string): Image | ImageTrouble {
    const contents = readContents(path);
    if (!contents.ok) return contents;
    const image = loadImage(contents.bytes, path, { inflateRaw });
    return image.ok ? image : { ...image, missing: false };
  }

  inspect(path: string, kind: 'image' | 'initrd'): Inspection {
    if (kind === 'image') {
      const inspection = this.#inspections.get(path) ?? inspectionOf(this.image(path));
      this.#inspections.set(path, inspection);
      return inspection;
    }
    const contents = readContents(path);
    if (!contents.ok) return contents;
    return { ok: true, segments: [{ address: 0, size: contents.bytes.length }], entry: 0 };
  }
}

function inspectionOf(image: Image | ImageTrouble): Inspection {
  if (!image.ok) return image;
  const segments = image.segments.map(({ address, size }) => ({ address, size }));
  let told: { readonly linux: boolean | undefined } | undefined;
  return {
    ok: true,
    segments,
    entry: image.entry,
    // Its whole text is looked through, once, where somebody asks
    get isLinux() {
      told ??= { linux: isLinux(image) };
      return told.linux;
    },
  };
}

/** An image that the command line names. Throws a UsageError where it cannot be loaded. */
export function namedImage(files: Files, path: string): Image {
  const image = files.image(path);
  if (image.ok) return image;
  const { reason, missing } = image;
  if (missing) throw new FileError(path, reason, NAME_AN_IMAGE);
  if (/\.dt(s|b|si)$/.test(path))
    throw new FileError(path, 'it is no image', `\`hv440 boot ${path}\` boots a device tree`);
  throw reason.startsWith(path) ? new UsageError(reason) : new FileError(path, reason, NAME_AN_IMAGE);
}

const NAME_AN_IMAGE = 'name an ELF for PowerPC, a uImage, one of them in gzip, or raw code as .bin';

/** An initial RAM disk that the command line or a checked configuration names. Throws a UsageError where it cannot be read. */
export function namedInitrd(path: string): Uint8Array {
  const contents = readContents(path);
  if (!contents.ok) throw new FileError(path, contents.reason, 'name the initial RAM disk');
  return contents.bytes;
}
