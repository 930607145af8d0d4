import type { Core } from '../../cpu/core.js';
import { R, S, type SystemRegister } from '../../cpu/state.js';
import { TLB_ENTRIES, TLB_WORDS, type Tlb } from '../../mmu/tlb.js';
import type { RegisterFile } from '../registers.js';

/** A register of the program's that is another now. Values are unsigned. */
export interface RegisterChange {
  /** As the manual has it: `MSR`, `r9`, `SRR0`. */
  readonly name: string;
  readonly before: number;
  readonly after: number;
}

/** The three words and the TID of a TLB entry. */
export type EntryWords = readonly [number, number, number, number];

/** A TLB entry that is another now. */
export interface EntryChange {
  readonly entry: number;
  readonly before: EntryWords;
  readonly after: EntryWords;
}

/** What something did to a processor. */
export interface Changes {
  readonly registers: readonly RegisterChange[];
  readonly tlb: readonly EntryChange[];
}

interface Watched {
  readonly word: number;
  readonly name: string;
}

/** The pc is not among them: where the program goes on is told by itself. */
// prettier-ignore
const userRegisters: readonly Watched[] = [
  ...Array.from({ length: 32 }, (_, i) => ({ word: R.GPR + i, name: `r${i}` })),
  { word: R.LR, name: 'LR' }, { word: R.CTR, name: 'CTR' }, { word: R.CR, name: 'CR' }, { word: R.XER, name: 'XER' },
  { word: R.USPRG0, name: 'USPRG0' }, { word: R.SPRG4, name: 'SPRG4' }, { word: R.SPRG5, name: 'SPRG5' },
  { word: R.SPRG6, name: 'SPRG6' }, { word: R.SPRG7, name: 'SPRG7' }, { word: R.FPSCR, name: 'FPSCR' },
];

const systemRegisters: readonly Watched[] = (Object.keys(S) as SystemRegister[])
  .filter((name) => name !== 'waitingMachineCheck')
  .map((name) => ({ word: S[name], name: name.toUpperCase() }));

const wordsOf = (tlb: Int32Array, entry: number): EntryWords => {
  const at = 4 * entry;
  return [tlb[at]! >>> 0, tlb[at + 1]! >>> 0, tlb[at + 2]! >>> 0, tlb[at + 3]!];
};

/** The entries of a TLB that differ from a copy of its words. */
export function entryChanges({ words }: Tlb, copy: Int32Array): EntryChange[] {
  const changes: EntryChange[] = [];
  for (let entry = 0; entry < TLB_ENTRIES; entry++) {
    const at = 4 * entry;
    const same = [0, 1, 2, 3].every((n) => words[at + n] === copy[at + n]);
    if (!same) changes.push({ entry, before: wordsOf(copy, entry), after: wordsOf(words, entry) });
  }
  return changes;
}

/** A processor's registers and TLB as they were, to be compared with what they are. Used again and again. */
export class StateCopy {
  readonly #user = new Int32Array(R.SYSTEM);
  readonly #system = new Int32Array(systemRegisters.length + 1);
  readonly #tlb = new Int32Array(TLB_WORDS);
  /** A register that counts by itself, if the next instruction writes it. */
  #timer: RegisterChange | undefined;

  take(core: Core, registers: RegisterFile, timer?: 'dec' | 'tbl' | 'tbu'): void {
    this.#user.set(core.regs.words.subarray(0, this.#user.length));
    this.#system.set(core.system.words.subarray(0, this.#system.length));
    this.#tlb.set(core.system.tlb.words);
    const value = timer ? registers.get(timer) : 0;
    this.#timer = timer && { name: timer.toUpperCase(), before: value, after: value };
  }

  /** A general register as it was, unsigned. */
  gpr(number: number): number {
    return this.#user[R.GPR + number]! >>> 0;
  }

  compare(core: Core, registers: RegisterFile): Changes {
    const changed = (all: readonly Watched[], before: Int32Array, now: Int32Array): RegisterChange[] =>
      all
        .filter(({ word }) => before[word] !== now[word])
        .map(({ word, name }) => ({ name, before: before[word]! >>> 0, after: now[word]! >>> 0 }));
    const timer = this.#timer && { ...this.#timer, after: registers.get(this.#timer.name.toLowerCase()) };
    return {
      registers: [
        ...changed(systemRegisters, this.#system, core.system.words),
        ...(timer ? [timer] : []),
        ...changed(userRegisters, this.#user, core.regs.words),
      ],
      tlb: entryChanges(core.system.tlb, this.#tlb),
    };
  }
}
