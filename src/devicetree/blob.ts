export { decodeBlob } from './blob-reader.js';
export { encodeBlob } from './blob-writer.js';
