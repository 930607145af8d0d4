import { expect, test } from 'vitest';
import { snapshotOf, stateHash } from '../../src/board/snapshot.js';
import type { Breakpoint } from '../../src/debug/breakpoints.js';
import { Debugger, type Client, type StopEvent } from '../../src/debug/debugger.js';
import { MachineHistory, type HistoryOptions } from '../../src/debug/machine-history.js';
import type { DebuggedMachine } from '../../src/debug/processes.js';
import type { Target } from '../../src/debug/target.js';
import { configuration, hello, spin, traps } from '../cli/child.js';
import { bareMachine, partitions } from '../system/machines.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A machine with a debugger and a history, that stands at its beginning. */
function remembered(machine: DebuggedMachine, options: HistoryOptions = { distance: 40_000 }) {
  const debug = new Debugger(machine);
  const history = new MachineHistory(machine, debug, options);
  debug.history = history;
  const events: StopEvent[] = [];
  const client: Client = { scope: debug.targets, stopped: (own) => void events.push(...own) };
  debug.join(client);
  const target = (name: string): Target => debug.targets.find((t) => t.name === name)!;
  return { machine, debug, history, client, events, target, hash: () => stateHash(snapshotOf(machine)) };
}
type Remembered = ReturnType<typeof remembered>;

/** Run on until something stops, or so many cycles have passed. */
function run({ machine, debug, events, client }: Remembered, cycles: number): StopEvent[] {
  const end = machine.clock.now + cycles;
  events.length = 0;
  debug.resume(new Map(debug.targets.map((target) => [target, { kind: 'run' }])));
  while (events.length === 0 && machine.clock.now < end) {
    const progress = debug.run(Math.min(50_000, end - machine.clock.now));
    if (progress.kind === 'idle') machine.skip(Math.min(end, progress.until));
    if (progress.kind === 'ended') break;
  }
  debug.stop(client.scope);
  return [...events];
}

const twoPartitions = (): DebuggedMachine =>
  partitions(
    configuration(
      [
        { name: 'hello', image: hello },
        { name: 'traps', image: traps },
        { name: 'spin', image: spin },
      ],
      'quantum = <70000>;',
    ),
  ).machine;

/** Numbers below a bound, always the same ones. */
function* numbers(below: number): Generator<number, never> {
  let state = 11;
  for (;;) {
    state = (state * 48271) % 0x7fffffff;
    yield state % below;
  }
}

// prettier-ignore
const machines: readonly (readonly [name: string, make: () => DebuggedMachine])[] = [
  ['on a bare board', () => bareMachine(hello).machine],
  ['in three partitions', twoPartitions],
];

test.each(machines)(
  '%s, from 100 points N steps back and N forward is the same state',
  (_, make) => {
    const made = remembered(make());
    const { machine, history } = made;
    run(made, 700_000);
    machine.type(machine.streams[0]!, bytes('mem\rticks\r'));
    run(made, 1_300_000);
    const present = made.hash();
    const last = machine.steps;
    const random = numbers(last);
    for (let i = 0; i < 100; i++) {
      const at = 2 + (random.next().value % (last - 2));
      expect(history.goTo(at)).toBe(true);
      expect(machine.steps).toBe(at);
      const there = made.hash();
      const back = 1 + (random.next().value % Math.min(at, 5000));
      if (!history.goTo(at - back)) continue;
      expect(machine.steps).toBe(at - back);
      history.goTo(at);
      expect(made.hash()).toBe(there);
    }
    history.goTo(last);
    expect(made.hash()).toBe(present);
  },
  120_000,
);

test.each(machines)('%s, running on from the past comes to the present, which says so', (_, make) => {
  const made = remembered(make());
  const { machine, history } = made;
  run(made, 400_000);
  machine.type(machine.streams[0]!, bytes('ticks\r'));
  run(made, 900_000);
  const present = made.hash();
  history.goTo(Math.floor(machine.steps / 3));
  expect(made.hash()).not.toBe(present);
  const events = run(made, 10_000_000);
  expect(events.map(({ kind }) => kind)).toEqual(['present']);
  expect(made.hash()).toBe(present);
  run(made, 100_000);
  expect(made.hash()).not.toBe(present);
});

