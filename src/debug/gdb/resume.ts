import type { Resumption } from '../debugger.js';
import type { Target } from '../target.js';
import { busy } from '../history-commands.js';
import { attachedTargets, type Connection, type Point } from './client.js';
import { hexNumber } from './packet.js';
import { execReply, forkReply, report, stopped } from './stops.js';
import { targetsOf } from './thread-ids.js';

/** Letting targets run, and having them stop. */

/** One action of vCont, for the targets that no action before it was for. */
interface Action {
  readonly resumption: Resumption | 'stop';
  readonly targets: readonly Target[];
}

/** `c`, `C05`, `s`, `S05`, `t`, `r from,to`, each with a thread's id or none. Signals go nowhere: a processor has none. */
function parseAction(connection: Connection, text: string): Action | undefined {
  const [what = '', id] = text.split(':');
  const targets = id === undefined ? attachedTargets(connection) : targetsOf(connection, id);
  if (!targets) return undefined;
  if (/^(c|C[0-9a-fA-F]{2})$/.test(what)) return { resumption: { kind: 'run' }, targets };
  if (/^(s|S[0-9a-fA-F]{2})$/.test(what)) return { resumption: { kind: 'step', count: 1 }, targets };
  if (what === 't') return { resumption: 'stop', targets };
  const range = /^r([0-9a-fA-F]+),([0-9a-fA-F]+)$/.exec(what);
  const [from, to] = [hexNumber(range?.[1]), hexNumber(range?.[2])];
  return from === undefined || to === undefined ? undefined : { resumption: { kind: 'range', from, to }, targets };
}

/** vCont; the packet's text begins with a semicolon. */
export function resumeBy(connection: Connection, text: string): string | undefined {
  const actions = text
    .split(';')
    .slice(1)
    .map((each) => parseAction(connection, each));
  if (actions.length === 0 || actions.includes(undefined)) return 'E01';
  const wanted = new Map<Target, Resumption | 'stop'>();
  for (const { resumption, targets } of actions as Action[]) {
    for (const target of targets) if (!wanted.has(target)) wanted.set(target, resumption);
  }
  return run(connection, wanted);
}

/** `c`, `s`, `C`, `S` and the address that they may have: for clients without vCont. */
export function resumePlainly(connection: Connection, kind: 'run' | 'step', text: string): string | undefined {
  const address = hexNumber(text);
  if (address !== undefined) connection.options.debugger.writeRegister(connection.current, 'pc', BigInt(address));
  const one: Resumption = kind === 'run' ? { kind } : { kind, count: 1 };
  const wanted = new Map<Target, Resumption>(attachedTargets(connection).map((target) => [target, { kind: 'run' }]));
  return run(connection, wanted.set(connection.current, one));
}

function run(connection: Connection, wanted: ReadonlyMap<Target, Resumption | 'stop'>): string | undefined {
  const { nonStop, options, queue } = connection;
  connection.waiting = true;
  if (queue.length > 0 && !nonStop) {
    report(connection);
    return undefined;
  }
  if ([...wanted.values()].every((how) => how !== 'stop' && how.kind === 'run') && moveAsAsked(connection))
    return nonStop ? 'OK' : undefined;
  const over = watchedOver(connection);
  const first = over && wanted.get(over);
  if (over && typeof first === 'object' && first.kind === 'step') {
    stopped(connection, [{ kind: 'step', target: over }]);
    return nonStop ? 'OK' : undefined;
  }
  const resumed = new Map([...wanted].filter((each): each is [Target, Resumption] => each[1] !== 'stop'));
  const board = [...resumed.keys()].find(({ runs }) => !runs);
  const event = (board && forkReply(connection)) ?? execReply(connection, new Set(resumed.keys()));
  if (event !== undefined && !nonStop) {
    connection.waiting = false;
    connection.lastStop = event;
    return event;
  }
  if (board) resumeBoard(connection, board, resumed);
  const running = [...resumed.keys()].filter(({ runs, process }) => runs && !process.ending);
  if (running.length === 0 && !nonStop) return nothingRuns(connection);
  stopSome(connection, wanted);
  options.debugger.resume(resumed);
  return nonStop ? 'OK' : undefined;
}

