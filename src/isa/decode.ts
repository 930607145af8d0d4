import { instructions } from './instructions.js';
import { extract, type Instruction, type InvalidForm } from './spec.js';

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

/** The instruction that a word is, or undefined where the processor refuses it as illegal. */
export function decode(word: number): Instruction | undefined {
  const instruction = instructions[decodeTable[decodeIndex(word)]!];
  if (!instruction || (word & instruction.mask) >>> 0 !== instruction.match) return undefined;
  return isInvalidForm(instruction, word) ? undefined : instruction;
}

/** Whether a word that has the instruction's fixed bits is one of its invalid forms. */
export const isInvalidForm = (instruction: Instruction, word: number): boolean =>
  instruction.invalid.some((form) => matches(form, instruction, word));

function matches(form: InvalidForm, { fields }: Instruction, word: number): boolean {
  const value = (name: string): number =>
    extract(
      word,
      fields.find((f) => f.name === name)!,
    );
  switch (form.kind) {
    case 'clear':
      return (value(form.field) & form.bits) === 0;
    case 'equal':
      return value(form.fields[0]) === value(form.fields[1]);
    case 'loaded':
      return ((value(form.register) - value(form.first)) & 31) < ((value(form.bytes) || 32) + 3) >> 2;
  }
}
