import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asm, instructionNamed } from '../../src/isa/assemble.js';
import { decode, decodeIndex, decodeTable, ILLEGAL } from '../../src/isa/decode.js';
import { disassemble } from '../../src/isa/disassemble.js';
import { instructions } from '../../src/isa/instructions.js';
import { insert, insn, type Field } from '../../src/isa/spec.js';
import { run, testWith, tool } from '../tools.js';
import { anyFields, fieldsOf, isDefined, isRefused } from './words.js';

test.each(instructions.map((i) => [i.name, i] as const))('%s survives assembling and decoding', (name, instruction) => {
  fc.assert(
    fc.property(anyFields(instruction), (values) => {
      const word = asm(name, values);
      expect(decode(word)).toBe(isRefused(instruction, values) ? undefined : instruction);
      expect(fieldsOf(instruction, word)).toEqual(values);
    }),
    { numRuns: 50 },
  );
});

test('a word that has an instruction’s fixed bits is that instruction, whatever its ignored bits are', () => {
  for (const instruction of instructions) {
    const property = fc.property(fc.nat(0xffffffff), (noise) => {
      const word = (instruction.match | (noise & ~instruction.mask)) >>> 0;
      return decode(word) === (isRefused(instruction, fieldsOf(instruction, word)) ? undefined : instruction);
    });
    fc.assert(property, { numRuns: 30 });
  }
});

test('no two instructions have a word in common, and no two have a name in common', () => {
  const clashes = instructions.flatMap((a, i) =>
    instructions
      .slice(i + 1)
      .filter((b) => ((a.match ^ b.match) & a.mask & b.mask) === 0)
      .map((b) => `${a.name} and ${b.name}`),
  );
  expect(clashes).toEqual([]);
  expect(new Set(instructions.map((i) => i.name)).size).toBe(instructions.length);
});

test('the fields and fixed bits of an instruction do not overlap, and its syntax names its fields only', () => {
  const bits = (f: Field): number => insert(-1, f);
  for (const { name, mask, match, fields, syntax } of instructions) {
    let taken = mask;
    for (const field of fields) {
      expect(taken & bits(field), `${name} ${field.name}`).toBe(0);
      taken |= bits(field);
    }
    expect((match & ~mask) >>> 0, name).toBe(0);
    const names = fields.map((f) => f.name);
    expect(
      (syntax.match(/\w+/g) ?? []).filter((operand) => !names.includes(operand)),
      name,
    ).toEqual([]);
    const unwritten = names.filter(
      (field) => !['rc', 'oe', 'lk'].includes(field) && !new RegExp(`\\b${field}\\b`).test(syntax),
    );
    expect(unwritten, name).toEqual([]);
  }
});

test('one look-up in the decoding table agrees with a search through all definitions', () => {
  const opcodes = fc.constantFrom(0, 4, 16, 18, 19, 31, 31, 31, 60);
  const words = fc.oneof(
    fc.nat(0xffffffff),
    fc.tuple(opcodes, fc.nat(0x3ffffff)).map(([opcode, rest]) => ((opcode << 26) | rest) >>> 0),
  );
  const search = (word: number) =>
    instructions.find((i) => (word & i.mask) >>> 0 === i.match && !isRefused(i, fieldsOf(i, word)));
  fc.assert(
    fc.property(words, (word) => decode(word) === search(word)),
    { numRuns: 20_000 },
  );
  expect(decodeTable[decodeIndex(0)]).toBe(ILLEGAL);
  expect(decodeTable[decodeIndex(asm('addi'))]).toBe(instructions.indexOf(instructionNamed('addi')));
});

test('a register number’s halves are swapped in mfspr, mtspr, mfdcr, mtdcr and mftb, and nowhere else', () => {
  expect(asm('mfspr', { rt: 5, spr: 26 })).toBe(0x7cba02a6);
  expect(asm('mtspr', { rs: 5, spr: 272 })).toBe(0x7cb043a6);
  expect(asm('mfdcr', { rt: 3, dcr: 0x0c0 })).toBe(0x7c603286 - 0x0); // 0xc0 is 6 and 0
  const split = instructions.filter((i) => i.fields.some((f) => f.kind === 'split')).map((i) => i.name);
  expect(split).toEqual(['mfspr', 'mtspr', 'mftb', 'mfdcr', 'mtdcr']);
});

test('the assembler refuses a mnemonic and a field that do not exist', () => {
  expect(() => asm('addq')).toThrow("no instruction is called 'addq'");
  expect(() => asm('addi', { rd: 3 })).toThrow("addi has no field 'rd'");
});

test('an encoding that is not 32 bits long is refused where it is defined', () => {
  expect(() => insn('short', '011111 rt:5', 'rt', () => {})).toThrow('short: the encoding names 11 bits of 32');
  expect(() => insn('long', '011111 rt:5 ra:5 rb:5 0000000000 ..', '', () => {})).toThrow('names 33 bits of 32');
});

const objdump = tool('powerpc-linux-gnu-objdump');
const as = tool('powerpc-linux-gnu-as');

/** Each instruction several times, with random fields. */
const generated = instructions.flatMap((instruction) =>
  fc
    .sample(
      anyFields(instruction).filter((values) => isDefined(instruction, values)),
      { numRuns: 24, seed: 440 },
    )
    .map((values) => ({ instruction, word: asm(instruction.name, values) })),
);

async function withFile<T>(name: string, content: string | Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-isa-'));
  try {
    writeFileSync(join(folder, name), content);
    return await use(join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bigEndian(words: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, i) => bytes.writeUInt32BE(word, i * 4));
  return bytes;
}

testWith(objdump)('binutils writes every instruction as the disassembler does', async () => {
  const options = ['-D', '-b', 'binary', '-m', 'powerpc', '-EB', '-M', '440'];
  const { stdout } = await withFile('words.bin', bigEndian(generated.map((g) => g.word)), (path) =>
    run(objdump!, [...options, path]),
  );
  const lines = stdout
    .split('\n')
    .flatMap((line) => /^\s*[0-9a-f]+:\t(?:[0-9a-f]{2} ){4}\t(.*)$/.exec(line)?.[1] ?? []);
  expect(lines).toHaveLength(generated.length);
  const different = generated.flatMap(({ word }, i) => {
    const inside = disassemble(word, i * 4);
    const outside = lines[i]!.trim().replace(/\s+/g, ' ');
    return inside === outside ? [] : [`${word.toString(16)}: ${inside} | ${outside}`];
  });
  console.log(`binutils: ${generated.length} words of ${instructions.length} instructions, ${different.length} differ`);
  expect(different).toEqual([]);
});

testWith(as)('binutils’ assembler makes the same words of the text that the disassembler gives', async () => {
  const text = generated.map(({ word }) => `${disassemble(word)}\n`).join('');
  const object = await withFile('words.s', text, async (path) => {
    const { stderr } = await run(as!, ['-m440', '-mregnames', '-o', `${path}.o`, path]);
    expect(stderr).toBe('');
    return readFileSync(`${path}.o`);
  });
  const code = object.subarray(0x34); // behind the ELF header
  const different = generated.filter(({ word }, i) => code.readUInt32BE(i * 4) !== word);
  expect(different.map(({ word }) => disassemble(word))).toEqual([]);
});
