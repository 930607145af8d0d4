import { decodeTableOf, ILLEGAL } from '../../isa/decode.js';
import { insert, type Field, type Instruction, type InvalidForm } from '../../isa/spec.js';
import * as access from '../access.js';
import type { Core } from '../core.js';
import * as floatArithmetic from '../float-arithmetic.js';
import * as floatCompare from '../float-compare.js';
import * as floatStorage from '../float-storage.js';
import * as fpscr from '../fpscr.js';
import * as supervisor from '../supervisor.js';
import type { Trap } from '../trap.js';
import { JsEmitter, type EmittedField, type Surroundings } from './emit-js.js';
import { mask } from './mask.js';

/** Instructions printed as JavaScript, and what the text calls: what the interpreters in JavaScript are made of. */

/** An instruction with its one-bit options (Rc, OE, LK) known; those bits are among the eleven that decoding looks at. */
export interface Variant {
  readonly instruction: Instruction;
  readonly options: Readonly<Record<string, number>>;
}

const OPTION_NAMES = ['rc', 'oe', 'lk'];
const isOption = (f: Field): boolean => OPTION_NAMES.includes(f.name) && f.width === 1 && f.shift < 11;

/** Places of a decoding table with the same primary opcode. */
const BUCKET = 2048;

/** From a decoding index to a variant's number; numbers are dense so that V8 makes a jump table of the switch. */
export function listVariants(instructions: readonly Instruction[]): { variants: Variant[]; table: Uint16Array } {
  const variants: Variant[] = [];
  const optionsOf = instructions.map(({ fields }) => fields.filter(isOption));
  const numbers = instructions.map((): number[] => []); // by the values of its options, each a bit
  const table = decodeTableOf(instructions).slice();
  const variantAt = (index: number): number => {
    const number = table[index]!;
    if (number === ILLEGAL) return 0;
    const options = optionsOf[number]!;
    let values = 0;
    for (const { shift } of options) values = values * 2 + ((index >>> shift) & 1);
    return (numbers[number]![values] ??= variants.push({
      instruction: instructions[number]!,
      options: Object.fromEntries(options.map((f) => [f.name, (index >>> f.shift) & 1])),
    }));
  };
  // A bucket repeats after as many places as the last bits are told apart by that anything in it looks at
  const lookedAt = new Int32Array(table.length / BUCKET);
  instructions.forEach(({ match, mask }, number) => {
    lookedAt[match >>> 26]! |= (mask & (BUCKET - 1)) | optionsOf[number]!.reduce((all, f) => all | (1 << f.shift), 0);
  });
  lookedAt.forEach((bits, opcode) => {
    const first = opcode * BUCKET;
    const period = 1 << (32 - Math.clz32(bits));
    for (let index = first; index < first + period; index++) table[index] = variantAt(index);
    for (let done = period; done < BUCKET; done *= 2) table.copyWithin(first + done, first, first + done);
  });
  return { variants, table };
}

/** In a function of its own an instruction gives its next pc, or 1 after a trap. */
export const inFunction: Surroundings = { publish: '', abort: 'return 1;', tables: false, refresh: '' };

export function emit({ instruction, options }: Variant, surroundings: Surroundings): JsEmitter {
  const emitter = new JsEmitter(surroundings);
  const fields = Object.fromEntries(
    instruction.fields.map((f): [string, EmittedField] => [f.name, options[f.name] ?? extraction(f)]),
  );
  instruction.meaning(emitter, fields);
  return emitter;
}

function extraction({ shift, width, kind }: Field): string {
  const left = 32 - shift - width;
  if (kind === 'signed') return `(w << ${left} >> ${left + shift})`;
  if (kind === 'split') return `(w >>> ${shift} & 31) << 5 | (w >>> ${shift + 5} & 31)`;
  return `(w >>> ${shift} & ${2 ** width - 1})`;
}

/** Fixed bits that the decoding index does not cover. */
const leftOver = ({ mask }: Instruction): number => mask & 0x03fff800;

/** When `w` is refused though the decoding index has led to the instruction: conditions, of which any one is enough. */
export function refusals(instruction: Instruction): string[] {
  const fixed = leftOver(instruction);
  const otherBits = fixed ? [`(w & ${fixed}) !== ${(instruction.match & fixed) | 0}`] : [];
  return [...otherBits, ...instruction.invalid.map((form) => invalidity(form, instruction))];
}

/** The condition under which `w` is of an invalid form. */
function invalidity(form: InvalidForm, { fields }: Instruction): string {
  const field = (name: string): Field => fields.find((f) => f.name === name)!;
  const value = (name: string): string => extraction(field(name));
  switch (form.kind) {
    case 'clear':
      return `(w & ${insert(form.bits, field(form.field))}) === 0`;
    case 'equal':
      return `${value(form.fields[0])} === ${value(form.fields[1])}`;
    case 'loaded':
      return `(${value(form.register)} - ${value(form.first)} & 31) < ((${value(form.bytes)} || 32) + 3 >> 2)`;
  }
}

const constants: Readonly<Record<string, Trap>> = {
  ILLEGAL_INSTRUCTION: { kind: 'program', cause: 'illegal' },
  PRIVILEGED: { kind: 'program', cause: 'privileged' },
  TRAP: { kind: 'program', cause: 'trap' },
  FP_UNAVAILABLE: { kind: 'fp-unavailable' },
};

/** The high word of a 64-bit product, by halves: no partial sum exceeds 2^53. */
function highUnsigned(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle % 65536);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) | 0;
}

const helpers = {
  masks: Int32Array.from({ length: 1024 }, (_, i) => mask(i >>> 5, i & 31)),
  /** mtcrf's mask: four ones for each one of FXM. */
  fieldMask: (fxm: number): number =>
    [0, 1, 2, 3, 4, 5, 6, 7].reduce((all, i) => all | (fxm & (1 << i) ? 15 << (4 * i) : 0), 0),
  highSigned: (a: number, b: number): number => (highUnsigned(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0,
  highUnsigned,
  /** tw, twi: TO asks for less, greater, equal, logically less, logically greater. */
  trapCondition: (to: number, a: number, b: number): boolean =>
    ((to & 16) !== 0 && a < b) ||
    ((to & 8) !== 0 && a > b) ||
    ((to & 4) !== 0 && a === b) ||
    ((to & 2) !== 0 && a >>> 0 < b >>> 0) ||
    ((to & 1) !== 0 && a >>> 0 > b >>> 0),
};

/** What instructions call that are not printed in full. */
const operations = { ...access, ...supervisor, ...floatArithmetic, ...floatCompare, ...floatStorage, ...fpscr };

/** What the text of instructions may name. */
const scope: Readonly<Record<string, unknown>> = { ops: operations, ...constants, ...helpers };

/** The value of a JavaScript expression in which instructions are printed. `more`: other names that it uses. */
export function evaluate(source: string, more: Readonly<Record<string, unknown>> = {}): unknown {
  const names = { ...scope, ...more };
  return new Function(...Object.keys(names), `return ${source}`)(...Object.values(names));
}

/** Runs one instruction on the state words: its word and address; gives the next pc, or 1 after a trap. */
export type InstructionFunction = (core: Core, s: Int32Array, w: number, pc: number) => number;
