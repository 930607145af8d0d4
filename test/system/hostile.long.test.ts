import { expect, test } from 'vitest';
import { expectNothingLeaked, rogueBesideSpin, shareOf, statsOf } from './hostile.js';

test('rogue beside spin for a thousand million instructions: nothing leaks, and spin has half of the core', async () => {
  const result = await rogueBesideSpin(['--max-instructions', '1e9'], 1_200_000);
  expect(result.status).toBe(0);
  expectNothingLeaked(result);
  expect(result.stdout).toMatch(/rogue: reached 0 addresses outside its partition/);
  const stats = statsOf(result);
  expect(stats.instructions).toBe(1e9);
  expect(Math.abs(shareOf('spin', stats) - 0.5)).toBeLessThan(0.5 * 0.02);
});
