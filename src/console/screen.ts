import type { Writable } from 'node:stream';
import type { Stream } from './mux.js';
import { replayable, Tracker, withCarriageReturns } from './vt.js';

/** A partial line up to this many bytes is shown again after a line of ours broke it. */
const lineKept = 1024;

/** What is remembered of each stream. */
interface View {
  readonly tracker: Tracker;
  /** The position in the stream's history up to which it was shown. */
  seen: number;
  /** The last byte shown, for lone line feeds. */
  last: number;
}

/**
 * The screen of a terminal in raw mode: one stream's output as it is, and lines of our own between, each on a line of
 * its own. Everything is gathered until `write`.
 */
export class Screen {
  readonly #views = new Map<Stream, View>();
  #shown: Stream | undefined;
  #gathered: Uint8Array[] = [];
  /** Whether the cursor stands where a line of ours ended. */
  #ownLine = true;

  /** `colour`: whether our own lines are dim. */
  constructor(
    private readonly output: Writable & { readonly rows?: number },
    private readonly colour: boolean,
  ) {}

  /** The streams, in the order in which they were added. */
  get streams(): readonly Stream[] {
    return [...this.#views.keys()];
  }

  /** The stream that is shown. */
  get shown(): Stream | undefined {
    return this.#shown;
  }

  /** Make a stream known. */
  add(stream: Stream): void {
    this.#views.set(stream, { tracker: new Tracker(), seen: 0, last: 0 });
  }

  /** How many bytes of a stream were printed since it was last on the screen. */
  unseen(stream: Stream): number {
    return stream.history.total - this.#view(stream).seen;
  }

  /** Put another stream on the screen, under a title: its last lines, as many as fit. */
  show(stream: Stream, title: string | undefined): void {
    if (this.#shown) this.put(this.#view(this.#shown).tracker.undo());
    const { history } = stream;
    const view = this.#view(stream);
    if (title !== undefined) this.say(title);
    this.#shown = stream;
    const held = history.since(0);
    const recent = replayable(held, Math.max(3, (this.output.rows ?? 24) - 2));
    const skipped = history.total - view.seen - recent.length;
    if (skipped > 0) this.say(`${skipped.toLocaleString('en')} bytes before this were not shown`);
    view.tracker.feed(history.since(view.seen)); // as its modes come from all of the output, shown or not
    this.put(view.tracker.redo());
    this.put(withCarriageReturns(recent, 0));
    if (recent.length > 0) this.put(view.tracker.colours);
    view.last = held.at(-1) ?? 0;
    view.seen = history.total;
    this.#ownLine = recent.length === 0;
  }

  /** Show what the stream on the screen has printed and was not shown yet. */
  catchUp(): void {
    if (!this.#shown) return;
    const { history } = this.#shown;
    const view = this.#view(this.#shown);
    if (view.seen === history.total) return;
    const bytes = history.since(view.seen);
    this.put(withCarriageReturns(bytes, view.last));
    view.tracker.feed(bytes);
    view.last = bytes.at(-1) ?? view.last;
    view.seen = history.total;
    this.#ownLine = false;
  }

  /** Print a line of ours, marked as such. */
  say(line: string): void {
    const tracker = this.#shown && this.#view(this.#shown).tracker;
    let start = '';
    if (!this.#ownLine && tracker) start = `${tracker.settled ? '' : '\x18'}${tracker.colours === '' ? '' : '\x1b[m'}`;
    if (!this.#ownLine && !(tracker?.fresh ?? true)) start += '\r\n';
    this.put(`${start}${this.colour ? `\x1b[2m[hv440] ${line}\x1b[22m` : `[hv440] ${line}`}\r\n`);
    this.#ownLine = true;
  }

  /** After lines of ours: show the line again that the guest was writing (a prompt, most often), in its colours. */
  restoreLine(): void {
    if (!this.#shown || !this.#ownLine) return;
    const { history } = this.#shown;
    const { tracker, seen } = this.#view(this.#shown);
    if (tracker.fullScreen) return;
    this.put(tracker.colours);
    if (tracker.fresh) return;
    const from = Math.max(history.dropped, seen - lineKept);
    const held = history.since(from, seen - from);
    const line = replayable(held.subarray(held.lastIndexOf(0x0a) + 1), 1);
    this.put(line);
    this.#ownLine = line.length === 0;
  }

  /** Whether a line of ours would now come between whole lines; `quiet`: the guest has paused for some time. */
  mayInterrupt(quiet: boolean): boolean {
    const tracker = this.#shown && this.#view(this.#shown).tracker;
    if (!tracker || this.#ownLine) return true;
    return tracker.settled && !tracker.fullScreen && (tracker.fresh || quiet);
  }

  /** Print anything as it is; the caller leaves the cursor at the start of an empty line in the end. */
  put(text: string | Uint8Array): void {
    if (text.length > 0) this.#gathered.push(Buffer.from(text));
  }

  /** Undo what the guest's output has set on the terminal, and leave the cursor on a fresh line. */
  unwind(): void {
    const tracker = this.#shown && this.#view(this.#shown).tracker;
    if (tracker) this.put(`${tracker.undo()}${this.#ownLine || tracker.fresh ? '' : '\r\n'}`);
    this.#ownLine = true;
  }

  /** Hand what has gathered to the terminal. */
  write(): void {
    const bytes = Buffer.concat(this.#gathered.splice(0));
    if (bytes.length > 0) this.output.write(bytes);
  }

  #view(stream: Stream): View {
    const view = this.#views.get(stream);
    if (!view) throw new Error(`stream '${stream.name}' is not of this terminal's mux`);
    return view;
  }
}
