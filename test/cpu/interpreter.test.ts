import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { mask } from '../../src/cpu/engine/mask.js';
import { asm } from '../../src/isa/assemble.js';
import { execute, machine, mapped, put } from './machine.js';
import { root, run, testWith } from '../tools.js';

test('MASK(MB, ME) has ones from bit MB to bit ME, and round the end where MB is greater', () => {
  for (let begin = 0; begin < 32; begin++) {
    for (let end = 0; end < 32; end++) {
      const ones = Array.from({ length: 32 }, (_, i) =>
        begin <= end ? i >= begin && i <= end : i >= begin || i <= end,
      );
      const value = parseInt(ones.map(Number).join(''), 2);
      expect(mask(begin, end) >>> 0, `${begin} ${end}`).toBe(value);
    }
  }
});

test('the second reading of the definitions is called by another name', () => {
  expect([new Interpreter().name, new Interpreter({ inline: false }).name]).toEqual(['reference', 'out of line']);
});

test('a run stops exactly where it is told, and counts what it has retired', () => {
  const { core, ram, clock } = mapped();
  put(ram, 0x1000, Array<number>(100).fill(asm('addi', { rt: 3, ra: 3, si: 1 })));
  core.regs.pc = 0x1000;
  for (const cycles of [1, 2, 3, 0, 40]) core.run(cycles);
  expect([core.regs.gpr[3], clock.now, core.retired, core.regs.pc]).toEqual([46, 46, 46, 0x1000 + 4 * 46]);
});

test('code runs on over a page boundary into a page that lies elsewhere', () => {
  const { core, ram } = machine();
  const { tlb } = core.system;
  for (const [entry, ea, pa] of [
    [0, 0x20000000, 0x5000],
    [1, 0x20001000, 0x2000],
  ] as const) {
    tlb.write(entry, 0, ea | 0x210, 0);
    tlb.write(entry, 1, pa, 0);
    tlb.write(entry, 2, 0x3f, 0);
  }
  put(ram, 0x5ffc, [asm('addi', { rt: 3, si: 1 }), asm('addi', { rt: 3, si: 99 })]);
  put(ram, 0x2000, [asm('addi', { rt: 4, si: 2 })]);
  core.regs.pc = 0x20000ffc;
  core.run(2);
  expect([core.regs.gpr[3], core.regs.gpr[4], core.regs.pc]).toEqual([1, 2, 0x20001004]);
});

test('the pc wraps from the top of the address space to 0', () => {
  const m = mapped();
  const { tlb } = m.core.system;
  tlb.write(0, 0, 0xfffff210, 0);
  tlb.write(0, 1, 0x3000, 0);
  tlb.write(0, 2, 0x3f, 0);
  put(m.ram, 0x3ffc, [asm('addi', { rt: 3, si: 7 })]);
  m.core.regs.pc = 0xfffffffc;
  expect(m.core.step()).toBeNull();
  expect([m.core.regs.gpr[3], m.core.regs.pc]).toEqual([7, 0]);
});

test('a word that is no instruction is a program interrupt on it, and changes nothing', () => {
  const m = mapped();
  const before = m.core.regs.words.slice(0, 32);
  expect(execute(m, 0)).toEqual({ kind: 'program', cause: 'illegal' });
  expect([m.core.regs.words.slice(0, 32), m.core.regs.pc, m.core.retired]).toEqual([before, 0x1000, 0]);
});

const built = join(root, 'dist', 'cpu', 'engine', 'interpreter.js');
/** Runs the built interpreter's loop for no cycles at all: V8 then has compiled it. */
const compileLoop = `
  const { Interpreter } = await import(${JSON.stringify(built)});
  const tables = { execute: new Int32Array(1024), read: new Int32Array(1024), write: new Int32Array(1024) };
  const memory = { words: new Int32Array(4), halves: new Uint16Array(8), bytes: new Uint8Array(16) };
  new Interpreter().run({ regs: { words: new Int32Array(64) }, lookaside: { tags: tables, deltas: tables }, memory });
`;

testWith(existsSync(built) ? built : undefined)('the loop is small enough for V8 to optimise it', async () => {
  const flags = ['--print-bytecode', '--print-bytecode-filter=run', '--input-type=module', '-e', compileLoop];
  const { stdout, stderr } = await run(process.execPath, flags);
  expect(stderr).toBe('');
  const lengths = [...stdout.matchAll(/^Bytecode length: (\d+)$/gm)].map((m) => Number(m[1]));
  console.log(`the interpreter's loop is ${Math.max(...lengths)} of 61440 bytes that V8 optimises`);
  expect(Math.max(...lengths)).toBeGreaterThan(20_000); // it is the loop that was measured
  expect(Math.max(...lengths)).toBeLessThan(61_440); // --max-optimized-bytecode-size
});
