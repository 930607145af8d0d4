import { PLACE } from './value.js';

/** A set of places. */
export class Places {
  static readonly none = new Places(0, 0);
  static readonly conditionFields = new Places(0, 0xff << (PLACE.CR - 32));

  constructor(
    private readonly low: number,
    private readonly high: number,
  ) {}

  static of(place: number): Places {
    return place < 32 ? new Places(1 << place, 0) : new Places(0, 1 << (place - 32));
  }

  /** General purpose registers from this one to r31. */
  static from(register: number): Places {
    return new Places(-1 << register, 0);
  }

  has(place: number): boolean {
    return place < 32 ? ((this.low >>> place) & 1) === 1 : ((this.high >>> (place - 32)) & 1) === 1;
  }

  with(other: Places): Places {
    return new Places(this.low | other.low, this.high | other.high);
  }

  plus(place: number): Places {
    return this.has(place) ? this : this.with(Places.of(place));
  }

  without(other: Places): Places {
    return new Places(this.low & ~other.low, this.high & ~other.high);
  }

  and(other: Places): Places {
    return new Places(this.low & other.low, this.high & other.high);
  }

  equals(other: Places): boolean {
    return this.low === other.low && this.high === other.high;
  }

  get key(): string {
    return `${this.low} ${this.high}`;
  }

  get size(): number {
    let size = 0;
    this.forEach(() => size++);
    return size;
  }

  /** Calls for each of them, in order. */
  forEach(visit: (place: number) => void): void {
    for (let bits = this.low; bits !== 0; bits &= bits - 1) visit(31 - Math.clz32(bits & -bits));
    for (let bits = this.high; bits !== 0; bits &= bits - 1) visit(63 - Math.clz32(bits & -bits));
  }
}
