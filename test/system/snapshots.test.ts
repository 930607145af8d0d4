// A machine that is brought back to a moment of its past goes on as it did then, in every field that it has.

import { expect, test } from 'vitest';
import { Snapshots, snapshotOf, stateHash, type Snapshotable } from '../../src/board/snapshot.js';
import { decodeState, encodeState } from '../../src/board/state-text.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import type { Machine } from '../../src/board/machine.js';
import { configuration, hello, spin, traps } from '../cli/child.js';
import { bareMachine, partitions, runFor, type Recorded } from './machines.js';
import { differences } from './walk.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

type Whole = Recorded<Machine & Snapshotable>;

// prettier-ignore
const machines: readonly (readonly [name: string, build: (engine?: Engine) => Whole])[] = [
  ['hello on the bare board', (engine) => bareMachine(hello, engine)],
  ['traps on the bare board', (engine) => bareMachine(traps, engine)],
  ['hello, traps and spin in partitions', (engine) => partitions(configuration([
    { name: 'hello', image: hello },
    { name: 'traps', image: traps },
    { name: 'spin', image: spin },
  ], 'quantum = <70000>;'), engine)],
];

/** Moments that are neither slices nor turns, always the same. */
function* moments(count: number, longest: number): Generator<number> {
  let state = 7;
  for (let at = 0, i = 0; i < count; i++) {
    state = (state * 48271) % 0x7fffffff;
    yield (at += 1 + (state % longest));
  }
}

const typed = (recorded: Whole): Whole => {
  recorded.machine.type(recorded.machine.streams[0]!, bytes('mem\rtrap\rticks\r'));
  return recorded;
};

const to = (recorded: Whole, cycle: number): void => runFor(recorded, cycle, () => 1e9);

const hash = ({ machine }: Whole): string => stateHash(snapshotOf(machine));

/**
 * What may differ though the runs are the same: what is remembered to be found again, what a debugger or the test itself has,
 * numbers that only stand for an order, and what has been told outside. How the last
 * call of run() ended is whose that call was: a history keeps it beside its snapshots.
 */
const DERIVED =
  /(ram|devices|dcrs)\.#(last$|gap)|lookaside|#lastUse|#uses|#counted|\.trap$|selfBranch$|recordInput|options|#watchers|\.dirty$|\.changed$|#translated|#told|\.memory$|#queue|#next$|inPlace\.(outcome|#costs)$|gotOnAt$|^\.standing$/;

// prettier-ignore
const engines: readonly (readonly [name: string, make: () => Engine])[] = [
  ['the interpreter', () => new Interpreter()],
  ['the translator', () => new Translator({ hot: 2 })],
];

const cases = machines.flatMap(([machine, build]) =>
  engines.map(([engine, make]) => [machine, engine, build, make] as const),
);

test.each(cases)(
  '%s, under %s: a fresh machine that is given a snapshot runs on to the same state',
  (_, __, build, make) => {
    const original = typed(build(make()));
    for (const at of moments(5, 600_000)) {
      to(original, at);
      const snapshot = snapshotOf(original.machine);
      const text = encodeState(snapshot.state);
      const fresh = build(); // under the other engine as well as under the same
      new Snapshots(fresh.machine).restore({ ...snapshot, state: decodeState(text) });
      expect(hash(fresh)).toBe(hash(original));
      to(fresh, at + 300_000);
      to(original, at + 300_000);
      expect(hash(fresh)).toBe(hash(original));
      expect(fresh.machine.programs).toEqual(original.machine.programs);
    }
  },
);

test.each(cases)('%s, under %s: the machine itself goes back, and forth the same way', (_, __, build, make) => {
  const recorded = typed(build(make()));
  const snapshots = new Snapshots(recorded.machine);
  const kept = [...moments(12, 200_000)].map((at) => {
    to(recorded, at);
    const snapshot = snapshots.take();
    return { at: recorded.machine.clock.now, snapshot, hash: stateHash(snapshot) };
  });
  for (const [i, { snapshot, hash: before }] of [...kept.entries()].toReversed()) {
    snapshots.restore(snapshot);
    expect(hash(recorded)).toBe(before);
    const next = kept[i + 1];
    if (!next) continue;
    to(recorded, next.at);
    expect(hash(recorded)).toBe(next.hash);
  }
});

test.each(cases)('%s, under %s: no field is forgotten', (_, __, build, make) => {
  const original = typed(build(make()));
  to(original, 1_234_567);
  const fresh = build(make());
  new Snapshots(fresh.machine).restore(snapshotOf(original.machine));
  expect(differences(original.machine, fresh.machine, DERIVED)).toEqual([]);
  for (const each of [original, fresh]) to(each, 1_800_000);
  expect(differences(original.machine, fresh.machine, DERIVED)).toEqual([]);
});

test('taking snapshots leaves no trace', () => {
  const [, build] = machines[2]!;
  const [with_, without] = [typed(build()), typed(build())];
  const snapshots = new Snapshots(with_.machine);
  for (const at of moments(30, 50_000)) {
    to(with_, at);
    snapshots.take();
  }
  to(with_, 2_000_000);
  to(without, 2_000_000);
  expect(hash(with_)).toBe(hash(without));
});
