// A machine that is given a snapshot of another amid its run goes on as that one did, whatever guest is on it.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Snapshots, snapshotOf, stateHash, type Snapshotable } from '../../src/board/snapshot.js';
import { readSnapshot, snapshotFile } from '../../src/board/snapshot-file.js';
import type { Machine } from '../../src/board/machine.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import { configuration, inRoot, paravirt, rogue, spin } from '../cli/child.js';
import { bareMachine, partitions, runFor, type Recorded } from './machines.js';

type Whole = Recorded<Machine & Snapshotable>;
type Build = (engine: Engine) => Whole;

const manual = inRoot('firmware', 'manual', 'manual.elf');
const bench = inRoot('firmware', 'bench', 'bench.elf');

const managed = readFileSync(inRoot('devicetrees', 'manager.dts'), 'utf8')
  .replace('"hv440-board.dtsi"', `"${inRoot('devicetrees', 'hv440-board.dtsi')}"`)
  .replaceAll('"../firmware/', `"${inRoot('firmware')}/`);

const benchmark =
  (name: string): Build =>
  (engine) =>
    partitions(configuration([{ name, image: bench, bootargs: `bench=${name} rounds=3` }]), engine);

const channel =
  'paravirtualization = "kvm", "magic-page"; stdout = "serial@ef600300"; channel { compatible = "epapr,hv-byte-channel"; };';

// prettier-ignore
const guests: readonly (readonly [name: string, build: Build, longest: number])[] = [
  ['paravirt',             (engine) => partitions(configuration([{ name: 'paravirt', image: paravirt, more: channel }]), engine), 30_000],
  ['rogue beside spin',    (engine) => partitions(configuration([{ name: 'rogue', image: rogue }, { name: 'spin', image: spin }]), engine), 300_000],
  ['manual, bare',         (engine) => bareMachine(manual, engine), 100_000],
  ['manual, a partition',  (engine) => partitions(configuration([{ name: 'manual', image: manual }]), engine), 100_000],
  ['the manager',          (engine) => partitions(managed, engine), 150_000],
  ...['integer', 'memory', 'mix', 'calls', 'misses'].map((name) => [`bench ${name}`, benchmark(name), 200_000] as const),
];

/** Moments that are neither slices nor turns, always the same. */
function* moments(count: number, longest: number): Generator<number> {
  let state = 7;
  for (let at = 0, i = 0; i < count; i++) {
    state = (state * 48271) % 0x7fffffff;
    yield (at += 1 + (state % longest));
  }
}

const to = (recorded: Whole, cycle: number): void => runFor(recorded, cycle, () => 1e9);
const hash = ({ machine }: Whole): string => stateHash(snapshotOf(machine));

test.each(guests)(
  '%s: through a file into a fresh machine, under the other engine, it goes on to the same state',
  (_, build, longest) => {
    const original = build(new Translator({ hot: 2 }));
    const reached: number[] = [];
    for (const at of moments(6, longest)) {
      to(original, at);
      const file = snapshotFile(snapshotOf(original.machine), { of: 'this test' });
      const read = readSnapshot(file);
      if ('problem' in read) throw new Error(read.problem);
      const fresh = build(new Interpreter());
      expect(hash(fresh)).not.toBe(hash(original));
      new Snapshots(fresh.machine).restore(read.snapshot);
      expect(hash(fresh)).toBe(hash(original));
      const before = original.recorder.events.length;
      to(fresh, at + longest / 2);
      to(original, at + longest / 2);
      expect(hash(fresh)).toBe(hash(original));
      expect(fresh.machine.programs).toEqual(original.machine.programs);
      expect(fresh.recorder.events).toEqual(original.recorder.events.slice(before));
      reached.push(original.machine.retired);
    }
    expect(reached[2]).toBeGreaterThan(reached[0]!); // it was amid its run
  },
  120_000,
);
