import type { Moment } from '../board/inputs.js';
import type { Snapshot } from '../board/snapshot.js';
import { PAGE_SIZE } from '../bus/memory.js';

/** A snapshot on the way of a run. */
export interface Mark extends Moment {
  readonly snapshot: Snapshot;
  /** Steps of each program. */
  readonly each: readonly number[];
  /** How many inputs came before it. */
  readonly inputs: number;
}

/** Bytes of a snapshot's plain data, with the lists of its pages; found by measuring. */
const STATE_BYTES = 0x60000;

/**
 * Snapshots of a run in the order of time, within a bound of memory: the older, the farther apart. What is dropped is what
 * leaves the smallest gap for its age.
 */
export class Timeline {
  #marks: Mark[] = [];
  #bytes = 0;

  /** `limit` is in bytes, of pages and plain data. */
  constructor(readonly limit: number) {}

  get marks(): readonly Mark[] {
    return this.#marks;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(mark: Mark): void {
    const last = this.#marks.at(-1);
    this.#marks.push(mark);
    this.#bytes += STATE_BYTES + newPages(mark, last) * PAGE_SIZE;
    while (this.#bytes > this.limit && this.#marks.length > 2) {
      this.#drop();
      this.#bytes = measure(this.#marks);
    }
  }

  /** The last one from which a moment can be reached by going on. */
  before(holds: (mark: Mark) => boolean): Mark | undefined {
    return this.#marks.findLast(holds);
  }

  /** Nothing of what came after this many steps is so any more. */
  forgetAfter(steps: number, cycle: number): void {
    this.#marks = this.#marks.filter((mark) => mark.steps <= steps && mark.cycle <= cycle);
    this.#bytes = measure(this.#marks);
  }

  #drop(): void {
    const marks = this.#marks;
    const now = marks.at(-1)!.steps;
    let [least, at] = [Infinity, 1];
    for (let i = 1; i < marks.length - 1; i++) {
      const weight = (marks[i + 1]!.steps - marks[i - 1]!.steps) / (now - marks[i]!.steps + 1);
      if (weight < least) [least, at] = [weight, i];
    }
    marks.splice(at, 1);
  }
}

/** Pages of a snapshot that another does not share. */
function newPages({ snapshot }: Mark, other: Mark | undefined): number {
  let count = 0;
  for (const [i, chunk] of snapshot.memory.chunks.entries()) {
    const before = other?.snapshot.memory.chunks[i];
    if (chunk === before) continue;
    chunk.forEach((page, j) => (count += page && page !== before?.[j] ? 1 : 0));
  }
  return count;
}

/** The bytes of all of them, what they share counted once. */
function measure(marks: readonly Mark[]): number {
  const [chunks, pages] = [new Set<unknown>(), new Set<Int32Array>()];
  for (const { snapshot } of marks) {
    for (const chunk of snapshot.memory.chunks) {
      if (chunks.has(chunk)) continue;
      chunks.add(chunk);
      for (const page of chunk) if (page) pages.add(page);
    }
  }
  return marks.length * STATE_BYTES + pages.size * PAGE_SIZE;
}
