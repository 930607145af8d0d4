import { expect } from 'vitest';
import { testWith, tool } from '../tools.js';
import { ours, score, withoutEach } from './gdb-score.mjs';

const long = process.env['HV440_LONG'] === '1' ? tool('gdb-multiarch') : undefined;

testWith(long)(
  'each item of the score fails when its packet is switched off',
  async () => {
    const still: string[] = [];
    for await (const line of withoutEach(await score(ours))) if (line.includes('STILL WORKS')) still.push(line);
    expect(still).toEqual([]);
  },
  1_200_000,
);
