import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boot, BoardError, TestSnapshot } from '../../src/testing/index.js';
import { cli } from '../tools.js';
import { devicetree, hello } from './machines.js';

test('a board is booted, a console is read and typed at, and a partition ends with a status', async () => {
  const board = await boot(devicetree('two-partitions.dts'), { artifacts: false });
  const console = board.console('hello');
  const { text, cycle } = await console.line(/hello/i);
  expect(text).toContain('hello');
  expect(cycle).toBe(board.cycle);
  await console.expect('> ');
  console.send('exit 3\n');
  const ending = await board.partition('hello').expectExit(3);
  expect(ending).toEqual({ kind: 'finished', status: 3 });
  expect(board.partition('hello').state).toBe('finished');
  expect(board.console('hv').text).toContain("partition 'hello' ended with status 3\n");
});

test('a configuration with errors is refused with what `hv440 check` prints', async () => {
  const source = `/dts-v1/;\n/include/ "hv440-board.dtsi"\n&partitions { p { compatible = "hv440,partition"; }; };\n`;
  await expect(boot({ source })).rejects.toThrow(/test\.dts:3:\d+: error: .*\[.*\]/);
});

test('a recording has the same run again, to the bit', async () => {
  const board = await boot({ source: hello('one') }, { artifacts: false });
  const console = board.console('one');
  await console.expect('> ');
  console.send('help\n');
  await board.run('3 ms');
  board.partition('one').pause();
  await board.run('2 ms');
  board.partition('one').resume();
  await console.expect('> ');
  board.partition('one').writeWord(0x200000, 0x12345678);
  board.partition('one').registers.set('sprg2', 0x1234);
  console.send('mem\n');
  await board.runUntil({ instructions: board.partition('one').instructions + 12_345, partition: 'one' });
  board.partition('one').crash();
  await board.partition('one').expectFault();
  const file = join(mkdtempSync(join(tmpdir(), 'hv440-')), 'run.hv440');
  writeFileSync(file, board.recording());
  const { stdout, stderr, status } = await cli(['replay', file]);
  expect(stderr).toMatch(/the same state, bit by bit\n$/);
  expect(stdout.replaceAll('\r', '')).toBe(console.text);
  expect(status).toBe(0);
});

test('a board goes back to a snapshot, its consoles with it, and goes the same way again', async () => {
  const board = await boot({ source: hello('one', 'two') }, { artifacts: false });
  await board.console('one').expect('> ');
  const snapshot = board.snapshot();
  const { text } = board.console('one');
  const session = async (): Promise<number> => {
    board.console('one').send('mem\n');
    await board.console('one').line('memory');
    return (await board.console('one').expect('> ')).cycle;
  };
  const first = await session();
  const printed = board.console('one').text;
  board.restore(snapshot);
  expect(board.console('one').text).toBe(text);
  expect(await session()).toBe(first);
  expect(board.console('one').text).toBe(printed);
  const file = join(mkdtempSync(join(tmpdir(), 'hv440-')), 'one.snapshot');
  snapshot.save(file);
  const other = await boot({ source: hello('one', 'two') }, { artifacts: false, from: file });
  expect(other.console('one').text).toBe(text);
  expect(other.snapshot().bytes()).toEqual(snapshot.bytes());
  const elsewhere = boot({ source: hello('one') }, { artifacts: false, from: TestSnapshot.load(file) });
  await expect(elsewhere).rejects.toThrow(/the snapshot is of another configuration/);
});

test('what does not come fails with the time, what was printed, the partitions, and a command for the same run', async () => {
  const artifacts = mkdtempSync(join(tmpdir(), 'hv440-'));
  const board = await boot({ source: hello('one') }, { artifacts, within: '20 ms' });
  const error: unknown = await board
    .console('one')
    .line(/no such line/)
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(BoardError);
  const { message } = error as BoardError;
  expect(message).toContain('waited for a line with /no such line/ from one/serial@ef600300, and it did not come\n');
  expect(message).toContain('at 0.020000 s of virtual time (cycle 8000000), seed 1\n');
  expect(message).toMatch(/partition 'one': waiting for an interrupt, pc 0x/);
  expect(message).toMatch(/one\/serial@ef600300 printed last:\n(?: +\| .*\n)* +\| hello> \n/);
  const [, file] =
    /the same run again: hv440 replay (\S+)\n +to look into it: +hv440 debug --replay \S+$/.exec(message) ?? [];
  const { stderr } = await cli(['replay', file!]);
  expect(stderr).toMatch(/the same state, bit by bit\n$/);
});
