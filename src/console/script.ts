import type { Stream } from './mux.js';
import { findStream, type Problem } from './names.js';

/** What `--input NAME=FILE` says. */
export interface InputOption {
  readonly stream: Stream;
  /** The path as given; `-` is up to the caller. */
  readonly file: string;
}

/** Read one `--input` option. NAME is a stream or a partition with one stream; FILE may itself hold `=`. */
export function parseInput(option: string, streams: readonly Stream[]): InputOption | Problem {
  const equals = option.indexOf('=');
  const shape = `--input ${option}`;
  if (equals < 0) return { problem: `${shape}: give it as NAME=FILE, a stream and the file that is typed to it` };
  const [name, file] = [option.slice(0, equals), option.slice(equals + 1)];
  if (name === '') return { problem: `${shape}: the stream's name before '=' is missing` };
  if (file === '') return { problem: `${shape}: the file's name after '=' is missing` };
  const stream = findStream(name, streams);
  return 'problem' in stream ? { problem: `${shape}: ${stream.problem}` } : { stream, file };
}

/** Read all `--input` options, and see that no stream is given two scripts. The problems are all of them. */
export function parseInputs(
  options: readonly string[],
  streams: readonly Stream[],
): InputOption[] | { problems: string[] } {
  const inputs: InputOption[] = [];
  const problems: string[] = [];
  for (const option of options) {
    const input = parseInput(option, streams);
    if ('problem' in input) {
      problems.push(input.problem);
      continue;
    }
    const earlier = inputs.find((other) => other.stream === input.stream);
    if (earlier)
      problems.push(
        `--input ${option}: ${input.stream.name} has a script already, ${earlier.file}; join the two files`,
      );
    inputs.push(input);
  }
  return problems.length > 0 ? { problems } : inputs;
}

// prettier-ignore
const escapes: Readonly<Record<string, number>> = {
  n: 0x0a, r: 0x0d, t: 0x09, a: 0x07, b: 0x08, f: 0x0c, v: 0x0b, e: 0x1b,
  '\\': 0x5c, '"': 0x22, "'": 0x27, '?': 0x3f,
};

const escapeList = '\\n \\r \\t \\a \\b \\f \\v \\e \\xHH \\OOO (octal) \\\\ \\" \\\'';

/** TEXT of `--expect` and `--send` as bytes: UTF-8, with the escapes of C (and GNU's `\e`); `\xHH` takes exactly two digits. */
export function parseText(text: string): Uint8Array | Problem {
  const bytes: number[] = [];
  for (let at = 0; at < text.length;) {
    const escape = /\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|([^x0-7]))/y;
    escape.lastIndex = at;
    if (text[at] !== '\\') {
      const literal = text.slice(at).split('\\', 1)[0] ?? '';
      bytes.push(...Buffer.from(literal));
      at += literal.length;
      continue;
    }
    const [all, hexadecimal, octal, letter] = escape.exec(text) ?? [];
    const byte = hexadecimal ? parseInt(hexadecimal, 16) : octal ? parseInt(octal, 8) : escapes[letter ?? ''];
    if (all === undefined || byte === undefined || byte > 0xff) return { problem: badEscape(text, at) };
    bytes.push(byte);
    at += all.length;
  }
  return Uint8Array.from(bytes);
}

function badEscape(text: string, at: number): string {
  const where = `character ${at + 1} of '${text}'`;
  if (at === text.length - 1) return `${where}: a backslash at the end; write \\\\ for a backslash`;
  if (text[at + 1] === 'x') return `${where}: '\\x' wants two hexadecimal digits after it`;
  const shown = text.slice(at, at + 2);
  return `${where}: '${shown}' is no escape; there are ${escapeList}`;
}

/** One step of a dialogue: once `expect` has appeared, `send` is typed (empty: nothing, it is only waited for). */
export interface Exchange {
  readonly expect: Uint8Array;
  readonly send: Uint8Array;
}

/** Pair up `--expect` and `--send` options, in the order given. A last `--expect` may stand alone: it is only waited for. */
export function parseExchanges(expects: readonly string[], sends: readonly string[]): Exchange[] | Problem {
  if (sends.length > expects.length)
    return { problem: `--send ${sends[expects.length]}: it has no --expect; say what to wait for first` };
  if (expects.length > sends.length + 1)
    return { problem: `--expect ${expects[sends.length]}: it has no --send, and only the last may have none` };
  const exchanges: Exchange[] = [];
  for (const [index, text] of expects.entries()) {
    const expect = parseText(text);
    if ('problem' in expect) return { problem: `--expect: ${expect.problem}` };
    if (expect.length === 0) return { problem: '--expect: the text is empty; say what to wait for' };
    const send = parseText(sends[index] ?? '');
    if ('problem' in send) return { problem: `--send: ${send.problem}` };
    exchanges.push({ expect, send });
  }
  return exchanges;
}

/**
 * Plays the person's side of a dialogue with one stream. It is driven by the output's bytes alone, so the same output
 * gives the same answers after the same bytes. Each text is looked for only after the end of the one before.
 */
export class Expecter {
  #next = 0;
  #matched = 0;
  #fallback: Int32Array;

  constructor(readonly exchanges: readonly Exchange[]) {
    this.#fallback = fallbackOf(exchanges[0]?.expect);
  }

  /** Whether every text has appeared. */
  get done(): boolean {
    return this.#next >= this.exchanges.length;
  }

  /** Whether the last text, which nothing is sent for, has appeared: what was waited for is there. */
  get endsRun(): boolean {
    return this.done && this.exchanges.at(-1)?.send.length === 0;
  }

  /** The text that has not appeared yet, to be told to the user when the run ends first; undefined once done. */
  get waitingFor(): string | undefined {
    const exchange = this.exchanges[this.#next];
    return exchange && Buffer.from(exchange.expect).toString();
  }

  /** The next byte of output; gives what is to be typed now, if this byte completed an expected text. */
  feed(byte: number): Uint8Array | undefined {
    const exchange = this.exchanges[this.#next];
    if (!exchange) return undefined;
    while (this.#matched > 0 && exchange.expect[this.#matched] !== byte)
      this.#matched = this.#fallback[this.#matched] ?? 0;
    if (exchange.expect[this.#matched] === byte) this.#matched++;
    if (this.#matched < exchange.expect.length) return undefined;
    this.#next++;
    this.#matched = 0;
    this.#fallback = fallbackOf(this.exchanges[this.#next]?.expect);
    return exchange.send.length > 0 ? exchange.send : undefined;
  }
}

/** Knuth, Morris and Pratt's table: after `i` matched bytes and a wrong one, how many are matched still. */
function fallbackOf(text: Uint8Array = new Uint8Array()): Int32Array {
  const fallback = new Int32Array(text.length + 1);
  for (let at = 1, length = 0; at < text.length; at++) {
    while (length > 0 && text[at] !== text[length]) length = fallback[length] ?? 0;
    if (text[at] === text[length]) length++;
    fallback[at + 1] = length;
  }
  return fallback;
}
