// What a guest's bytes do to a terminal, as far as we must know it to put our own lines between them and to leave the
// terminal as we found it. States and sequences after ECMA-48 and xterm's "Control Sequences".

type State = 'text' | 'escape' | 'intermediate' | 'csi' | 'string' | 'string-escape';

const [LF, CR, ESC, BEL, CAN, SUB] = [0x0a, 0x0d, 0x1b, 0x07, 0x18, 0x1a];

/** DEC private modes that a terminal has set when nobody asked: wrap-around and the visible cursor. */
const setByDefault = new Set(['7', '25']);

/** Follows one stream's output as a terminal would, without keeping its text. */
export class Tracker {
  #state: State = 'text';
  #sequence = '';
  #continuation = 0;
  #last = LF;
  #colours: string[] = [];
  readonly #modes = new Map<string, boolean>();
  #keypad = false;
  #charset = false;
  #scrolling = false;

  /** Whether the cursor is at the start of an empty line, as far as one can tell without a screen. */
  get fresh(): boolean {
    return this.settled && this.#last === LF;
  }

  /** Whether neither an escape sequence nor a UTF-8 character is half written. */
  get settled(): boolean {
    return this.#state === 'text' && this.#continuation === 0;
  }

  /** Whether the output has taken the whole screen, as editors do: a line between would spoil it. */
  get fullScreen(): boolean {
    return ['47', '1047', '1049'].some((mode) => this.#modes.get(mode));
  }

  /** The sequences that set the colours and attributes in force. */
  get colours(): string {
    return this.#colours.map((colour) => `\x1b[${colour}m`).join('');
  }

  /** The next bytes that went to the terminal. */
  feed(bytes: Uint8Array): void {
    for (const byte of bytes) this.#feed(byte);
  }

  /** What brings a terminal back from every mode that the output has left it in; empty where there is nothing to do. */
  undo(): string {
    let undo = this.settled ? '' : '\x18';
    for (const [mode, set] of this.#modes)
      if (set !== setByDefault.has(mode)) undo += `\x1b[?${mode}${set ? 'l' : 'h'}`;
    if (this.#keypad) undo += '\x1b>';
    if (this.#charset) undo += '\x1b(B\x0f';
    if (this.#scrolling) undo += '\x1b7\x1b[r\x1b8';
    return this.#colours.length > 0 ? `${undo}\x1b[m` : undo;
  }

  /** What sets the modes that `undo` has undone (the screen's contents are lost). */
  redo(): string {
    let redo = this.#keypad ? '\x1b=' : '';
    for (const [mode, set] of this.#modes)
      if (set !== setByDefault.has(mode)) redo += `\x1b[?${mode}${set ? 'h' : 'l'}`;
    return redo;
  }

  #feed(byte: number): void {
    if (this.#state === 'text' && byte >= 0x20) return this.#text(byte);
    if (byte === ESC) {
      this.#state = this.#state === 'string' ? 'string-escape' : 'escape';
      this.#sequence = '';
    } else if (byte === CAN || byte === SUB) this.#state = 'text';
    else if (this.#state === 'string') this.#state = byte === BEL ? 'text' : 'string';
    else if (byte < 0x20) this.#control(byte);
    else this.#inside(byte);
  }

  #text(byte: number): void {
    this.#last = byte;
    if ((byte & 0xc0) === 0x80) this.#continuation = Math.max(0, this.#continuation - 1);
    else this.#continuation = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
  }

  #control(byte: number): void {
    this.#continuation = 0;
    if (byte === 0x0e) this.#charset = true;
    if (byte === LF || (byte !== CR && byte !== BEL)) this.#last = byte;
  }

  #inside(byte: number): void {
    const character = String.fromCharCode(byte);
    if (this.#state === 'escape') return this.#escape(character);
    if (this.#state === 'string-escape') this.#state = character === '\\' ? 'text' : 'string';
    else if (this.#state === 'intermediate') this.#state = byte < 0x30 ? 'intermediate' : 'text';
    else if (byte < 0x40) this.#sequence = (this.#sequence + character).slice(0, 64);
    else {
      this.#state = 'text';
      this.#csi(character);
    }
  }

  #escape(character: string): void {
    if (character === '[') this.#state = 'csi';
    else if (']PX^_'.includes(character)) this.#state = 'string';
    else if (character < '0') {
      this.#state = 'intermediate';
      if (character === '(') this.#charset = true;
    } else {
      this.#state = 'text';
      if (character === '=') this.#keypad = true;
      if (character === '>') this.#keypad = false;
      if (character === 'c') this.#reset();
    }
  }

  #csi(final: string): void {
    if (final === 'm') this.#colour(this.#sequence);
    else if (final === 'r') this.#scrolling = this.#sequence !== '';
    else if ((final === 'h' || final === 'l') && this.#sequence.startsWith('?'))
      for (const mode of this.#sequence.slice(1).split(';')) this.#modes.set(mode, final === 'h');
    else if ('ABCDEFGHdf`'.includes(final)) this.#last = 0; // the cursor is anywhere now
  }

  #colour(sequence: string): void {
    if (/^0*$/.test(sequence)) this.#colours = [];
    else if (/^[<=>?]/.test(sequence))
      return; // xterm's own, no colour
    else this.#colours = [...(/^0*;/.test(sequence) ? [] : this.#colours), sequence].slice(-8);
  }

  #reset(): void {
    this.#modes.clear();
    this.#colours = [];
    this.#keypad = this.#charset = this.#scrolling = false;
  }
}

// CSI … c and CSI … n ask who and where the terminal is; OSC and DCS may ask, too. ENQ asks for the answerback.
const questions = /\x1b\[[\x20-\x3f]*[cn]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bZ|\x05/g;

/**
 * The last `lines` lines of old output, fit to be shown again: from the start of a line where one is held, and without
 * the sequences that a terminal would answer, as the answer would be typed to the guest.
 */
export function replayable(bytes: Uint8Array, lines: number): Uint8Array {
  let from = bytes.length;
  const ends = bytes.at(-1) === LF ? 1 : 0;
  for (let count = 0, at = bytes.length - ends; count < lines && from > 0; count++) {
    at = at > 0 ? bytes.lastIndexOf(LF, at - 1) : -1;
    from = at + 1;
  }
  return Buffer.from(Buffer.from(bytes.subarray(from)).toString('latin1').replace(questions, ''), 'latin1');
}

/** A copy with a CR put before each LF that has none; `before` is the byte that came before the first one. */
export function withCarriageReturns(bytes: Uint8Array, before: number): Uint8Array {
  const copy = new Uint8Array(2 * bytes.length);
  let length = 0;
  for (const byte of bytes) {
    if (byte === LF && before !== CR) copy[length++] = CR;
    copy[length++] = byte;
    before = byte;
  }
  return copy.subarray(0, length);
}
