// Runs that are recorded and had again, and runs that go on from a file.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Child, hello, put, putConfiguration, scratch, sleep, traps } from '../cli/child.js';
import { cli, testWith, tool } from '../tools.js';
import { Tmux } from './tmux.js';

const settings = putConfiguration('kept.dts', [
  { name: 'hello', image: hello },
  { name: 'traps', image: traps },
]);

const withTerminal = testWith(tool('tmux'));

test('a session that somebody types in is had again to the bit, under any engine', async () => {
  const file = scratch('live.rec');
  const child = new Child(['run', '--record', file, '--log', scratch('live'), hello]);
  for (const [typed, shown] of [
    ['mem\n', 'MiB'],
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

withTerminal(
  'so is one on a terminal, with partitions stopped and started from the command line',
  async () => {
    const file = scratch('terminal.rec');
    const { main } = await import('../cli/child.js');
    const terminal = new Tmux(undefined, { XDG_RUNTIME_DIR: scratch(), npm_config_update_notifier: 'false' });
    await terminal.shows('ready$');
    terminal.enter(`node ${main} boot --record ${file} ${settings}`);
    await terminal.shows('hello> ');
    terminal.enter('mem');
    await terminal.shows('memory 16 MiB');
    terminal.keys('C-a', ':');
    await terminal.shows('hv440> ');
    terminal.enter('pause traps');
    await terminal.shows('traps: paused');
    terminal.enter('restart hello');
    await terminal.shows('hello: ');
    terminal.keys('C-a', 'x');
    await terminal.shows('ready$');
    terminal.close();
    expect(readFileSync(file, 'utf8')).toContain('"pause"');
    const again = await cli(['replay', file]);
    expect(again.stderr).toContain('the same state, bit by bit');
    expect(again.status).toBe(0);
  },
  120_000,
);

test('a recording whose writer was killed is good up to there', async () => {
  const file = scratch('killed.rec');
  const child = new Child(['run', '--record', file, hello]);
  await child.shows('hello> ');
  child.type('mem\n');
  await child.shows('MiB');
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
  const whole = await cli([
    'boot',
    '--headless',
    '--input',
    `hello=${script}`,
    '--snapshot',
    `${file}@900000`,
    '--max-instructions',
    '2e6',
    settings,
  ]);
  const rest = await cli(['boot', '--headless', '--from', file, '--max-instructions', '2e6', settings], { input: '' });
  const end = rest.stdout.slice(rest.stdout.indexOf('\n') + 1);
  expect(end).toContain('exit 4');
  expect(whole.stdout.endsWith(end)).toBe(true);
  expect(rest.status).toBe(whole.status);
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
