import fc from 'fast-check';
import { extract, type Field, type Instruction } from '../../src/isa/spec.js';

/** Values of a field, as `extract` gives them. */
export function fieldValues({ width, kind }: Field): fc.Arbitrary<number> {
  if (kind === 'signed') return fc.integer({ min: -(2 ** (width - 1)), max: 2 ** (width - 1) - 1 });
  return fc.integer({ min: 0, max: 2 ** width - 1 });
}

/** Values of all fields of an instruction, any that can be encoded. */
export const anyFields = (instruction: Instruction): fc.Arbitrary<Record<string, number>> =>
  fc.record(Object.fromEntries(instruction.fields.map((f) => [f.name, fieldValues(f)])));

type Fields = Readonly<Record<string, number>>;

const updates = /^(l|st)(bz?|hz?|ha|wz?)ux?$/;

/** Is this one of the invalid forms that the processor refuses as illegal? Written apart from the definitions. */
export function isRefused({ name }: Instruction, { rt = 0, ra = 0, rb = 0, nb = 0, bo = 0 }: Fields): boolean {
  if (updates.test(name)) return ra === 0 || (name.startsWith('l') && ra === rt);
  if (name === 'lswi') return (ra - rt + 32) % 32 < ((nb || 32) + 3) >> 2;
  if (name === 'lswx') return ra === rt || rb === rt;
  return name === 'bcctr' && (bo & 4) === 0; // it cannot count in CTR as well
}

const branchOptions = [0, 2, 4, 8, 10, 12, 16, 18, 20];

/** Is this a form with a meaning, which an outside assembler takes too? Reserved bits do not count: `asm` leaves them 0. */
export function isDefined(instruction: Instruction, f: Fields): boolean {
  const { name } = instruction;
  const { rt = 0, ra = 0, bo = 0, ws = 0, spr = 0, lev = 0, mo = 0 } = f;
  if (isRefused(instruction, f)) return false;
  if (name === 'lmw') return ra < rt;
  if (name.startsWith('bc')) return branchOptions.includes(bo);
  if (name === 'tlbre' || name === 'tlbwe') return ws <= 2;
  if (name === 'mftb') return spr === 268 || spr === 269;
  if (name === 'sc') return lev === 0;
  return name !== 'mbar' || mo === 0;
}

/** The fields of a word that has the instruction's fixed bits. */
export const fieldsOf = ({ fields }: Instruction, word: number): Fields =>
  Object.fromEntries(fields.map((f) => [f.name, extract(word, f)]));
