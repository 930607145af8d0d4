import { expect, test } from 'vitest';
import { Interpreter } from '../../../src/cpu/engine/interpreter.js';
import { Translator } from '../../../src/cpu/engine/translator.js';
import { asm } from '../../../src/isa/assemble.js';
import { R } from '../../../src/cpu/state.js';
import { mapped, put } from '../machine.js';

const engines = [
  ['reference', new Interpreter({ inline: false })],
  ['interpreter', new Interpreter()],
  ['translator of everything', new Translator({ eager: true })],
  ['translator of warm code', new Translator({ hot: 4 })],
] as const;

const [CALLER, CALLED, OTHER] = [0x1000, 0x3000, 0x4000];
const TIMES = 100;

test.each(engines)('%s: a function whose page is mapped anew between two calls is the new one', (_, engine) => {
  const { core, ram } = mapped({ engine });
  const call = (from: number): number => asm('b', { li: (CALLED - from) / 4, lk: 1 });
  const write = (rs: number, ws: number): number => asm('tlbwe', { rs, ra: 29, ws });
  put(ram, CALLER, [
    call(CALLER),
    write(20, 0), // entry 0, which counts before the one that maps everything: CALLED lies at OTHER
    write(21, 1),
    write(22, 2),
    call(CALLER + 16),
    write(23, 0), // and where it was again
    asm('bc', { bo: 16, bi: 0, bd: -6 }),
    asm('b', { li: 0 }),
    asm('bclr', { bo: 20 }), // a region ends here
  ]);
  put(ram, CALLED, [asm('addi', { rt: 3, ra: 3, si: 1 }), asm('bclr', { bo: 20 })]);
  put(ram, OTHER, [asm('addi', { rt: 4, ra: 4, si: 1 }), asm('bclr', { bo: 20 })]);
  const { gpr } = core.regs;
  [gpr[21], gpr[22]] = [OTHER, 0x3f];
  core.regs.words[R.CTR] = TIMES;
  core.regs.pc = CALLER;
  // Time to translate all of it while nothing is mapped anew, as what is written to entry 0 is not valid
  core.run((TIMES / 2) * 11);
  gpr[20] = CALLED | 0x210;
  core.run((TIMES / 2) * 11);
  expect([gpr[3], gpr[4], core.regs.pc, core.retired]).toEqual([TIMES * 1.5, TIMES / 2, CALLER + 28, TIMES * 11]);
});
