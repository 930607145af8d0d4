// What a person sees: `npm start` and other runs on a real terminal.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { hello, main, putConfiguration, scratch, sleep, spin } from '../cli/child.js';
import { nodePackage, run, testWith, tool } from '../tools.js';
import { Tmux } from './tmux.js';

const tmux = tool('tmux');
const socat = tool('socat');
const pty = nodePackage('node-pty');
const test = testWith(tmux);

const settings = putConfiguration('with-spin.dts', [
  { name: 'hello', image: hello },
  { name: 'spin', image: spin },
]);

/** A terminal in which a command was started, between two looks at the terminal's settings. */
async function started(command: string): Promise<Tmux> {
  const runtime = scratch('runtime');
  mkdirSync(runtime, { recursive: true });
  const terminal = new Tmux(undefined, { XDG_RUNTIME_DIR: runtime, npm_config_update_notifier: 'false' });
  await terminal.shows('ready$');
  const before = scratch('before');
  terminal.enter(
    `clear; stty -g >${before}; ${command}; echo "status $?"; stty -g | cmp - ${before} && echo "as before"`,
  );
  return terminal;
}

/** It has ended, with a status, and the terminal is what it was. */
async function gaveBack(terminal: Tmux, status: number): Promise<void> {
  expect(await terminal.shows('as before')).toMatch(new RegExp(`^status ${status}$`, 'm'));
  expect(terminal.cursorIsVisible).toBe(true);
}

testWith(
  tmux,
  socat,
  pty,
)(
  'npm start: both guests run, typing reaches the shown one, keys switch, a pty reaches the other, and Ctrl-A x leaves',
  async () => {
    const terminal = await started('npm start --silent');
    const first = await terminal.shows(/^hello>$/m);
    expect(first).toContain('[hv440] 1: hello, 2: traps. Ctrl-A then 1…2 switches, ? helps, x leaves\n');
    expect(first).toMatch(/^\[hv440\] ptys in \S+: hello\.serial@ef600300, traps\.serial@ef600300$/m);
    expect(first).toContain('\nhv440 hello\nPVR 422218d3\nname hello\nmemory 16 MiB\nhello>');
    await terminal.shows('[hv440] 2: traps has new output, Ctrl-A 2 shows it');
    await terminal.shows(/\[hv440\] 2: traps ended with status \d\n[^]*hello>$/);

    terminal.enter('trap');
    await terminal.shows(/hello> trap\nprogram interrupt: [^]*\nand went on after it\nhello>$/);
    terminal.press('C-a', '2');
    await terminal.shows(/\ntraps: \d+ ok, \d+ FAIL$/);
    const link = join(scratch('runtime'), `hv440-${process.getuid!()}`, 'hello.serial@ef600300');
    const seen = await run(socat!, ['-t', '2', '-', `${link},raw,echo=0`], { input: 'mem\n' });
    expect(seen.stdout).toMatch(/hello> mem\r?\nmemory 16 MiB\r?\n/);
    await terminal.shows('[hv440] 1: hello has new output, Ctrl-A 1 shows it');
    terminal.press('C-a', '1');
    await terminal.shows(/hello> mem\nmemory 16 MiB\n[^]*\nhello>$/);

    terminal.press('C-a', 'l');
    await terminal.shows(/\[hv440\]  1  hello\/serial@ef600300  waiting for an interrupt, shown\n/);
    expect(terminal.screen).toMatch(
      /\[hv440\]  2  traps\/serial@ef600300  ended with status \d, 0 bytes not seen\nhello>$/,
    );
    terminal.press('C-a', ':');
    terminal.enter('stats');
    await terminal.shows(
      /hv440> stats\n[\d,]+ instructions retired in [\d,]+ cycles\n  guest [\d,]+ [^\n]*\nhello\/cpu0: [\d,]+ instructions in /,
    );
    terminal.enter('ptys');
    await terminal.shows(link);
    terminal.press('Enter', 'C-a', 'x');
    await gaveBack(terminal, 0);
    expect(readdirSync(scratch('runtime')).flatMap((name) => readdirSync(join(scratch('runtime'), name)))).toEqual([]);
  },
);

test("Ctrl-C goes to the guest, a resize harms nothing, and the status is the guest's", async () => {
  const terminal = await started(`'${process.execPath}' '${main}' run '${hello}' --no-ptys`);
  await terminal.shows(/^hello>$/m);
  terminal.type('nonsense');
  terminal.press('C-c');
  await terminal.shows(/hello> nonsense\^C\nhello>$/);
  terminal.resize(40, 12);
  terminal.enter('mem');
  await terminal.shows(/hello> mem\nmemory 128 MiB\n[^]*hello>$/);
  terminal.resize(120, 40);
  terminal.enter('exit 3');
  await terminal.shows(/exit 3\n\[hv440\] 1: hello ended with status 3\n/);
  await gaveBack(terminal, 3);
});

test('the escape key can be another, and a bare board has all its ports', async () => {
  const terminal = await started(`'${process.execPath}' '${main}' run --bare '${hello}' --no-ptys --escape ctrl-b`);
  await terminal.shows(/^hello>$/m);
  expect(terminal.screen).toMatch(/^\[hv440\] 1: board\/serial@ef600300, 2: [^]*Ctrl-B then 1…5 switches/);
  terminal.press('C-b', 'x');
  await gaveBack(terminal, 0);
});

test('after ten silent seconds the terminal says what each partition does', async () => {
  const terminal = await started(`'${process.execPath}' '${main}' boot '${settings}' --no-ptys`);
  await terminal.shows('nothing was printed for 10 seconds:');
  expect(terminal.screen).toMatch(/\n\[hv440\] hello: waiting for an interrupt; pc 0x[0-9a-f]+; last trap: \S+ at 0x/);
  expect(terminal.screen).toMatch(/\n\[hv440\] spin: running; pc 0x[0-9a-f]+; no trap yet/);
  terminal.press('C-a', 'x');
  await gaveBack(terminal, 0);
});

test('SIGTERM gives the terminal back', async () => {
  const terminal = await started(`'${process.execPath}' '${main}' boot '${settings}' --no-ptys`);
  await terminal.shows(/^hello>$/m);
  process.kill(await terminal.childPid(), 'SIGTERM');
  await gaveBack(terminal, 143);
});

test('a guest that waits at its prompt takes next to no processor time', async () => {
  const terminal = await started(`'${process.execPath}' '${main}' run '${hello}'`);
  await terminal.shows(/^hello>$/m);
  const pid = await terminal.childPid();
  await sleep(1000);
  const before = processorTime(pid);
  await sleep(2000);
  expect(processorTime(pid) - before).toBeLessThan(0.4); // of 2 seconds, with 200 ticks of its decrementer in them
});

/** Seconds of processor time that a process has used: proc(5), stat, utime and stime, in ticks of a hundredth. */
function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}
