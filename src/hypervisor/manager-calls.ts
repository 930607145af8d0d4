import type { Tree } from '../devicetree/tree.js';
import { isMemory, readMemory, readText, writeMemory } from './guest-memory.js';
import { EV, token, unimplemented, type Answer, type HypercallFamily } from './hypercall.js';
import { PARTITION_STATES, type Ask } from './lifecycle.js';
import type { Partition } from './partition.js';
import type { Vcpu } from './vcpu.js';

const EPAPR = 1;
const FREESCALE = 2;

/**
 * What a partition may do to those that it manages, as Topaz has it (Linux, asm/fsl_hcalls.h); and to itself, by handle -1.
 * Missing are the calls for what there is not: error queues, DMA, naps and claimable devices.
 */
// prettier-ignore
export const managerCalls: HypercallFamily = {
  [token(EPAPR, 14)]:     { name: 'EV_DOORBELL_SEND',        run: ring },
  [token(FREESCALE, 1)]:  { name: 'FH_ERR_GET_INFO',         run: unimplemented },
  [token(FREESCALE, 2)]:  { name: 'FH_PARTITION_GET_DTPROP', run: getProperty },
  [token(FREESCALE, 3)]:  { name: 'FH_PARTITION_SET_DTPROP', run: setProperty },
  [token(FREESCALE, 4)]:  { name: 'FH_PARTITION_RESTART',    run: restart },
  [token(FREESCALE, 5)]:  { name: 'FH_PARTITION_GET_STATUS', run: getStatus },
  [token(FREESCALE, 6)]:  { name: 'FH_PARTITION_START',      run: start },
  [token(FREESCALE, 7)]:  { name: 'FH_PARTITION_STOP',       run: stop },
  [token(FREESCALE, 8)]:  { name: 'FH_PARTITION_MEMCPY',     run: copyMemory },
  [token(FREESCALE, 9)]:  { name: 'FH_DMA_ENABLE',           run: unimplemented },
  [token(FREESCALE, 10)]: { name: 'FH_DMA_DISABLE',          run: unimplemented },
  [token(FREESCALE, 11)]: { name: 'FH_SEND_NMI',             run: unimplemented },
  [token(FREESCALE, 12)]: { name: 'FH_VMPIC_GET_MSIR',       run: unimplemented },
  [token(FREESCALE, 13)]: { name: 'FH_SYSTEM_RESET',         run: systemReset },
  [token(FREESCALE, 14)]: { name: 'FH_GET_CORE_STATE',       run: getCoreState },
  [token(FREESCALE, 15)]: { name: 'FH_ENTER_NAP',            run: unimplemented },
  [token(FREESCALE, 16)]: { name: 'FH_EXIT_NAP',             run: unimplemented },
  [token(FREESCALE, 17)]: { name: 'FH_CLAIM_DEVICE',         run: unimplemented },
  [token(FREESCALE, 18)]: { name: 'FH_PARTITION_STOP_DMA',   run: unimplemented },
};

const SELF = -1;
const SUCCESS: Answer = { status: EV.SUCCESS };

const refuse = (status: number): Answer => ({ status });

/** The partition of a handle; undefined where the guest has no such handle. */
const partitionOf = ({ partition }: Vcpu, handle: number): Partition | undefined =>
  handle === SELF ? partition : partition.handles.partitions.get(handle);

/** A 64-bit number in two registers; exact as far as there are addresses. */
const pair = (high: number, low: number): number => (high >>> 0) * 2 ** 32 + (low >>> 0);

/** r3 the handle of a doorbell. */
function ring({ partition }: Vcpu, [handle]: Int32Array): Answer {
  const doorbell = partition.handles.doorbells.get(handle!);
  doorbell?.ring();
  return doorbell ? SUCCESS : refuse(EV.EINVAL);
}

function ask(vcpu: Vcpu, handle: number, what: Ask, entry?: number): Answer {
  const partition = partitionOf(vcpu, handle);
  if (!partition) return refuse(EV.EINVAL);
  if (!partition.ask(what, handle === SELF ? 'self' : 'manager', entry)) return refuse(EV.INVALID_STATE);
  return { status: EV.SUCCESS, outcome: 'reschedule' }; // who was started may be next
}

/** r3 the partition. One that restarts itself is gone with all its registers, so that happens when its turn is over. */
function restart(vcpu: Vcpu, [handle]: Int32Array): Answer {
  if (handle !== SELF) return ask(vcpu, handle!, 'restart');
  vcpu.partition.board.cores[0]!.requestReset('system');
  vcpu.partition.restartsItself = true;
  return SUCCESS;
}

/** r3 the partition; gives its state in r4. */
function getStatus(vcpu: Vcpu, [handle]: Int32Array): Answer {
  const partition = partitionOf(vcpu, handle!);
  if (!partition) return refuse(EV.EINVAL);
  return { status: EV.SUCCESS, values: [PARTITION_STATES.indexOf(partition.lifecycle)] };
}

/** r3 the partition, r4 where it is to begin if r5 is 0; otherwise its image is loaded into clean memory, and says so itself. */
function start(vcpu: Vcpu, [handle, entry, load]: Int32Array): Answer {
  return ask(vcpu, handle!, 'start', load === 0 ? entry! >>> 0 : undefined);
}

/** r3 the partition. */
function stop(vcpu: Vcpu, [handle]: Int32Array): Answer {
  return ask(vcpu, handle!, 'stop');
}

const ENTRY_BYTES = 32;
/** So much at most in one call: it is not interrupted. */
const MOST_COPIED = 0x4000000;

/**
 * r3 from, r4 to which partition; r5 (low) and r6 (high) where a list is, r7 how many entries of 32 bytes: source, destination
 * and size, 64 bits each, and eight bytes of nothing. Nothing is copied unless all of it can be. A word costs a cycle.
 */
