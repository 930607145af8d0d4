import { expect, test } from 'vitest';
import { configuration, hello, rogue, spin } from '../cli/child.js';
import { expectNothingLeaked, rogueBesideSpin, shareOf, statsOf } from './hostile.js';
import { partitions, runFor } from './machines.js';

test('rogue beside spin: a whole round of attacks reaches nothing, and spin has half of the core', async () => {
  const result = await rogueBesideSpin(
    ['--expect', 'rogue: reached 0 addresses outside its partition', '--max-instructions', '4e8'],
    100_000,
  );
  expect(result.status).toBe(0);
  expectNothingLeaked(result);
  const stats = statsOf(result);
  expect(stats.instructions).toBeGreaterThan(5e7);
  expect(Math.abs(shareOf('spin', stats) - 0.5)).toBeLessThan(0.5 * 0.02);
  expect(shareOf('spin', stats) + shareOf('rogue', stats)).toBeCloseTo(1, 6); // every cycle is somebody's
});

const QUANTUM = 50_000;

/** Type a command to hello among others, again and again at odd times; gives the waits for the first byte, in quanta. */
function waitsAmong(others: readonly { name: string; image: string; bootargs?: string }[]): number[] {
  const recorded = partitions(configuration([{ name: 'hello', image: hello }, ...others], `quantum = <${QUANTUM}>;`));
  const { machine, recorder } = recorded;
  runFor(recorded, 5_000_000, () => 100_000);
  const waits: number[] = [];
  for (let i = 0; i < 20; i++) {
    recorder.events.length = 0;
    machine.type('hello/serial@ef600300', Uint8Array.of(0x0d));
    runFor(recorded, machine.clock.now + 1_000_000 + 7919 * i, () => 100_000);
    const mine = recorder.events.filter((event) => event.stream.startsWith('hello/'));
    const [typed, answered] = [mine.find((e) => e.direction === 'in')!, mine.find((e) => e.direction === 'out')!];
    waits.push((answered.cycle - typed.cycle) / QUANTUM);
  }
  return waits;
}

test('beside spin, and beside rogue, a typed command is answered within a quantum and a little', () => {
  for (const other of [
    { name: 'spin', image: spin },
    { name: 'rogue', image: rogue, bootargs: 'forever' },
  ]) {
    const waits = waitsAmong([other]);
    expect(Math.max(...waits)).toBeLessThan(1.1);
    expect(Math.max(...waits)).toBeGreaterThan(0.1); // it does wait for the other's turn to end
  }
});

test('beside three that never yield, it is answered within three quanta and a little', () => {
  const spinners = ['a', 'b', 'c'].map((name) => ({ name, image: spin }));
  const waits = waitsAmong(spinners);
  expect(Math.max(...waits)).toBeLessThan(3.1);
  expect(Math.max(...waits)).toBeGreaterThan(1.1);
});
