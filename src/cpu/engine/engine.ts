import type { Core } from '../core.js';

/**
 * What runs instructions. `run` starts at the pc and retires instructions, counting them in COUNT, until COUNT reaches
 * LIMIT (which a slow path may lower at any time), an instruction raises `core.trap` (the pc is then on it, for a system
 * call behind it, and nothing of it is done), or a branch to itself is met while `core.watchSelfBranch` is set. Stores to code,
 * TLB, PID and MSR changes act at the next instruction.
 */
export interface Engine {
  readonly name: string;
  run(core: Core): void;
  /** The same for one instruction, which others seldom follow: of a machine that is emulated, or debugged. */
  step(core: Core): void;
  /**
   * Amid an exit of a hypervisor's guest, go on with what is emulated along with it, as far as the engine does that by itself:
   * nothing where EMULATION says so. The instruction at the pc lies `at` this place of the shared memory.
   */
  emulate?(core: Core, at: number): void;
  /** A core that it is to run has been made: here it reserves what it needs of the shared memory. */
  attach?(core: Core): void;
  /** What it makes of the code at an address, as text; empty where it has nothing to show. */
  show?(core: Core, address: number): string[];
}
