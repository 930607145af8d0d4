import { test } from 'vitest';
import { randomPrograms } from './random-programs.js';

// Another night, other programs; the seeds are printed. Half of the 1e9 instructions are here, half in partitions, in a file of
// their own: vitest runs the two at once.
const tonight = 10_000 * Math.floor(Date.now() / 86_400_000);

test('5e8 instructions of random programs leave the same on a board', { timeout: 7_200_000 }, () => {
  randomPrograms(['board'], tonight, 5e8);
});
