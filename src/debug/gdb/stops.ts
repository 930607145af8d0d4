import { exitStatus, type Ending } from '../../board/machine.js';
import type { StopEvent } from '../debugger.js';
import type { Process, Target } from '../target.js';
import { attachedTargets, ownTargets, type Connection } from './client.js';
import { registerHex } from './data.js';
import { numbered } from './description.js';
import { textToHex } from './packet.js';
import { threadId } from './thread-ids.js';

/** Stops as GDB is told of them. */

/** None: GDB says no more than that it stopped. */
const [NONE, SIGINT, SIGTRAP] = ['00', '02', '05'];
/** pc, r1, lr, msr: what GDB wants to know first. */
const EXPEDITED = [64, 1, 67, 65];

/** `T05…`: why a target stands still, with a few registers. */
export function stopReply(connection: Connection, target: Target, reason = '', signal = SIGTRAP): string {
  const registers = numbered(target.registers.hasFloats)
    .filter(({ number }) => EXPEDITED.includes(number))
    .map(({ number, register }) => `${number.toString(16).padStart(2, '0')}:${registerHex(target, register)};`);
  return `T${signal}${reason}thread:${threadId(connection, target)};core:0;${registers.join('')}`;
}

/** The same without registers: GDB does not know the process yet, nor how many it has. */
export const bareStop = (connection: Connection, target: Target): string =>
  `T${SIGTRAP}thread:${threadId(connection, target)};`;

/** What a partition's end is to GDB: an exit status, or a signal for an end that it did not wish. */
export function endReply({ features }: Connection, process: Process, ending: Ending): string {
  const failed = ending.kind === 'checkstop' || ending.kind === 'fault-loop';
  const stopped = ending.kind === 'stopped';
  const code = failed ? 'X0b' : stopped ? 'X09' : `W${exitStatus(ending).toString(16).padStart(2, '0')}`;
  return features.has('multiprocess') ? `${code};process:${process.number.toString(16)}` : code;
}

function eventReply(connection: Connection, event: StopEvent): string {
  switch (event.kind) {
    case 'ended':
      return endReply(connection, event.process, event.ending);
    case 'interrupt':
      return stopReply(connection, event.target, '', SIGINT);
    case 'trap':
      return stopReply(connection, connection.steppingBoard ?? event.target, '', NONE);
    case 'moved':
      return stopReply(connection, event.target, '', NONE);
    case 'step':
      return stopReply(connection, connection.steppingBoard ?? event.target);
    case 'beginning':
      return stopReply(connection, event.target, 'replaylog:begin;');
    case 'present':
      return stopReply(connection, event.target, 'replaylog:end;');
    case 'breakpoint':
      return stopReply(connection, event.target, breakReason(connection, event.target, event.hit.pc));
    case 'watchpoint': {
      const { breakpoint, address } = event.hit;
      const word = { write: 'watch', read: 'rwatch', access: 'awatch', execute: 'hwbreak' }[breakpoint.kind];
      return stopReply(connection, event.target, `${word}:${address.toString(16)};`);
    }
    default:
      return event satisfies never;
  }
}

function breakReason({ points, features }: Connection, { process }: Target, pc: number): string {
  const point = [...points.values()].find((p) => p.type < 2 && p.breakpoint.address === pc && p.process === process);
  const reason = point?.type === 1 ? 'hwbreak' : 'swbreak';
  return features.has(reason) ? `${reason}:;` : '';
}

/** Something stopped: with the other targets of GDB's, unless it is in non-stop mode, and GDB is told. */
export function stopped(connection: Connection, events: readonly StopEvent[]): void {
  const { attachments, queue } = connection;
  for (const event of events) {
    const process = 'target' in event ? event.target.process : event.process;
    const attachment = attachments.get(process);
    if (attachment === 'pending' && event.kind === 'ended') attachments.set(process, 'free');
    if (attachment === 'attached' || (attachment === 'pending' && event.kind !== 'ended')) queue.push(event);
  }
  if (queue.length === 0) return;
  if (!connection.nonStop) connection.options.debugger.stop(ownTargets(connection));
  report(connection);
}

/** Tell GDB of the first stop that it does not know of, if it waits for one. */
export function report(connection: Connection): void {
  if (connection.nonStop) return notify(connection);
  const event = connection.waiting ? connection.queue.shift() : undefined;
  if (!event) return;
  connection.waiting = false;
  const reply = settle(connection, event);
  connection.tell(reply);
}

/** In non-stop mode one notification is on its way at a time; GDB asks for the others. */
function notify(connection: Connection): void {
  const [event] = connection.queue;
  if (!event || connection.notified) return;
  connection.notified = true;
  connection.notify(`Stop:${settle(connection, event)}`);
}

/** `vStopped`: GDB has the last one; the next, or that there is none. */
export function nextStopped(connection: Connection): string {
  connection.queue.shift();
  const [event] = connection.queue;
  connection.notified = event !== undefined;
  return event ? settle(connection, event) : 'OK';
}

/** What follows from GDB being told of a stop: register packets are about that target from now on. */
function settle(connection: Connection, told: StopEvent): string {
  const { current } = connection;
  const event = told.kind === 'present' && current.runs ? { ...told, target: current } : told; // it is everybody's
  if (event.kind === 'trap') for (const line of event.stop.lines) connection.show(`${line}\n`);
  const reply = eventReply(connection, event);
  if ('target' in event) connection.current = connection.steppingBoard ?? event.target;
  else connection.attachments.set(event.process, 'free');
  connection.steppingBoard = undefined;
  const { target, hit } = event.kind === 'watchpoint' ? event : {};
  connection.watched = target && hit && { target, breakpoint: hit.breakpoint };
  connection.lastStop = reply;
  return reply;
}

/** A partition that GDB is yet to be told of: as a fork of the hypervisor. */
export function forkReply(connection: Connection): string | undefined {
  const { attachments, features, options } = connection;
  if (!features.has('fork-events')) return undefined;
  const parent = options.processes.find((p) => attachments.get(p) === 'attached');
  const child = [...attachments].find(([process, state]) => state === 'pending' && !process.ending)?.[0];
  if (!parent?.targets[0] || !child?.targets[0]) return undefined;
  attachments.set(child, 'attached');
  connection.current = parent.targets[0];
  return `T${SIGTRAP}fork:${threadId(connection, child.targets[0])};thread:${threadId(connection, parent.targets[0])};`;
}

/** A partition that GDB has and does not know the program of: as an exec. */
export function execReply(connection: Connection, resumed: ReadonlySet<Target>): string | undefined {
  const { features, executing, options } = connection;
  if (!features.has('exec-events')) return undefined;
  for (const target of attachedTargets(connection)) {
    const { process } = target;
    const file = options.files.get(process.number);
    if (process.kind !== 'partition' || executing.has(process) || !file || !resumed.has(target)) continue;
    executing.add(process);
    connection.current = target;
    return `T${SIGTRAP}exec:${textToHex(file.path)};thread:${threadId(connection, target)};`;
  }
  return undefined;
}
