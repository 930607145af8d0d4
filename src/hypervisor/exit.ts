import type { Stop } from '../cpu/core.js';
import type { Trap } from '../cpu/trap.js';
import type { Use } from '../mmu/tlb.js';
import { HYPERCALL_LEVEL, KVM_SC_MAGIC } from './hypercall.js';
import type { Grant } from './grants.js';
import type { Vcpu } from './vcpu.js';

/** Why a guest left the core for the hypervisor. */
export type Exit =
  | { readonly kind: 'preempted' } // its quantum is over
  | { readonly kind: 'host-interrupt' } // something is due that is the hypervisor's: a timer, a device
  | { readonly kind: 'hypercall' }
  | { readonly kind: 'emulate' } // a privileged instruction
  | { readonly kind: 'device'; readonly physical: number; readonly use: Use } // an access to what it is not let at
  | {
      readonly kind: 'shadow-miss';
      readonly address: number;
      readonly entry: number;
      readonly physical: number;
      readonly grant: Grant;
    }
  | { readonly kind: 'reflect'; readonly trap: Trap }; // the guest's own trap

export type ExitKind = Exit['kind'];

/** What the run loop does after an exit has been handled. */
export type Outcome = 'resume' | 'reschedule';

/** Whose business is it? Pure: it looks at the guest, and changes nothing. `over`: the quantum is used up. */
export function classify(stop: Stop, vcpu: Vcpu, over: boolean): Exit {
  if (stop.kind !== 'trap') return { kind: over ? 'preempted' : 'host-interrupt' };
  const { trap } = stop;
  switch (trap.kind) {
    // The real core's own interrupts
    case 'external-input':
    case 'critical-input':
    case 'decrementer':
    case 'fixed-interval':
    case 'watchdog':
    case 'debug':
      return { kind: 'host-interrupt' };
    // All of a guest runs in user mode, so this is its supervisor's instruction or its user's mistake: running it on the
    // guest's own machine tells which
    case 'program':
      return trap.cause === 'privileged' ? { kind: 'emulate' } : { kind: 'reflect', trap };
    case 'system-call':
      return systemCall(trap, vcpu);
    // The shadow may deny for reasons of its own, so the guest's TLB is asked
    case 'instruction-tlb-miss':
    case 'instruction-storage':
      return translation(trap, vcpu, vcpu.machine.regs.pc, 'execute');
    case 'data-tlb-miss':
    case 'data-storage':
      return translation(trap, vcpu, trap.address, trap.access);
    // The shadow of a device's page is cache-inhibited whatever the guest's is: its own machine tells whether dcbz may
    case 'alignment':
      return onDevice(trap, vcpu) ?? { kind: 'reflect', trap };
    case 'fp-unavailable':
    case 'ap-unavailable':
    case 'machine-check':
      return { kind: 'reflect', trap };
    default:
      return trap satisfies never;
  }
}

/** Whose system call is it? A guest that is offered KVM's interface may also call by a plain `sc` with r0 = `KVM!`. */
export function systemCall(trap: Extract<Trap, { kind: 'system-call' }>, vcpu: Vcpu): Exit {
  const saysKvm = vcpu.offersKvm && !vcpu.user && vcpu.machine.regs.gpr[0] === KVM_SC_MAGIC;
  if (trap.level === 0 && saysKvm) return { kind: 'hypercall' };
  if (trap.level !== HYPERCALL_LEVEL) return { kind: 'reflect', trap };
  return vcpu.user ? { kind: 'reflect', trap: { kind: 'program', cause: 'privileged' } } : { kind: 'hypercall' };
}

/** The real core could not translate. Whose miss is it? */
function translation(trap: Trap, vcpu: Vcpu, address: number, use: Use): Exit {
  const guest = vcpu.shadowTlb.translate(address, use);
  if (guest.kind === 'miss') return { kind: 'reflect', trap: missed(use, address) };
  if (guest.kind === 'forbidden') return { kind: 'reflect', trap: forbidden(use, address) };
  const grant = vcpu.partition.grant(guest.physical);
  if (!grant || (grant.device && use === 'execute') || (grant.readOnly && use === 'write'))
    return { kind: 'device', physical: guest.physical, use };
  return { kind: 'shadow-miss', address, entry: guest.entry, physical: guest.physical, grant };
}

function onDevice({ address, access }: Extract<Trap, { kind: 'alignment' }>, vcpu: Vcpu): Exit | undefined {
  const guest = vcpu.shadowTlb.translate(address, access);
  if (guest.kind !== 'hit' || !vcpu.partition.grant(guest.physical)?.device) return undefined;
  return { kind: 'device', physical: guest.physical, use: access };
}

const missed = (use: Use, address: number): Trap =>
  use === 'execute' ? { kind: 'instruction-tlb-miss' } : { kind: 'data-tlb-miss', address, access: use };

const forbidden = (use: Use, address: number): Trap =>
  use === 'execute' ? { kind: 'instruction-storage' } : { kind: 'data-storage', address, access: use };
