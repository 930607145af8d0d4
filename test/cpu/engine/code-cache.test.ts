import { expect, test } from 'vitest';
import { Interpreter } from '../../../src/cpu/engine/interpreter.js';
import { Translator } from '../../../src/cpu/engine/translator.js';
import type { Engine } from '../../../src/cpu/engine/engine.js';
import { asm } from '../../../src/isa/assemble.js';
import { mapped, put } from '../machine.js';

const CODE = 0x1000;
const RAM = 0x100000;
const CYCLES = 500_000;

/** Run a program for so long; what it leaves. */
function outcome(engine: Engine, program: readonly number[], at = CODE, cycles = CYCLES) {
  const made = mapped({ engine, ram: RAM });
  put(made.ram, at, program);
  made.core.regs.pc = at;
  made.core.run(cycles);
  const { regs, retired } = made.core;
  return {
    ...made,
    state: { words: regs.save().words, retired, ram: Buffer.from(made.ram.slice(0, RAM)).toString('base64') },
  };
}

/** r3 counts; each time round the instruction in the middle is written anew, so that it adds another number. */
const rewrites = [
  asm('addi', { rt: 3, ra: 3, si: 1 }),
  asm('rlwinm', { rs: 3, ra: 4, sh: 0, mb: 20, me: 31 }),
  asm('addis', { rt: 5, ra: 4, si: 0x38c6 }), // addi r6, r6, r4
  asm('stw', { rs: 5, ra: 0, d: CODE + 24 }),
  asm('icbi', { ra: 0, rb: 0 }),
  asm('isync'),
  asm('addi', { rt: 6, ra: 6, si: 0 }),
  asm('b', { li: -7 & 0xffffff }),
];

/** The same by a store that begins in a word that is jumped over: the next one adds to r6 and to r7 in turn. r8 tells the order. */
const straddles = [
  asm('addi', { rt: 5, ra: 0, si: 0x38c6 }),
  asm('addi', { rt: 3, ra: 3, si: 1 }),
  asm('xori', { rs: 5, ra: 5, ui: 0x38c6 ^ 0x38e7 }),
  asm('b', { li: 2 }),
  0,
  asm('addi', { rt: 6, ra: 6, si: 1 }),
  asm('stw', { rs: 5, ra: 0, d: CODE + 18 }),
  asm('icbi', { ra: 0, rb: 0 }),
  asm('isync'),
  asm('add', { rt: 8, ra: 8, rb: 6 }),
  asm('b', { li: -9 & 0xffffff }),
];

/** 200 loops of some instructions in pages of their own, each gone round 300 times, over and over. */
function wanders(): number[] {
  const pages = 200;
  const words: number[] = Array.from({ length: (pages * 4096) / 4 }, () => asm('ori'));
  for (let page = 0; page < pages; page++) {
    const at = page * 1024;
    const code = [
      asm('addi', { rt: 7, ra: 0, si: 300 }),
      asm('mtspr', { spr: 9, rs: 7 }),
      asm('addi', { rt: 8, ra: 8, si: page }),
      asm('xor', { rs: 8, ra: 9, rb: 9 }),
      asm('bc', { bo: 16, bi: 0, bd: -2 }),
      asm('b', { li: (page === pages - 1 ? -(at + 5) : 1024 - 5) & 0xffffff }),
    ];
    code.forEach((word, i) => (words[at + i] = word));
  }
  return words;
}

test.each([
  ['writes its code anew for ever', rewrites],
  ['writes its code anew from the word before', straddles],
  ['goes everywhere', wanders()],
])('a guest that %s leaves the same as in the interpreter, however small the cache', (_, program) => {
  const expected = outcome(new Interpreter(), program).state;
  expect(expected.retired).toBe(CYCLES);
  for (const cache of [undefined, 64, 1]) {
    const engine = new Translator({ hot: 16, ...(cache !== undefined && { cache }) });
    const { core, state } = outcome(engine, program);
    expect(state).toEqual(expected);
    const [summary] = engine.show(core, CODE);
    const [, size, limit] = /code cache: (\d+) of (\d+) instructions/.exec(summary!)!.map(Number);
    expect(limit).toBe(cache ?? 2 ** 18);
    expect(size).toBeLessThanOrEqual(limit!);
  }
});

test('a small cache is emptied again and again by a guest that goes everywhere', () => {
  const engine = new Translator({ hot: 16, cache: 64 });
  const { core } = outcome(engine, wanders());
  expect(Number(/emptied (\d+) times/.exec(engine.show(core, CODE)[0]!)![1])).toBeGreaterThan(10);
});

test('translations that are gone do not pile up behind the table of functions: it is another one now and then', () => {
  const engine = new Translator({ eager: true });
  const cycles = 12_000; // 1500 times round, each with at least one module of its own
  const { core, state } = outcome(engine, rewrites, CODE, cycles);
  expect(state).toEqual(outcome(new Interpreter(), rewrites, CODE, cycles).state);
  const [summary] = engine.show(core, CODE);
  expect(Number(/linked anew (\d+)$/.exec(summary!)![1])).toBeGreaterThanOrEqual(5);
});

test('what is made of an address is shown as text, instruction by instruction', () => {
  const engine = new Translator();
  const { core } = outcome(engine, rewrites);
  const shown = engine.show(core, CODE);
  expect(shown[1]).toMatch(/^\d+ instructions in \d+ blocks/);
  expect(shown).toContain(';; 00001000  addi r3,r3,1');
  const loop = shown.findIndex((line) => line.trim().startsWith('loop'));
  expect(loop).toBeGreaterThan(0);
  expect(shown.filter((line) => /^\s*0x/.test(line))).toEqual([]); // every operation has a name
  expect(shown.join('\n')).toMatch(/i32\.const 1\n\s*i32\.add/);
  expect(engine.show(core, 0x70000000)).toEqual([shown[0], 'no code of this page has been run lately']);
});
