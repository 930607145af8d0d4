import { expect } from 'vitest';
import { testWith, tool } from '../tools.js';
import { ours, score } from './gdb-score.mjs';

/** Items that want a history to go back in, which a debugger may or may not have. */
const reverse = ['bs', 'bc', 'replaylog', 'reverse watchpoints'];

testWith(tool('gdb-multiarch'))(
  'a real GDB finds every part of the protocol that it could want',
  async () => {
    const results = await score(ours);
    const wanted = [...results].filter(([name]) => !reverse.includes(name));
    const missing = wanted.filter(([, { result }]) => result !== 'ok');
    expect(missing.map(([name, { result }]) => `${name}: ${result}`)).toEqual([]);
    expect(results.size).toBe(60);
  },
  180_000,
);
