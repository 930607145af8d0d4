// What a person does with partitions from the multiplexer's command line.

import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { hello, main, putConfiguration, sleep } from '../cli/child.js';
import { testWith, tool } from '../tools.js';
import { Tmux } from './tmux.js';

const test = testWith(tool('tmux'));

const settings = putConfiguration('two-hellos.dts', [
  { name: 'one', image: hello },
  { name: 'two', image: hello },
]);

async function started(options = ''): Promise<Tmux> {
  const terminal = new Tmux();
  await terminal.shows('ready$');
  terminal.enter(`clear; '${process.execPath}' '${main}' boot '${settings}' --no-ptys ${options}; echo "status $?"`);
  return terminal;
}

/** Enters lines of the command line, and goes back to the guest. */
async function commands(terminal: Tmux, ...lines: readonly (readonly [string, RegExp])[]): Promise<void> {
  terminal.press('C-a', ':');
  for (const [line, answer] of lines) {
    terminal.enter(line);
    await terminal.shows(answer);
  }
  terminal.press('Enter');
}

test('partitions are stopped, started, paused and resumed one by one, and the run stays for whoever may start them', async () => {
  const terminal = await started();
  await terminal.shows(/^hello>$/m);
  await commands(terminal, [
    'stop one',
    /hv440> stop one\n\[hv440\] 1: one was stopped from the command line\none: stopped\nhv440>$/,
  ]);
  terminal.type('x');
  await terminal.shows('[hv440] nobody reads this: 1: one was stopped from the command line');
  terminal.press('C-a', '2');
  await terminal.shows(/name two[^]*^hello>$/m);
  terminal.enter('exit 3');
  await terminal.shows('[hv440] 2: two ended with status 3');
  await commands(terminal, [
    'partitions',
    /one +stopped +was stopped from the command line; 0 restarts\ntwo +stopped +ended with status 3; 0 restarts\nhv440>$/,
  ]);
  await commands(terminal, ['start one two', /one: starting\ntwo: starting\nhv440>$/]);
  await terminal.shows(/name two[^]*hello>$/);
  terminal.enter('mem');
  await terminal.shows(/hello> mem\nmemory 16 MiB/);

  await commands(terminal, ['pa\t\tone', /hv440> pa\npartitions  pause\nhv440> paone/], ['', /./]);
  await commands(terminal, ['pau\tt\t', /hv440> pause two\n(\S.*\n)*two: paused\nhv440>$/]);
  terminal.enter('mem');
  await sleep(300);
  expect(terminal.screen).not.toMatch(/paused[^]*memory/);
  await commands(terminal, ['resume two', /two: running\nhv440>$/]);
  await terminal.shows(/two: running[^]*mem\nmemory 16 MiB/);
  terminal.press('C-a', 'x');
  await terminal.shows('status 0');
});

test('a run of nothing but held-back partitions waits for somebody to start one, and ends with it', async () => {
  const terminal = await started('--no-start one --no-start two');
  await terminal.shows("partition 'two' waits to be started");
  await commands(terminal, ['start two', /two: starting\nhv440>$/]);
  terminal.press('C-a', '2');
  await terminal.shows(/name two[^]*hello>$/);
  terminal.press('C-a', 'x');
  await terminal.shows('status 0');
});

/** Seconds of processor time that a process has used: proc(5), stat, utime and stime, in ticks of a hundredth. */
async function processorTime(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

test('paused, stopped and waiting partitions take next to no processor time', async () => {
  const terminal = await started();
  await terminal.shows(/^hello>$/m);
  await commands(terminal, ['pause one', /one: paused\nhv440>$/], ['stop two', /two: stopped\nhv440>$/]);
  const pid = await terminal.childPid();
  await sleep(500);
  const before = await processorTime(pid);
  await sleep(3000);
  expect((await processorTime(pid)) - before).toBeLessThan(0.3);
});
