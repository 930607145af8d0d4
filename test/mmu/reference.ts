import fc from 'fast-check';
import type { Use } from '../../src/mmu/tlb.js';

/**
 * Address translation as the text and Tables 5-2 and 5-3 of the PPC440x5 User's Manual ("Memory Management") have it, on
 * strings of bits and one rule at a time, so that it shares nothing with the code it is compared with.
 */
export interface Entry {
  /** Words 0, 1, 2 as given to tlbwe, and the TID. */
  readonly words: readonly [number, number, number];
  readonly tid: number;
}

export interface Lookup {
  readonly address: number;
  readonly space: 0 | 1;
  readonly pid: number;
  readonly user: boolean;
  readonly use: Use;
}

export type Answer = 'miss' | 'forbidden' | { readonly entry: number; readonly real: number };

const bits = (value: number, width: number): string => (value >>> 0).toString(2).padStart(width, '0');

/** Table 5-2: how many leading bits of address and EPN are compared. The other sizes are not supported. */
const comparedBits: Readonly<Record<string, number>> = {
  '0000': 22,
  '0001': 20,
  '0010': 18,
  '0011': 16,
  '0100': 14,
  '0101': 12,
  '0111': 8,
  '1001': 4,
};

/** Bits of word 2, in the manual's numbering. */
const permissionBit: Readonly<Record<Use, readonly [user: number, supervisor: number]>> = {
  execute: [26, 29],
  write: [27, 30],
  read: [28, 31],
};

function matches({ words, tid }: Entry, { address, space, pid }: Lookup): boolean {
  const word0 = bits(words[0], 32);
  const n = comparedBits[word0.slice(24, 28)];
  return (
    word0[22] === '1' &&
    word0[23] === String(space) &&
    (tid === 0 || tid === pid) &&
    n !== undefined &&
    word0.slice(0, n) === bits(address, 32).slice(0, n)
  );
}

function real({ words }: Entry, address: number): number {
  const n = comparedBits[bits(words[0], 32).slice(24, 28)]!;
  const word1 = bits(words[1], 32);
  return parseInt(word1.slice(28) + word1.slice(0, n) + bits(address, 32).slice(n), 2);
}

/** What the entries make of an access. Where several match, which the manual forbids, the one with the lowest number. */
export function translate(entries: readonly (Entry | undefined)[], lookup: Lookup): Answer {
  const entry = entries.findIndex((candidate) => candidate && matches(candidate, lookup));
  if (entry < 0) return 'miss';
  const [user, supervisor] = permissionBit[lookup.use];
  const found = entries[entry]!;
  if (bits(found.words[2], 32)[lookup.user ? user : supervisor] !== '1') return 'forbidden';
  return { entry, real: real(found, lookup.address) };
}

export const sizeOf = (field: number): number => 2 ** (32 - (comparedBits[bits(field, 4)] ?? 32));

const uint32 = fc.nat(0xffffffff);
const use = fc.constantFrom<Use>('execute', 'read', 'write');
const tid = fc.oneof(fc.constant(0), fc.constantFrom(1, 2, 255), fc.nat(255));
const size = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 9), fc.nat(15));

/** Any entry, its reserved bits and the unused bits of its page numbers included. */
export const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    epn: uint32,
    valid: fc.nat(7),
    space: fc.nat(1),
    size,
    word1: fc.oneof(
      uint32,
      uint32.map((w) => w & ~0xf),
    ),
    word2: uint32,
    tid,
  })
  .map((e) => ({
    words: [
      ((e.epn & 0xfffffc00) | (e.valid > 0 ? 0x200 : 0) | (e.space << 8) | (e.size << 4)) >>> 0,
      e.word1,
      e.word2,
    ],
    tid: e.tid,
  }));

/** An access that often falls into one of the entries, and often just beside it in one respect. */
export function lookupNear(entries: readonly Entry[]): fc.Arbitrary<Lookup> {
  return fc.constantFrom(...entries).chain(({ words, tid }) => {
    const bytes = Math.max(sizeOf((words[0] >>> 4) & 15), 1024);
    const page = Math.floor(words[0] / bytes);
    const space = (words[0] & 0x100 ? 1 : 0) as 0 | 1;
    const address = fc.tuple(fc.constantFrom(0, 0, 0, 0, -1, 1), fc.nat(bytes - 1));
    return fc.record({
      address: fc.oneof(
        { arbitrary: address.map(([beside, offset]) => ((page + beside) * bytes + offset) >>> 0), weight: 9 },
        { arbitrary: uint32, weight: 1 },
      ),
      space: fc.constantFrom<0 | 1>(space, space, space, (1 - space) as 0 | 1),
      pid: fc.oneof(
        { arbitrary: fc.constant(tid), weight: 3 },
        { arbitrary: fc.constantFrom(0, 1, 2, 255), weight: 1 },
      ),
      user: fc.boolean(),
      use,
    });
  });
}
