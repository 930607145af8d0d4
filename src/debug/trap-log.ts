import { Hypervisor } from '../hypervisor/hypervisor.js';
import type { Observation } from '../hypervisor/run.js';
import type { DebuggedMachine } from './processes.js';

const KEPT = 1000;

/** The last exits of guests, for a person who wonders how they came where they are. */
export class TrapLog {
  readonly #lines: string[] = [];
  #count = 0;

  constructor(machine: DebuggedMachine) {
    if (machine instanceof Hypervisor) machine.observers.push((observation) => this.#keep(observation));
  }

  #keep({ vcpu, exit, cycle }: Observation): void {
    const what = exit.kind === 'reflect' ? `reflect ${exit.trap.kind}` : exit.kind;
    const where = 'address' in exit ? ` of ${exit.address.toString(16)}` : '';
    const pc = vcpu.machine.regs.pc.toString(16).padStart(8, '0');
    this.#count += 1;
    this.#lines.push(`#${this.#count}  ${vcpu.name}  ${pc}  ${what}${where}  at ${cycle}`);
    if (this.#lines.length > 2 * KEPT) this.#lines.splice(0, KEPT);
  }

  /** The last ones, the newest last. */
  last(count: number): readonly string[] {
    return this.#lines.slice(-Math.min(count, KEPT));
  }
}
