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

/** `sc` with LEV 1: what `hcall-instructions` holds. */
export const HCALL_INSTRUCTION = 0x44000022;

/** r11: vendor << 16 | number. Vendor 1 is ePAPR itself. */
const EPAPR = 1 << 16;

/** A status, and r4 and up; or a status and the wish to give up the core. */
interface Answer {
  readonly status: number;
  readonly values?: readonly number[];
  readonly outcome?: Outcome;
}

interface Hypercall {
  readonly name: string;
  run(vcpu: Vcpu, args: Int32Array): Answer;
}

// ePAPR 1.1, "Hypercalls"; argument n of a call is r(3+n)
// prettier-ignore
const calls: Readonly<Record<number, Hypercall>> = {
  [EPAPR | 1]:  { name: 'EV_BYTE_CHANNEL_SEND',    run: send },
  [EPAPR | 2]:  { name: 'EV_BYTE_CHANNEL_RECEIVE', run: receive },
  [EPAPR | 3]:  { name: 'EV_BYTE_CHANNEL_POLL',    run: poll },
  [EPAPR | 16]: { name: 'EV_IDLE',                 run: idle },
};

/** The name of a call by its token, for traces and counts. */
export const hypercallName = (token: number): string => calls[token]?.name ?? `0x${(token >>> 0).toString(16)}`;

/** r11 selects the call, r3 to r10 are its arguments, r3 is its status. Everything else that it does not return is kept. */
export function hypercall(vcpu: Vcpu): Outcome {
  const { gpr } = vcpu.machine.regs;
  vcpu.fruitless = 0;
  const {
    status,
    values = [],
    outcome = 'resume',
  } = calls[gpr[11]!]?.run(vcpu, gpr.slice(3, 11)) ?? { status: EV.UNIMPLEMENTED };
  gpr[3] = status;
  gpr.set(values, 4);
  return outcome;
}

const MOST_BYTES = 16;

/** r3 handle, r4 count, r5 to r8 the bytes; gives in r4 how many were taken. None of some is EAGAIN; none of none is success. */
function send(vcpu: Vcpu, args: Int32Array): Answer {
  const [handle, count, ...words] = args;
  const channel = vcpu.partition.byteChannel(handle!);
  const n = count! >>> 0;
  if (!channel || n > MOST_BYTES) return { status: EV.EINVAL, values: [0] };
  for (let i = 0; i < n; i++) channel.send((words[i >> 2]! >>> (24 - 8 * (i & 3))) & 0xff);
  return { status: EV.SUCCESS, values: [n] };
}

/** r3 handle, r4 the most to receive (16 at the most); gives r4 the count, r5 to r8 the bytes. */
function receive(vcpu: Vcpu, [handle, most]: Int32Array): Answer {
  const channel = vcpu.partition.byteChannel(handle!);
  if (!channel) return { status: EV.EINVAL, values: [0] };
  const bytes = channel.take(Math.min(most! >>> 0, MOST_BYTES));
  const words = [0, 0, 0, 0];
  bytes.forEach((byte, i) => {
    words[i >> 2]! |= byte << (24 - 8 * (i & 3));
  });
  return { status: EV.SUCCESS, values: [bytes.length, ...words] };
}

/** r3 handle; gives r4 bytes that can be received, r5 room for sending. */
function poll(vcpu: Vcpu, [handle]: Int32Array): Answer {
  const channel = vcpu.partition.byteChannel(handle!);
  if (!channel) return { status: EV.EINVAL, values: [0, 0] };
  return { status: EV.SUCCESS, values: [channel.waiting, channel.space] };
}

/** Wait for an interrupt, as far as the guest lets any through: it goes on at once where one is waiting. */
function idle(vcpu: Vcpu): Answer {
  vcpu.idle = true;
  return { status: EV.SUCCESS, outcome: 'reschedule' };
}
