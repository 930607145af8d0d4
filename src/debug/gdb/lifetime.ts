import type { Process, Target } from '../target.js';
import { attachedTargets, ownTargets, type Connection } from './client.js';
import { hexNumber } from './packet.js';
import { bareStop, endReply, stopReply } from './stops.js';

/** Attaching, detaching, ending, starting again. */

const processAt = ({ options }: Connection, digits: string | undefined): Process | undefined =>
  options.processes.find(({ number }) => number === hexNumber(digits));

/** A process's targets run whatever is stopped. */
function release(connection: Connection, process: Process): void {
  const { attachments, points, options } = connection;
  attachments.set(process, 'free');
  for (const [key, point] of points) if (point.process === process) points.delete(key);
  connection.place();
  options.debugger.resume(new Map(process.targets.map((target) => [target, { kind: 'run' }])));
}

/** D, or D;pid: GDB lets go. With its last process everything runs. */
export function detach(connection: Connection, text: string): string {
  const process = text === '' ? undefined : processAt(connection, text.slice(1));
  if (text !== '' && !process) return 'E01';
  if (process) release(connection, process);
  if (!process || attachedTargets(connection).length === 0)
    for (const each of connection.options.processes) release(connection, each);
  return 'OK';
}

/** vAttach;pid: stop a process and have it. */
export function attach(connection: Connection, text: string): string {
  const process = processAt(connection, text.replace(/^;/, ''));
  const target = process?.targets[0];
  if (!process || !target || process.ending) return 'E01';
  connection.attachments.set(process, 'attached');
  connection.executing.add(process); // GDB asks for its program itself
  connection.options.debugger.stop(connection.nonStop ? process.targets : ownTargets(connection));
  connection.current = target;
  if (connection.nonStop) {
    connection.queue.push({ kind: 'interrupt', target });
    return 'OK';
  }
  return bareStop(connection, target);
}

/** vKill;pid and k: of a partition its end, of the board or the hypervisor that of the machine. */
export function kill(connection: Connection, text: string): string {
  const process = processAt(connection, text.replace(/^;/, ''));
  if (!process) return 'E01';
  killProcess(connection, process);
  return 'OK';
}

export function killProcess({ options, attachments, extended }: Connection, process: Process): void {
  attachments.set(process, 'free');
  if (process.kind === 'partition') options.stop(process);
  else if (extended)
    options.debugger.stop(options.debugger.targets); // `run` may start it again
  else options.kill();
}

/** R and vRun: the programs start again from their images, and stand at their first instruction. */
export function restart(connection: Connection): boolean {
  const { options, attachments, executing } = connection;
  if (!options.restart) return false;
  options.restart();
  for (const [process, state] of attachments) {
    if (state === 'free' && process.kind === 'partition') attachments.set(process, 'pending');
  }
  executing.clear();
  connection.queue.length = 0;
  options.debugger.stop(ownTargets(connection));
  return true;
}

export function runAgain(connection: Connection): string {
  if (!restart(connection)) return 'E01';
  const [first] = connection.options.processes;
  if (first) connection.attachments.set(first, 'attached');
  const target: Target | undefined = first?.targets[0];
  if (!target) return 'E01';
  connection.current = target;
  connection.options.debugger.stop(ownTargets(connection));
  return stopReply(connection, target);
}

/** `?`: why everything stands still. */
export function whyStopped(connection: Connection): string {
  const { nonStop, current } = connection;
  if (!nonStop)
    return current.process.ending
      ? endReply(connection, current.process, current.process.ending)
      : stopReply(connection, current);
  connection.queue.length = 0;
  const still = attachedTargets(connection).filter((target) => connection.options.debugger.isStopped(target));
  connection.queue.push(...still.map((target) => ({ kind: 'interrupt', target }) as const));
  const [event] = still;
  connection.notified = event !== undefined;
  return event ? stopReply(connection, event, '', '00') : 'OK';
}