test('a step back undoes a step, of one processor among others', () => {
  const made = remembered(twoPartitions());
  run(made, 1_000_000);
  const target = made.target('hello/cpu0');
  const pcs: number[] = [];
  const start = target.runs!.steps;
  for (let i = 0; i < 20; i++) {
    expect(made.history.stepBack(target).kind).toBe('stopped');
    expect(target.runs!.steps).toBe(start - 1 - i);
    pcs.push(target.registers.get('pc'));
  }
  for (const pc of pcs.toReversed()) {
    expect(target.registers.get('pc')).toBe(pc);
    made.history.goTo(made.machine.steps + 1);
    while (
      target.runs!.steps < start &&
      target.registers.get('pc') === pc &&
      made.machine.steps < made.history.extent.last.steps
    )
      made.history.goTo(made.machine.steps + 1);
  }
});

test('back to a breakpoint and to what wrote an address', () => {
  const made = remembered(bareMachine(hello).machine);
  const { debug, client, history, machine } = made;
  const target = made.target('board/cpu0');
  run(made, 1_000_000);
  const sp = target.registers.get('r1');
  const write = history.lastWrite({ space: 'effective', address: sp, length: 4 }, [target]);
  expect(write).toBeDefined();
  expect(target.registers.get('r1')).toBe(sp); // it stands where it stood
  const value = target.effective.read(sp, 4);
  history.goTo(write!.steps);
  expect(target.registers.get('pc')).toBe(write!.pc);
  history.goTo(write!.steps + 1);
  expect(target.effective.read(sp, 4)).toEqual(value);

  const breakpoint: Breakpoint = { kind: 'execute', space: 'effective', address: write!.pc, length: 4 };
  debug.setBreakpoints(client, [{ breakpoint, targets: new Set([target]) }]);
  const end = history.continueBack([target]);
  expect(end.kind === 'stopped' && end.event.kind).toBe('breakpoint');
  expect(machine.steps).toBe(write!.steps);
  const again = history.continueBack([target]);
  if (again.kind === 'stopped') expect(machine.steps).toBeLessThan(write!.steps);
  debug.setBreakpoints(client, []);
  expect(history.continueBack([target]).kind).toBe('beginning');
  expect(machine.steps).toBe(0);
});

test('a change in the past gives up what came after it, and the run goes another way', () => {
  let given = 0;
  const made = remembered(bareMachine(hello).machine, { distance: 50_000, onDiverge: () => given++ });
  const { machine, history } = made;
  run(made, 1_000_000);
  const last = machine.steps;
  history.goTo(Math.floor(last / 2));
  machine.type(machine.streams[0]!, bytes('mem\r'));
  expect(given).toBe(1);
  expect(history.extent.last.steps).toBe(machine.steps);
  run(made, 1_000_000);
  const other = made.hash();
  const at = machine.steps;
  history.goTo(Math.floor(last / 3));
  history.goTo(at);
  expect(made.hash()).toBe(other);
});

test('memory for snapshots is bounded: the older they are, the farther apart', () => {
  const made = remembered(bareMachine(hello).machine, { distance: 10_000, limit: 8 * 2 ** 20 });
  run(made, 3_000_000);
  const { marks, bytes: used } = made.history.timeline;
  expect(used).toBeLessThanOrEqual(8 * 2 ** 20);
  expect(marks[0]!.steps).toBe(0);
  const gaps = marks.slice(1).map((mark, i) => mark.steps - marks[i]!.steps);
  expect(Math.max(...gaps.slice(0, 3))).toBeGreaterThan(gaps.at(-1)!);
});
