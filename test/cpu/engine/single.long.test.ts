import { test } from 'vitest';
import { singles } from './single.js';

test('every instruction does the same in 2e6 states, whatever engine runs it', { timeout: 3_600_000 }, () => {
  const tonight = Math.floor(Date.now() / 86_400_000); // another night, other states
  console.log(singles(Number(process.env['HV440_SEED'] ?? tonight), 2e6));
});
