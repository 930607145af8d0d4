// Sessions with the debugger that are recorded, had again by `hv440 replay`, and gone through forwards and backwards.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cli } from '../tools.js';
import { Tmux } from '../system/tmux.js';
import { Child, hello, put, putConfiguration, scratch, spin } from './child.js';

/** Give a script to `hv440 debug`. */
async function debug(args: readonly string[], script: readonly string[]) {
  const child = new Child(['debug', ...args]);
  child.process.stdin.end(script.map((line) => `${line}\n`).join(''));
  return child.ended;
}

const SAME = 'the same state, bit by bit';

const writes = [
  'tbreak guest_main',
  'continue',
  'stepi 7',
  'set $r31 = 0x12345678',
  'set *0x100000 = 0xcafef00d',
  'type mem\\n',
  'tbreak tick',
  'continue',
  'trap-into',
  'set byte(0x100002) = 0x77',
];

test('what is typed and changed at the prompt is recorded, and had again to the bit', async () => {
  for (const [how, engine] of [
    [['--bare'], 'interpreter'],
    [[], 'translator'],
  ] as const) {
    const file = scratch('prompt.rec');
    const live = await debug([...how, '--record', file, hello], [...writes, 'trap-step', 'x/x 0x100000']);
    expect(live.stderr).toBe('');
    expect(live.stdout).toContain('cafe770d');
    const again = await cli(['replay', '--engine', engine, file]);
    expect(again.stderr).toContain(SAME);
    expect(again.status).toBe(0);
    expect(again.stdout).toContain('hello> ');
  }
}, 120_000);

test('a change that is left out of a recording makes another state, which is said', async () => {
  const file = scratch('less.rec');
  await debug(['--record', file, hello], writes);
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, lines.filter((line) => !line.includes('"register":"r31"')).join('\n'));
  const again = await cli(['replay', file]);
  expect(again.stderr).toContain('the state is not the recorded one');
  expect(again.status).toBe(1);
}, 60_000);

test('a recording in the debugger: forwards to its end, backwards over what was changed, and there again', async () => {
  const file = scratch('walk.rec');
  const live = await debug(['--record', file, hello], [...writes, 'x/x 0x100000', 'print/x $r31']);
  const { stdout, stderr, status } = await debug(
    ['--replay', file],
    [
      'tbreak guest_main',
      'continue', // hits in the past
      'stepi 7',
      'print/x $r31', // written at the step where it stands
      'reverse-stepi',
      'print/x $r31', // before that
      'stepi',
      'print/x $r31',
      'continue',
      'x/x 0x100000',
      'goto 100',
      'x/x 0x100000',
      'continue',
      'x/x 0x100000',
      'history',
    ],
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const said = stdout.split('(hv440) ').map((part) => part.split('\n').slice(1, -1));
  const after = (command: string): string[][] =>
    stdout
      .split('(hv440) ')
      .filter((part) => part.startsWith(`${command}\n`))
      .map((part) => part.split('\n').slice(1, -1));
  expect(said.length).toBe(16);
  const [then, before, again] = after('print/x $r31');
  expect(then).toEqual(['0x12345678']);
  expect(before).not.toEqual(then);
  expect(again).toEqual(then);
  expect(after('x/x 0x100000').map(([line]) => line)).toEqual([
    '00100000: cafe770d',
    '00100000: 00000000',
    '00100000: cafe770d',
  ]);
  expect(stdout).toContain(`the recording ends here: ${SAME}`);
  expect(stdout.match(/the recording ends here/g)).toHaveLength(1);
  expect(live.stdout).toContain('00100000: cafe770d');
}, 60_000);

test('what was done before a run went another way is recorded, and not what it left', async () => {
  const file = scratch('another.rec');
  const live = await debug(
    ['--record', file, hello],
    [
      'tbreak guest_main',
      'continue',
      'bookmark here',
      'set *0x100000 = 1',
      'stepi 10',
      'set *0x100000 = 2',
      'stepi 10',
      'reverse-stepi 15',
      'set *0x100004 = 3',
      'stepi 1000',
      'reverse-stepi 500', // the recording goes on to where it came from
    ],
  );
  expect(live.stdout).toContain('what came after this moment is given up');
  const recorded = readFileSync(file, 'utf8');
  expect(recorded).not.toContain('"bytes":[0,0,0,2]');
  expect((await cli(['replay', file])).stderr).toContain(SAME);
}, 60_000);

test('a session at a terminal, with pauses, typing and a restart of a partition, is had again to the bit', async () => {
  const settings = putConfiguration('session.dts', [
    { name: 'hello', image: hello },
    { name: 'spin', image: spin },
  ]);
  const file = scratch('terminal.rec');
  const terminal = new Tmux();
  terminal.enter(`node dist/cli/main.cjs debug --record ${file} ${settings}`);
  await terminal.shows('(hv440)');
  terminal.enter('type mem\\n');
  terminal.enter('continue');
  await terminal.shows('hello| hello> mem');
  terminal.press('C-c');
  await terminal.shows(/^stopped/m);
  terminal.enter('partition pause spin');
  terminal.enter('set *0x800000 = 7');
  terminal.enter('type ticks\\n');
  terminal.enter('continue');
  await terminal.shows(/ticks \d+/);
  terminal.press('C-c');
  await terminal.shows(/ticks \d+[^]*stopped/);
  terminal.enter('partition restart hello');
  terminal.enter('partition resume spin');
  terminal.enter('continue');
  await terminal.shows(/resume spin[^]*memory 16 MiB/);
  terminal.press('C-c');
  await terminal.shows(/resume spin[^]*stopped/);
  terminal.enter('quit');
  await terminal.shows(/quit\s+ready\$/);
  terminal.close();
  const again = await cli(['replay', file]);
  expect(again.stderr).toContain(SAME);
  expect(again.stdout.match(/hv440 hello/g)).toHaveLength(2);
  const kinds = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => (JSON.parse(line.slice(9)) as { kind: string }).kind);
  expect(kinds.filter((kind) => kind !== 'held')).toEqual([
    'typed',
    'asked',
    'memory',
    'typed',
    'asked',
    'asked',
    'end', // prettier-ignore
  ]);
}, 120_000);

test('a recording is refused where not all is as it was, and options that would make another run', async () => {
  const image = put('mine.elf', readFileSync(hello));
  const file = scratch('mine.rec');
  await debug(['--record', file, image], ['stepi 100']);
  for (const [more, why] of [
    [['firmware/hello/hello.elf'], 'it says itself what it is of'],
    [['--record', scratch('x.rec')], '--replay and --record: the run is the recorded one'],
    [['--history', '0'], '--replay and --history 0'],
  ] as const) {
    const refused = await debug(['--replay', file, ...more], []);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain(why);
  }
  writeFileSync(image, Buffer.concat([readFileSync(hello), Buffer.from([0])]));
  const other = await debug(['--replay', file], []);
  expect(other.status).toBe(2);
  expect(other.stderr).toMatch(/cannot be had again, since not all is as it was\n {2}image of mine: \d+ bytes/);
  expect((await debug([], [])).stderr).toContain('a configuration or an image is to be named');
}, 60_000);
