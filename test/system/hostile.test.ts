import { expect, test } from 'vitest';
import { rogue, spin } from '../cli/child.js';
import { expectNothingLeaked, rogueBesideSpin, shareOf, statsOf } from './hostile.js';
import { helloWith, waitsOfHello } from './waits.js';

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

test('beside spin, and beside rogue, a typed command is answered within a quantum and a little', () => {
  for (const other of [
    { name: 'spin', image: spin },
    { name: 'rogue', image: rogue, bootargs: 'forever' },
  ]) {
    const waits = waitsOfHello([helloWith(), other]);
    expect(Math.max(...waits)).toBeLessThan(1.1);
    expect(Math.max(...waits)).toBeGreaterThan(0.1); // it does wait for the other's turn to end
  }
});

test('beside three that never yield, it is answered within three quanta and a little', () => {
  const spinners = ['a', 'b', 'c'].map((name) => ({ name, image: spin }));
  const waits = waitsOfHello([helloWith(), ...spinners]);
  expect(Math.max(...waits)).toBeLessThan(3.1);
  expect(Math.max(...waits)).toBeGreaterThan(1.1);
});
