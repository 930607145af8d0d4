import type { Writable } from 'node:stream';
import { defaultEscapeKey, type EscapeKey } from './escape-key.js';
import { LineEditor } from './line-editor.js';
import type { Endpoint, Stream } from './mux.js';
import { RawMode, type TerminalInput } from './raw-mode.js';
import { Screen } from './screen.js';
import { picks, Words } from './terminal-words.js';

// Wall time, in milliseconds.
const tickEvery = 100;
const announceEvery = 3000;
const quietAfter = 250;

/** How many bytes may wait for the terminal before `congested` asks the run loop to wait. */
const waitingLimit = 1 << 20;

/** What a terminal needs from its surroundings. */
export interface TerminalOptions {
  /** The keyboard: standard input. */
  readonly input: TerminalInput;
  /** The screen: standard output. */
  readonly output: Writable & { readonly rows?: number; readonly isTTY?: boolean };
  /** Called when the person wants to leave, or the terminal has gone; the caller then ends the run and closes the mux. */
  readonly quit: (reason: 'asked' | 'terminal gone') => void;
  /** Ctrl-A where not given. */
  readonly escape?: EscapeKey;
  /** Runs one line of the command line (escape key, `:`), and gives the lines of its answer. */
  readonly commands?: (line: string) => readonly string[];
  /** The words that the last word of what stands before the cursor of the command line can be the beginning of. */
  readonly complete?: (before: string) => readonly string[];
  /** What the list of streams says of one that has not ended, such as its partition's state. */
  readonly stateOf?: (stream: Stream) => string;
  /**
   * What to print when no stream has printed anything for `afterMs` of wall time: once in a run, and again only when
   * something was typed and nothing answered it.
   */
  readonly silence?: { readonly afterMs: number; readonly report: () => readonly string[] };
  /** Whether to use colour; where not given, if `output` is a terminal and NO_COLOR is not set. */
  readonly colour?: boolean;
}

/** All streams on one terminal: one is shown and typed to, and the escape key speaks to us. */
export class Terminal implements Endpoint {
  readonly #escape: EscapeKey;
  readonly #screen: Screen;
  readonly #words: Words;
  readonly #raw: RawMode;
  readonly #editor: LineEditor;
  #mode: 'guest' | 'escape' | 'command' = 'guest';
  /** A command is at work: what is said meanwhile stands between the line and its answer. */
  #answering = false;
  #running = false;
  #gone = false;
  #timer: NodeJS.Timeout | undefined;
  /** Streams whose unseen output was announced, or is about to be. */
  readonly #announced = new Set<Stream>();
  readonly #announcing = new Set<Stream>();
  #announcedAt = -Infinity;
  /** Streams of which it was said that nobody takes what is typed. */
  readonly #refused = new Set<Stream>();
  #lastOutput = 0;
  #silentSince: number | undefined;
  #silenceReported = false;

