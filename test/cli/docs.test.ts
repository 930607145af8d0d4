import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { documents } from '../../src/cli/documents.js';
import { root } from '../tools.js';

test.each(Object.keys(documents))('%s is what is generated now (npm run docs writes it)', (path) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(documents[path]!());
});
