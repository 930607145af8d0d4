import { deflateSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Compression } from '../loader/container.js';

/** Node's own decompression, several times as fast as the loader's. Zeros and a checksum may follow the data. */
export function inflateRaw(bytes: Uint8Array, limit: number): Uint8Array | 'too large' | undefined {
  try {
    return new Uint8Array(inflateRawSync(bytes, { maxOutputLength: limit }));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too large' : undefined;
  }
}

/** Node's own for files of hv440's. */
export const nodeCompression: Compression = {
  compress: (bytes) => deflateSync(bytes, { level: 1 }),
  decompress: (bytes) => inflateSync(bytes),
};
