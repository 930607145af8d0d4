import { EV, token, unimplemented, type Answer, type HypercallFamily } from './hypercall.js';
import type { Vcpu } from './vcpu.js';

const EPAPR = 1;

/**
 * ePAPR 1.1, "Hypercalls". The EV_INT calls belong to ePAPR's own interrupt controller: a guest here has a UIC, whose
 * registers say all that they do.
 */
// prettier-ignore
export const epaprCalls: HypercallFamily = {
  [token(EPAPR, 1)]:  { name: 'EV_BYTE_CHANNEL_SEND',     run: send },
  [token(EPAPR, 2)]:  { name: 'EV_BYTE_CHANNEL_RECEIVE',  run: receive },
  [token(EPAPR, 3)]:  { name: 'EV_BYTE_CHANNEL_POLL',     run: poll },
  [token(EPAPR, 4)]:  { name: 'EV_INT_SET_CONFIG',        run: unimplemented },
  [token(EPAPR, 5)]:  { name: 'EV_INT_GET_CONFIG',        run: unimplemented },
  [token(EPAPR, 6)]:  { name: 'EV_INT_SET_MASK',          run: unimplemented },
  [token(EPAPR, 7)]:  { name: 'EV_INT_GET_MASK',          run: unimplemented },
  [token(EPAPR, 9)]:  { name: 'EV_INT_IACK',              run: unimplemented },
  [token(EPAPR, 10)]: { name: 'EV_INT_EOI',               run: unimplemented },
  [token(EPAPR, 11)]: { name: 'EV_INT_SEND_IPI',          run: unimplemented },
  [token(EPAPR, 12)]: { name: 'EV_INT_SET_TASK_PRIORITY', run: unimplemented },
  [token(EPAPR, 13)]: { name: 'EV_INT_GET_TASK_PRIORITY', run: unimplemented },
  [token(EPAPR, 15)]: { name: 'EV_MSGSND',                run: unimplemented },
  [token(EPAPR, 16)]: { name: 'EV_IDLE',                  run: idle },
};

const MOST_BYTES = 16;

/**
 * r3 handle, r4 count, r5 to r8 the bytes; gives in r4 how many were taken, which are fewer than asked where the far end is
 * slow. None of some is EAGAIN; none of none is success.
 */
function send(vcpu: Vcpu, args: Int32Array): Answer {
  const [handle, count, ...words] = args;
  const channel = vcpu.partition.byteChannel(handle!);
  const n = count! >>> 0;
  if (!channel || n > MOST_BYTES) return { status: EV.EINVAL, values: [0] };
  const taken = Math.min(n, channel.space);
  for (let i = 0; i < taken; i++) channel.send((words[i >> 2]! >>> (24 - 8 * (i & 3))) & 0xff);
  return { status: taken === 0 && n > 0 ? EV.EAGAIN : EV.SUCCESS, values: [taken] };
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
