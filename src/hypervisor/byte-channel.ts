import type { Line } from '../bus/bus.js';
import type { Receiver } from '../board/serial-input.js';

/** How many received characters wait for the guest. */
const DEPTH = 256;
/** What poll promises where the far end takes everything at once. */
const SEND_SPACE = 4096;

/** Where sent bytes go. */
export interface FarEnd {
  transmit(byte: number): void;
  /** How many bytes it can take now; where it does not say, all there will ever be. */
  readonly room?: number;
}

/**
 * An ePAPR byte channel: a console by hypercall. Two level interrupts: there is something to receive, and there is room to
 * send (a driver enables that one only while it has something to say). A far end that takes bytes at a pace of its own says
 * by `farEndChanged` that its room is another.
 */
export class ByteChannel implements Receiver {
  /** Everything a snapshot needs. */
  readonly state = {
    received: [] as number[],
    /** The far end takes nothing. */
    congested: false,
  };
  readonly listening = true;
  onChange: () => void = () => {};

  constructor(
    readonly name: string,
    /** What the guest names it by: `hv-handle`. */
    readonly handle: number,
    private readonly rx: Line,
    private readonly tx: Line,
    private readonly far: FarEnd,
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

  /** Bytes that the guest can send. */
  get space(): number {
    if (this.state.congested) return 0;
    return this.far.room ?? SEND_SPACE;
  }

  /** What there is no room for is lost. */
  receive(byte: number): void {
    if (this.room > 0) this.state.received.push(byte);
    this.#drive();
  }

  congest(congested: boolean): void {
    this.state.congested = congested;
    this.#drive();
  }

  send(byte: number): void {
    this.far.transmit(byte);
    if (this.far.room !== undefined) this.#drive();
  }

  farEndChanged(): void {
    this.#drive();
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

  restore(received: readonly number[], congested: boolean): void {
    this.state.received = [...received];
    this.state.congested = congested;
    this.#drive();
  }

  #drive(): void {
    this.rx.set(this.waiting > 0);
    this.tx.set(this.space > 0);
    this.onChange();
  }
}

/** The numbers of channels whose far end takes nothing; undefined where there are none. */
export function congestedOf(channels: readonly ByteChannel[]): number[] | undefined {
  const numbers = channels.flatMap(({ state }, i) => (state.congested ? [i] : []));
  return numbers.length > 0 ? numbers : undefined;
}
