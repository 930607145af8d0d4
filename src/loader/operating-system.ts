import type { Image } from './contents.js';

/** What a kernel prints first (init/version.c), a number behind it, and has in its read-only data. */
const BANNER = bytesOf('Linux version ');
/** A payload that is compressed may hold any kernel: gzip, xz, and lz4's frames as Linux's build makes them. */
const GZIP = Uint8Array.of(0x1f, 0x8b, 0x08);
const OTHER_PAYLOADS = [Uint8Array.of(0xfd, ...bytesOf('7zXZ'), 0), Uint8Array.of(0x02, 0x21, 0x4c, 0x18)];

/**
 * Whether an image is a Linux: a uImage says so itself, and a kernel that is not compressed has its banner. Undefined where
 * it cannot be told, since there is a compressed payload in it, as in a zImage.
 */
export function isLinux({ system, segments }: Image): boolean | undefined {
  if (system !== undefined) return system === 'linux';
  const has = (pattern: Uint8Array, plausible?: (behind: Uint8Array) => boolean): boolean =>
    segments.some(({ bytes }) => holds(bytes, pattern, plausible));
  if (has(BANNER, ([digit]) => digit !== undefined && digit >= 0x30 && digit <= 0x39)) return true;
  return has(GZIP, isGzipHeader) || OTHER_PAYLOADS.some((magic) => has(magic)) ? undefined : false;
}

/** Three bytes are found by chance in any large image: RFC 1952 has three flags that are 0, and three values of XFL. */
const isGzipHeader = ([flags, , , , , extra]: Uint8Array): boolean =>
  flags !== undefined && (flags & 0xe0) === 0 && (extra === 0 || extra === 2 || extra === 4);

/** Are these bytes anywhere among others, followed by what is plausible? */
function holds(
  bytes: Uint8Array,
  pattern: Uint8Array,
  plausible: (behind: Uint8Array) => boolean = () => true,
): boolean {
  for (let at = bytes.indexOf(pattern[0]!); at >= 0; at = bytes.indexOf(pattern[0]!, at + 1)) {
    if (!pattern.every((byte, i) => bytes[at + i] === byte)) continue;
    const end = at + pattern.length;
    if (plausible(bytes.subarray(end, end + 8))) return true;
  }
  return false;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
