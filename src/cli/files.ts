import { readFileSync, statSync } from 'node:fs';
import type { ImageInspector, Inspection } from '../devicetree/checks/index.js';
import { loadImage, type Image } from '../loader/image.js';

/** A file's bytes, or undefined where it cannot be read. */
export function readFile(path: string): Uint8Array | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Images and initrds of a configuration: each file is read once, for the checks and for the boot. */
export class Files implements ImageInspector {
  readonly #images = new Map<string, Image | { ok: false; reason: string; missing: boolean }>();

  /** The image of that path, or why it cannot be loaded. */
  image(path: string): Image | { ok: false; reason: string; missing: boolean } {
    const known = this.#images.get(path);
    if (known) return known;
    const bytes = readFile(path);
    const image = bytes
      ? this.#load(bytes, path)
      : { ok: false as const, missing: true, reason: 'there is no such file' };
    this.#images.set(path, image);
    return image;
  }

  #load(bytes: Uint8Array, path: string): Image | { ok: false; reason: string; missing: boolean } {
    const image = loadImage(bytes, path);
    return image.ok ? image : { ...image, missing: false };
  }

  inspect(path: string, kind: 'image' | 'initrd'): Inspection {
    if (kind === 'image') {
      const image = this.image(path);
      if (!image.ok) return image;
      return { ok: true, segments: image.segments.map(({ address, size }) => ({ address, size })), entry: image.entry };
    }
    const bytes = readFile(path);
    if (!bytes) return { ok: false, missing: true, reason: 'there is no such file' };
    return { ok: true, segments: [{ address: 0, size: bytes.length }], entry: 0 };
  }
}
