/** An event of the Chrome trace event format; times in microseconds of simulated time, exact to the nanosecond. */
export interface TraceEvent {
  readonly name: string;
  /** X: a slice; i: an instant; M: metadata. */
  readonly ph: 'X' | 'i' | 'M';
  readonly cat?: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  /** Scope of an instant: its thread, or everything. */
  readonly s?: 't' | 'g';
  readonly args?: Readonly<Record<string, unknown>>;
}

/** How much is kept of a trace. */
export interface TraceLimit {
  /** Bytes of the file. */
  readonly bytes: number;
  /** Which part is kept where there is more: what came first, written at once, or what came last, written at the end. */
  readonly keeps: 'first' | 'last';
}

/** Takes the elements of a JSON array, as text: the brackets and commas are the file's business. */
export interface TraceFile {
  append(element: string): void;
  close(): void;
}

/** Room for the note that says what was left out. */
const RESERVE = 512;

/** Writes events as long as there is room for them; says at the end how many there was none for. */
export class TraceWriter {
  #bytes = 2;
  #dropped = 0;
  readonly #kept: string[] = [];
  #head = 0;

  constructor(
    private readonly file: TraceFile,
    private readonly limit: TraceLimit,
  ) {}

  /** Events that are kept whatever the limit: the names of tracks. */
  name(event: TraceEvent): void {
    const text = JSON.stringify(event);
    this.#bytes += text.length + 2;
    this.file.append(text);
  }

  add(event: TraceEvent): void {
    const text = JSON.stringify(event);
    const size = text.length + 2;
    if (this.limit.keeps === 'last') this.#keep(text, size);
    else if (this.#bytes + size > this.limit.bytes - RESERVE || this.#dropped > 0) this.#dropped += 1;
    else {
      this.#bytes += size;
      this.file.append(text);
    }
  }

  #keep(text: string, size: number): void {
    this.#kept.push(text);
    this.#bytes += size;
    while (this.#bytes > this.limit.bytes - RESERVE && this.#head < this.#kept.length) {
      this.#bytes -= this.#kept[this.#head]!.length + 2;
      this.#kept[this.#head++] = '';
      this.#dropped += 1;
    }
    if (this.#head <= 4096 || this.#head * 2 <= this.#kept.length) return;
    this.#kept.splice(0, this.#head);
    this.#head = 0;
  }

  close(ts: number): void {
    for (const text of this.#kept.splice(this.#head)) this.file.append(text);
    if (this.#dropped > 0) {
      const which = this.limit.keeps === 'first' ? 'later' : 'earlier';
      const name = `${this.#dropped} ${which} events were left out: the trace is limited to ${this.limit.bytes} bytes`;
      const args = { dropped: this.#dropped, kept: this.limit.keeps, limit: this.limit.bytes };
      this.file.append(
        JSON.stringify({ name, cat: 'note', ph: 'i', s: 'g', ts, pid: 1, tid: 1, args } satisfies TraceEvent),
      );
    }
    this.file.close();
  }
}
