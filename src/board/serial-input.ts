import { Alarm, type Clock } from '../bus/clock.js';

/** What can happen to a character on its way, or be found out at its end. */
export type LineError = 'parity' | 'framing' | 'break' | 'overrun';

/** What takes characters from outside: a UART, or a hypervisor's byte channel. */
export interface Receiver {
  /** The program appears to listen; before that, characters would be lost in a driver's set-up. */
  readonly listening: boolean;
  /** How many characters it can take now. */
  readonly room: number;
  readonly cyclesPerCharacter: number;
  receive(byte: number): void;
  /** A character arrives damaged, or is lost as there is no room; only a serial line has such errors. */
  receiveDamaged?(byte: number, error: LineError): void;
  /** Whether its far end takes what is sent; only where that can be told. */
  congest?(congested: boolean): void;
  /** Called whenever `listening` or `room` may have changed. */
  onChange: () => void;
}

/** A character that entered, for the record of a run's inputs. */
export interface InputRecord {
  readonly stream: string;
  readonly cycle: number;
  readonly byte: number;
}

/**
 * What has been typed at a port and not yet arrived. A character arrives when the program listens, the receiver has room
 * and a character time has passed since the last: simulated time waits for the script, and a run with the same script repeats
 * exactly.
 */
export class SerialInput extends Alarm {
  readonly #queue: number[] = [];
  #next = 0; // index of the first character that still waits
  #free = 0; // the cycle at which the wire is free again
  #open = false;

  /** `log` hears of every character at the cycle at which it arrives. */
  constructor(
    readonly stream: string,
    private readonly receiver: Receiver,
    private readonly clock: Clock,
    private readonly log: (record: InputRecord) => void,
  ) {
    super();
    receiver.onChange = () => this.#schedule();
    clock.add(this);
  }

  /** Characters typed at the far end, at this cycle; they are always taken. */
  type(bytes: Uint8Array): true {
    for (const byte of bytes) this.#queue.push(byte);
    if (bytes.length > 0) this.clock.release(this);
    this.#schedule();
    return true;
  }

  /**
   * Whether more is to come from a script that is being read. While it is, the clock is held where the next character could
   * arrive and is not there, so that it does not matter how fast the script is delivered.
   */
  expectMore(more: boolean): void {
    this.#open = more;
    if (!more) this.clock.release(this);
    this.#schedule();
  }

  /** A character arrives damaged, beside what is typed; false if this is no line on which that can be. */
  damage(byte: number, error: LineError): boolean {
    this.receiver.receiveDamaged?.(byte, error);
    return this.receiver.receiveDamaged !== undefined;
  }

  /** Characters arrive at this very cycle, before those that wait, whether there is room for them or not. */
  flood(bytes: readonly number[]): void {
    for (const byte of bytes) {
      this.log({ stream: this.stream, cycle: this.clock.now, byte });
      this.receiver.receive(byte);
    }
    this.#schedule();
  }

  /** The far end stops taking what the program sends, or goes on; false if no such thing can be here. */
  congest(congested: boolean): boolean {
    this.receiver.congest?.(congested);
    return this.receiver.congest !== undefined;
  }

  save() {
    return {
      queue: this.#queue.slice(this.#next),
      free: this.#free,
      open: this.#open,
      due: this.due,
      held: this.clock.heldBy(this),
    };
  }

  restore({ queue, free, open, due, held }: ReturnType<SerialInput['save']>): void {
    this.#queue.splice(0, Infinity, ...queue);
    this.#next = 0;
    this.#free = free;
    this.#open = open;
    this.due = due;
    if (held) this.clock.hold(this);
    else this.clock.release(this);
  }

  /** How many characters wait to arrive. */
  get waiting(): number {
    return this.#queue.length - this.#next;
  }

  /** What was typed and has not arrived is lost: whoever it was meant for has been stopped. */
  discard(): void {
    this.#queue.length = this.#next = 0;
    this.clock.release(this);
    this.#schedule();
  }

  ring(): void {
    if (this.waiting === 0) {
      this.clock.hold(this);
      this.due = Infinity;
      return;
    }
    const byte = this.#queue[this.#next++]!;
    if (this.#next === this.#queue.length) this.#queue.length = this.#next = 0;
    this.#free = this.clock.now + this.receiver.cyclesPerCharacter;
    this.log({ stream: this.stream, cycle: this.clock.now, byte });
    this.receiver.receive(byte);
    this.#schedule();
  }

  #schedule(): void {
    const ready = (this.waiting > 0 || this.#open) && this.receiver.listening && this.receiver.room > 0;
    this.due = ready ? Math.max(this.#free, this.clock.now) : Infinity;
  }
}
