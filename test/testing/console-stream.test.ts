import { expect, test } from 'vitest';
import { boot } from '../../src/testing/index.js';
import { hello } from './machines.js';

const silent = { artifacts: false, within: '50 ms' } as const;

test('a text that never should appear fails the test at its last character', async () => {
  const board = await boot({ source: hello('one') }, silent);
  const console = board.console('one');
  console.never(/^memory \d/);
  const failed = board.run('50 ms');
  await expect(failed).rejects.toThrow('one/serial@ef600300 printed /^memory \\d/, which it never should\n');
  expect(console.text).toMatch(/\nmemory 1$/);
});

test('a ban that is lifted, or that came behind the text, is none', async () => {
  const board = await boot({ source: hello('one') }, silent);
  const console = board.console('one');
  console.never('hello> ').lift();
  await console.expect('hello> ');
  console.never('PVR');
  await board.run('10 ms');
});

test('two consoles are waited for at once, and each match has its own cycle', async () => {
  const board = await boot({ source: hello('one', 'two') }, silent);
  const [one, two] = await Promise.all([board.console('one').expect('> '), board.console('two').expect('> ')]);
  expect(one.cycle).not.toBe(two.cycle);
  expect(board.cycle).toBe(Math.max(one.cycle, two.cycle));
});

test('a line without its end counts after 10 ms of silence', async () => {
  const board = await boot({ source: hello('one') }, silent);
  const console = board.console('one');
  const { cycle } = await console.expect('hello>');
  const line = await board
    .console('one')
    .line(/^hello> $/)
    .catch((error: Error) => error.message);
  expect(line).toContain('it did not come'); // the cursor is behind a part of it
  const again = await boot({ source: hello('one') }, silent);
  const match = await again.console('one').line(/^hello> $/);
  expect(match.text).toBe('hello> ');
  expect(match.cycle - cycle).toBeGreaterThanOrEqual(4_000_000);
  expect(match.cycle - cycle).toBeLessThan(4_001_000);
});

test('names of consoles: partition, port, stream, the hypervisor; and what is said of others', async () => {
  const board = await boot({ source: hello('one', 'two') }, silent);
  const stream = board.console('one');
  for (const name of ['one:serial', 'one:serial@ef600300', 'one/serial@ef600300'])
    expect(board.console(name)).toBe(stream);
  expect(board.console('hv').name).toBe('hv');
  expect(() => board.console('three')).toThrow(/there is no stream 'three'; there are one\/serial@ef600300, two\//);
  expect(() => board.console('serial')).toThrow(/'serial' could be any of/);
  expect(() => board.console('hv').send('x')).toThrow("nothing can be typed at 'hv'");
});

test('a wait that nothing can end fails at once, and says why', async () => {
  const board = await boot({ source: hello('one') }, { artifacts: false });
  const console = board.console('one');
  await console.expect('> ');
  console.send('exit 0\n');
  await expect(console.expect('hello> ')).rejects.toThrow(/it will not come: no partition runs any more\n/);
});
