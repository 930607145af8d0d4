import { emulate } from './emulate.js';
import { systemCall, type Exit, type Outcome } from './exit.js';
import { hypercall } from './hypercalls.js';
import { inject } from './inject.js';
import type { Vcpu } from './vcpu.js';

/** Which file deals with an exit. */
// prettier-ignore
export function handle(exit: Exit, vcpu: Vcpu): Outcome {
  switch (exit.kind) {
    case 'preempted':      return 'reschedule';
    case 'host-interrupt': return 'resume';
    case 'hypercall':      return call(vcpu);
    case 'emulate':        return vcpu.machine.observed ? step(vcpu) : emulate(vcpu);
    case 'device':         return emulate(vcpu);
    case 'shadow-miss':    return fillShadow(exit, vcpu);
    case 'reflect':        return reflect(exit, vcpu);
    default:               return exit satisfies never;
  }
}

function call(vcpu: Vcpu): Outcome {
  vcpu.events += 1;
  return hypercall(vcpu);
}

function fillShadow({ address, entry, physical, grant }: Extract<Exit, { kind: 'shadow-miss' }>, vcpu: Vcpu): Outcome {
  vcpu.shadowTlb.fill(address, entry, physical, grant);
  return 'resume';
}

/**
 * A guest with debug events enabled runs on its own machine, an instruction at a time: the real core has other supervisor
 * registers and would see none of them. Its hypercalls and its end in a branch to itself are noticed here as elsewhere.
 */
function step(vcpu: Vcpu): Outcome {
  const { machine, partition } = vcpu;
  machine.watchSelfBranch = vcpu.watchSelfBranch;
  const trap = machine.step();
  if (machine.selfBranch && machine.watchSelfBranch) {
    if (!machine.canBeInterrupted) partition.end({ kind: 'halted' });
    vcpu.watchSelfBranch = false; // something may yet interrupt it
  } else if (trap === null) vcpu.fruitless = 0;
  if (trap === null) return 'resume';
  if (trap.kind !== 'system-call') return inject(trap, vcpu);
  vcpu.stopped(trap);
  return handle(systemCall(trap, vcpu), vcpu);
}

/** A hypercall by a user program is a privileged instruction, and its save register points at it, not behind it. */
function reflect({ trap }: Extract<Exit, { kind: 'reflect' }>, vcpu: Vcpu): Outcome {
  const { regs } = vcpu.machine;
  if (vcpu.stoppedBehindCall && trap.kind === 'program') regs.pc -= 4;
  return inject(trap, vcpu);
}
