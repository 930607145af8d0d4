// Tests of a Linux that is booted once: each begins at the same prompt, in the same cycle (docs/testing.md).

import { snapshotFixture } from 'hv440/testing';
import { expect } from 'hv440/testing/vitest';
import { test } from 'vitest';

const PROMPT = 'linux:~# ';

const linux = snapshotFixture({
  config: new URL('linux.dts', import.meta.url).pathname,
  prepare: (board) => board.console('linux').expect(PROMPT),
  key: PROMPT, // the text of `prepare` does not have it
});

test('it computes', async () => {
  const board = await linux();
  board.console('linux').send('echo $((6 * 7))\n');
  await board.console('linux').line(/^42$/);
});

test('it finds 64 MiB of memory, less what its kernel takes', async () => {
  const board = await linux();
  const console = board.console('linux');
  console.send('free | grep Mem\n');
  const { groups } = await console.line(/^Mem: +(\d+)/);
  expect(Number(groups[0])).toBeGreaterThan(56 * 1024);
  expect(Number(groups[0])).toBeLessThan(64 * 1024);
});

test('an idle Linux leaves the core to others', async () => {
  const board = await linux();
  await board.run('10 ms');
  const before = board.partition('linux').instructions;
  await board.run('1 s');
  expect(board.partition('linux').instructions - before).toBeLessThan(1_000_000);
});

test('`reboot` boots it again, and nothing of the last boot is left', async () => {
  const board = await linux();
  const console = board.console('linux');
  console.send('touch /marked\n');
  await console.expect(PROMPT);
  console.send('reboot\n');
  await board.partition('linux').expectReset();
  await console.expect(PROMPT);
  console.send('ls /marked\n');
  await console.line('No such file');
});
