import { decoderOf } from './decode.js';
import { foreign } from './foreign.js';
import { instructions, optional } from './instructions.js';
import { fits, valuesOf, type Notation } from './notation.js';
import { operandWriter } from './operands.js';
import { onlySimplified, simplified } from './simplified.js';
import { insert, type Form, type Instruction, type Machine } from './spec.js';

/** A word as assembly text, in the two parts that listings put into columns. */
export interface AssemblyText {
  readonly mnemonic: string;
  /** Separated by commas without spaces; empty where there are none. */
  readonly operands: string;
}

/**
 * A word as binutils writes it for a 440 (`objdump -M440`): simplified mnemonics, branch targets as absolute addresses,
 * `.long 0x…` if it has no name. `address` is the word's own; `target` writes a branch target, by default as `0x…`.
 */
export function disassemble(word: number, address = 0, target = hexadecimal): string {
  const { mnemonic, operands } = assemblyText(word, address, target);
  return operands === '' ? mnemonic : `${mnemonic} ${operands}`;
}

/** What `disassemble` gives, with mnemonic and operands apart. */
export function assemblyText(word: number, address = 0, target = hexadecimal): AssemblyText {
  const form = notationOf(word) ?? definitionOf(word);
  if (!form) return { mnemonic: '.long', operands: hexadecimal(word >>> 0) };
  const values = valuesOf(form, word);
  const context = { address, absolute: values['aa'] === 1, target };
  return { mnemonic: mnemonicOf(form, values), operands: writerOf(form)(values, context) };
}

const hexadecimal = (value: number): string => `0x${value.toString(16)}`;

type Values = Readonly<Record<string, number>>;

/** Writers of operands, by syntax. */
const writers = new Map<string, ReturnType<typeof operandWriter>>();

function writerOf({ syntax }: Form): ReturnType<typeof operandWriter> {
  const writer = writers.get(syntax) ?? operandWriter(syntax);
  writers.set(syntax, writer);
  return writer;
}

/** What a 440 with all options runs. */
const defined = [...instructions, ...optional];
let decoder: ReturnType<typeof decoderOf> | undefined;
const decode = (word: number): Instruction | undefined => (decoder ??= decoderOf(defined))(word);

/** The notations that a word may have, by its primary opcode and the low half of what may be an extended one. */
const bucket = (word: number): number => ((word >>> 26) << 5) | ((word >>> 1) & 31);
const bucketBits = 0xfc00003e | 0;
const all = [...simplified, ...foreign];
/** Made for each bucket that is met. */
const notations: Notation[][] = [];

const notationOf = (word: number): Notation | undefined =>
  (notations[bucket(word)] ??= all.filter(({ match, mask }) => ((word ^ match) & mask & bucketBits) === 0)).find(
    (candidate) => fits(candidate, word),
  );

/** The definition of a word as it is written: that of an instruction whose ignored bits are 0. */
function definitionOf(word: number): Form | undefined {
  const instruction = decode(word);
  return instruction && (word & ignoredBits(instruction)) === 0 ? writtenAs(instruction) : undefined;
}

/** The bits of an instruction that are neither fixed nor in a field. */
const ignoredBits = ({ fields, mask }: Instruction): number =>
  fields.reduce((rest, field) => rest & ~insert(-1, field), ~mask);

/** Definitions for writing, made as they are met; null: it is never written. */
const written = new Map<Instruction, Form | null>();

/** Where the meaning takes (RA|0), register 0 is no register: its field is then `ra0`. */
function writtenAs(instruction: Instruction): Form | undefined {
  let form = written.get(instruction);
  if (form === undefined) {
    const plain = takesZeroForBase(instruction) ? withBaseOrZero(instruction) : instruction;
    form = onlySimplified.has(instruction.name) ? null : plain;
    written.set(instruction, form);
  }
  return form ?? undefined;
}

function takesZeroForBase({ meaning, fields }: Instruction): boolean {
  let takes = false;
  const listener = new Proxy({} as Machine<string, string>, {
    get: (_, word) => () => {
      takes ||= word === 'gprOrZero';
      return '';
    },
  });
  meaning(listener, Object.fromEntries(fields.map((f) => [f.name, f.name])));
  return takes;
}

/** The same with `ra` called `ra0`. */
function withBaseOrZero(form: Form): Form {
  const fields = form.fields.map((f) => (f.name === 'ra' ? { ...f, name: 'ra0' } : f));
  return { ...form, fields, syntax: form.syntax.replace(/\bra\b/, 'ra0') };
}

/** The name with its options: `addo.`, `bla`, `bdnzl+`. A + that is in the name already stays last. */
function mnemonicOf({ name }: Form, values: Values): string {
  const option = (field: string, letter: string): string => (values[field] === 1 ? letter : '');
  const options = `${option('oe', 'o')}${option('lk', 'l')}${option('aa', 'a')}${option('rc', '.')}`;
  return `${name.replace(/(\+?)$/, `${options}$1`)}${prediction(values)}`;
}

/** Branches with a bit for static prediction, which says the opposite of what a backward branch is predicted as otherwise. */
function prediction({ y, bd = 0 }: Values): string {
  if (y === undefined) return '';
  return (y === 1) === bd >= 0 ? '+' : '-';
}
