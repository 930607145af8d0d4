import { Inflate } from 'fflate';
import { refuse, type ImageProblem } from './contents.js';
import { crc32 } from './crc32.js';

/** What compressed images may grow to: twice the memory of the largest board that is likely. */
export const LARGEST_OUTPUT = 512 * 1024 * 1024;

const CHUNK = 65536; // compressed bytes at a time, so that a bomb is noticed soon
const DEFLATE = 8;
const HEADER = 10;
const TRAILER = 8;
const ZLIB_HEADER = 2;

/** Bits of FLG. RFC 1952, section 2.3.1. */
const FLAG = { HCRC: 0x02, EXTRA: 0x04, NAME: 0x08, COMMENT: 0x10, RESERVED: 0xe0 } as const;

/** Decompresses raw DEFLATE data (RFC 1951) of at most `limit` bytes; undefined where it is damaged. */
export type InflateRaw = (bytes: Uint8Array, limit: number) => Uint8Array | 'too large' | undefined;

/** Whether these bytes begin as a gzip file does. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * Decompress a gzip file of one member, checking its CRC; zeros behind it are padding. `name` is for the reason; the surroundings
 * may have a quicker way to decompress.
 */
export function gunzip(
  bytes: Uint8Array,
  name: string,
  limit = LARGEST_OUTPUT,
  inflateRaw: InflateRaw = inflate,
): Uint8Array | ImageProblem {
  const start = dataStart(bytes);
  if (start === undefined) return refuse(`${name} has a gzip header that is damaged or cut off; make it again`);
  const output = inflateRaw(bytes.subarray(start), limit);
  if (output === 'too large')
    return refuse(`${name} decompresses to more than ${limit} bytes; give a smaller image, or an uncompressed one`);
  if (output === undefined || !endsWith(bytes, trailerOf(output)))
    return refuse(
      `${name} is gzip data that is damaged or cut off (its checksum does not match); copy or make it again`,
    );
  return output;
}

/** Decompress zlib data (RFC 1950) of at most `limit` bytes, without looking at its checksum; undefined where it is damaged. */
export function unzlib(bytes: Uint8Array, limit: number): Uint8Array | undefined {
  const output = inflate(bytes.subarray(ZLIB_HEADER), limit);
  return output === 'too large' ? undefined : output;
}

/** Where the compressed data starts, or undefined where the header is wrong. */
function dataStart(bytes: Uint8Array): number | undefined {
  const flags = bytes[3] ?? FLAG.RESERVED;
  if (bytes[2] !== DEFLATE || flags & FLAG.RESERVED) return undefined;
  let at = HEADER;
  if (flags & FLAG.EXTRA) at += 2 + (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
  for (const text of [FLAG.NAME, FLAG.COMMENT]) {
    if ((flags & text) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if (flags & FLAG.HCRC) at += 2;
  return at + TRAILER < bytes.length ? at : undefined;
}

function inflate(bytes: Uint8Array, limit: number): Uint8Array | 'too large' | undefined {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stream = new Inflate((chunk) => {
    chunks.push(chunk);
    size += chunk.length;
  });
  try {
    for (let at = 0; at < bytes.length; at += CHUNK) {
      stream.push(bytes.subarray(at, at + CHUNK), at + CHUNK >= bytes.length);
      if (size > limit) return 'too large';
    }
  } catch {
    return undefined; // the library throws on data that is not DEFLATE's
  }
  return concatenate(chunks, size);
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** CRC-32 and length, both little-endian. RFC 1952, section 2.3.1. */
function trailerOf(output: Uint8Array): Uint8Array {
  const trailer = new Uint8Array(TRAILER);
  const view = new DataView(trailer.buffer);
  view.setUint32(0, crc32(output), true);
  view.setUint32(4, output.length, true);
  return trailer;
}

/** Whether `bytes` end with `end`, but for zeros behind it. */
function endsWith(bytes: Uint8Array, end: Uint8Array): boolean {
  for (let at = bytes.length - end.length; at >= 0; at--) {
    if (end.every((byte, i) => bytes[at + i] === byte)) return true;
    if (bytes[at + end.length - 1] !== 0) return false;
  }
  return false;
}
