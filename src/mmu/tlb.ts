/**
 * The 440's 64-entry unified, software-managed TLB (PPC440x5 User's Manual, "Memory Management"). An entry is the three
 * words that tlbwe writes, and the TID that it takes from MMUCR[STID].
 */
export const TLB_ENTRIES = 64;
/** Words of state that a TLB needs: word 0, 1, 2 and TID of each entry. */
export const TLB_WORDS = TLB_ENTRIES * 4;

// prettier-ignore
export const word0 = { EPN: 0xfffffc00, V: 0x200, TS: 0x100, SIZE: 0xf0 } as const;
export const word1 = { RPN: 0xfffffc00, ERPN: 0xf } as const;
/** Storage attributes and permissions. */
// prettier-ignore
export const word2 = {
  U0: 0x8000, U1: 0x4000, U2: 0x2000, U3: 0x1000, W: 0x800, I: 0x400, M: 0x200, G: 0x100, E: 0x80,
  UX: 0x20, UW: 0x10, UR: 0x08, SX: 0x04, SW: 0x02, SR: 0x01,
} as const;
const WRITABLE = [word0.EPN | word0.V | word0.TS | word0.SIZE, word1.RPN | word1.ERPN, 0xffbf] as const;

export type Use = 'execute' | 'read' | 'write';
const userBit: Record<Use, number> = { execute: word2.UX, read: word2.UR, write: word2.UW };
const supervisorBit: Record<Use, number> = { execute: word2.SX, read: word2.SR, write: word2.SW };

/** The page sizes that exist, in bytes, by SIZE field: 1, 4, 16, 64, 256 KiB, 1, 16, 256 MiB. */
export const sizeFields: readonly number[] = [0, 1, 2, 3, 4, 5, 7, 9];
/** The bits that are in no page's offset. */
export const LARGEST_PAGE = -(1024 * 4 ** 9);
const pageSizes = Int32Array.from({ length: 16 }, (_, field) => (sizeFields.includes(field) ? 1024 * 4 ** field : 0));

/** The bytes that a SIZE field (0 to 15) stands for; reserved sizes map nothing and give 0. */
export const pageBytes = (field: number): number => pageSizes[field]!;

export class Tlb {
  /** `words` is the TLB's state: TLB_WORDS of them, an entry after another. */
  constructor(readonly words: Int32Array) {}

  /** One of the words 0, 1, 2 of an entry. */
  read(entry: number, word: number): number {
    return this.words[entry * 4 + word]!;
  }

  tid(entry: number): number {
    return this.words[entry * 4 + 3]!;
  }

  /** What tlbwe does: word 0 takes the TID along; bits that do not exist are dropped; words above 2 do nothing. */
  write(entry: number, word: number, value: number, tid: number): void {
    const writable = WRITABLE[word];
    if (writable === undefined) return;
    this.words[entry * 4 + word] = value & writable;
    if (word === 0) this.words[entry * 4 + 3] = tid & 0xff;
  }

  valid(entry: number): boolean {
    return (this.words[entry * 4]! & word0.V) !== 0;
  }

  /** First effective address of an entry's page, cut to its size. */
  base(entry: number): number {
    const size = this.bytes(entry);
    return (this.words[entry * 4]! & word0.EPN & -size) >>> 0;
  }

  bytes(entry: number): number {
    return pageBytes((this.words[entry * 4]! & word0.SIZE) >>> 4);
  }

  /** First real address (36 bits) of an entry's page. */
  realBase(entry: number): number {
    const word = this.words[entry * 4 + 1]!;
    return (word & word1.ERPN) * 2 ** 32 + ((word & word1.RPN & -this.bytes(entry)) >>> 0);
  }

  /** The entry that maps an effective address (32 bits) in an address space for a process, or -1. The lowest one wins. */
  find(address: number, space: number, pid: number): number {
    const { words } = this;
    const wanted = (address & LARGEST_PAGE) | word0.V | (space === 0 ? 0 : word0.TS);
    for (let entry = 0, at = 0; entry < TLB_ENTRIES; entry++, at += 4) {
      const first = words[at]!;
      if ((first ^ wanted) & (LARGEST_PAGE | word0.V | word0.TS)) continue; // nearly all of them
      const tid = words[at + 3]!;
      if (tid !== 0 && tid !== pid) continue;
      const size = pageBytes((first & word0.SIZE) >>> 4);
      if (size !== 0 && (((first & word0.EPN) ^ address) & -size) === 0) return entry;
    }
    return -1;
  }

  /**
   * Does an entry before this one map some of these addresses too, in the same space for the same process? Of several that
   * map an address `find` takes the first, so such a range cannot be remembered as a whole.
   */
  sharedBefore(entry: number, base: number, bytes: number, pid: number): boolean {
    for (let other = 0; other < entry; other++) {
      if (!this.valid(other) || (this.read(other, 0) ^ this.read(entry, 0)) & word0.TS) continue;
      if (this.tid(other) !== 0 && this.tid(other) !== pid) continue;
      if (this.base(other) < base + bytes && base < this.base(other) + this.bytes(other)) return true;
    }
    return false;
  }

  /**
   * The same for the 4 KiB page of an address that `find` gives this entry for: only smaller entries can map some of it
   * without mapping all, and be found for one address and not for another.
   */
  divides4KBefore(entry: number, base: number, pid: number): boolean {
    const { words } = this;
    for (let at = 0; at < entry * 4; at += 4) {
      if ((words[at]! & (word0.V | word0.SIZE)) === word0.V) return this.sharedBefore(entry, base, 4096, pid);
    }
    return false;
  }

  /** May a program use an entry's page like this? */
  allows(entry: number, use: Use, user: boolean): boolean {
    return (this.words[entry * 4 + 2]! & (user ? userBit : supervisorBit)[use]) !== 0;
  }

  /** The real address (36 bits) that an entry gives an effective address in its page. */
  real(entry: number, address: number): number {
    return this.realBase(entry) + ((address & (this.bytes(entry) - 1)) >>> 0);
  }
}
