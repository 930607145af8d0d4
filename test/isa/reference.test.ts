import { expect, test } from 'vitest';
import { instructionNamed } from '../../src/isa/assemble.js';
import { instructions } from '../../src/isa/instructions.js';
import { pseudocode } from '../../src/isa/pseudocode.js';
import { diagram, forms, instructionsMarkdown, registersMarkdown } from '../../src/isa/reference.js';
import { sprs } from '../../src/isa/registers.js';
import { insn } from '../../src/isa/spec.js';

const meaningOf = (name: string): string[] => pseudocode(instructionNamed(name));

// prettier-ignore
test.each([
  ['addi',   ['RT ← (RA|0) + EXTS(SI)']],
  ['stw',    ['EA ← (RA|0) + EXTS(D)', 'MS(EA, 4) ← (RS)']],
  ['lhau',   ['EA ← (RA) + EXTS(D)', 'RA ← EA', 'RT ← (MS(EA, 2) << 16) >>s 16']],
  ['andc',   ['RA ← (RS) ∧ ¬(RB)', 'if Rc: CR.field[0] ← compares((RA), 0) || XER[SO]']],
  ['mtmsr',  ['supervisor only', 'MSR ← (RS)']],
  ['rfci',   ['supervisor only', 'MSR ← (CSRR1)', 'NIA ← (CSRR0)']],
  ['isync',  []],
])('%s means %j', (name, lines) => {
  expect(meaningOf(name)).toEqual(lines);
});

test('what a line is about to change is named before it', () => {
  expect(meaningOf('bclr').slice(0, 2)).toEqual(['target ← (LR) ∧ 0xfffffffc', 'if LK: LR ← CIA + 4']);
  const swap = insn('swap', '000001 ra:5 rb:5 0000000000000000', 'ra, rb', (m, f) => {
    const [a, b] = [m.gpr(f.ra), m.gpr(f.rb)];
    m.setGpr(f.ra, b);
    m.setGpr(f.rb, a);
  });
  expect(pseudocode(swap)).toEqual(['result ← (RA)', 'RA ← (RB)', 'RB ← result']);
});

test('what is used twice is written once', () => {
  const square = insn('square', '000001 rt:5 ra:5 0000000000000000', 'rt, ra', (m, f) => {
    const sum = m.add(m.gpr(f.ra), m.constant(1));
    m.setGpr(f.rt, m.multiply(sum, sum));
  });
  expect(pseudocode(square)).toEqual(['t ← (RA) + 1', 'RT ← t × t']);
});

test('an operator within another stands in parentheses, but not within itself where that makes no difference', () => {
  const all = insn('all', '000001 rt:5 ra:5 rb:5 00000000000', 'rt, ra, rb', (m, f) => {
    const [a, b] = [m.gpr(f.ra), m.gpr(f.rb)];
    m.setGpr(f.rt, m.add(m.add(a, b), m.subtract(a, m.subtract(b, m.and(a, b)))));
  });
  expect(pseudocode(all)).toEqual(['RT ← (RA) + (RB) + ((RA) − ((RB) − ((RA) ∧ (RB))))']);
});

test('a diagram has the fixed bits, the fields and what is ignored, each with its first bit', () => {
  expect(diagram(instructionNamed('add'))).toEqual([
    '  0        6    11   16   21   22          31',
    '| 011111 | RT | RA | RB | OE | 100001010 | Rc |',
  ]);
  const odd = insn('odd', '010001 00 ..... lev:7 0000000000 1 .', 'lev', () => {});
  expect(diagram(odd)[1]).toBe('| 010001 | 00 | ///// | LEV | 00000000001 | /  |');
});

test('invalid forms stand before the meaning', () => {
  const text = instructionsMarkdown();
  expect(text).toContain('illegal where (BO ∧ 4) = 0\nif LK: LR ← CIA + 4\ntarget ← (CTR) ∧ 0xfffffffc');
  expect(text).toContain('illegal where RA = 0\nillegal where RA = RT\nEA ← (RA) + EXTS(D)');
});

test('the forms of an instruction are those that an assembler knows', () => {
  expect(forms(instructionNamed('add'))).toEqual(['add', 'add.', 'addo', 'addo.']);
  expect(forms(instructionNamed('ba'))).toEqual(['ba', 'bla']);
  expect(forms(instructionNamed('lwz'))).toEqual(['lwz']);
  expect(instructionsMarkdown()).toContain('`ba li`, and `bla`');
});

test('the reference has every instruction and every register, and the same text twice', () => {
  const text = instructionsMarkdown();
  for (const { name } of instructions) expect(text).toContain(`\n### ${name}\n`);
  expect(instructionsMarkdown()).toBe(text);
  const registers = registersMarkdown();
  for (const { name, number } of sprs) expect(registers).toContain(`\n| ${number} | ${name} |`);
  expect(registers).toContain('\n| 1 | XER | user | user | 0xe000007f | 0x00000000 |');
  expect(registers).toContain('\n| 16 | EE | 0x00008000 |');
});