  /** Attach it to a mux, then `start` it. */
  constructor(private readonly options: TerminalOptions) {
    const { output } = options;
    this.#escape = options.escape ?? defaultEscapeKey;
    this.#screen = new Screen(output, options.colour ?? ((output.isTTY ?? false) && !process.env.NO_COLOR));
    this.#editor = new LineEditor('hv440> ', (text) => this.#screen.put(text), options.complete);
    const helps = Object.entries(commands).map(([key, command]) => [key, command.help] as const);
    this.#words = new Words(this.#escape, () => this.#screen.streams, helps);
    this.#raw = new RawMode(
      options.input,
      () => this.#unwind(),
      () => this.shown && this.show(this.shown),
    );
  }

  /** The stream that is shown. */
  get shown(): Stream | undefined {
    return this.#screen.shown;
  }

  /** Take the terminal, show a stream (the first where not given), and say how to switch and leave. */
  start(stream?: Stream): void {
    this.#running = true;
    this.#silentSince = this.#lastOutput = performance.now();
    const { input, output } = this.options;
    output.on('error', this.#onGone);
    input.on('data', this.#onData);
    input.on('end', this.#onGone);
    input.on('error', this.#onGone);
    this.#raw.enter();
    this.#timer = setInterval(() => this.#tick(), tickEvery);
    this.#timer.unref();
    this.#screen.say(this.#words.hint());
    const first = stream ?? this.#screen.streams[0];
    if (first) this.#screen.show(first, undefined);
    this.#write();
  }

  /** Show another stream, with its recent history. */
  show(stream: Stream): void {
    this.#leaveCommands();
    this.#show(stream);
    this.#write();
  }

  /** Print lines of the program's own, each on a line of its own. */
  say(...lines: readonly string[]): void {
    const edits = this.#mode === 'command' && !this.#answering;
    if (edits) this.#screen.put('\r\x1b[K');
    for (const line of lines) this.#screen.say(line);
    if (edits) this.#editor.redraw();
    else if (this.#mode !== 'command') this.#screen.restoreLine();
    this.#write();
  }

  opened(stream: Stream): void {
    this.#screen.add(stream);
    if (this.#running && !this.shown) this.show(stream);
  }

  output(stream: Stream): void {
    const now = performance.now();
    this.#silentSince = this.#silenceReported ? undefined : now;
    if (!this.#running) return;
    if (stream !== this.shown) this.#announce(stream);
    else if (this.#mode !== 'command') {
      this.#lastOutput = now;
      this.#screen.catchUp();
    }
  }

  ended(stream: Stream): void {
    if (this.#running) this.say(this.#words.ended(stream));
  }

  flushed(): void {
    this.#write();
  }

  congested(): Promise<void> | undefined {
    const { output } = this.options;
    if (this.#gone || output.writableLength < waitingLimit) return undefined;
    return new Promise((resolve) => {
      output.once('drain', resolve);
      output.once('error', () => resolve());
    });
  }

  async close(): Promise<void> {
    if (!this.#running) return;
    this.#leaveCommands();
    this.#write();
    this.#running = false;
    clearInterval(this.#timer);
    const { input, output } = this.options;
    input.off('data', this.#onData);
    input.off('end', this.#onGone);
    input.off('error', this.#onGone);
    input.pause();
    this.#raw.leave();
    if (!this.#gone) await new Promise<void>((resolve) => output.write('', () => resolve()));
  }

  // --- what is typed ---

  readonly #onGone = (): void => {
    if (!this.#running || this.#gone) return;
    this.#gone = true;
    this.options.quit('terminal gone');
  };

  readonly #onData = (chunk: Uint8Array | string): void => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    for (let at = 0; at < bytes.length;) {
      if (this.#mode !== 'guest') {
        this.#key(bytes[at++] ?? 0);
        continue;
      }
      const escape = this.#escape.byte === undefined ? -1 : bytes.indexOf(this.#escape.byte, at);
      const end = escape < 0 ? bytes.length : escape;
      if (end > at) this.#type(Uint8Array.from(bytes.subarray(at, end)));
      if (escape >= 0) this.#mode = 'escape';
      at = end + 1;
    }
    this.#write();
  };

  #type(bytes: Uint8Array): void {
    const stream = this.shown;
    if (!stream) return;
    this.#silentSince = performance.now();
    if (stream.type(bytes) || this.#refused.has(stream)) return;
    this.#refused.add(stream);
    this.say(this.#words.refusal(stream));
  }

  #key(byte: number): void {
    if (this.#mode === 'command') return this.#command(byte);
    this.#mode = 'guest';
    if (byte === this.#escape.byte) return this.#type(Uint8Array.of(byte));
    const key = String.fromCharCode(byte);
    const stream = this.#screen.streams[picks.indexOf(key)];
    const command = commands[key];
    if (command) command.run(this.#actions);
    else if (stream && picks.includes(key)) this.#show(stream);
    else if (byte !== 0x03 && byte !== 0x1b) this.say(this.#words.unknownKey(byte));
  }

  readonly #actions: Actions = {
    step: (by) => {
      const { streams } = this.#screen;
      const at = this.shown ? streams.indexOf(this.shown) : 0;
      const next = streams[(at + by + streams.length) % streams.length];
      if (next) this.#show(next);
    },
    list: () => {
      const stateOf = this.options.stateOf ?? (() => '');
      this.say(...this.#words.list(this.shown, stateOf, (stream) => this.#screen.unseen(stream)));
    },
    help: () => this.say(...this.#words.help()),
    commandLine: () => this.#enterCommands(),
    quit: () => this.options.quit('asked'),
  };

  #show(stream: Stream): void {
    this.#announced.delete(stream);
    this.#announcing.delete(stream);
    this.#refused.delete(stream);
    this.#screen.show(stream, stream.ended === undefined ? this.#words.title(stream) : this.#words.ended(stream));
  }

  // --- the command line ---

  #enterCommands(): void {
    if (!this.options.commands) return this.say('there is no command line in this run');
    this.#screen.say('command line: an empty line, Ctrl-C or Ctrl-D goes back to the guest');
    this.#mode = 'command';
    this.#editor.begin();
  }

  #command(byte: number): void {
    if (byte === this.#escape.byte) {
      this.#leaveCommands();
      this.#mode = 'escape';
      return;
    }
    const edited = this.#editor.feed(byte);
    if (edited.kind === 'editing') return;
    if (edited.kind === 'left' || edited.line.trim() === '') return this.#leaveCommands();
    this.#answering = true;
    for (const line of this.options.commands?.(edited.line) ?? []) this.#screen.put(`${line}\r\n`);
    this.#answering = false;
    this.#editor.begin();
  }

  #leaveCommands(): void {
    if (this.#mode !== 'command') return;
    this.#mode = 'guest';
    this.#screen.put('\r\x1b[K');
    this.#screen.restoreLine();
    this.#screen.catchUp();
  }

  // --- what happens by itself ---

  #announce(stream: Stream): void {
    if (this.#announced.has(stream)) return;
    this.#announced.add(stream);
    this.#announcing.add(stream);
  }

  #tick(): void {
    if (this.#mode !== 'guest') return;
    const now = performance.now();
    const { silence } = this.options;
    if (silence && this.#silentSince !== undefined && now - this.#silentSince >= silence.afterMs) {
      this.#silentSince = undefined;
      this.#silenceReported = true;
      this.say(...silence.report());
    }
    const due = this.#announcing.size > 0 && now - this.#announcedAt >= announceEvery;
    if (!due || !this.#screen.mayInterrupt(now - this.#lastOutput >= quietAfter)) return;
    this.#announcedAt = now;
    const streams = [...this.#announcing];
    this.#announcing.clear();
    this.say(this.#words.announcement(streams));
  }

  #write(): void {
    if (this.#running && !this.#gone) this.#screen.write();
  }

  #unwind(): void {
    this.#screen.unwind();
    if (!this.#gone) this.#screen.write();
  }
}

/** What the command keys can do. */
interface Actions {
  step(by: number): void;
  list(): void;
  help(): void;
  commandLine(): void;
  quit(): void;
}

// prettier-ignore
const commands: Readonly<Record<string, { readonly help: string; readonly run: (actions: Actions) => void }>> = {
  n:   { help: 'show the next stream',                              run: (actions) => actions.step(1) },
  p:   { help: 'show the previous stream',                          run: (actions) => actions.step(-1) },
  l:   { help: 'list the streams, their state and what was not seen', run: (actions) => actions.list() },
  ':': { help: 'open the command line',                             run: (actions) => actions.commandLine() },
  '?': { help: 'this list',                                         run: (actions) => actions.help() },
  x:   { help: 'leave: end the run',                                run: (actions) => actions.quit() },
};
