import { ADDRESS_SPACE, refuse, type Image, type ImageProblem } from './contents.js';
import { isElf, readElf } from './elf.js';
import { gunzip, isGzip, LARGEST_OUTPUT, type InflateRaw } from './gzip.js';
import { isUimage, readUimage } from './uimage.js';

export type { Image, ImageProblem, ImageSymbol, Segment } from './contents.js';
export { symbolAt } from './symbols.js';

/** How to read an image. */
export interface LoadOptions {
  /** The physical address, a multiple of 4, at which a file of no known format is loaded and entered. */
  readonly rawAddress?: number;
  /** A quicker way to decompress than the loader's own. */
  readonly inflateRaw?: InflateRaw | undefined;
}

/**
 * Read a program: an ELF executable, a U-Boot legacy image, gzip of either, or raw bytes (only where `rawAddress` is
 * given or the name ends in `.bin`, and then at address 0). `name` is what the reasons call it.
 */
export function loadImage(bytes: Uint8Array, name: string, options: LoadOptions = {}): Image | ImageProblem {
  if (!isGzip(bytes)) return readPlain(bytes, name, options);
  const inner = gunzip(bytes, name, LARGEST_OUTPUT, options.inflateRaw);
  return inner instanceof Uint8Array ? readPlain(inner, name.replace(/\.gz$/i, ''), options) : inner;
}

function readPlain(bytes: Uint8Array, name: string, { rawAddress }: LoadOptions): Image | ImageProblem {
  if (bytes.length === 0) return refuse(`${name} is empty; give a program`);
  if (isElf(bytes)) return readElf(bytes, name);
  if (isUimage(bytes)) return readUimage(bytes, name);
  if (rawAddress !== undefined || /\.bin$/i.test(name)) return readRaw(bytes, name, rawAddress ?? 0);
  return refuse(`${name} is not an ELF, uImage or gzip image; if it is raw code, name it .bin or say where to load it`);
}

function readRaw(bytes: Uint8Array, name: string, address: number): Image | ImageProblem {
  const at = `0x${address.toString(16)}`;
  if (!Number.isInteger(address) || address < 0 || address % 4 !== 0)
    return refuse(`${name} cannot be loaded at ${at}; give a multiple of 4`);
  if (address + bytes.length > ADDRESS_SPACE)
    return refuse(`${name} ends beyond 4 GiB when loaded at ${at}; give a lower address`);
  return { ok: true, format: 'raw', segments: [{ address, bytes, size: bytes.length }], entry: address };
}
