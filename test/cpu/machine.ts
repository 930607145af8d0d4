import { Bus } from '../../src/bus/bus.js';
import { Clock } from '../../src/bus/clock.js';
import { Ram, SharedMemory } from '../../src/bus/memory.js';
import { Core } from '../../src/cpu/core.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import type { TimeBaseRate } from '../../src/cpu/timers.js';
import type { Engine } from '../../src/cpu/engine/engine.js';

const interpreter = new Interpreter();

/** A core with RAM at physical 0 and nothing else, for tests. Time base at the clock's rate unless told otherwise. */
export function machine({
  ram: size = 0x100000,
  engine = interpreter as Engine,
  rate = { ticks: 1, cycles: 1 } as TimeBaseRate,
} = {}) {
  const memory = new SharedMemory(size + 0x100000);
  const bus = new Bus();
  const clock = new Clock();
  const ram = Ram.allocate(memory, size);
  bus.ram.attach('ram', 0, size, ram);
  const core = new Core(memory, bus, clock, engine, { pvr: 0x422218d3, number: 0, rate });
  return { memory, bus, clock, ram, core };
}

/** The same with RAM mapped one to one in address space 0 for user and supervisor alike, by TLB entry 63. */
export function mapped(options: Parameters<typeof machine>[0] = {}) {
  const made = machine(options);
  map(made.core, 63, { ea: 0, pa: 0, size: 5 });
  return made;
}

/** Map the page of `size` field at an effective address, as tlbwe would. */
export function map(
  core: Core,
  entry: number,
  options: { ea: number; pa: number; size: number; space?: 0 | 1; tid?: number; rights?: number },
): void {
  const { ea, pa, size, space = 0, tid = 0, rights = 0x3f } = options;
  core.forgetEntry(entry);
  core.system.tlb.write(entry, 0, (ea & 0xfffffc00) | 0x200 | (space << 8) | (size << 4), tid);
  core.system.tlb.write(entry, 1, (pa & 0xfffffc00) | Math.floor(pa / 2 ** 32), tid);
  core.system.tlb.write(entry, 2, rights, tid);
  core.forgetEntry(entry);
}

/** Instruction words from an address on. */
export function put(ram: Ram, address: number, words: readonly number[]): void {
  words.forEach((word, i) => ram.write(address + 4 * i, 4, word));
}

/** Put one instruction at an address and run it there; the trap, or null if it was retired. */
export function execute({ core, ram }: Pick<ReturnType<typeof machine>, 'core' | 'ram'>, word: number, at = 0x1000) {
  put(ram, at, [word]);
  core.regs.pc = at;
  return core.step();
}

/** Replace the MSR as mtmsr would, from outside. */
export function setMsr(core: Core, msr: number): void {
  core.system.msr = msr;
  core.contextChanged();
}
