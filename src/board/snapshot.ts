import type { Clock } from '../bus/clock.js';
import type { AddressMap } from '../bus/bus.js';
import { MemoryImages, type MemoryImage } from '../bus/memory-image.js';
import type { Ram } from '../bus/memory.js';
import type { Core } from '../cpu/core.js';
import { encodeState } from './state-text.js';

/** A machine whose state can be kept and brought back: plain data, and memory. */
export interface Snapshotable {
  readonly clock: Clock;
  readonly board: { readonly bus: { readonly ram: AddressMap<Ram> } };
  /** All processors there are, virtual ones too. */
  readonly cores: readonly Core[];
  /** Everything that decides what happens next but memory, as plain data that nobody else holds. */
  save(): unknown;
  /** Take over what was saved; memory is brought back before. */
  restore(saved: never): void;
}

/** A machine at one moment. It never changes. */
export interface Snapshot {
  /** The clock then. */
  readonly cycle: number;
  readonly state: unknown;
  readonly memory: MemoryImage;
}

/**
 * Takes snapshots of a machine and brings it back to them; between two calls of its `run` only. What a snapshot shares with the
 * one before takes no memory again. Taking one leaves no trace in the run.
 */
export class Snapshots {
  readonly #images: MemoryImages;

  constructor(private readonly machine: Snapshotable) {
    this.#images = new MemoryImages(machine.board.bus.ram.regions);
  }

  take(): Snapshot {
    const { machine } = this;
    const memory = this.#images.take();
    this.#forgetPages();
    return { cycle: machine.clock.now, state: structuredClone(machine.save()), memory };
  }

  restore({ state, memory }: Snapshot): void {
    this.#images.put(memory);
    this.machine.restore(structuredClone(state) as never);
    this.#forgetPages();
  }

  /** The first store to a page from here on is to be seen. */
  #forgetPages(): void {
    for (const { lookaside } of this.machine.cores) lookaside.forgetWritable();
  }
}

/** A machine as it is, for whoever wants only this one; images of memory that others take are not touched. */
export const snapshotOf = (machine: Snapshotable): Snapshot => ({
  cycle: machine.clock.now,
  state: structuredClone(machine.save()),
  memory: new MemoryImages(machine.board.bus.ram.regions).copy(),
});

/** A number for all that a snapshot holds, as 16 hexadecimal digits: of two that differ it is another one, all but surely. */
export function stateHash({ state, memory }: Pick<Snapshot, 'state' | 'memory'>): string {
  const text = encodeState(state);
  const words = Int32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  let [high, low] = hashWords(words, 0);
  for (const [number, page] of memory.pages()) {
    const [h, l] = pageHash(page);
    high = mix(high ^ h, number);
    low = mix(low ^ l, ~number);
  }
  const digits = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
  return digits(high) + digits(low);
}

const known = new WeakMap<Int32Array, readonly [number, number]>();

function pageHash(page: Int32Array): readonly [number, number] {
  const before = known.get(page);
  if (before) return before;
  const hash = hashWords(page, 1);
  known.set(page, hash);
  return hash;
}

/** Two rounds of multiplication and shift, as MurmurHash3's finisher has them. */
function mix(hash: number, word: number): number {
  let h = Math.imul(hash ^ word, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) + 0x9e3779b9) | 0;
}

function hashWords(words: Int32Array, seed: number): [number, number] {
  let [high, low] = [seed, ~seed];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    high = mix(high, word);
    low = mix(low, (word << 16) | (word >>> 16));
  }
  return [high, low];
}
