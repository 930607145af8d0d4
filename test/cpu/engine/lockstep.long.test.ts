import { test } from 'vitest';
import { randomPrograms } from './random-programs.js';

// Another night, other programs; the seeds are printed
const tonight = 1000 * Math.floor(Date.now() / 86_400_000);

test('1e9 instructions of random programs leave the same, whatever engine runs them', { timeout: 7_200_000 }, () => {
  randomPrograms(['board', 'partition', 'board', 'partitions'], tonight, 1e9);
});
