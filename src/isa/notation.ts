import { extract, form, type FieldNames, type Form } from './spec.js';

/**
 * A way to write words that goes before the definitions': a simplified mnemonic, or a word that this processor does not
 * run. Here `.` in an encoding says that the text takes no notice of the bit.
 */
export interface Notation extends Form {
  /** Whether a word with the fixed bits is written so, by the values of its fields. */
  readonly when: (values: Readonly<Record<string, number>>) => boolean;
}

/**
 * Define a notation. The syntax names the encoding's fields; what is in brackets is left out where all fields in it are
 * 0, and `31-me` is a difference. `operands.ts` says how each is written.
 */
export function notation<const Encoding extends string>(
  name: string,
  encoding: Encoding,
  syntax = '',
  when: (values: Readonly<Record<FieldNames<Encoding>, number>>) => boolean = () => true,
): Notation {
  return { ...form(name, encoding, syntax), when };
}

/** The values of a form's fields in a word. */
export function valuesOf({ fields }: Form, word: number): Readonly<Record<string, number>> {
  const values: Record<string, number> = {};
  for (const field of fields) values[field.name] = extract(word, field);
  return values;
}

/** Whether a word is written so. */
export const fits = (candidate: Notation, word: number): boolean =>
  (word & candidate.mask) >>> 0 === candidate.match && candidate.when(valuesOf(candidate, word));

/** A number of so many bits, as an encoding takes it. */
export const bits = (value: number, width: number): string => value.toString(2).padStart(width, '0');
