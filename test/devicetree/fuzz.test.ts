import { expect, test } from 'vitest';
import { fuzz } from './fuzz.js';

test('five thousand mutated sources and blobs each become a tree or a message', { timeout: 300_000 }, () => {
  const outcomes = fuzz(5000, 0);
  expect(outcomes.tree + outcomes.findings).toBe(5000);
  expect(Math.min(outcomes.tree, outcomes.findings)).toBeGreaterThan(300);
  expect(outcomes.configured).toBeGreaterThan(100);
});
