import type { Line } from '../bus/bus.js';
import type { Receiver } from '../board/serial-input.js';

/** How many received characters wait for the guest. */
const DEPTH = 256;
/** What poll promises; sending never has to wait, since the far end buffers. */
const SEND_SPACE = 4096;

/**
 * An ePAPR byte channel: a console by hypercall. Two level interrupts: there is something to receive, and there is room to
 * send (always; a driver enables it only while it has something to say).
 */
export class ByteChannel implements Receiver {
  /** Everything a snapshot needs. */
  readonly state = { received: [] as number[] };
  readonly listening = true;
  onChange: () => void = () => {};

  constructor(
    readonly name: string,
    /** What the guest names it by: `hv-handle`. */
    readonly handle: number,
    private readonly rx: Line,
    private readonly tx: Line,
    private readonly transmit: (byte: number) => void,
    readonly cyclesPerCharacter: number,
  ) {
    this.#drive();
  }

  get room(): number {
    return DEPTH - this.state.received.length;
  }

  /** Bytes that the guest can receive. */
  get waiting(): number {
    return this.state.received.length;
  }

  get space(): number {
    return SEND_SPACE;
  }

  receive(byte: number): void {
    this.state.received.push(byte);
    this.#drive();
  }

  send(byte: number): void {
    this.transmit(byte);
  }

  take(most: number): number[] {
    const bytes = this.state.received.splice(0, most);
    this.#drive();
    return bytes;
  }

  reset(): void {
    this.state.received.length = 0;
    this.#drive();
  }

  #drive(): void {
    this.rx.set(this.waiting > 0);
    this.tx.set(true);
    this.onChange();
  }
}
