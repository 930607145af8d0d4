import { test } from 'vitest';
import { singles } from './single.js';

test('every instruction does the same in 1e5 states, whatever engine runs it', { timeout: 300_000 }, () => {
  console.log(singles(440, 1e5));
});
