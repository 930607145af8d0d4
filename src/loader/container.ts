import { unzlibSync, zlibSync } from 'fflate';
import { crc32 } from './crc32.js';

/**
 * A file of our own: a line that says what it is, the length of a header, the header (JSON), the length of a compressed body, the
 * body, and the CRC-32 of all that. Numbers are big-endian words.
 */
const NAME = 'hv440 ';
const WORD = 4;

/** What a file holds, or why it cannot be taken, as the rest of a sentence that begins with its name. */
export type Unpacked = { readonly header: unknown; readonly body: Uint8Array } | { readonly problem: string };

/** How bodies are compressed, as zlib does it (RFC 1950). */
export interface Compression {
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array): Uint8Array;
}

const OWN: Compression = {
  compress: (bytes) => zlibSync(bytes, { level: 3 }),
  decompress: (bytes) => unzlibSync(bytes),
};

const text = new TextEncoder();

/** `kind` is a word, such as `snapshot`; `version` counts from 1. */
export function pack(kind: string, version: number, header: unknown, body: Uint8Array, { compress } = OWN): Uint8Array {
  const line = text.encode(`${NAME}${kind} ${version}\n`);
  const head = text.encode(JSON.stringify(header));
  const packed = compress(body);
  const file = new Uint8Array(line.length + head.length + packed.length + 3 * WORD);
  const view = new DataView(file.buffer);
  file.set(line);
  view.setUint32(line.length, head.length);
  file.set(head, line.length + WORD);
  const at = line.length + WORD + head.length;
  view.setUint32(at, packed.length);
  file.set(packed, at + WORD);
  view.setUint32(file.length - WORD, crc32(file.subarray(0, -WORD)));
  return file;
}

export function unpack(file: Uint8Array, kind: string, version: number, { decompress } = OWN): Unpacked {
  const end = file.subarray(0, 64).indexOf(0x0a);
  const line = String.fromCharCode(...file.subarray(0, Math.max(0, end)));
  const [, found, written] = /^hv440 (\w+) (\d+)$/.exec(line) ?? [];
  if (found === undefined) return { problem: `is no ${kind} of hv440’s` };
  if (found !== kind) return { problem: `is a ${found}, not a ${kind}` };
  if (Number(written) !== version)
    return { problem: `has version ${written} of the format, and this hv440 has ${version}; make it again` };
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const head = end + 1;
  const body = length(view, head);
  const last = body === undefined ? undefined : length(view, body);
  if (last === undefined || last + WORD > file.length) return { problem: 'is cut off; make or copy it again' };
  if (last + WORD !== file.length || view.getUint32(last) !== crc32(file.subarray(0, last)))
    return { problem: 'is damaged (its checksum does not match); make or copy it again' };
  const header = JSON.parse(new TextDecoder().decode(file.subarray(head + WORD, body))) as unknown;
  return { header, body: decompress(file.subarray(body! + WORD, last)) };
}

/** Where what has its length here ends, if that is within the file. */
function length(view: DataView, at: number): number | undefined {
  if (at + WORD > view.byteLength) return undefined;
  const end = at + WORD + view.getUint32(at);
  return end <= view.byteLength ? end : undefined;
}
