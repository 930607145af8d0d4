import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boot, snapshotFixture, type TestBoard } from '../../src/testing/index.js';
import { cli } from '../tools.js';
import { atPrompt, board as boardOf, linuxSource, partition } from './machines.js';

const linux = snapshotFixture({ config: { source: linuxSource('serial') }, prepare: atPrompt });
const channelLinux = snapshotFixture({ config: { source: linuxSource('byte channel') }, prepare: atPrompt });

/** What Linux prints for a command. */
async function ask(board: TestBoard, command: string): Promise<string> {
  const console = board.console('linux');
  console.send(`${command}\n`);
  await console.expect(`${command}\n`);
  const { text } = await console.expect(/[^]*?linux:~# /);
  return text;
}

/** Line 0 of Linux's own account of its ports. */
const port = async (board: TestBoard): Promise<string> =>
  /^0: .*$/m.exec(await ask(board, 'cat /proc/tty/driver/serial'))![0];

const ENTER = 0x0a;

test.each([
  ['parity', 'pe:1'],
  ['framing', 'fe:1'],
  ['break', 'brk:1'],
  ['overrun', 'oe:1'],
] as const)('Linux counts a %s error', async (error, counted) => {
  const board = await linux();
  expect(await port(board)).not.toMatch(/\b(pe|fe|brk|oe):/);
  board.inject.serialError('linux', error, { byte: ENTER });
  expect(await port(board)).toContain(` ${counted} `);
});

test('characters that come all at once overrun the port: Linux runs it without FIFOs, and the last one is left', async () => {
  const board = await linux();
  const before = Number(/rx:(\d+)/.exec(await port(board))![1]);
  board.inject.flood('linux', `${'x'.repeat(99)}#`);
  await board.console('linux').expect(/#$/);
  board.console('linux').send('\n');
  await board.console('linux').expect(':~# ');
  const counted = await port(board);
  expect(counted).toContain(' oe:1 ');
  const command = 'cat /proc/tty/driver/serial\n'.length;
  expect(Number(/rx:(\d+)/.exec(counted)![1])).toBe(before + '#\n'.length + command);
});

test('a device that answers with a bus error is a machine check, which Linux dies of in its driver', async () => {
  const board = await linux();
  board.inject.busError('linux', 'serial@ef600300');
  board.console('linux').send('\n');
  await board.console('linux').line(/machine check in kernel mode/);
  await board.console('linux').line(/NIP \[[0-9a-f]+\] mem_serial_(in|out)\+/);
});

test('a bus error for a time is over after it', async () => {
  const board = await linux();
  const reads = (): Promise<string> => ask(board, 'devmem 0xef600307 8'); // the port's scratch register
  board.inject.busError('linux', 'serial', { during: 0 });
  expect(await reads()).toMatch(/^0x00\n/);
});

test('a lost interrupt: what is typed waits in the port until the interrupt is seen after all', async () => {
  const board = await linux();
  const console = board.console('linux');
  board.inject.loseInterrupt('linux', 'serial@ef600300', { during: '20 ms' });
  console.send('hostname\n');
  await board.run('19 ms');
  expect(console.rest).toBe('');
  await console.expect('linux\n', { within: '5 ms' });
});

test('a spurious interrupt is taken and counted, and nothing comes of it', async () => {
  const board = await linux();
  const count = async (): Promise<number> =>
    Number(/^ *16: +(\d+)/m.exec(await ask(board, 'cat /proc/interrupts'))![1]);
  const [a, b] = [await count(), await count()];
  board.inject.spuriousInterrupt('linux', 'serial');
  await board.run('1 ms');
  expect((await count()) - b).toBe(b - a + 1);
});

test('a bit of memory is inverted: the kernel is called otherwise', async () => {
  const board = await linux();
  expect(await ask(board, 'uname -s')).toMatch(/^Linux\n/);
  const { address } = await findText(board, 'Linux\0');
  board.inject.flipBit('linux', address, 5);
  expect(await ask(board, 'uname -s')).toMatch(/^linux\n/);
});

/** Where the kernel keeps its name: the name is at init_uts_ns, behind a word or two. */
async function findText(board: TestBoard, text: string): Promise<{ address: number }> {
  const linux = board.partition('linux');
  const start = linux.physicalOf('init_uts_ns');
  const at = Buffer.from(linux.read(start, 64)).indexOf(text);
  expect(at).toBeGreaterThanOrEqual(0);
  return { address: start + at };
}

test('a byte channel whose buffer overflows loses what has no room in it', async () => {
  const board = await channelLinux();
  const console = board.console('linux');
  console.send('head -n 1 | wc -c\n');
  await console.expect('wc -c\n');
  await board.run('5 ms');
  board.inject.flood('linux', 'x'.repeat(400));
  await board.run('5 ms');
  console.send('\n');
  await console.line(/^257$/);
});

test('a byte channel whose far end takes nothing: the guest waits, and loses nothing', async () => {
  const board = await channelLinux();
  const console = board.console('linux');
  board.inject.congest('linux', { during: '50 ms' });
  console.send('seq 3\n');
  await board.run('49 ms');
  expect(console.rest).toBe('');
  await console.expect('seq 3\n1\n2\n3\nlinux:~# ', { within: '20 ms' });
});

test('the line between two partitions fails like a console, by the name of its byte channel', async () => {
  const link = (label: string, endpoint: string): string =>
    `${label}: link { compatible = "epapr,hv-byte-channel"; endpoint = <&${endpoint}>; };`;
  const source = boardOf(partition('one', 'hello', link('a', 'b')), partition('two', 'hello', link('b', 'a')));
  const board = await boot({ source }, { artifacts: false });
  const channelOf = (name: string) => board.hypervisor.partitions.find((p) => p.name === name)!.channels.byHandle(1)!;
  board.inject.flood('one:link', 'abc');
  expect([channelOf('one').waiting, channelOf('two').waiting]).toEqual([3, 0]);
  board.inject.congest('two/link', { during: '1 ms' });
  expect([channelOf('one').space, channelOf('two').space]).toEqual([256, 0]);
  await board.run('2 ms');
  expect(channelOf('two').space).toBe(256);
  expect(() => board.inject.serialError('one:link', 'parity')).toThrow("'one/link' is no serial line");
});

test('a partition crashes at an instruction, and another goes on', async () => {
  const source = boardOf(partition('one'), partition('two'));
  const board = await boot({ source }, { artifacts: false });
  board.at({ partition: 'one', instructions: 12_345 }).crash('one');
  const fault = await board.partition('one').expectFault('machine-check-disabled');
  expect(fault.instructions).toBe(12_345);
  expect(board.partition('one').state).toBe('checkstop');
  await board.console('two').expect('> ');
});

test('what cannot be injected is an error, at once or when its time comes', async () => {
  const board = await boot({ source: boardOf(partition('one')) }, { artifacts: false });
  expect(() => board.inject.busError('one', 0x1000)).toThrow("partition 'one' has no device at 0x1000");
  expect(() => board.inject.busError('one', 'serail')).toThrow(/'serail': there is none; .*serial@ef600300/);
  expect(() => board.inject.congest('one')).toThrow("'one/serial@ef600300' is no byte channel");
  expect(() => board.inject.crash('two')).toThrow(/there is no partition 'two'/);
  expect(() => board.inject.flipBit('one', 0, 8)).toThrow('a byte has bits 0 to 7');
  board.after('1 ms').flipBit('one', 0xf0000000, 0);
  await expect(board.run('2 ms')).rejects.toThrow("partition 'one' has no memory at 0xf0000000");
});

test.each([1, 2, 3])('every kind of fault, at times of seed %i, is in a recording and comes again', async (seed) => {
  const channel = 'stdout = "serial@ef600300"; spare { compatible = "epapr,hv-byte-channel"; };';
  const source = boardOf(partition('one', 'hello', channel), partition('two'), partition('three'));
  const board = await boot({ source }, { artifacts: false, seed });
  await board.console('one').expect('> ');
  const later = () => board.after(`${board.random.integer(1, 4_000_000)} cycles`);
  later().serialError('one', 'parity', { byte: 0x61 });
  later().serialError('one', 'framing', { byte: 0x62 });
  later().serialError('two', 'break');
  later().serialError('two', 'overrun');
  later().flood('one', 'x'.repeat(40));
  later().flood('one:spare', 'y'.repeat(300));
  later().congest('one:spare', { during: '1 ms' });
  later().busError('two', 'serial', { count: 3 });
  later().loseInterrupt('one', 'serial', { during: '2 ms' });
  later().spuriousInterrupt('two', 'serial');
  later().flipBit('one', board.random.integer(0x100000, 0x200000), board.random.integer(0, 7));
  later().crash('three');
  board.console('one').send('mem\n');
  await board.run('20 ms');
  const file = join(mkdtempSync(join(tmpdir(), 'hv440-')), 'run.hv440');
  writeFileSync(file, board.recording());
  const kinds = board.recording().match(/"kind":"injected"/g);
  expect(kinds).toHaveLength(14);
  const { stderr, status } = await cli(['replay', file]);
  expect(stderr).toMatch(/the same state, bit by bit\n$/);
  expect(status).toBe(0);
});
