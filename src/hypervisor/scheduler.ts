import type { Vcpu } from './vcpu.js';

/** Who is next: every vcpu that can use the core, in turn. */
export class RoundRobin {
  #last = -1;

  constructor(private readonly vcpus: readonly Vcpu[]) {}

  save(): number {
    return this.#last;
  }

  restore(last: number): void {
    this.#last = last;
  }

  /** The next one after the last that was chosen, or undefined when all wait or have ended. */
  next(): Vcpu | undefined {
    const { length } = this.vcpus;
    for (let i = 1; i <= length; i++) {
      const at = (this.#last + i) % length;
      if (!this.vcpus[at]!.runnable) continue;
      this.#last = at;
      return this.vcpus[at];
    }
    return undefined;
  }
}