function copyMemory(vcpu: Vcpu, [from, to, low, high, count]: Int32Array): Answer {
  const [source, target] = [partitionOf(vcpu, from!), partitionOf(vcpu, to!)];
  const [list, size] = [pair(high!, low!), (count! >>> 0) * ENTRY_BYTES];
  if (!source || !target || list % ENTRY_BYTES !== 0) return refuse(EV.EINVAL);
  if (!isMemory(vcpu.partition, list, size, 'read')) return refuse(EV.EFAULT);
  const view = new DataView(readMemory(vcpu.partition, list, size)!.buffer);
  const number = (at: number): number => pair(view.getUint32(at), view.getUint32(at + 4));
  const entries = Array.from({ length: count! >>> 0 }, (_, i) => i * ENTRY_BYTES).map((at) => ({
    source: number(at),
    target: number(at + 8),
    size: number(at + 16),
  }));
  if (entries.some((e) => e.size > MOST_COPIED)) return refuse(EV.EFAULT);
  const all = entries.reduce((sum, e) => sum + e.size, 0);
  if (all > MOST_COPIED) return refuse(EV.EINVAL);
  const valid = entries.every(
    (e) => isMemory(source, e.source, e.size, 'read') && isMemory(target, e.target, e.size, 'write'),
  );
  if (!valid) return refuse(EV.EFAULT);
  for (const e of entries) writeMemory(target, e.target, readMemory(source, e.source, e.size)!);
  vcpu.machine.clock.now += Math.ceil(all / 4);
  return SUCCESS;
}

/** The whole board, for a partition that is `privileged`. */
function systemReset({ partition }: Vcpu): Answer {
  if (!partition.config.privileged) return refuse(EV.EPERM);
  partition.resetsBoard = true;
  return { status: EV.SUCCESS, outcome: 'reschedule' };
}

/** FH_VCPU_RUN, FH_VCPU_IDLE, FH_VCPU_NAP: the last of one that has no turns. */
const CORE_STATE = { run: 0, idle: 1, nap: 2 } as const;

/** r3 the partition, r4 which of its processors; gives in r4 what that does. */
function getCoreState(vcpu: Vcpu, [handle, index]: Int32Array): Answer {
  const partition = partitionOf(vcpu, handle!);
  const other = partition?.vcpus[index! >>> 0];
  if (!partition || !other) return refuse(EV.EINVAL);
  const state = partition.running ? (other.waits ? CORE_STATE.idle : CORE_STATE.run) : CORE_STATE.nap;
  return { status: EV.SUCCESS, values: [state] };
}

/** FH_DTPROP_MAX_PATHLEN and FH_DTPROP_MAX_PROPLEN, in bytes. */
const MOST_PATH = 4096;
const MOST_VALUE = 32768;

interface PropertyArguments {
  readonly partition: Partition;
  readonly tree: Tree;
  readonly path: string;
  readonly name: string;
  /** Where it is, or is to go. */
  readonly value: number;
  readonly length: number;
}

/** r3 the partition; r4:r5, r6:r7 and r8:r9 where path, name and value are; r10 the value's length. */
function propertyArguments(vcpu: Vcpu, [handle, ...r]: Int32Array): Answer | PropertyArguments {
  const partition = partitionOf(vcpu, handle!);
  if (!partition?.tree) return { status: EV.EINVAL };
  const [path, name] = [pair(r[0]!, r[1]!), pair(r[2]!, r[3]!)].map((at) => readText(vcpu.partition, at, MOST_PATH));
  if (path === undefined || name === undefined) return { status: EV.EFAULT };
  const length = r[6]! >>> 0;
  if (path === null || name === null || length > MOST_VALUE) return { status: EV.EINVAL };
  if (partition.lifecycle === 'starting') return { status: EV.INVALID_STATE };
  return { partition, tree: partition.tree, path, name, value: pair(r[4]!, r[5]!), length };
}

/** A property of a guest's device tree; gives its length in r4, also where the room does not suffice. */
function getProperty(vcpu: Vcpu, args: Int32Array): Answer {
  const asked = propertyArguments(vcpu, args);
  if ('status' in asked) return asked;
  const found = asked.path.startsWith('/') ? asked.tree.find(asked.path)?.get(asked.name)?.value : undefined;
  if (!found) return refuse(EV.ENOENT);
  const values = [found.length];
  if (found.length > asked.length) return { status: EV.BUFFER_OVERFLOW, values };
  if (!writeMemory(vcpu.partition, asked.value, found)) return refuse(EV.EFAULT);
  return { status: EV.SUCCESS, values };
}

/** Names of nodes and properties (Devicetree Specification 2.2.1, 2.2.4), and how deep a path goes. */
const NODE_NAME = /^[A-Za-z0-9,._+@-]{1,63}$/;
const PROPERTY_NAME = /^[A-Za-z0-9,._+?#-]{1,63}$/;
const DEEPEST = 16;

/** Sets it, with the nodes of its path that are not there; the guest finds it at its next start. */
function setProperty(vcpu: Vcpu, args: Int32Array): Answer {
  const asked = propertyArguments(vcpu, args);
  if ('status' in asked) return asked;
  const value = readMemory(vcpu.partition, asked.value, asked.length);
  if (!value) return refuse(EV.EFAULT);
  const [first, ...names] = asked.path === '/' ? [''] : asked.path.split('/');
  const sound = first === '' && names.length <= DEEPEST && names.every((name) => NODE_NAME.test(name));
  if (!sound || !PROPERTY_NAME.test(asked.name)) return refuse(EV.EINVAL);
  return asked.partition.setProperty(names, asked.name, value) ? SUCCESS : refuse(EV.ENOMEM);
}
