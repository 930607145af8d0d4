import fc from 'fast-check';
import type { Field, Instruction } from '../../src/isa/spec.js';

/** Values of a field, as `extract` gives them. */
export function fieldValues({ width, kind }: Field): fc.Arbitrary<number> {
  if (kind === 'signed') return fc.integer({ min: -(2 ** (width - 1)), max: 2 ** (width - 1) - 1 });
  return fc.integer({ min: 0, max: 2 ** width - 1 });
}

/** Values of all fields of an instruction, any that can be encoded. */
export const anyFields = (instruction: Instruction): fc.Arbitrary<Record<string, number>> =>
  fc.record(Object.fromEntries(instruction.fields.map((f) => [f.name, fieldValues(f)])));

// The manual's invalid forms: they decode, and what they do is undefined. An outside assembler refuses them.
const updates = /^(l|st)(b|h|ha|w)u(x?)$/;
const branchOptions = { bc: [0, 2, 4, 8, 10, 12, 16, 18, 20], bcctr: [4, 12, 20] };

/** Is this a form that the manual defines? Reserved bits do not count: `asm` leaves them 0. */
export function isValidForm({ name }: Instruction, f: Readonly<Record<string, number>>): boolean {
  const { rt = 0, ra = 0, rb = 0, nb = 0, bo = 0, ws = 0, spr = 0, lev = 0, mo = 0 } = f;
  if (updates.test(name)) return ra !== 0 && !(name.startsWith('l') && ra === rt);
  if (name === 'lmw') return ra < rt;
  if (name === 'lswi') return ra !== 0 && (ra - rt + 32) % 32 >= ((nb || 32) + 3) >> 2;
  if (name === 'lswx') return ra !== rt && rb !== rt;
  if (/^bca?$|^bclr$/.test(name)) return branchOptions.bc.includes(bo);
  if (name === 'bcctr') return branchOptions.bcctr.includes(bo);
  if (name === 'tlbre' || name === 'tlbwe') return ws <= 2;
  if (name === 'mftb') return spr === 268 || spr === 269;
  if (name === 'sc') return lev === 0;
  if (name === 'mbar') return mo === 0;
  return true;
}
