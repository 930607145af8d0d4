import { instructions } from './instructions.js';
import { extract, type Instruction, type InvalidForm } from './spec.js';

/** The entry of a decoding table for words that are no instruction. */
export const ILLEGAL = 0xffff;

/** Tables are made once. */
const tables = new WeakMap<readonly Instruction[], Uint16Array>();

/**
 * From a word to the number of its instruction (its place in the list) in one look-up: the index is the primary opcode and
 * the word's last eleven bits. Instructions of one bucket that differ elsewhere are told apart by `mask`.
 */
export function decodeTableOf(list: readonly Instruction[]): Uint16Array {
  const known = tables.get(list);
  if (known) return known;
  const table = new Uint16Array(64 * 2048).fill(ILLEGAL);
  tables.set(list, table);
  const low = 0x7ff;
  const met = new Set<number>();
  list.forEach((instruction, number) => {
    const opcode = instruction.match >>> 26;
    const free = ~instruction.mask & low;
    const base = (opcode << 11) | (instruction.match & low);
    const share = (other: number): never => {
      throw new Error(`${instruction.name} and ${list[other]!.name} share an encoding`);
    };
    if (free === low && !met.has(opcode)) table.fill(number, base, base + low + 1);
    else {
      for (let bits = free; ; bits = (bits - 1) & free) {
        const index = base | bits;
        if (table[index] !== ILLEGAL) share(table[index]!);
        table[index] = number;
        if (bits === 0) break;
      }
    }
    met.add(opcode);
  });
  return table;
}

/** For the 440 without options. */
export const decodeTable = decodeTableOf(instructions);

/** The place in `decodeTable` of a word. */
export const decodeIndex = (word: number): number => ((word >>> 26) << 11) | (word & 0x7ff);

/** Tells what instruction of a list a word is; undefined where it is none of them, or an invalid form of one. */
export function decoderOf(list: readonly Instruction[], table = decodeTableOf(list)) {
  return (word: number): Instruction | undefined => {
    const instruction = list[table[decodeIndex(word)]!];
    if (!instruction || (word & instruction.mask) >>> 0 !== instruction.match) return undefined;
    return isInvalidForm(instruction, word) ? undefined : instruction;
  };
}

/** The instruction that a word is to a 440 without options, or undefined where it is refused as illegal. */
export const decode = decoderOf(instructions, decodeTable);

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
