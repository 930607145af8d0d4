import { instructions } from './instructions.js';
import { insert, type Instruction } from './spec.js';

const byName = new Map(instructions.map((i) => [i.name, i]));

/** The definition of a mnemonic as `insn` names it; throws if there is none. */
export function instructionNamed(name: string): Instruction {
  const found = byName.get(name);
  if (!found) throw new Error(`no instruction is called '${name}'`);
  return found;
}

/** An instruction word from field values: `asm('addi', { rt: 3, ra: 0, si: 5 })`. Fields left out are 0. */
export function asm(name: string, values: Readonly<Record<string, number>> = {}): number {
  const { match, fields } = instructionNamed(name);
  const unknown = Object.keys(values).find((key) => !fields.some((f) => f.name === key));
  if (unknown !== undefined) throw new Error(`${name} has no field '${unknown}'`);
  return fields.reduce((word, f) => (word | insert(values[f.name] ?? 0, f)) >>> 0, match);
}
