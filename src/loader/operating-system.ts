import type { Image } from './contents.js';

/** What a kernel prints first (init/version.c), and has in its read-only data. */
const BANNER = 'Linux version ';
/** A payload that is compressed may hold any kernel: gzip, xz, and lz4's frames as Linux's build makes them. */
const PAYLOADS = ['\x1f\x8b\x08', '\xfd7zXZ\x00', '\x02\x21\x4c\x18'];

/**
 * Whether an image is a Linux: a uImage says so itself, and a kernel that is not compressed has its banner. Undefined where
 * it cannot be told, since there is a compressed payload in it, as in a zImage.
 */
export function isLinux({ system, segments }: Image): boolean | undefined {
  if (system !== undefined) return system === 'linux';
  const texts = segments.map(({ bytes }) => latin1.decode(bytes));
  if (texts.some((text) => text.includes(BANNER))) return true;
  return texts.some((text) => PAYLOADS.some((magic) => text.includes(magic))) ? undefined : false;
}

const latin1 = new TextDecoder('latin1');
