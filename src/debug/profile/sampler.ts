import { BareMachine } from '../../board/bare.js';
import type { Debuggable, Progress } from '../../board/machine.js';
import type { Vcpu } from '../../hypervisor/vcpu.js';
import type { DebuggedMachine } from '../processes.js';
import type { Profile } from './profile.js';

/** Instructions that a program has retired. */
export const retiredOf = (machine: DebuggedMachine, program: Debuggable): number =>
  machine instanceof BareMachine ? machine.retired : program.steps - (program as Vcpu).events;

/**
 * Runs a machine, and looks at each processor every so many of its steps (instructions, interrupts, hypercalls). What it then
 * stands at stands for the instructions up to the next look. Stops leave no trace in the run, so that a profile is the same
 * whenever it is made; at every step it is exact.
 */
export class Sampler {
  readonly #at = new Map<Debuggable, { stack: string; retired: number }>();

  constructor(
    private readonly machine: DebuggedMachine,
    private readonly profile: Profile,
    private readonly every: number,
  ) {
    for (const program of machine.debuggables) {
      this.#look(program);
      program.stopAt = program.steps + every;
    }
  }

  run(cycles: number): Progress {
    const { clock } = this.machine;
    const end = clock.now + cycles;
    for (;;) {
      const progress = this.machine.run(end - clock.now);
      for (const program of this.machine.debuggables) {
        if (program.steps < program.stopAt) continue;
        this.#look(program);
        program.stopAt = program.steps + this.every;
      }
      if (progress.kind !== 'stopped') return progress;
      if (clock.now >= end) return { kind: 'ran' };
    }
  }

  /** Count the instructions up to here. */
  finish(): void {
    for (const program of this.machine.debuggables) this.#look(program);
  }

  #look(program: Debuggable): void {
    const retired = retiredOf(this.machine, program);
    const before = this.#at.get(program);
    if (before) this.profile.add(before.stack, retired - before.retired);
    this.#at.set(program, { stack: this.profile.stackOf(program), retired });
  }
}
