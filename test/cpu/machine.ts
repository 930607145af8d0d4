import { Bus } from '../../src/bus/bus.js';
import { Clock } from '../../src/bus/clock.js';
import { Ram, SharedMemory } from '../../src/bus/memory.js';
import { Core } from '../../src/cpu/core.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import type { Engine } from '../../src/cpu/engine/engine.js';

const interpreter = new Interpreter();

/** A bare core with RAM at 0 and nothing else, for tests. */
export function machine({ ram: size = 0x100000, engine = interpreter as Engine } = {}) {
  const memory = new SharedMemory(size + 0x20000);
  const bus = new Bus();
  const clock = new Clock();
  const ram = Ram.allocate(memory, size);
  bus.ram.attach('ram', 0, size, ram);
  const core = new Core(memory, bus, clock, engine, { pvr: 0x422218d3, number: 0, rate: { ticks: 1, cycles: 1 } });
  return { memory, bus, clock, ram, core };
}

/** Map the page of `size` field at an effective address, as tlbwe would. */
export function map(core: Core, entry: number, options: { ea: number; pa: number; size: number; space?: 0 | 1; tid?: number; rights?: number }): void {
  const { ea, pa, size, space = 0, tid = 0, rights = 0x3f } = options;
  core.forgetEntry(entry);
  core.system.tlb.write(entry, 0, (ea & 0xfffffc00) | 0x200 | (space << 8) | (size << 4), tid);
  core.system.tlb.write(entry, 1, (pa & 0xfffffc00) | Math.floor(pa / 2 ** 32), tid);
  core.system.tlb.write(entry, 2, rights, tid);
  core.forgetEntry(entry);
}
