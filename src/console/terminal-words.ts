import type { EscapeKey } from './escape-key.js';
import type { Stream } from './mux.js';
import { shortName } from './names.js';

/** The keys that pick a stream, after the escape key: the digits, then those letters that no command has. */
export const picks = '123456789abcdefghijkmoqrstuvwyz';

/** The terminal's sentences about its streams and keys. */
export class Words {
  /** `streams` gives them in the order of their keys. */
  constructor(
    private readonly escape: EscapeKey,
    private readonly streams: () => readonly Stream[],
    private readonly commands: readonly (readonly [key: string, help: string])[],
  ) {}

  /** `2: traps`. */
  title(stream: Stream): string {
    const pick = this.#pick(stream);
    return `${pick === '' ? '' : `${pick}: `}${shortName(stream, this.streams())}`;
  }

  /** `2: traps ended with status 0`: its title, and what became of it. */
  ended(stream: Stream): string {
    return `${this.title(stream)} ${stream.ended}`;
  }

  /** The line at the start: which streams there are, how to switch and how to leave. */
  hint(): string {
    const streams = this.streams();
    const all = streams.map((stream) => this.title(stream)).join(', ');
    const { byte, name } = this.escape;
    if (byte === undefined) return `${all}. Every key goes to the guest; kill -INT ${process.pid} leaves`;
    const last = picks[Math.min(streams.length, picks.length) - 1] ?? '1';
    return `${all}. ${name} then ${streams.length > 1 ? `1…${last} switches, ` : ''}? helps, x leaves`;
  }

  /** One line a stream: its key, name, state, and how much of it was not seen. */
  list(shown: Stream | undefined, stateOf: (stream: Stream) => string, unseen: (stream: Stream) => number): string[] {
    const width = Math.max(...this.streams().map((stream) => stream.name.length));
    return this.streams().map((stream) => {
      const state = stream.ended ?? stateOf(stream);
      const seen = stream === shown ? 'shown' : `${unseen(stream).toLocaleString('en')} bytes not seen`;
      const notes = [state, seen].filter((note) => note !== '').join(', ');
      return `${this.#pick(stream).padStart(2)}  ${stream.name.padEnd(width)}  ${notes}`;
    });
  }

  /** What each key does. */
  help(): string[] {
    const { name } = this.escape;
    const streams = this.streams().map((stream) => [this.#pick(stream), `show ${stream.name}`] as const);
    const rows = [
      ...streams.filter(([pick]) => pick !== ''),
      ...this.commands,
      [name, `send ${name} to the guest`] as const,
    ];
    const lines = rows.map(([key, help]) => `  ${key.padEnd(7)} ${help}`);
    return [`after ${name}:`, ...lines, 'all other keys, Ctrl-C too, go to the guest'];
  }

  /** `2: traps has new output, Ctrl-A 2 shows it`. */
  announcement(streams: readonly Stream[]): string {
    const keys = streams
      .map((stream) => this.#pick(stream))
      .filter((pick) => pick !== '' && this.escape.byte !== undefined);
    const [verb, shows] = streams.length === 1 ? ['has', 'shows it'] : ['have', 'show them'];
    const how = keys.length === 0 ? '' : `, ${keys.map((key) => `${this.escape.name} ${key}`).join(', ')} ${shows}`;
    return `${streams.map((stream) => this.title(stream)).join(', ')} ${verb} new output${how}`;
  }

  /** Why a stream does not take what is typed. */
  refusal(stream: Stream): string {
    return stream.ended === undefined
      ? `${this.title(stream)} takes no input`
      : `nobody reads this: ${this.ended(stream)}`;
  }

  /** The answer to a key that means nothing. */
  unknownKey(byte: number): string {
    const name =
      byte === 0x7f
        ? 'Backspace'
        : byte < 0x20
          ? `Ctrl-${String.fromCharCode(byte + 0x40)}`
          : String.fromCharCode(byte);
    return `${this.escape.name} ${name}: there is no such key or stream; ${this.escape.name} ? has the list`;
  }

  #pick(stream: Stream): string {
    return picks[this.streams().indexOf(stream)] ?? '';
  }
}
