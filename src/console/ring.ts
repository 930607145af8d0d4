/** The last `capacity` bytes of everything that was pushed; a position in it counts bytes since the beginning. */
export class Ring {
  /** How many bytes were ever pushed: the position just after the newest byte. */
  total = 0;
  readonly #bytes: Uint8Array;

  /** `capacity` in bytes, at least 1. */
  constructor(readonly capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** How many of the oldest bytes are gone: the position of the oldest byte still held. */
  get dropped(): number {
    return Math.max(0, this.total - this.capacity);
  }

  /** How many bytes are held, at most `capacity`. */
  get length(): number {
    return this.total - this.dropped;
  }

  /** Append bytes, pushing out the oldest ones where there is no room. */
  push(bytes: Uint8Array): void {
    const kept = bytes.length > this.capacity ? bytes.subarray(bytes.length - this.capacity) : bytes;
    const at = (this.total + bytes.length - kept.length) % this.capacity;
    const head = Math.min(kept.length, this.capacity - at);
    this.#bytes.set(kept.subarray(0, head), at);
    this.#bytes.set(kept.subarray(head), 0);
    this.total += bytes.length;
  }

  /** A copy of what is still held from position `from` on, at most `limit` bytes of it (the first ones). */
  since(from: number, limit = Infinity): Uint8Array {
    const first = Math.max(from, this.dropped);
    const length = Math.max(0, Math.min(this.total - first, limit));
    const at = first % this.capacity;
    const head = Math.min(length, this.capacity - at);
    const copy = new Uint8Array(length);
    copy.set(this.#bytes.subarray(at, at + head), 0);
    copy.set(this.#bytes.subarray(0, length - head), head);
    return copy;
  }
}