/** Letting the hypervisor's core go lets those run that GDB does not have; a step of it is a step of whoever runs. */
function resumeBoard(connection: Connection, board: Target, resumed: Map<Target, Resumption>): void {
  const how = resumed.get(board)!;
  for (const [process, state] of connection.attachments) {
    if (state !== 'pending') continue;
    for (const target of process.targets) resumed.set(target, how);
  }
  if (how.kind === 'run') return;
  connection.steppingBoard = board;
  for (const target of resumed.keys()) if (target.runs) resumed.set(target, { kind: 'step', count: 1 });
}

/** Everything that could run is held back: GDB would wait for ever. */
function nothingRuns(connection: Connection): string {
  connection.waiting = false;
  if (connection.features.has('no-resumed')) return 'N';
  return connection.lastStop;
}

/** vCont;t: in non-stop mode targets are stopped one by one. */
function stopSome(connection: Connection, wanted: ReadonlyMap<Target, Resumption | 'stop'>): void {
  const targets = [...wanted].filter(([, what]) => what === 'stop').map(([target]) => target);
  const running = targets.filter((target) => target.runs && !connection.options.debugger.isStopped(target));
  connection.options.debugger.stop(running);
  if (running.length > 0)
    stopped(
      connection,
      running.map((target) => ({ kind: 'interrupt', target })),
    );
}

/** Ctrl-C: stop where it is just now. */
export function interrupt(connection: Connection): void {
  if (!connection.waiting && !connection.nonStop) return;
  const { debugger: machine } = connection.options;
  if (machine.stopBack()) return stopped(connection, [{ kind: 'interrupt', target: connection.current }]);
  const running = attachedTargets(connection).find((target) => target.runs && !machine.isStopped(target));
  const target = running ?? attachedTargets(connection)[0];
  connection.options.traps.settle();
  if (target) stopped(connection, [{ kind: 'interrupt', target }]);
}

/**
 * The target that GDB steps over the access of a watchpoint: on a PowerPC it takes it that the stop came before the instruction, and
 * has it executed, with the watchpoint taken away, before it tells anybody. Here that has been done already, so that the place that
 * is told is that of the access and not the one after it. Asked once.
 */
function watchedOver(connection: Connection): Target | undefined {
  const { watched, points } = connection;
  connection.watched = undefined;
  if (!watched) return undefined;
  const { breakpoint, target } = watched;
  const same = ({ process, breakpoint: { kind, address } }: Point): boolean =>
    process === target.process && kind === breakpoint.kind && address === breakpoint.address;
  return [...points.values()].some(same) ? undefined : target;
}

/** Where a command of the monitor has asked to be: for GDB a stop like others, after which it looks at everything anew. */
function moveAsAsked(connection: Connection): boolean {
  const { move, current } = connection;
  const target = current.runs ? current : attachedTargets(connection).find(({ runs }) => runs);
  if (!move || !target) return false;
  connection.move = undefined;
  for (const line of move()) connection.show(`${line}\n`);
  connection.waiting = true;
  stopped(connection, [{ kind: 'moved', target }]);
  return true;
}

/** bs and bc, where there is a history. */
export function backward(connection: Connection, kind: 'step' | 'continue'): string | undefined {
  const { history } = connection.options.debugger;
  if (!history) return '';
  if (kind === 'continue' && moveAsAsked(connection)) return undefined;
  const targets = attachedTargets(connection).filter(({ runs }) => runs);
  const target = connection.current.runs ? connection.current : targets[0];
  if (!target) return 'E01';
  connection.waiting = true;
  if (watchedOver(connection) === target && kind === 'step') {
    stopped(connection, [{ kind: 'step', target }]);
    return undefined;
  }
  const refused = busy(connection.options);
  for (const line of refused ?? []) connection.show(`${line}\n`);
  if (refused) stopped(connection, [{ kind: 'moved', target }]);
  else if (kind === 'continue') connection.options.debugger.goBack(targets, target);
  else {
    const end = history.stepBack(target);
    stopped(connection, [end.kind === 'stopped' ? end.event : { kind: 'beginning', target }]);
  }
  return undefined;
}
