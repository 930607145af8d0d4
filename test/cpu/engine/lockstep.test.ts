import { test } from 'vitest';
import { randomPrograms } from './random-programs.js';

test('random programs leave the same on a board, whatever engine runs them', { timeout: 300_000 }, () => {
  randomPrograms(['board'], 440, 1.5e7);
});
