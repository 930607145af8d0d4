import type { Target } from '../target.js';
import type { Connection } from './client.js';
import { hexNumber } from './packet.js';

/** All targets of the processes that this connection shows. */
export const shownTargets = ({ options }: Connection): readonly Target[] =>
  options.processes.flatMap(({ targets }) => targets);

/** `p2.1`; for a client that knows one process only, a number among all targets. */
export function threadId(connection: Connection, target: Target): string {
  if (connection.features.has('multiprocess'))
    return `p${target.process.number.toString(16)}.${target.thread.toString(16)}`;
  return (shownTargets(connection).indexOf(target) + 1).toString(16);
}

/** The targets that an id stands for: `p2.1`, `p2.-1` all of one, `-1` all, `0` any; undefined where it is none. */
export function targetsOf(connection: Connection, id: string): readonly Target[] | undefined {
  const all = shownTargets(connection);
  const match = /^(?:p(-1|[0-9a-fA-F]+)(?:\.(-1|[0-9a-fA-F]+))?|(-1|[0-9a-fA-F]+))$/.exec(id);
  if (!match) return undefined;
  const [, process, within = '-1', plain] = match;
  if (plain !== undefined) {
    if (plain === '-1' || plain === '0') return all;
    const one = connection.features.has('multiprocess')
      ? connection.current.process.targets.find(({ thread }) => thread === hexNumber(plain))
      : all[(hexNumber(plain) ?? 0) - 1];
    return one ? [one] : [];
  }
  const anyProcess = process === '-1' || hexNumber(process) === 0;
  const anyThread = within === '-1' || hexNumber(within) === 0;
  return all.filter(
    (target) =>
      (anyProcess || target.process.number === hexNumber(process)) &&
      (anyThread || target.thread === hexNumber(within)),
  );
}
