// Runs that are recorded and had again, and runs that go on from a file.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Child, hello, put, putConfiguration, scratch, sleep, spin } from '../cli/child.js';
import { cli } from '../tools.js';

const settings = putConfiguration('kept.dts', [
  { name: 'hello', image: hello },
  { name: 'spin', image: spin },
]);

test('a session that somebody types in is had again to the bit, under any engine', async () => {
  const file = scratch('live.rec');
  const child = new Child(['run', '--record', file, '--log', scratch('live'), hello]);
  for (const [typed, shown] of [
    ['mem\n', 'range'],
    ['ticks\n', 'ticks '],
    ['trap\n', 'hello> '],
    ['exit 5\n', ''],
  ] as const) {
    await child.shows('hello> ');
    await sleep(40); // at cycles that depend on the host
    child.type(typed);
    await child.shows(shown);
  }
  const live = await child.ended;
  expect(live.status).toBe(5);
  for (const engine of ['interpreter', 'translator']) {
    const again = await cli(['replay', '--engine', engine, file]);
    expect(again.stderr).toContain('the same state, bit by bit');
    expect(again.status).toBe(0);
    expect(again.stdout).toBe(live.stdout);
  }
}, 120_000);

test.each([
  ['a partition', []],
  ['the bare board', ['--bare']],
])(
  'a run of %s that ended in the middle of a turn, with what was expected, is had again',
  async (_, how) => {
    const file = scratch('expected.rec');
    const ended = await cli(['run', ...how, '--headless', '--record', file, '--expect', 'hello> ', hello], {
      input: '',
    });
    expect(ended.status).toBe(0);
    const again = await cli(['replay', file]);
    expect(again.stderr).toContain('the same state, bit by bit');
    expect(again.stdout).toMatch(/hello> $/);
  },
  60_000,
);

test('a recording whose writer was killed is good up to there', async () => {
  const file = scratch('killed.rec');
  const child = new Child(['run', '--record', file, hello]);
  await child.shows('hello> ');
  child.type('mem\n');
  await child.shows('range');
  await child.kill();
  const again = await cli(['replay', file]);
  expect(again.stderr).toContain('the recording ends here, before its run did');
  expect(again.stdout).toContain('hello> mem');
}, 60_000);

test('a recording is refused where not all is as it was', async () => {
  const image = put('other.elf', readFileSync(hello));
  const file = scratch('other.rec');
  await cli(['run', '--record', file, '--max-instructions', '100000', image], { input: '' });
  expect((await cli(['replay', file])).status).toBe(0);
  writeFileSync(image, Buffer.concat([readFileSync(hello), Buffer.from([0])]));
  const again = await cli(['replay', file]);
  expect(again.status).toBe(2);
  expect(again.stderr).toMatch(/cannot be had again, since not all is as it was\n {2}image of other: \d+ bytes/);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"kind":"end"', '"kind":"End"'));
  expect((await cli(['replay', file])).stderr).toContain('is damaged in line');
}, 60_000);

test('a run goes on from a snapshot as it went', async () => {
  const script = put('script', 'mem\nticks\ntrap\nexit 4\n');
  const file = scratch('at.snapshot');
  const [last, again] = [scratch('whole.snapshot'), scratch('rest.snapshot')];
  const run = ['boot', '--headless', '--max-instructions', '2e6', settings];
  const typed = ['--input', `hello=${script}`];
  const whole = await cli([...run, ...typed, '--snapshot', last]);
  await cli([...run, ...typed, '--snapshot', `${file}@900000`]);
  const rest = await cli([...run, '--from', file, '--snapshot', again], { input: '' });
  expect(whole.stdout).toContain('exit 4');
  expect(rest.stdout).not.toContain('hv440 hello');
  expect(rest.stdout).toContain('exit 4');
  expect(readFileSync(again).equals(readFileSync(last))).toBe(true);
}, 60_000);

test('a snapshot of another configuration is refused with what differs, and so is what is none', async () => {
  const file = scratch('end.snapshot');
  await cli(['run', '--snapshot', file, '--max-instructions', '100000', hello], { input: '' });
  const other = await cli(['run', '--from', file, '--memory', '64M', hello], { input: '' });
  expect(other.status).toBe(2);
  expect(other.stderr).toContain('the snapshot is of another configuration\n  /memory@0 reg had another value');
  const bytes = readFileSync(file);
  for (const [contents, why] of [
    [bytes.subarray(0, 2000), 'is cut off'],
    [readFileSync(hello), 'is no snapshot'],
    [Buffer.concat([bytes.subarray(0, 3000), Buffer.from('x'), bytes.subarray(3001)]), 'is damaged'],
  ] as const) {
    const refused = await cli(['run', '--from', put('bad.snapshot', contents), hello], { input: '' });
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain(why);
  }
}, 60_000);
