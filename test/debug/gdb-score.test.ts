import { expect } from 'vitest';
import { testWith, tool } from '../tools.js';
import { ours, score } from './gdb-score.mjs';

testWith(tool('gdb-multiarch'))(
  'a real GDB finds every part of the protocol that it could want',
  async () => {
    const results = await score(ours);
    const missing = [...results].filter(([, { result }]) => result !== 'ok');
    expect(missing.map(([name, { result }]) => `${name}: ${result}`)).toEqual([]);
    expect(results.size).toBe(60);
  },
  180_000,
);
