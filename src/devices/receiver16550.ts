import type { Clock } from '../bus/clock.js';

/** Bits of LSR, the line status register. PC16550D data sheet, section 8.3. */
// prettier-ignore
export const LSR_BIT = {
  DR: 0x01, OE: 0x02, PE: 0x04, FE: 0x08, BI: 0x10, THRE: 0x20, TEMT: 0x40,
  FIFO_ERROR: 0x80,
} as const;

/** What belongs to one received character, and all that makes a receiver line status interrupt. */
const CHARACTER_ERRORS = LSR_BIT.PE | LSR_BIT.FE | LSR_BIT.BI;
export const LINE_ERRORS = CHARACTER_ERRORS | LSR_BIT.OE;

/** Bits of FCR, the FIFO control register. Data sheet, section 8.4. */
const FCR_BIT = { ENABLE: 0x01, RESET_RECEIVER: 0x02, DMA_MODE: 0x08, TRIGGER: 0xc0 } as const;

const FIFO_SIZE = 16;

/** How many characters make a received data interrupt, by FCR[6:7]. */
const TRIGGER_LEVELS: readonly number[] = [1, 4, 8, 14];

/** The character time-out: this long without a character coming in or being read. Data sheet, section 8.4. */
const TIME_OUT_CHARACTERS = 4;

/** What happened to a character on its way here. */
export type CharacterError = 'parity' | 'framing' | 'break';
const errorBits: Readonly<Record<CharacterError, number>> = {
  parity: LSR_BIT.PE,
  framing: LSR_BIT.FE,
  break: LSR_BIT.BI,
};

/** The receiving half of a 16550: its buffer or FIFO, line errors, trigger level and character time-out. */
export class Receiver16550 {
  readonly state = {
    /** Waiting characters, oldest first, each with the LSR bits of errors that are still to come to light above bit 8. */
    received: [] as number[],
    /** LSR's error bits that have come to light and that no read of LSR has cleared. */
    errors: 0,
    fcr: 0,
    /** The cycle at which the character time-out falls due; 0 once it has. */
    timeOutAt: 0,
  };

  constructor(
    private readonly clock: Clock,
    private readonly cyclesPerCharacter: number,
  ) {}

  reset(): void {
    Object.assign(this.state, { received: [], errors: 0, fcr: 0, timeOutAt: 0 });
  }

  /** A character has come in whole. */
  accept(byte: number, error?: CharacterError): void {
    const { state } = this;
    const full = this.room <= 0;
    if (full) state.errors |= LSR_BIT.OE;
    if (full && this.fifos) return; // it is lost in the shift register
    if (!this.timedOut) this.#restartTimeOut(); // once it has timed out, only reading ends that
    if (full) state.received = []; // without FIFOs the new character takes the old one's place
    state.received.push((byte & 0xff) | (error ? errorBits[error] << 8 : 0));
    this.#reveal();
  }

  /** A character was lost in the shift register, as no room was made for it in time. */
  overrun(): void {
    this.state.errors |= LSR_BIT.OE;
  }

  /** The character that a read of RBR gives; 0 while there is none. */
  get next(): number {
    return (this.state.received[0] ?? 0) & 0xff;
  }

  /** The next character has been read. */
  take(): void {
    this.state.received.shift();
    this.#reveal();
    this.#restartTimeOut();
  }

  /** LSR has been read. Whether there were errors. */
  clearErrors(): boolean {
    const { errors } = this.state;
    this.state.errors = 0;
    return errors !== 0;
  }

  /** FCR's other bits count only when its enable bit is written as 1 too; changing that bit empties the FIFOs. */
  writeControl(value: number): void {
    const { state } = this;
    const on = (value & FCR_BIT.ENABLE) !== 0;
    if (on !== this.fifos || (on && value & FCR_BIT.RESET_RECEIVER)) {
      state.received = [];
      state.errors &= LSR_BIT.OE;
    }
    state.fcr = on ? value & (FCR_BIT.ENABLE | FCR_BIT.DMA_MODE | FCR_BIT.TRIGGER) : 0;
  }

  get fifos(): boolean {
    return (this.state.fcr & FCR_BIT.ENABLE) !== 0;
  }

  /** Free places. */
  get room(): number {
    return (this.fifos ? FIFO_SIZE : 1) - this.state.received.length;
  }

  /** The receiver's bits of LSR. */
  get lineStatus(): number {
    const { received, errors } = this.state;
    const ready = received.length > 0 ? LSR_BIT.DR : 0;
    const damaged = this.fifos && (errors & CHARACTER_ERRORS || received.some((character) => character > 0xff));
    return ready | errors | (damaged ? LSR_BIT.FIFO_ERROR : 0);
  }

  /** As many characters wait as make a received data interrupt. */
  get triggered(): boolean {
    return this.state.received.length >= this.#trigger;
  }

  /** Too few wait for that, and nothing has moved for four character times. */
  get timedOut(): boolean {
    return this.#canTimeOut && this.clock.now >= this.state.timeOutAt;
  }

  /** The cycle of the next character time-out, or Infinity. */
  get due(): number {
    return this.state.timeOutAt > 0 && this.#canTimeOut ? this.state.timeOutAt : Infinity;
  }

  /** Note a time-out that has fallen due. */
  ring(): void {
    if (this.clock.now >= this.state.timeOutAt) this.state.timeOutAt = 0;
  }

  get #trigger(): number {
    return this.fifos ? TRIGGER_LEVELS[this.state.fcr >> 6]! : 1;
  }

  get #canTimeOut(): boolean {
    const { length } = this.state.received;
    return length > 0 && length < this.#trigger;
  }

  #restartTimeOut(): void {
    this.state.timeOutAt = this.clock.now + TIME_OUT_CHARACTERS * this.cyclesPerCharacter;
  }

  /** Errors come to light when their character is the next to be read. */
  #reveal(): void {
    const { state } = this;
    const next = state.received[0];
    if (next === undefined) return;
    state.errors |= next >> 8;
    state.received[0] = next & 0xff;
  }
}
