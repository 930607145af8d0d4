import { Alarm, type Clock } from '../bus/clock.js';
import type { ByteChannel, FarEnd } from './byte-channel.js';

/** How many bytes can be on their way to an end. */
const IN_FLIGHT = 256;

/**
 * What another partition has sent to this end of a connected byte channel and has not arrived yet. A byte takes a character
 * time, one behind the other, and waits at the end of the line while the receiver has no room. The sender never loses one:
 * it is told how many more the line takes.
 */
export class PeerInput extends Alarm {
  #queue: number[] = [];
  /** The cycle at which the first of them has crossed the line. */
  #crossed = 0;
  #sender: ByteChannel | undefined;

  constructor(
    private readonly receiver: ByteChannel,
    private readonly clock: Clock,
  ) {
    super();
    receiver.onChange = () => this.#schedule();
    clock.add(this);
  }

  /** Whom to tell that there is more room; once, before anything runs. */
  listenTo(sender: ByteChannel): void {
    this.#sender = sender;
    sender.farEndChanged();
  }

  /** How many more bytes the line takes. */
  get room(): number {
    return IN_FLIGHT - this.#queue.length;
  }

  /** A byte is sent at this cycle; there is room for it. */
  push(byte: number): void {
    if (this.#queue.length === 0) this.#crossed = this.clock.now + this.receiver.cyclesPerCharacter;
    this.#queue.push(byte);
    this.#schedule();
  }

  /** Whoever it was meant for is started anew. */
  discard(): void {
    this.#queue = [];
    this.#schedule();
    this.#sender?.farEndChanged();
  }

  /** It has no errors of a serial line. */
  damage(): false {
    return false;
  }

  /** Bytes that nobody sent arrive at this very cycle; what there is no room for is lost. */
  flood(bytes: readonly number[]): void {
    for (const byte of bytes) this.receiver.receive(byte);
  }

  /** The line takes nothing of what the guest at this end sends, or takes it again. */
  congest(congested: boolean): true {
    this.receiver.congest(congested);
    return true;
  }

  ring(): void {
    const byte = this.#queue.shift()!;
    this.#crossed = this.due + this.receiver.cyclesPerCharacter;
    this.receiver.receive(byte);
    this.#sender?.farEndChanged();
  }

  save() {
    return { queue: [...this.#queue], crossed: this.#crossed, due: this.due };
  }

  restore({ queue, crossed, due }: ReturnType<PeerInput['save']>): void {
    this.#queue = [...queue];
    this.#crossed = crossed;
    this.due = due;
  }

  #schedule(): void {
    const ready = this.#queue.length > 0 && this.receiver.room > 0;
    this.due = ready ? Math.max(this.#crossed, this.clock.now) : Infinity;
  }
}

/** The far end of a connected byte channel: the other partition's, which takes nothing until it is there. */
export class PeerEnd implements FarEnd {
  #input: PeerInput | undefined;

  connect(input: PeerInput): void {
    this.#input = input;
  }

  transmit(byte: number): void {
    this.#input?.push(byte);
  }

  get room(): number {
    return this.#input?.room ?? 0;
  }
}
