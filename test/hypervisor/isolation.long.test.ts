import { expect, test } from 'vitest';
import { fuzz } from './fuzz.js';

const SEEDS = 5;

test('five million exits of random guests, from five seeds', () => {
  const first = Number(process.env['HV440_FUZZ_SEED'] ?? 1);
  const most = Number(process.env['HV440_FUZZ_EXITS'] ?? 5_000_000) / SEEDS;
  for (let seed = first; seed < first + SEEDS; seed++) {
    const result = fuzz(seed, most);
    console.log(`seed ${seed}: ${JSON.stringify(result)}`);
    expect(result.exits).toBeGreaterThanOrEqual(most);
    expect(Object.keys(result.kinds)).toHaveLength(7);
    expect(result.witnessShare).toBeGreaterThan(0.24);
  }
});
