/**
 * GDB's remote serial protocol as bytes (Debugging with GDB, "Overview" of appendix E). Packets are strings of which each
 * character is a byte, 0 to 255.
 */

/** What arrives on the wire, apart from acknowledgements of what was sent. */
export type Arrival =
  | { readonly kind: 'packet'; readonly text: string }
  | { readonly kind: 'damaged' } // a packet with a wrong checksum, or too long: to be asked for again
  | { readonly kind: 'resend' } // the other side could not read what was sent last
  | { readonly kind: 'break' }; // Ctrl-C

const BREAK = 0x03;
const [DOLLAR, HASH, ESCAPE, MINUS] = [0x24, 0x23, 0x7d, 0x2d];

/** Splits a stream of bytes into packets, however it is cut up and whatever it holds. */
export class PacketReader {
  /** The packet being read, with its checksum's digits; undefined between packets. */
  #body: number[] | undefined;
  /** How many characters of the checksum have come; -1 before the `#`. */
  #digits = -1;

  /** `longest` in bytes on the wire; a packet that is longer is damaged. */
  constructor(private readonly longest: number) {}

  *feed(bytes: Uint8Array): Generator<Arrival> {
    for (const byte of bytes) {
      const arrival = this.#take(byte);
      if (arrival) yield arrival;
    }
  }

  #take(byte: number): Arrival | undefined {
    const body = this.#body;
    if (!body) {
      if (byte === BREAK) return { kind: 'break' };
      if (byte === MINUS) return { kind: 'resend' };
      if (byte === DOLLAR) this.#begin();
      return undefined;
    }
    if (byte === DOLLAR && this.#digits < 0) {
      this.#begin(); // the one before was cut off
      return undefined;
    }
    body.push(byte);
    if (this.#digits < 0) {
      if (byte === HASH) this.#digits = 0;
      else if (body.length > this.longest) return this.#end({ kind: 'damaged' });
      return undefined;
    }
    this.#digits += 1;
    return this.#digits < 2 ? undefined : this.#end(opened(body));
  }

  #begin(): void {
    this.#body = [];
    this.#digits = -1;
  }

  #end(arrival: Arrival): Arrival {
    this.#body = undefined;
    return arrival;
  }
}

/** A packet's bytes with `#` and checksum, as what it says. */
function opened(body: readonly number[]): Arrival {
  const content = body.slice(0, -3);
  const digits = String.fromCharCode(...body.slice(-2));
  if (!/^[0-9a-fA-F]{2}$/.test(digits) || parseInt(digits, 16) !== sum(content)) return { kind: 'damaged' };
  let text = '';
  for (let i = 0; i < content.length; i++) {
    const byte = content[i]!;
    text += String.fromCharCode(byte === ESCAPE && i + 1 < content.length ? content[++i]! ^ 0x20 : byte);
  }
  return { kind: 'packet', text };
}

const sum = (bytes: readonly number[]): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

/** Characters that mean something else on the wire: `#`, `$`, `*`, `}`. */
const escaped = (text: string): string =>
  text.replace(/[#$*}]/g, (c) => `}${String.fromCharCode(c.charCodeAt(0) ^ 0x20)}`);

/** A run's count is sent as this and 29 more; `#`, `$`, `+`, `-` must not come out of it. */
const RUN_BASE = 29;
const FORBIDDEN = '#$+-';

/** Runs of a character as the character, `*` and a count: three repeats at the least, 97 at most. */
function runLengthEncoded(text: string): string {
  let out = '';
  for (let i = 0; i < text.length;) {
    const c = text[i]!;
    let run = 1;
    while (run < 98 && text[i + run] === c) run++;
    let repeats = run - 1;
    while (repeats >= 3 && FORBIDDEN.includes(String.fromCharCode(repeats + RUN_BASE))) repeats--;
    out += repeats >= 3 ? `${c}*${String.fromCharCode(repeats + RUN_BASE)}` : c;
    i += repeats >= 3 ? repeats + 1 : 1;
  }
  return out;
}

/** A packet, or with `%` a notification, as it goes over the wire. Escapes are never parts of a run. */
export function frame(text: string, { start = '$', runs = true } = {}): Uint8Array {
  const safe = escaped(text);
  const body = runs && safe === text ? runLengthEncoded(text) : safe;
  const bytes = Array.from(body, (c) => c.charCodeAt(0) & 0xff);
  const check = sum(bytes).toString(16).padStart(2, '0');
  return Uint8Array.from([start.charCodeAt(0), ...bytes, ...Array.from(`#${check}`, (c) => c.charCodeAt(0))]);
}

/** Bytes as hexadecimal digits. */
export const toHex = (bytes: Iterable<number>): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Hexadecimal digits as bytes; undefined where they are not pairs of such digits. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** Text as hexadecimal digits of its UTF-8 bytes, and back. */
export const textToHex = (text: string): string => toHex(new TextEncoder().encode(text));
export const hexToText = (digits: string): string => new TextDecoder().decode(fromHex(digits) ?? new Uint8Array());

/** The characters of a packet as bytes, and back: binary data. */
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
export function binary(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** A number in hexadecimal without prefix; undefined where the text is none, or one above 64 bits. */
export const hexNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9a-fA-F]{1,16}$/.test(text) ? parseInt(text, 16) : undefined;
