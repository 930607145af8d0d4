// What a test in code looks like (docs/testing.md): `hv440 test devicetrees`, or vitest by itself.

import { boot } from 'hv440/testing';
import { expect } from 'hv440/testing/vitest';
import { test } from 'vitest';

const config = new URL('two-partitions.dts', import.meta.url).pathname;

test('hello answers while traps goes through every trap', async () => {
  const board = await boot(config, { within: '100 ms' });
  const [hello, traps] = [board.console('hello'), board.console('traps')];
  traps.never(/^FAIL/);
  await hello.expect('hello> ');
  hello.send('mem\n');
  const { groups } = await hello.line(/^memory (\d+) MiB$/);
  expect(groups).toEqual(['16']);
  await board.partition('traps').expectExit(0);
  expect(traps).toHavePrinted(/traps: \d+ ok, 0 FAIL/);
  expect(board.partition('hello')).toBeInState('running');
});

test('a partition that crashes takes nothing with it, at whichever of its instructions that is', async () => {
  const board = await boot(config, { within: '100 ms', seed: 42 });
  const instructions = board.random.integer(1, 100_000);
  board.at({ partition: 'traps', instructions }).crash('traps');
  const fault = await board.partition('traps').expectFault('machine-check-disabled');
  expect(fault.instructions).toBe(instructions);
  board.console('hello').send('mem\n');
  await board.console('hello').line('memory 16 MiB');
  expect(board.partition('hello')).not.toHaveFaulted();
});
