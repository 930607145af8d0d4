// Scripted input belongs to simulated time: how fast it is delivered leaves no trace in the run.

import { expect, test } from 'vitest';
import { cli } from '../tools.js';
import { Child, hello, put, putConfiguration, sleep, spin, traps } from './child.js';

const script = 'mem\nticks\ntrap\nexit 3\n';
const config = putConfiguration('three.dts', [
  { name: 'hello', image: hello },
  { name: 'spin', image: spin },
  { name: 'other', image: hello },
]);

test('two runs of the same configuration with the same script print the same and count the same', async () => {
  const args = ['boot', config, '--stats', 'json', '--max-instructions', '20000000'];
  const other = ['--input', `other=${put('other', 'help\nticks\n')}`];
  const [first, second] = [
    await cli([...args, ...other], { input: script }),
    await cli([...args, ...other], { input: script }),
  ];
  expect(first).toEqual(second);
  expect(first.stdout).toContain('hello| exit 3\n');
  expect(first.stdout).toMatch(/other\| ticks \d+\n/);
});

test.each([
  ['a partition', []],
  ['the bare board', ['--bare']],
])('a slow writer gives the same run as a fast one, on %s', async (_, way) => {
  const args = ['run', ...way, hello, '--stats', 'json'];
  const fast = await cli(args, { input: script });
  const child = new Child(args);
  for (const part of ['', 'm', 'e', 'm', '\ntic', 'ks\ntr', 'ap\n', 'exit ', '3', '\n']) {
    child.type(part);
    await sleep(150);
  }
  const slow = await child.ended;
  expect(slow).toEqual(fast);
  expect(fast).toMatchObject({ status: 3, stdout: expect.stringMatching(/ticks \d+/) });
});

test('a dialogue of --expect and --send ends at the same instruction each time, on the bare board too', async () => {
  for (const way of [[], ['--bare']]) {
    const args = [
      'run',
      ...way,
      hello,
      '--expect',
      'hello> ',
      '--send',
      'ticks\n',
      '--expect',
      'hello> ',
      '--stats=json',
    ];
    const runs = await Promise.all([cli(args), cli(args), cli(args)]);
    expect(runs[0]!.stdout).toMatch(/ticks \d+\r?\nhello> \n\{"instructions":\d+/);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  }
});

test('an open and silent standard input does not hold up a guest that ends by itself', async () => {
  const child = new Child(['run', traps]);
  const { stdout } = await child.ended;
  expect(stdout).toMatch(/traps: \d+ ok/);
});

test('an open and silent standard input is in the end taken for somebody who may type: time goes on, and he is heard', async () => {
  const child = new Child(['run', hello]);
  await child.shows('hello> ');
  await sleep(4000);
  child.type('ticks\n');
  await child.shows('ticks ', 'stdout');
  child.type('exit 7\n');
  const { status, stdout } = await child.ended;
  expect(status).toBe(7);
  expect(Number(/ticks (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(0);
});
