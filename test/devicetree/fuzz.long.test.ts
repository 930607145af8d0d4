import { expect, test } from 'vitest';
import { fuzz } from './fuzz.js';

const count = Number(process.env['HV440_FUZZ'] ?? 100_000);
const seed = Number(process.env['HV440_SEED'] ?? 1_000_000);

test(`${count} mutated sources and blobs each become a tree or a message`, { timeout: 36_000_000 }, () => {
  const outcomes = fuzz(count, seed);
  process.stderr.write(
    `\n${outcomes.tree} trees, ${outcomes.configured} without errors, ${outcomes.findings} messages\n`,
  );
  expect(outcomes.tree + outcomes.findings).toBe(count);
});
