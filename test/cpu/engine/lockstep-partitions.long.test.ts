import { test } from 'vitest';
import { randomPrograms } from './random-programs.js';

// Programs that lockstep.long.test.ts has not; it has more about this.
const tonight = 10_000 * Math.floor(Date.now() / 86_400_000) + 1e9;

test('5e8 instructions of random programs leave the same in partitions', { timeout: 7_200_000 }, () => {
  randomPrograms(['partition', 'partitions'], tonight, 5e8);
});
