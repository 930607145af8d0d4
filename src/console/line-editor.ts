/** What happened to a line: it goes on, was entered, or was given up. */
export type Edited =
  { readonly kind: 'editing' } | { readonly kind: 'entered'; readonly line: string } | { readonly kind: 'left' };

const editing: Edited = { kind: 'editing' };
const historyLimit = 500;

/**
 * One line being typed on a raw terminal, with the usual keys of emacs and readline, and a history.
 * Bytes go in one at a time; what must be printed to show the change comes out through `write`.
 */
export class LineEditor {
  readonly #history: string[] = [];
  #line: string[] = [];
  #cursor = 0;
  #recalled = 0;
  #draft = '';
  #escape = '';
  #utf8: number[] = [];

  constructor(
    readonly prompt: string,
    private readonly write: (text: string) => void,
    /** The words that the last word of the text before the cursor can be the beginning of; for the tabulator. */
    private readonly complete: (before: string) => readonly string[] = () => [],
  ) {}

  /** Begin a new, empty line. */
  begin(): void {
    this.#set('');
    this.#recalled = this.#history.length;
    this.#draft = '';
    this.#escape = '';
    this.#utf8 = [];
    this.redraw();
  }

  /** The next byte that was typed. */
  feed(byte: number): Edited {
    if (this.#escape !== '') return this.#sequence(String.fromCharCode(byte));
    if (byte === 0x1b) {
      this.#escape = '\x1b';
      return editing;
    }
    if (byte === 0x0d || byte === 0x0a) return this.#enter();
    if (byte === 0x03 || (byte === 0x04 && this.#line.length === 0)) {
      this.write('\r\n');
      return { kind: 'left' };
    }
    if (byte >= 0x20 && byte !== 0x7f) this.#character(byte);
    else if (byte === 0x09) this.#completeWord();
    else this.#act(controls[byte]);
    return editing;
  }

  #enter(): Edited {
    const line = this.#line.join('');
    this.write('\r\n');
    if (line.trim() !== '' && line !== this.#history.at(-1)) this.#history.push(line);
    if (this.#history.length > historyLimit) this.#history.shift();
    return { kind: 'entered', line };
  }

  #sequence(character: string): Edited {
    this.#escape += character;
    if (this.#escape === '\x1b[' || this.#escape === '\x1bO') return editing;
    if (this.#escape.length > 2 && character >= '0' && character < '@' && this.#escape.length < 16) return editing;
    const name = this.#escape.slice(1).replace(/^O/, '[');
    this.#escape = '';
    this.#act(sequences[name]);
    return editing;
  }

  #character(byte: number): void {
    this.#utf8.push(byte);
    const [first = 0] = this.#utf8;
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    if (this.#utf8.length < length) return;
    const text = Buffer.from(this.#utf8.splice(0)).toString();
    this.#line.splice(this.#cursor++, 0, text);
    if (this.#cursor === this.#line.length) this.write(text);
    else this.redraw();
  }

  /** One word that fits is put in whole; of several, what they have in common; where that is nothing new, they are listed. */
  #completeWord(): void {
    const before = this.#line.slice(0, this.#cursor).join('');
    const begun = before.slice(before.search(/\S*$/));
    const words = this.complete(before);
    const [first] = words;
    if (first === undefined) return;
    const common = words.reduce((a, b) => a.slice(0, sharedLength(a, b)), first);
    const added = [...common.slice(begun.length), ...(words.length === 1 ? [' '] : [])];
    this.#line.splice(this.#cursor, 0, ...added);
    this.#cursor += added.length;
    if (added.length === 0) this.write(`\r\n${words.join('  ')}\r\n`);
    this.redraw();
  }

  #act(action: Action | undefined): void {
    if (!action) return;
    this.#utf8 = [];
    const [line, cursor] = [this.#line, this.#cursor];
    const word = (): number => line.slice(0, cursor).join('').trimEnd().lastIndexOf(' ') + 1;
    switch (action) {
      // prettier-ignore
      case 'home':        this.#cursor = 0; break;
      // prettier-ignore
      case 'end':         this.#cursor = line.length; break;
      // prettier-ignore
      case 'left':        this.#cursor = Math.max(0, cursor - 1); break;
      // prettier-ignore
      case 'right':       this.#cursor = Math.min(line.length, cursor + 1); break;
      // prettier-ignore
      case 'erase':       if (cursor > 0) this.#cut(cursor - 1, cursor); break;
      // prettier-ignore
      case 'delete':      this.#cut(cursor, cursor + 1); break;
      // prettier-ignore
      case 'erase-word':  this.#cut(Math.min(word(), cursor), cursor); break;
      // prettier-ignore
      case 'erase-start': this.#cut(0, cursor); break;
      // prettier-ignore
      case 'erase-end':   this.#cut(cursor, line.length); break;
      // prettier-ignore
      case 'older':       this.#recall(-1); break;
      // prettier-ignore
      case 'newer':       this.#recall(1); break;
      // prettier-ignore
      case 'redraw':      break;
      // prettier-ignore
      default:            return action satisfies never;
    }
    this.redraw();
  }

  #cut(from: number, to: number): void {
    this.#line.splice(from, to - from);
    this.#cursor = from;
  }

  #recall(step: number): void {
    const to = this.#recalled + step;
    if (to < 0 || to > this.#history.length) return;
    if (this.#recalled === this.#history.length) this.#draft = this.#line.join('');
    this.#recalled = to;
    this.#set(this.#history[to] ?? this.#draft);
  }

  #set(text: string): void {
    this.#line = [...text];
    this.#cursor = this.#line.length;
  }

  /** Draw the prompt and the line again, as after other output. */
  redraw(): void {
    const back = this.#line.length - this.#cursor;
    this.write(`\r${this.prompt}${this.#line.join('')}\x1b[K${back > 0 ? `\x1b[${back}D` : ''}`);
  }
}

/** How many characters two words have in common from the start. */
function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

type Action =
  | 'home'
  | 'end'
  | 'left'
  | 'right'
  | 'erase'
  | 'delete'
  | 'erase-word'
  | 'erase-start'
  | 'erase-end'
  | 'older'
  | 'newer'
  | 'redraw';

// prettier-ignore
const controls: Readonly<Record<number, Action>> = {
  0x01: 'home',  0x02: 'left',      0x04: 'delete', 0x05: 'end',         0x06: 'right',      0x08: 'erase', 0x7f: 'erase',
  0x0b: 'erase-end', 0x0c: 'redraw', 0x0e: 'newer', 0x10: 'older',       0x15: 'erase-start', 0x17: 'erase-word',
};

// prettier-ignore
const sequences: Readonly<Record<string, Action>> = {
  '[A': 'older', '[B': 'newer', '[C': 'right', '[D': 'left', '[H': 'home', '[F': 'end',
  '[1~': 'home', '[7~': 'home', '[4~': 'end',  '[8~': 'end', '[3~': 'delete',
};
