/** The escapes of one letter that strings and character literals have, and the bytes they stand for (as in C). */
const letters: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };

const utf8 = new TextEncoder();

/**
 * The bytes that the text between two quotes stands for: C's escapes with up to three octal or two hexadecimal digits,
 * any other escaped character for itself, all else as UTF-8. `bad` gets the offset of an escape that is none.
 */
export function unescape(text: string, bad: (offset: number) => void): Uint8Array {
  if (!text.includes('\\')) return utf8.encode(text);
  const bytes: number[] = [];
  const pattern = /\\([0-7]{1,3})|\\x([0-9a-fA-F]{0,2})|\\([^])|[^\\]+|\\/g;
  for (const match of text.matchAll(pattern)) {
    const [whole, octal, hex, letter] = match;
    if (octal !== undefined) bytes.push(parseInt(octal, 8) & 0xff);
    else if (hex === '') bad(match.index);
    else if (hex !== undefined) bytes.push(parseInt(hex, 16));
    else if (letter !== undefined && letters[letter] !== undefined) bytes.push(letters[letter]);
    else for (const byte of utf8.encode(letter ?? whole)) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

const named = new Map(Object.entries(letters).map(([letter, byte]) => [byte, `\\${letter}`]));

/** A byte as it is written between quotes. */
export function escape(byte: number): string {
  if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return named.get(byte) ?? `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** Whether a byte is text that dtc would show as such: printable ASCII or one of C's named control characters. */
export const isText = (byte: number): boolean => (byte >= 0x20 && byte < 0x7f) || named.has(byte);
