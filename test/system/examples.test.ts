import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cli, root } from '../tools.js';
import { join } from 'node:path';

const configurations = readdirSync(join(root, 'devicetrees')).filter((name) => /^[^.]+\.dts$/.test(name));
const tests = configurations.map((name) => `devicetrees/${name.replace(/dts$/, 'test.dts')}`);

/** Runs tests of the project’s own configurations; gives those that did not pass. */
async function failures(): Promise<string> {
  const args = ['--workers', '2', '--recordings', join(root, 'dist', 'test-results')];
  const { stdout, status } = await cli(['test', ...tests, ...args], { timeout: 600_000 });
  return status === 0 ? '' : stdout;
}

test('every configuration that comes along has a test', () => {
  const there = readdirSync(join(root, 'devicetrees')).map((name) => `devicetrees/${name}`);
  expect(tests.filter((name) => !there.includes(name))).toEqual([]);
});

test('the tests of the configurations pass', { timeout: 300_000 }, async () => {
  expect(await failures()).toBe('');
});
