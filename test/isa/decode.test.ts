import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { asm, instructionNamed } from '../../src/isa/assemble.js';
import { decode } from '../../src/isa/decode.js';
import { disassemble } from '../../src/isa/disassemble.js';
import type { Instruction } from '../../src/isa/spec.js';
import { shared, testWith } from '../tools.js';
import { fieldsOf } from './words.js';

// prettier-ignore
const reserved: readonly [word: number, why: string][] = [
  [0x00000000, 'primary opcode 0, which the architecture keeps illegal for ever'],
  [0x08000000, 'tdi, 64-bit'],
  [0x78000000, 'rldicl, 64-bit'],
  [0xe8000000, 'ld, 64-bit'],
  [0x7c0002a4, 'opcode 31 with an extended opcode that nothing has'],
  [0x4c0007fe, 'opcode 19 with one that nothing has'],
  [0x7c0000a8, 'ldarx, 64-bit'],
  [0x7c60212c, 'stwcx. without its record bit'],
  [0x7c001194, 'addze with a second register'],
];

test.each(reserved.map(([word, why]) => [word.toString(16), why, word] as const))(
  '%s is no instruction: %s',
  (_, _why, word) => {
    expect(decode(word)).toBeUndefined();
    expect(disassemble(word)).toBe(`.long 0x${word.toString(16)}`);
  },
);

test('branch targets wrap at both ends of the address space', () => {
  expect(disassemble(asm('b', { li: -2 }), 0)).toBe('b 0xfffffff8');
  expect(disassemble(asm('b', { li: 2 }), 0xfffffffc)).toBe('b 0x4');
});

test('an instruction that programs seldom run is marked rare, and no common one is', () => {
  expect(['macchw', 'dlmzb', 'lswi', 'icread'].map((name) => instructionNamed(name).rare)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['addi', 'lwz', 'bc', 'rlwinm', 'stwu'].map((name) => instructionNamed(name).rare)).toEqual(
    Array(5).fill(false),
  );
});

/** Why a word that another implementation without FPU runs is no instruction here. */
function whyRefused(word: number): string | undefined {
  const [opcode, extended] = [word >>> 26, (word >>> 1) & 0x3ff];
  if (opcode === 31 && [150, 166, 262].includes(extended)) return 'not an instruction of the 440';
  if (opcode === 19 && (extended & 31) === 0) return 'that implementation decodes only part of mcrf’s extended opcode';
  return undefined;
}

/** Why a word that it refuses is one. */
function whyRun(instruction: Instruction, word: number): string | undefined {
  const { name } = instruction;
  if (name.startsWith('nop')) return 'a reserved no-op, which that implementation does not know';
  return asm(name, fieldsOf(instruction, word)) !== word ? 'reserved bits are set' : undefined;
}

const recorded = shared('vectors/decode.csv');

testWith(recorded)('the words recorded on another implementation are instructions here where they are there', () => {
  const rows = readFileSync(recorded!, 'utf8').trim().split('\n').slice(1);
  const counts: Record<string, number> = { checked: rows.length, agree: 0 };
  const wrong: string[] = [];
  for (const row of rows) {
    const [, hex, , result] = /^(\w+),"(.*)",[\w-]+,([\w-]+)$/.exec(row)!;
    const word = parseInt(hex!, 16);
    const instruction = decode(word);
    const same = (result === 'illegal') === (instruction === undefined);
    const why = same ? 'agree' : instruction ? whyRun(instruction, word) : whyRefused(word);
    if (why === undefined) wrong.push(`${row}: ${disassemble(word)}`);
    else counts[why] = (counts[why] ?? 0) + 1;
  }
  console.log('decode.csv:', counts);
  expect(wrong).toEqual([]);
  expect(rows.length).toBeGreaterThan(7000);
  expect(counts['agree']).toBeGreaterThan(0.98 * rows.length);
});
