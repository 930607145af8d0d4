/** A line that is not ended yet is told when it has become this long. */
const LONGEST = 500;

/** Makes lines of what streams print. */
export class ConsoleLines {
  readonly #open = new Map<string, { bytes: number[]; from: number }>();
  readonly #decoder = new TextDecoder();

  /** `from`: the cycle at which the line's first byte was sent. */
  constructor(private readonly line: (stream: string, text: string, from: number) => void) {}

  put(stream: string, byte: number, cycle: number): void {
    const open = this.#open.get(stream) ?? { bytes: [], from: cycle };
    if (byte === 0x0a || open.bytes.length >= LONGEST) this.#tell(stream, open);
    if (byte === 0x0a) return;
    if (open.bytes.length === 0) open.from = cycle;
    open.bytes.push(byte);
    this.#open.set(stream, open);
  }

  /** Tell what has no end yet. */
  flush(): void {
    for (const [stream, open] of this.#open) if (open.bytes.length > 0) this.#tell(stream, open);
  }

  #tell(stream: string, open: { bytes: number[]; from: number }): void {
    const text = this.#decoder.decode(Uint8Array.from(open.bytes)).replace(/\r$/, '');
    open.bytes = [];
    this.line(stream, text, open.from);
  }
}
