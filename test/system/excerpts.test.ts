import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../tools.js';

interface Excerpt {
  readonly file: string;
  readonly lines: string[];
}

/** What stands in CONTRIBUTING's blocks below `// path`, line by line; `…` stands for what is left out. */
function excerpts(): Excerpt[] {
  const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  const found: Excerpt[] = [];
  for (const [, block = ''] of text.matchAll(/^```ts\n([^]*?)^```$/gm)) {
    for (const line of block.trimEnd().split('\n')) {
      const file = /^\/\/ ((?:src|test)\/\S+)$/.exec(line)?.[1];
      if (file !== undefined) found.push({ file, lines: [] });
      else if (line.trim() !== '…') found.at(-1)?.lines.push(line.trim());
    }
  }
  return found;
}

test('there are excerpts', () => {
  expect(excerpts().length).toBeGreaterThan(10);
});

test.each(excerpts())('what CONTRIBUTING quotes of $file stands there', ({ file, lines }) => {
  const source = readFileSync(join(root, file), 'utf8')
    .split('\n')
    .map((line) => line.trim());
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.filter((line) => !source.includes(line))).toEqual([]);
});
