import type { Writable } from 'node:stream';
import type { Endpoint, Stream } from './mux.js';

/** A line longer than this many bytes is printed in parts (without a break between them). */
const lineLimit = 8192;

/** How many bytes may wait for standard output before `congested` asks the run loop to wait. */
const waitingLimit = 1 << 20;

const [LF, CR] = [0x0a, 0x0d];

/** How `Headless` prints. */
export interface HeadlessOptions {
  /** Where to: standard output. */
  readonly out: Writable;
  /** Print this stream alone, byte for byte; the others are not printed. */
  readonly only?: Stream;
  /** The name that stands before a stream's lines; its full name where not given. */
  readonly label?: (stream: Stream) => string;
  /** Called once when nobody reads `out` any more (as under `| head`); output is dropped from then on. */
  readonly gone?: () => void;
}

/** The console without a terminal: `name| line` for each line of any stream, or one stream's bare bytes. */
export class Headless implements Endpoint {
  readonly #partial = new Map<Stream, Buffer>();
  /** The stream whose unfinished line is the last thing printed. */
  #open: Stream | undefined;
  #parts: Uint8Array[] = [];
  #dead = false;
  readonly #died: Promise<void>;

  constructor(private readonly options: HeadlessOptions) {
    this.#died = new Promise((resolve) => {
      const die = (): void => {
        if (this.#dead) return;
        this.#dead = true;
        resolve();
        options.gone?.();
      };
      options.out.on('error', die); // EPIPE above all: stays on, as an error may come as late as it likes
      options.out.on('close', die);
    });
  }

  output(stream: Stream, bytes: Uint8Array): void {
    if (this.#dead) return;
    const { only } = this.options;
    if (only) {
      if (stream === only) this.#parts.push(bytes);
      return;
    }
    let rest = this.#partial.get(stream) ?? Buffer.alloc(0);
    rest = rest.length > 0 ? Buffer.concat([rest, bytes]) : Buffer.from(bytes);
    for (let end = rest.indexOf(LF); end >= 0; end = rest.indexOf(LF)) {
      this.#line(stream, rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    if (rest.length > lineLimit) {
      this.#text(stream, rest);
      rest = rest.subarray(rest.length);
    }
    this.#partial.set(stream, Buffer.from(rest));
  }

  ended(stream: Stream): void {
    this.#unfinished(stream);
  }

  flushed(): void {
    this.#write();
  }

  /** Print unfinished lines too: the machine waits for somebody who may be waiting for a prompt. */
  settle(): void {
    for (const stream of this.#partial.keys()) this.#unfinished(stream);
    this.#write();
  }

  /** The same, and what is written next by somebody else begins a line. */
  freshLine(): void {
    for (const stream of this.#partial.keys()) this.#unfinished(stream);
    if (this.#open) this.#endLine();
    this.#write();
  }

  congested(): Promise<void> | undefined {
    const { out } = this.options;
    if (this.#dead || out.writableLength < waitingLimit) return undefined;
    return Promise.race([this.#died, new Promise<void>((resolve) => out.once('drain', resolve))]);
  }

  async close(): Promise<void> {
    for (const stream of this.#partial.keys()) this.#unfinished(stream);
    if (this.#open) this.#endLine();
    this.#write();
    if (this.#dead) return;
    const written = new Promise<void>((resolve) => this.options.out.write('', () => resolve()));
    await Promise.race([this.#died, written]);
  }

  #line(stream: Stream, line: Uint8Array): void {
    const started = this.#open === stream;
    let [from, to] = [0, line.length];
    while (to > from && line[to - 1] === CR) to--;
    if (!started) while (from < to && line[from] === CR) from++;
    this.#text(stream, line.subarray(from, to));
    this.#endLine();
  }

  #text(stream: Stream, text: Uint8Array): void {
    if (this.#open !== stream) {
      if (this.#open) this.#endLine();
      this.#parts.push(Buffer.from(`${this.options.label?.(stream) ?? stream.name}| `));
      this.#open = stream;
    }
    this.#parts.push(Buffer.from(text));
  }

  #endLine(): void {
    this.#parts.push(Uint8Array.of(LF));
    this.#open = undefined;
  }

  #unfinished(stream: Stream): void {
    const partial = this.#partial.get(stream) ?? Buffer.alloc(0);
    let end = partial.length;
    while (end > 0 && partial[end - 1] === CR) end--; // a LF may still come
    this.#partial.set(stream, partial.subarray(end));
    if (end > 0) this.#text(stream, partial.subarray(0, end));
  }

  #write(): void {
    const bytes = Buffer.concat(this.#parts.splice(0));
    if (bytes.length > 0 && !this.#dead) this.options.out.write(bytes);
  }
}
