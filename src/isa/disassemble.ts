import { decode } from './decode.js';
import { findSpr } from './registers.js';
import { extract, type Field, type Instruction } from './spec.js';

/** A word as assembly text: `lwz r5,4(r3)`, branch targets as absolute addresses; `.long 0x…` if it is no instruction. */
export function disassemble(word: number, address = 0): string {
  const instruction = decode(word);
  if (!instruction) return `.long 0x${(word >>> 0).toString(16)}`;
  const operands = instruction.syntax
    .replace(/\w+/g, (name) => operand(instruction, name, word, address))
    .replaceAll(', ', ',');
  return `${instruction.name}${suffix(instruction, word)} ${operands}`.trim();
}

function operand(instruction: Instruction, name: string, word: number, address: number): string {
  const field = instruction.fields.find((f) => f.name === name);
  const value = field ? extract(word, field) : 0;
  if (/^r[tsab]$/.test(name)) return `r${value}`;
  if (/^bfa?$/.test(name)) return `cr${value}`;
  if (name === 'li' || name === 'bd') return target(instruction, value, address);
  if (name === 'spr') return findSpr(value)?.name.toLowerCase() ?? String(value);
  return String(value);
}

function target(instruction: Instruction, value: number, address: number): string {
  const absolute = instruction.name.endsWith('a');
  return `0x${(((absolute ? 0 : address) + value * 4) >>> 0).toString(16)}`;
}

function suffix(instruction: Instruction, word: number): string {
  const set = (name: string): boolean =>
    instruction.fields.some((f: Field) => f.name === name && extract(word, f) === 1);
  return `${set('oe') ? 'o' : ''}${set('lk') ? 'l' : ''}${set('rc') ? '.' : ''}`;
}
