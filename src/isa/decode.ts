import { instructions } from './instructions.js';
import type { Instruction } from './spec.js';

/** Number of the words that are no instruction. */
export const ILLEGAL = instructions.length;

/**
 * From a word to the number of its instruction (its place in `instructions`) in one look-up: the index is the primary
 * opcode and the word's last eleven bits. Instructions of one bucket that differ elsewhere are told apart by `mask`.
 */
export const decodeTable = buildTable();

function buildTable(): Uint16Array {
  const table = new Uint16Array(64 * 2048).fill(ILLEGAL);
  const low = 0x7ff;
  instructions.forEach((instruction, number) => {
    const free = ~instruction.mask & low;
    const base = ((instruction.match >>> 26) << 11) | (instruction.match & low);
    for (let bits = free; ; bits = (bits - 1) & free) {
      const index = base | bits;
      const taken = table[index]!;
      if (taken !== ILLEGAL) throw new Error(`${instruction.name} and ${instructions[taken]!.name} share an encoding`);
      table[index] = number;
      if (bits === 0) break;
    }
  });
  return table;
}

/** The place in `decodeTable` of a word. */
export const decodeIndex = (word: number): number => ((word >>> 26) << 11) | (word & 0x7ff);

/** The instruction that a word is, or undefined. */
export function decode(word: number): Instruction | undefined {
  const instruction = instructions[decodeTable[decodeIndex(word)]!];
  return instruction && (word & instruction.mask) >>> 0 === instruction.match ? instruction : undefined;
}
