import { emulate } from './emulate.js';
import type { Exit, Outcome } from './exit.js';
import { hypercall } from './hypercalls.js';
import { inject } from './inject.js';
import type { Vcpu } from './vcpu.js';

/** Which file deals with an exit. */
// prettier-ignore
export function handle(exit: Exit, vcpu: Vcpu): Outcome {
  switch (exit.kind) {
    case 'preempted':      return 'reschedule';
    case 'host-interrupt': return 'resume';
    case 'hypercall':      return hypercall(vcpu);
    case 'emulate':        return emulate(vcpu);
    case 'device':         return emulate(vcpu);
    case 'shadow-miss':    return fillShadow(exit, vcpu);
    case 'reflect':        return reflect(exit, vcpu);
    default:               return exit satisfies never;
  }
}

function fillShadow({ address, entry, physical, ram }: Extract<Exit, { kind: 'shadow-miss' }>, vcpu: Vcpu): Outcome {
  vcpu.shadowTlb.fill(address, entry, physical, ram);
  return 'resume';
}

/** A hypercall by a user program is a privileged instruction, and its save register points at it, not behind it. */
function reflect({ trap }: Extract<Exit, { kind: 'reflect' }>, vcpu: Vcpu): Outcome {
  const { regs } = vcpu.machine;
  if (vcpu.stoppedBehindCall && trap.kind === 'program') regs.pc -= 4;
  return inject(trap, vcpu);
}
