import { FRUITLESS_LIMIT } from '../board/machine.js';
import { deliver } from '../cpu/deliver.js';
import { vectors, type Trap } from '../cpu/trap.js';
import { MSR } from '../isa/registers.js';
import type { Outcome } from './exit.js';
import type { Vcpu } from './vcpu.js';

/** Send the guest to its own handler, by the very function that is a bare board's interrupt. It takes a cycle, as there. */
export function inject(trap: Trap, vcpu: Vcpu): Outcome {
  const { machine, partition } = vcpu;
  if (vcpu.traps.note(trap, machine, vcpu.fruitless)) vcpu.repeats = true;
  if (trap.kind === 'machine-check' && !(machine.system.msr & MSR.ME)) {
    partition.end({ kind: 'checkstop' });
    return 'reschedule';
  }
  vcpu.account.countInjection(vectors[trap.kind].ivor);
  expectReturn(trap, vcpu);
  vcpu.timeline?.delivers(trap, vcpu);
  vcpu.witness?.delivers(trap);
  deliver(trap, machine.regs, machine.system);
  machine.timers.debugChanged();
  machine.clock.now += 1;
  vcpu.events += 1;
  vcpu.witness?.delivered();
  vcpu.watchSelfBranch = true;
  vcpu.ahead = 0;
  if (++vcpu.fruitless < FRUITLESS_LIMIT) return 'resume';
  partition.end({ kind: 'fault-loop' });
  return 'reschedule';
}

/** A guest that has no translation, or not the right to it, will come back once its handler has seen to that. */
function expectReturn(trap: Trap, vcpu: Vcpu): void {
  const { pc } = vcpu.machine.regs;
  switch (trap.kind) {
    case 'instruction-tlb-miss':
    case 'instruction-storage':
      vcpu.awaited = { pc, address: pc, use: 'execute' };
      break;
    case 'data-tlb-miss':
    case 'data-storage':
      vcpu.awaited = { pc, address: trap.address, use: trap.access };
      break;
    default:
  }
}
