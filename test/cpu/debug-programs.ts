// What tests of debug events need: a core about to run an instruction, and programs with handlers of the debug interrupt.

import { expect } from 'vitest';
import type { Trap } from '../../src/cpu/trap.js';
import { DBCR0 } from '../../src/cpu/debug-registers.js';
import type { SystemRegister } from '../../src/cpu/state.js';
import { asm } from '../../src/isa/assemble.js';
import { MSR } from '../../src/isa/registers.js';
import { both, type Program } from '../hypervisor/guest.js';
import { Code } from '../hypervisor/code.js';
import { execute, mapped, setMsr } from './machine.js';

export const AT = 0x1000;
export const DATA = 0x8000;
export const ON = MSR.DE | MSR.ME;
export const DEBUG: Trap = { kind: 'debug' };
export const nop = asm('ori');

export type Setting = Partial<Record<SystemRegister, number>>;

/** A core with these supervisor registers about to run an instruction at AT; r4 points at data. */
export function core(registers: Setting, msr: number = MSR.ME) {
  const made = mapped();
  const { core } = made;
  core.system.set('dbsr', 0);
  for (const [name, value] of Object.entries(registers)) core.system.set(name as SystemRegister, value);
  setMsr(core, msr);
  core.regs.gpr[4] = DATA;
  return { ...made, dbsr: () => core.system.get('dbsr') >>> 0 };
}

/** The DBSR after an instruction in trace mode: which events occur, and nothing else happens. */
export function traced(
  word: number,
  registers: Setting,
  prepare: (made: ReturnType<typeof core>) => void = () => {},
): number {
  const made = core(registers);
  prepare(made);
  expect(execute(made, word, AT)).toBeNull();
  return made.dbsr();
}

// Programs, each as a partition too

/** Vectors and MSR[DE] are set; events are not enabled yet. */
export const begin = (): Code => new Code().vector(15, 'debug').setSpr('DBSR', -1).setMsr(ON);
export const enable = (code: Code, events: number): Code => code.setSpr('DBCR0', DBCR0.IDM | events);
export const atLabel = (code: Code, spr: string, label: string): Code => code.la(31, label).mtspr(spr, 31);
export const count = (code: Code): Code => code.op('addi', { rt: 9, ra: 9, si: 1 });

/** A handler that leaves where the interrupt came from, with what MSR, why, and its own MSR, from 0x100 on; and r9. */
export const reporting = (code: Code): Code =>
  code
    .at(0x2000)
    .label('debug')
    .report(0x100, 'CSRR0', 'CSRR1', 'DBSR')
    .op('mfmsr', { rt: 3 })
    .stw(3, 0x10c)
    .stw(9, 0x110)
    .finish();

/** A handler that adds CSRR0 and the DBSR to a list at 0x100 (r24 is before its next word), clears the DBSR and returns. */
export function listing(code: Code, { keep = true } = {}): Code {
  code.at(0x2000).label('debug');
  for (const name of ['CSRR0', 'DBSR']) code.mfspr(25, name).op('stwu', { rs: 25, ra: 24, d: 4 });
  if (!keep) code.setSpr('DBCR0', DBCR0.IDM);
  return code.mtspr('DBSR', 25).op('rfci');
}
export const beginList = (): Code => begin().li(24, 0xfc);

/** What `listing` listed, as many events as are expected, on a board and as a partition. */
export function listed(program: Program, events: number): [number, number][] {
  const { alone } = both(program, 2 * events + 1);
  const words = alone.words(0x100, 2 * events + 1);
  expect(words.at(-1)).toBe(0);
  return Array.from({ length: events }, (_, i) => [words[2 * i]!, words[2 * i + 1]!]);
}
