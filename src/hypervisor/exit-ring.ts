import { exitKinds, type ExitKind } from '../devicetree/bindings/partitions.js';
import type { Detail } from './exit-detail.js';

/** An exit that is remembered. */
export interface RecentExit {
  readonly kind: ExitKind;
  readonly detail: Detail;
  /** Where the guest was. */
  readonly pc: number;
  /** The clock at the first of them. */
  readonly cycle: number;
  /** How many of the same came in a row. */
  readonly times: number;
}

const SIZE = 16;
const kindNumbers = Object.fromEntries(exitKinds.map((kind, i) => [kind, i])) as Record<ExitKind, number>;

/** The last exits of a vcpu, the same ones in a row as one. Recording allocates nothing. */
export class ExitRing {
  readonly #kinds = new Uint8Array(SIZE);
  readonly #details = new Int32Array(SIZE);
  readonly #pcs = new Uint32Array(SIZE);
  readonly #cycles = new Float64Array(SIZE);
  readonly #times = new Float64Array(SIZE);
  #next = 0;

  record(kind: ExitKind, detail: Detail, pc: number, cycle: number): void {
    const number = kindNumbers[kind];
    const last = (this.#next + SIZE - 1) % SIZE;
    const again = this.#times[last]! > 0 && this.#kinds[last] === number && this.#pcs[last] === pc;
    if (again && this.#details[last] === detail) {
      this.#times[last]! += 1;
      return;
    }
    const at = this.#next;
    this.#kinds[at] = number;
    this.#details[at] = detail;
    this.#pcs[at] = pc;
    this.#cycles[at] = cycle;
    this.#times[at] = 1;
    this.#next = (at + 1) % SIZE;
  }

  /** The oldest first. */
  get recent(): RecentExit[] {
    return Array.from({ length: SIZE }, (_, i) => (this.#next + i) % SIZE)
      .filter((at) => this.#times[at]! > 0)
      .map((at) => ({
        kind: exitKinds[this.#kinds[at]!]!,
        detail: this.#details[at]!,
        pc: this.#pcs[at]!,
        cycle: this.#cycles[at]!,
        times: this.#times[at]!,
      }));
  }

  save() {
    return [this.#kinds, this.#details, this.#pcs, this.#cycles, this.#times]
      .map((all) => [...all])
      .concat([[this.#next]]);
  }

  restore([kinds, details, pcs, cycles, times, next]: ReturnType<ExitRing['save']>): void {
    this.#kinds.set(kinds!);
    this.#details.set(details!);
    this.#pcs.set(pcs!);
    this.#cycles.set(cycles!);
    this.#times.set(times!);
    this.#next = next![0]!;
  }

  clear(): void {
    this.#times.fill(0);
  }
}
