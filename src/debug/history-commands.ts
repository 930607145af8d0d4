import type { Moment } from '../board/inputs.js';
import type { MachineHistory } from './machine-history.js';
import type { MonitorContext } from './monitor.js';
import { placeOf } from './named-place.js';

/** The monitor's commands about the past. */

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
function moved(history: MachineHistory, { target, traps }: MonitorContext, found: boolean): string[] {
  const { first, now, last } = history.extent;
  if (!found) return [`that is not between ${at(first)} and ${at(last)}`];
  return [`${at(now)}: ${target.name} at ${traps.programOf(target).text(target.registers.get('pc'))}`];
}

/** Moving is for a machine of which nothing runs. `to` says where. */
function move(history: MachineHistory, context: MonitorContext, to: string, go: () => boolean): readonly string[] {
  const { postpone } = context;
  const now = (): readonly string[] => busy(context) ?? moved(history, context, go());
  const refused = busy(context);
  if (refused || !postpone) return refused ?? now();
  postpone(now);
  return [`continue, or reverse-continue, goes to ${to}`];
}

/** Why the machine cannot be moved in time now, if it cannot. */
export function busy({ debugger: debug }: Pick<MonitorContext, 'debugger'>): string[] | undefined {
  const running = debug.targets.find((target) => target.runs && !target.process.ending && !debug.isStopped(target));
  if (running) return [`${running.name} runs: stop it first`];
  return debug.busy ? ['it is on its way back: stop that first'] : undefined;
}

export const goto = withHistory((history, context, [text = '']) => {
  const steps = history.bookmarks.get(text)?.steps ?? count(text);
  if (steps === undefined) return ['goto STEP|BOOKMARK: steps as `history` counts them'];
  const { first, last } = history.extent;
  if (steps < first.steps || steps > last.steps) return moved(history, context, false);
  return move(history, context, `step ${grouped(steps)}`, () => history.goTo(steps));
});

export const gotoTime = withHistory((history, context, [text]) => {
  const cycle = count(text);
  if (cycle === undefined) return ['goto-time CYCLE: a cycle of the clock'];
  const { first, last } = history.extent;
  if (cycle < first.cycle || cycle > last.cycle) return moved(history, context, false);
  return move(history, context, `cycle ${grouped(cycle)}`, () => history.goToCycle(cycle));
});

/** To before the last trap of the context's processor; the trap is shown. */
export const reverseTrapStep = withHistory((history, context) => {
  const { target, traps } = context;
  const [record] = traps.last(1, (each) => each.target === target && each.steps < target.runs!.steps);
  if (!record) return ['no trap of this processor is known before this'];
  const lines = ['before the trap:', ...traps.lines(record)];
  const told = move(history, context, 'before the last trap', () => history.goTo(record.moment));
  return [...lines, ...told];
});

export const bookmark = withHistory((history, _, [name]) => {
  if (name === undefined || count(name) !== undefined) return ['bookmark NAME: a word to go back to by `goto NAME`'];
  history.bookmarks.set(name, history.extent.now);
  return [`${name}: ${at(history.extent.now)}`];
});

export const history = withHistory(where);

export const whereWritten = withHistory((past, context, [text, size]) => {
  const { target, physical, traps } = context;
  const program = traps.programOf(target);
  const place = placeOf(text, program);
  const length = size === undefined ? (place?.size ?? 4) : count(size);
  if (!place || !length) return ['where-written PLACE [BYTES]: an address in hexadecimal, or a symbol'];
  const { address } = place;
  if (!target.runs) return ['that is asked of a partition’s processor, or of the bare board’s'];
  const refused = busy(context);
  if (refused) return refused;
  const space = physical ? 'physical' : 'effective';
  const write = past.lastWrite({ space, address, length }, target.process.targets);
  if (!write) return [`no instruction has written it since ${at(past.extent.first)}`];
  const by = `${write.target.name} at ${program.text(write.pc)}`;
  return [`${by}, ${at({ ...write, standing: 'ran' })} (goto ${write.steps} goes there)`];
});
