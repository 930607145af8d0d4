import { epaprCalls } from './epapr-calls.js';
import type { Outcome } from './exit.js';
import { EV, type HypercallFamily } from './hypercall.js';
import { kvmCalls } from './kvm-calls.js';
import { managerCalls } from './manager-calls.js';
import type { Vcpu } from './vcpu.js';

/** Every call there is, by token; a family, which is a vendor's, is a file. */
const calls: HypercallFamily = { ...epaprCalls, ...kvmCalls, ...managerCalls };

/** The name of a call by its token, for traces and counts. */
export const hypercallName = (token: number): string => calls[token]?.name ?? `0x${(token >>> 0).toString(16)}`;

/** r11 selects the call, r3 to r10 are its arguments, r3 is its status. Everything else that it does not return is kept. */
export function hypercall(vcpu: Vcpu): Outcome {
  const { gpr } = vcpu.machine.regs;
  vcpu.fruitless = 0;
  const call = calls[gpr[11]!];
  const offered = call !== undefined && (call.offered?.(vcpu) ?? true);
  const {
    status,
    values = [],
    outcome = 'resume',
  } = offered ? call.run(vcpu, gpr.slice(3, 11)) : { status: EV.UNIMPLEMENTED };
  gpr[3] = status;
  gpr.set(values, 4);
  return outcome;
}
