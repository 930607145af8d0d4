// A trace by the rules of the Chrome trace event format, which viewers are strict about in different ways.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cli } from '../../tools.js';
import { scratch } from '../../cli/child.js';

type Event = Readonly<Record<string, unknown>>;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const trackOf = ({ pid, tid }: Event): string => `${String(pid)}/${String(tid)}`;

/** Nanoseconds: times are given in microseconds, to the nanosecond. */
const nanoseconds = (microseconds: unknown): number => Math.round(Number(microseconds) * 1000);

/** What every event has to have, by its phase. */
function wrongFields(event: Event): string[] {
  const { name, ph, pid, tid, ts, dur, s, cat, args } = event;
  const needs: readonly (readonly [boolean, string])[] = [
    [typeof name === 'string' && name !== '', 'a name'],
    [['X', 'i', 'M'].includes(ph as string), 'a phase that is written here'],
    [Number.isInteger(pid) && Number.isInteger(tid), 'numbers of process and thread'],
    [args === undefined || (typeof args === 'object' && args !== null && !Array.isArray(args)), 'args as an object'],
    [ph === 'M' || (isNumber(ts) && ts >= 0), 'a time'],
    [ph !== 'X' || (isNumber(dur) && dur >= 0), 'a duration'],
    [ph === 'X' || dur === undefined, 'no duration but in a slice'],
    [ph !== 'i' || ['t', 'p', 'g'].includes(s as string), 'a scope'],
    [ph === 'M' || typeof cat === 'string', 'a category'],
    [Object.keys(event).every((key) => FIELDS.has(key)), 'no other fields'],
  ];
  return needs.filter(([holds]) => !holds).map(([, what]) => `${JSON.stringify(event)}: it needs ${what}`);
}

const FIELDS = new Set(['name', 'ph', 'pid', 'tid', 'ts', 'dur', 's', 'cat', 'args']);

/** Names of processes and threads, each given once, for all that are used. */
function wrongNames(events: readonly Event[]): string[] {
  const named = (what: string): string[] =>
    events
      .filter(({ ph, name }) => ph === 'M' && name === what)
      .map((e) => (what === 'process_name' ? String(e['pid']) : trackOf(e)));
  const [processes, threads] = [named('process_name'), named('thread_name')];
  const twice = [...processes, ...threads].filter((each, i, all) => all.indexOf(each) !== i);
  const empty = events.filter(
    ({ ph, args }) => ph === 'M' && typeof (args as Event | undefined)?.['name'] !== 'string',
  );
  const used = events.filter(({ ph }) => ph !== 'M');
  return [
    ...twice.map((each) => `${each} is named twice`),
    ...empty.map((each) => `${JSON.stringify(each)} gives no name`),
    ...used.filter((e) => !processes.includes(String(e['pid']))).map((e) => `process ${String(e['pid'])} has no name`),
    ...used.filter((e) => !threads.includes(trackOf(e))).map((e) => `thread ${trackOf(e)} has no name`),
  ];
}

/** On a track, slices are in the order of time and lie beside or within one another; so are instants in the order of time. */
function wrongOrder(events: readonly Event[]): string[] {
  const problems: string[] = [];
  const last = new Map<string, number>();
  const open = new Map<string, number[]>();
  for (const event of events.filter(({ ph }) => ph !== 'M')) {
    const from = nanoseconds(event['ts']);
    const key = `${trackOf(event)} ${String(event['ph'])}`;
    if (from < (last.get(key) ?? 0)) problems.push(`${JSON.stringify(event)} goes back in time`);
    last.set(key, from);
    if (event['ph'] !== 'X') continue;
    const ends = (open.get(key) ?? []).filter((end) => end > from);
    const to = from + nanoseconds(event['dur']);
    if (ends.some((end) => to > end)) problems.push(`${JSON.stringify(event)} overlaps another`);
    open.set(key, [...ends, to]);
  }
  return problems;
}

const problemsOf = (events: readonly Event[]): string[] => [
  ...events.flatMap(wrongFields),
  ...wrongNames(events),
  ...wrongOrder(events),
];

test.each([
  ['partitions', ['boot', 'devicetrees/two-partitions.dts']],
  ['a manager and what it manages', ['boot', 'devicetrees/manager.dts']],
  ['the bare board', ['run', '--bare', 'firmware/traps/traps.elf']],
  ['what came last', ['boot', 'devicetrees/two-partitions.dts', '--trace-limit', '100K', '--trace-keep', 'last']],
  ['what came first', ['boot', 'devicetrees/two-partitions.dts', '--trace-limit', '100K']],
])('%s: the trace keeps to the format', async (name, args) => {
  const file = scratch(`${name}.json`);
  const { stderr } = await cli([...args, '--headless', '--max-instructions', '1e6', '--trace', file], { input: '' });
  expect(stderr).not.toContain('trace');
  const events = JSON.parse(readFileSync(file, 'utf8')) as Event[];
  expect(events.length).toBeGreaterThan(300);
  expect(problemsOf(events).slice(0, 5)).toEqual([]);
  for (const phase of ['X', 'i', 'M']) expect(events.some(({ ph }) => ph === phase)).toBe(true);
});

// prettier-ignore
test('what breaks the rules is found', () => {
  const names = [
    { name: 'process_name', ph: 'M', pid: 1, tid: 0, args: { name: 'board' } },
    { name: 'thread_name', ph: 'M', pid: 1, tid: 1, args: { name: 'cpu0' } },
  ];
  const slice = { name: 'guest', cat: 'slice', ph: 'X', pid: 1, tid: 1, ts: 1, dur: 2 };
  expect(problemsOf([...names, slice, { ...slice, ts: 3 }, { ...slice, ts: 3.5, dur: 1 }])).toEqual([]);
  for (const [bad, problem] of [
    [{ ...slice, ts: 2 },                         'overlaps'],
    [{ ...slice, ts: 0.5, dur: 0.1 },             'back in time'],
    [{ ...slice, dur: undefined },                'a duration'],
    [{ ...slice, ph: 'i' },                       'a scope'],
    [{ ...slice, ts: 4, tid: 2 },                 'thread 1/2 has no name'],
    [{ ...slice, ts: 4, pid: 2 },                 'process 2 has no name'],
    [{ ...slice, ts: NaN },                       'a time'],
    [{ ...slice, ts: 4, ph: 'B' },                'a phase'],
    [names[1]!,                                   '1/1 is named twice'],
  ] as const) expect(problemsOf([...names, slice, bad]).join('\n')).toContain(problem);
});
