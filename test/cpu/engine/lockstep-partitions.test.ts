import { test } from 'vitest';
import { randomPrograms } from './random-programs.js';

test('random programs leave the same in partitions, whatever engine runs them', { timeout: 300_000 }, () => {
  randomPrograms(['partition', 'partitions'], 44000, 1.5e7);
});
