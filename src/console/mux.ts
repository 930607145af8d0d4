import { Ring } from './ring.js';

/** How many bytes of a stream's output are remembered: 64 KiB. */
export const historySize = 65536;

const batchSize = 16384;
const noInput = (): void => {};

/** Something that shows, stores or passes on what streams print: a terminal, a pty, a log file, a line printer. */
export interface Endpoint {
  /** A stream exists: called for each one when the endpoint is attached, and for each one opened later. */
  opened?(stream: Stream): void;
  /** The next bytes of a stream, after they entered its history; the array is the receiver's to keep. Must not throw. */
  output?(stream: Stream, bytes: Uint8Array): void;
  /** A stream will print no more, for the reason in `stream.ended`; its last bytes have been given. */
  ended?(stream: Stream): void;
  /** Every stream's output up to now has been given: the moment to write it in one go. */
  flushed?(): void;
  /** While this endpoint holds more than it should of what it was given: a promise of when it no longer does. */
  congested?(): Promise<void> | undefined;
  /** Let go of everything; the promise is kept once nothing more can be written. Called once, after the last `output`. */
  close(): void | Promise<void>;
}

/** One serial line by name: bytes that a guest prints, and where bytes typed by people go. */
export class Stream {
  /** The last 64 KiB that were printed; `history.dropped` counts what came before. */
  readonly history = new Ring(historySize);
  /** What became of it, once `end` was called: the rest of a sentence that begins with its name. */
  ended: string | undefined;
  /** What takes typed bytes; set by the machine's side. Until then, what is typed is refused. */
  input: (bytes: Uint8Array) => void = noInput;
  #batch = new Uint8Array(batchSize);
  #filled = 0;

  /** Made by `Mux.open`. `turn` says which stream printed last, `deliver` takes the batches. */
  constructor(
    readonly name: string,
    private readonly turn: { writer: Stream | undefined },
    private readonly deliver: (stream: Stream, bytes: Uint8Array) => void,
    private readonly finish: (stream: Stream) => void,
  ) {}

  /**
   * Print one byte (the low 8 bits count). It is seen at the next `Mux.flush`, or when 16 KiB have gathered, or when
   * another stream prints: endpoints get all bytes of all streams in the order in which they were printed, wherever
   * the run loop's slices end.
   */
  write(byte: number): void {
    if (this.turn.writer !== this) {
      this.turn.writer?.flush();
      this.turn.writer = this;
    }
    if (this.#filled === batchSize) this.flush();
    this.#batch[this.#filled++] = byte;
  }

  /** Print text, as UTF-8. */
  print(text: string): void {
    for (const byte of new TextEncoder().encode(text)) this.write(byte);
  }

  /** Whether somebody listens to what is typed. */
  get takesInput(): boolean {
    return this.input !== noInput && this.ended === undefined;
  }

  /** Type bytes to the guest; false where nobody listens, and then they are lost. */
  type(bytes: Uint8Array): boolean {
    if (!this.takesInput) return false;
    this.input(bytes);
    return true;
  }

  /** Say that nothing more will be printed, and why (`ended with status 0`). What was printed is given out first. */
  end(reason: string): void {
    if (this.ended !== undefined) return;
    this.turn.writer?.flush();
    this.ended = reason;
    this.finish(this);
  }

  /** The stream lives again, as when its partition was restarted. */
  revive(): void {
    this.ended = undefined;
  }

  /** Give out what has gathered since the last time. */
  flush(): void {
    if (this.#filled === 0) return;
    const bytes = this.#batch.slice(0, this.#filled);
    this.#filled = 0;
    this.history.push(bytes);
    this.deliver(this, bytes);
  }
}

/** All streams of a machine, and the endpoints that show them. */
export class Mux {
  readonly #streams = new Map<string, Stream>();
  readonly #endpoints: Endpoint[] = [];
  readonly #turn: { writer: Stream | undefined } = { writer: undefined };
  #closing: Promise<void> | undefined;

  /** The streams, in the order in which they were opened. */
  get streams(): readonly Stream[] {
    return [...this.#streams.values()];
  }

  /** The stream of that full name. */
  get(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  /** A new stream, named `PARTITION/NODE` or with one plain word. Throws where the name is taken. */
  open(name: string): Stream {
    if (this.#streams.has(name)) throw new Error(`stream '${name}' is open already`);
    const stream = new Stream(
      name,
      this.#turn,
      (from, bytes) => this.#endpoints.forEach((endpoint) => endpoint.output?.(from, bytes)),
      (from) => this.#endpoints.forEach((endpoint) => endpoint.ended?.(from)),
    );
    this.#streams.set(name, stream);
    for (const endpoint of this.#endpoints) endpoint.opened?.(stream);
    return stream;
  }

  /** Give an endpoint all output from now on; what was flushed before is in the streams' histories. */
  attach(endpoint: Endpoint): void {
    this.#endpoints.push(endpoint);
    for (const stream of this.streams) endpoint.opened?.(stream);
  }

  /** Give every stream's output to every endpoint. For the run loop: call it after each slice of execution. */
  flush(): void {
    this.#turn.writer?.flush();
    for (const endpoint of this.#endpoints) endpoint.flushed?.();
  }

  /**
   * Undefined while every endpoint keeps up; else a promise of when they do again. A run loop that waits for it before
   * the next slice holds no more than one slice of output in memory, however slow the reader of standard output is.
   */
  congested(): Promise<void> | undefined {
    const waits = this.#endpoints.map((endpoint) => endpoint.congested?.()).filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  /** Give out everything and close every endpoint; kept once all that was printed has left this process. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.flush();
    await Promise.all(this.#endpoints.splice(0).map((endpoint) => endpoint.close()));
  }
}
