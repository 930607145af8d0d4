import type { Moment } from '../board/inputs.js';
import type { MachineHistory } from './machine-history.js';
import type { MonitorContext } from './monitor.js';

/** The monitor's commands about the past. GDB keeps registers of its own: after one that
 * moves the machine it has to be told by `maintenance flush register-cache`. */

type Run = (context: MonitorContext, args: readonly string[]) => readonly string[];

const NONE = ['there is no history: it is kept by `hv440 debug`, unless --history 0 says otherwise'];

const withHistory =
  (run: (history: MachineHistory, context: MonitorContext, args: readonly string[]) => readonly string[]): Run =>
  (context, args) => {
    const { history } = context.debugger;
    return history && 'extent' in history ? run(history as MachineHistory, context, args) : NONE;
  };

const count = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d[\d_,]*$/.test(text) ? Number(text.replace(/[_,]/g, '')) : undefined;

const grouped = (value: number): string => value.toLocaleString('en-US');

const at = ({ steps, cycle }: Moment): string => `step ${grouped(steps)}, cycle ${grouped(cycle)}`;

const MIB = 2 ** 20;

function where({ timeline, bookmarks, extent: { first, now, last } }: MachineHistory): string[] {
  return [
    `from     ${at(first)}`,
    `now      ${at(now)}`,
    `up to    ${at(last)}`,
    `${timeline.marks.length} snapshots, ${(timeline.bytes / MIB).toFixed(1)} of ${timeline.limit / MIB} MiB`,
    ...[...bookmarks].map(([name, moment]) => `bookmark ${name}: ${at(moment)}`),
  ];
}

/** All targets stand still at another moment; what they say is told. */
function moved(history: MachineHistory, { target }: MonitorContext, found: boolean): string[] {
  const { first, now, last } = history.extent;
  if (!found) return [`that is not between ${at(first)} and ${at(last)}`];
  return [
    `${at(now)}: pc ${target.registers.get('pc').toString(16).padStart(8, '0')} ('maint flush register-cache' has GDB look again)`,
  ];
}

/** Moving is for a machine of which nothing runs. */
function move(history: MachineHistory, context: MonitorContext, go: () => boolean): readonly string[] {
  return busy(context) ?? moved(history, context, go());
}

function busy({ debugger: debug }: MonitorContext): string[] | undefined {
  const running = debug.targets.find((target) => target.runs && !target.process.ending && !debug.isStopped(target));
  return running && [`${running.name} runs: stop it first`];
}

export const goto = withHistory((history, context, [text = '']) => {
  const steps = history.bookmarks.get(text)?.steps ?? count(text);
  if (steps === undefined) return ['goto STEP|BOOKMARK: steps as `history` counts them'];
  return move(history, context, () => history.goTo(steps));
});

export const gotoTime = withHistory((history, context, [text]) => {
  const cycle = count(text);
  return cycle === undefined
    ? ['goto-time CYCLE: a cycle of the clock']
    : move(history, context, () => history.goToCycle(cycle));
});

export const bookmark = withHistory((history, _, [name]) => {
  if (name === undefined || count(name) !== undefined) return ['bookmark NAME: a word to go back to by `goto NAME`'];
  history.bookmarks.set(name, history.extent.now);
  return [`${name}: ${at(history.extent.now)}`];
});

export const history = withHistory(where);

export const whereWritten = withHistory((past, context, [text, size = '4']) => {
  const { target, physical } = context;
  const address = text !== undefined && /^(0x)?[0-9a-fA-F]{1,9}$/.test(text) ? parseInt(text, 16) : undefined;
  const length = count(size);
  if (address === undefined || !length) return ['where-written ADDR [BYTES]: an address in hexadecimal'];
  if (!target.runs) return ['that is asked of a partition’s processor, or of the bare board’s'];
  const refused = busy(context);
  if (refused) return refused;
  const space = physical ? 'physical' : 'effective';
  const write = past.lastWrite({ space, address, length }, target.process.targets);
  if (!write) return [`no instruction has written it since ${at(past.extent.first)}`];
  const pc = write.pc.toString(16).padStart(8, '0');
  return [`${write.target.name}, pc ${pc}, ${at({ ...write, standing: 'ran' })} (goto ${write.steps} goes there)`];
});
