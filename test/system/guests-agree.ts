// The project's own guests, whichever engine runs them: the same bytes in the same cycles, and the same state in the end.

import { readFileSync } from 'node:fs';
import type { Machine } from '../../src/board/machine.js';
import { snapshotOf, stateHash, type Snapshotable } from '../../src/board/snapshot.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import { inRoot } from '../cli/child.js';
import { bareMachine, partitions, runFor, type Recorded } from './machines.js';

export const engines: readonly (readonly [name: string, make: () => Engine])[] = [
  ['interpreter', () => new Interpreter()],
  ['translator', () => new Translator()],
  ['translator of warm code', () => new Translator({ hot: 16 })],
  ['translator that forgets', () => new Translator({ hot: 4, cache: 1500 })],
];

const bare = ['hello', 'traps', 'spin', 'manual', 'cost-model', 'bench'];
const configurations = [
  'one-partition',
  'two-partitions',
  'hostile',
  'manager',
  'pass-through',
  'shared-memory',
  'guarantees',
];

type Whole = Recorded<Machine & Snapshotable>;

/** What runs, by name. */
export const guests: readonly (readonly [name: string, build: (engine: Engine) => Whole])[] = [
  ...bare.map((name) => {
    return [
      `${name} on the board`,
      (engine: Engine) => bareMachine(inRoot('firmware', name, `${name}.elf`), engine),
    ] as const;
  }),
  ...configurations.map((name) => {
    const path = inRoot('devicetrees', `${name}.dts`);
    return [`${name}.dts`, (engine: Engine) => partitions(readFileSync(path, 'utf8'), engine, path)] as const;
  }),
];

/** Everything that can be told of a run of so many cycles, slices of any length, with something typed at every port. */
export function course(build: (engine: Engine) => Whole, engine: Engine, cycles: number, slice: number) {
  const recorded = build(engine);
  const { machine, recorder } = recorded;
  for (const stream of machine.streams)
    machine.type(stream, new TextEncoder().encode('mem\rtrap\rticks\rsleep 3\rexit 3\r'));
  runFor(recorded, cycles, () => slice);
  return {
    events: recorder.events.map(({ cycle, stream, direction, byte }) => `${cycle} ${stream} ${direction} ${byte}`),
    said: recorder.events.filter(({ direction }) => direction === 'out').length,
    endings: recorder.endings,
    clock: machine.clock.now,
    retired: machine.retired,
    programs: machine.programs,
    state: stateHash(snapshotOf(machine)),
  };
}
