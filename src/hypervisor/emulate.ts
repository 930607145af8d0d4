import { inject } from './inject.js';
import type { Outcome } from './exit.js';
import type { Vcpu } from './vcpu.js';

/**
 * Run one instruction on the machine that the guest believes it has: its MSR, its TLB, its bus. This serves privileged
 * instructions and device accesses alike, and if the guest was not entitled to the instruction, its machine raises
 * the very trap that the guest should see. The shadow follows by itself: TLB changes drop what came from the entry, and
 * the context is set up again at every entry.
 */
export function emulate(vcpu: Vcpu): Outcome {
  const trap = vcpu.machine.step();
  if (trap) return inject(trap, vcpu);
  vcpu.fruitless = 0;
  return 'resume';
}
