import type { Outcome } from './exit.js';
import type { Vcpu } from './vcpu.js';

/** ePAPR 1.1, "Hypercall Return Codes". */
export const EV = {
  SUCCESS: 0,
  EPERM: 1,
  ENOENT: 2,
  EIO: 3,
  EAGAIN: 4,
  ENOMEM: 5,
  EFAULT: 6,
  ENODEV: 7,
  EINVAL: 8,
  INTERNAL: 9,
  CONFIG: 10,
  INVALID_STATE: 11,
  UNIMPLEMENTED: 12,
  BUFFER_OVERFLOW: 13,
} as const;

/** The instructions of a hypercall, as a guest finds them in `hcall-instructions`: at most four. */
export const HCALL_INSTRUCTIONS = {
  /** `sc` with LEV 1. */
  epapr: [0x44000022],
  /** `lis r0,0x4b56; ori r0,r0,0x4d21; sc; nop`: for processors that do not look at LEV. */
  kvm: [0x3c004b56, 0x60004d21, 0x44000002, 0x60000000],
} as const;

/** LEV of an ePAPR hypercall. */
export const HYPERCALL_LEVEL = 1;
/** `KVM!`: what r0 holds at a plain `sc` that is a hypercall. */
export const KVM_SC_MAGIC = 0x4b564d21;

/** A call's number as r11 has it: vendor << 16 | number (ePAPR 1.1, "Hypercall Number"). */
export const token = (vendor: number, number: number): number => (vendor << 16) | number;

/** A status for r3, and values for r4 and up; or a status and the wish to give up the core. */
export interface Answer {
  readonly status: number;
  readonly values?: readonly number[];
  readonly outcome?: Outcome;
}

/** Something that a guest's supervisor can ask for. */
export interface Hypercall {
  readonly name: string;
  /** Whether this partition is offered it; one that is not is told UNIMPLEMENTED. */
  offered?(vcpu: Vcpu): boolean;
  /** Argument n of a call is r(3+n); there are eight. */
  run(vcpu: Vcpu, args: Int32Array): Answer;
}

/** The calls of a vendor, by token. */
export type HypercallFamily = Readonly<Record<number, Hypercall>>;

/** What a call that exists and is not offered answers. */
export const unimplemented = (): Answer => ({ status: EV.UNIMPLEMENTED });
