import { test } from 'vitest';
import { randomPrograms } from './random-programs.js';

test(
  'breakpoints, watchpoints and steps stop at the same, and a snapshot goes on the same way on any other engine',
  { timeout: 300_000 },
  () => {
    randomPrograms(['board', 'partition', 'board', 'partitions'], 880, 1e6, true);
  },
);
