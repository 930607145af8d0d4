import { expect, test } from 'vitest';
import { fuzz } from './fuzz.js';

const kinds = ['device', 'emulate', 'host-interrupt', 'hypercall', 'preempted', 'reflect', 'shadow-miss'];

/** HV440_FUZZ_SEED and HV440_FUZZ_EXITS show again what a failure names. */
test('whatever guests of random code do, they reach nothing of others, take nobody’s share and stop nothing', () => {
  const result = fuzz(
    Number(process.env['HV440_FUZZ_SEED'] ?? 440),
    Number(process.env['HV440_FUZZ_EXITS'] ?? 200_000),
  );
  expect(Object.keys(result.kinds).toSorted()).toEqual(kinds);
  for (const kind of kinds) expect(result.kinds[kind]).toBeGreaterThan(100);
  expect(result.lives).toBeGreaterThan(result.exits / 1000);
  // Four take turns; a turn is longer than its quantum by at most the exit that it ends with
  expect(result.witnessShare).toBeGreaterThan(0.24);
}, 300_000);

test('the same seed gives the same run', () => {
  expect(fuzz(7, 5000)).toEqual(fuzz(7, 5000));
});
