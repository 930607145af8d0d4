/** The reflected polynomial of IEEE 802.3, which gzip and U-Boot share. */
const POLYNOMIAL = 0xedb88320;

/** Bytes that are looked up at a time: for each a table of what it does from so many bytes before the end. */
const AT_A_TIME = 4;
const table = new Uint32Array(256 * AT_A_TIME);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  table[byte] = crc;
}
for (let i = 256; i < table.length; i++) {
  const before = table[i - 256]!;
  table[i] = (before >>> 8) ^ table[before & 0xff]!;
}

/** The CRC-32 of these bytes, unsigned, as zlib's crc32(). */
export function crc32(bytes: Uint8Array): number {
  const whole = bytes.length - (bytes.length % AT_A_TIME);
  let crc = ~0;
  let at = 0;
  for (; at < whole; at += AT_A_TIME) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      table[0x300 + (crc & 0xff)]! ^
      table[0x200 + ((crc >>> 8) & 0xff)]! ^
      table[0x100 + ((crc >>> 16) & 0xff)]! ^
      table[crc >>> 24]!;
  }
  for (; at < bytes.length; at++) crc = table[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
