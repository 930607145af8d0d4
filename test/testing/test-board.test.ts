import { expect, test } from 'vitest';
import { boot } from '../../src/testing/index.js';
import { hello } from './machines.js';

const silent = { artifacts: false, within: '50 ms' } as const;
const one = () => boot({ source: hello('one') }, silent);

test('time passes in seconds, units and cycles, and to the cycle', async () => {
  const board = await one();
  await board.run(0.001);
  expect(board.cycle).toBe(400_000);
  await board.run('250 us');
  expect(board.cycle).toBe(500_000);
  await board.run('1 cycle');
  await board.runUntil({ cycle: 600_000 });
  expect(board.cycle).toBe(600_000);
  expect(board.seconds).toBe(0.0015);
  await expect(board.run('soon')).rejects.toThrow("'soon' is no duration of virtual time");
});

test.each([1, 1000, 123_456])('it runs to exactly %i instructions', async (instructions) => {
  const board = await one();
  await board.runUntil({ instructions, partition: 'one' });
  expect(board.partition('one').instructions).toBe(instructions);
  await board.runUntil({ instructions: instructions + 7 });
  expect(board.stats().instructions).toBe(instructions + 7);
});

test('a condition is looked at every 10 µs, and the limit ends everything', async () => {
  const board = await boot({ source: hello('one') }, { ...silent, limit: '20 ms' });
  await board.runUntil(() => board.console('one').text.includes('name'));
  expect(board.cycle % 4000).toBe(0);
  await expect(board.run('1 s')).rejects.toThrow(/waited for 1 s, and it did not come\n  at 0\.020000 s/);
});

test('how it is waited for leaves no trace in the run', async () => {
  const runs = [
    async () => {
      const board = await one();
      await board.run('20 ms');
      return board;
    },
    async () => {
      const board = await one();
      await board.console('one').expect('name');
      await board.runUntil({ instructions: 150_000 });
      await board.runUntil(() => board.cycle > 3_000_000);
      await board.runUntil({ cycle: 8_000_000 });
      return board;
    },
  ];
  const [a, b] = await Promise.all(runs.map(async (run) => (await run()).snapshot()));
  expect(b!.machine.state).toEqual(a!.machine.state);
});

test('what is asked of a partition, and what it may not be asked', async () => {
  const board = await one();
  const partition = board.partition('one');
  partition.pause();
  expect(partition.state).toBe('paused');
  expect(() => partition.pause()).toThrow("partition 'one' is paused");
  const { instructions } = partition;
  await board.run('10 ms');
  expect(partition.instructions).toBe(instructions);
  partition.resume();
  partition.restart();
  expect(await partition.expectReset()).toBe(1);
  await expect(partition.expectReset({ within: '1 ms' })).rejects.toThrow("waited for a reset of partition 'one'");
  partition.stop();
  await expect(partition.expectExit()).rejects.toThrow(/waited for partition 'one' to end, and it was stopped/);
  expect(() => board.partition('two')).toThrow(/there is no partition 'two'/);
});

test('memory by address and by name, registers by name', async () => {
  const board = await one();
  const partition = board.partition('one');
  await board.console('one').expect('> ');
  const at = partition.addressOf('ticks');
  const ticks = partition.readWord('ticks');
  await board.run('100 ms');
  expect(partition.readWord('ticks')).toBe(ticks + 10);
  expect(partition.readWord(at, { virtual: true })).toBe(ticks + 10);
  expect(partition.readWord(partition.physicalOf('ticks'))).toBe(ticks + 10);
  partition.writeWord('ticks', 1000);
  board.console('one').send('ticks\n');
  await board.console('one').line(/\b100\d\b/);
  expect(() => partition.read(0xf0000000, 4)).toThrow("partition 'one' has 0 of the 4 bytes at 0xf0000000");
  expect(() => partition.addressOf('no_such')).toThrow(/has nothing called 'no_such': its image has \d+ symbols/);
  partition.registers.set('SPRG2', 0x1234);
  expect(partition.registers.get('sprg2')).toBe(0x1234);
  expect(partition.registers.all()).toMatchObject({ sprg2: 0x1234 });
  expect(() => partition.registers.get('r32')).toThrow(/there is no register 'r32'/);
});

test('the seed decides on the choices, and a snapshot brings them back', async () => {
  const board = await boot({ source: hello('one') }, { ...silent, seed: 7 });
  const other = await boot({ source: hello('one') }, { ...silent, seed: 7 });
  const snapshot = board.snapshot();
  const choices = () => Array.from({ length: 5 }, () => board.random.integer(1, 1_000_000));
  const first = choices();
  expect(Array.from({ length: 5 }, () => other.random.integer(1, 1_000_000))).toEqual(first);
  board.restore(snapshot);
  expect(choices()).toEqual(first);
  board.seed(8);
  expect(choices()).not.toEqual(first);
});

test('properties are set, and a variant too', async () => {
  const set = { '/partitions/one/memory': '<0 0 0 0x2000000>' };
  const board = await boot({ source: hello('one') }, { ...silent, set });
  await board.console('one').line('memory 32 MiB');
  await expect(boot({ source: hello('one') }, { set: { '/nowhere/x': '1' } })).rejects.toThrow(/--set:1:/);
});
