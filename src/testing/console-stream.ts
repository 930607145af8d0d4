import { Search, shown, type Match, type Pattern } from './pattern.js';
import type { Duration } from './duration.js';

/** How long something is waited for. */
export interface Within {
  /** Virtual time from now on. Default: what `boot` was given. */
  readonly within?: Duration;
}

/** Text that must not appear. */
export interface Ban {
  /** It may appear from now on. */
  lift(): void;
  /** What a failure says where it does appear. */
  readonly reason: string;
}

/** What a stream needs of its board. */
export interface StreamHost {
  cycle(): number;
  type(bytes: Uint8Array): void;
  /** How many cycles of silence end a line that is not complete. */
  readonly silence: number;
  /** Wait until `look` gives something; it is asked at `next` whatever happens. */
  wait(what: string, within: Duration | undefined, look: () => Match | undefined, next: () => number): Promise<Match>;
  /** Something that is waited for may have been printed. */
  halt(): void;
  /** A test is over at this very cycle, for this reason. */
  object(reason: string): void;
}

/** What a stream was at one moment. */
export interface SavedStream {
  /** All that was printed, in base64. */
  readonly bytes: string;
  readonly cursor: number;
  /** The cycle of the last character. */
  readonly printedAt: number;
}

/**
 * One console of a board under test: what it printed, and what is typed at it. Searches begin at the cursor, behind the last
 * match; a match is known at the very cycle of its last character. In the text, `\r\n` is `\n`.
 */
export class ConsoleStream {
  /** All that was printed so far. */
  text = '';
  readonly #bytes: number[] = [];
  #decoder = new TextDecoder();
  /** A carriage return, of which nobody knows yet whether it ends a line. */
  #held = '';
  #cursor = 0;
  /** The cycle of the last character. */
  #printedAt = 0;
  readonly #searches = new Set<Search>();
  /** What is forbidden, with what is said where it appears. */
  readonly #bans = new Map<Search, string>();

  /** Made by the board. `name` is as the multiplexer has it: `linux/serial@ef600300`. */
  constructor(
    readonly name: string,
    private readonly host: StreamHost,
  ) {}

  /** The lines so far, the last one complete or not; without an empty one at the end. */
  get lines(): readonly string[] {
    const lines = this.text.split('\n');
    return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  }

  /** What was printed behind the last match. */
  get rest(): string {
    return this.text.slice(this.#cursor);
  }

  /** All that was printed, as it came from the guest. */
  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /**
   * Wait for a line that has this in it, or that it matches; a line that is not complete counts once nothing has followed for
   * 10 ms of virtual time. The cursor goes behind the line.
   */
  line(pattern: Pattern, { within }: Within = {}): Promise<Match> {
    return this.#find(new Search(pattern, 'line', this.#cursor), `a line with ${shown(pattern)}`, within);
  }

  /** Wait for this text, which may span lines. The cursor goes behind it. */
  expect(pattern: Pattern, { within }: Within = {}): Promise<Match> {
    return this.#find(new Search(pattern, 'text', this.#cursor), shown(pattern), within);
  }

  /** From now on, fail at the very cycle at which this appears. */
  never(pattern: Pattern): Ban {
    const search = new Search(pattern, 'text', this.text.length);
    const reason = `${this.name} printed ${shown(pattern)}, which it never should`;
    this.#bans.set(search, reason);
    return { lift: () => void this.#bans.delete(search), reason };
  }

  /** Type text, as UTF-8. It arrives at the speed of the line, when the program listens. */
  send(text: string | Uint8Array): void {
    this.host.type(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  }

  /** Forget what was printed. */
  clear(): void {
    this.text = '';
    this.#bytes.length = 0;
    this.#cursor = 0;
    for (const search of this.#searches) search.restart();
    for (const search of this.#bans.keys()) search.restart();
  }

  /** The guest prints a byte. */
  print(byte: number): void {
    this.#bytes.push(byte);
    if (!this.#decode(byte)) return;
    this.#printedAt = this.host.cycle();
    for (const search of this.#searches) if (search.finds(this.text)) this.host.halt();
    for (const [search, reason] of this.#bans) {
      if (!search.finds(this.text)) continue;
      this.#bans.delete(search);
      this.host.object(reason);
    }
  }

  save(): SavedStream {
    return { bytes: Buffer.from(this.#bytes).toString('base64'), cursor: this.#cursor, printedAt: this.#printedAt };
  }

  restore(saved: SavedStream | undefined): void {
    this.clear();
    this.#bans.clear();
    this.#decoder = new TextDecoder();
    this.#held = '';
    for (const byte of Buffer.from(saved?.bytes ?? '', 'base64')) {
      this.#bytes.push(byte);
      this.#decode(byte);
    }
    this.#cursor = saved?.cursor ?? 0;
    this.#printedAt = saved?.printedAt ?? 0;
  }

  /** True if there is more text than before. */
  #decode(byte: number): boolean {
    const text = this.#decoder.decode(Uint8Array.of(byte), { stream: true });
    if (text === '') return false;
    const held = text === '\n' ? '' : this.#held;
    this.#held = text === '\r' ? text : '';
    const added = held + (text === '\r' ? '' : text);
    this.text += added;
    return added !== '';
  }

  async #find(search: Search, what: string, within: Duration | undefined): Promise<Match> {
    this.#searches.add(search);
    const silentAt = (): number => this.#printedAt + this.host.silence;
    const look = (): Match | undefined => {
      const found = search.finds(this.text, this.host.cycle() >= silentAt());
      if (!found) return undefined;
      this.#searches.delete(search);
      this.#cursor = Math.max(this.#cursor, found.end);
      const { text, groups, named } = found;
      return { text, groups, named, cycle: this.host.cycle() };
    };
    const next = (): number => (search.whole === 'line' && this.host.cycle() < silentAt() ? silentAt() : Infinity);
    return this.host.wait(`${what} from ${this.name}`, within, look, next).finally(() => this.#searches.delete(search));
  }
}
