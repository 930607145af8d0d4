import { test } from 'vitest';
import { boot } from '../../src/testing/index.js';
import { expect } from '../../src/testing/vitest.js';
import { board as boardOf, partition } from './machines.js';

test('assertions about a board as it is, and what they say', async () => {
  const board = await boot({ source: boardOf(partition('one'), partition('two')) }, { artifacts: false });
  const [one, two] = [board.partition('one'), board.partition('two')];
  const console = board.console('one');
  await console.expect('> ');
  expect(console).toHavePrinted('name one\n');
  expect(console).toHavePrinted(/^PVR [0-9a-f]{8}$/);
  expect(console).not.toHavePrinted('name two');
  expect(() => expect(console).toHavePrinted('name two')).toThrow(
    /expected one\/serial@ef600300 to have printed "name two"; it printed last:\n  \| hv440 hello\n/,
  );
  expect(() => expect(console).not.toHavePrinted(/name/)).toThrow('not to have printed /name/');
  expect(one).toBeInState('running');
  expect(one).not.toHaveEnded();
  expect(() => expect(one).toBeInState('paused')).toThrow(
    "expected partition 'one' to be 'paused', and it is 'running'",
  );
  console.send('exit 3\n');
  await one.expectExit();
  expect(one).toHaveEnded();
  expect(one).toHaveEnded(3);
  expect(() => expect(one).toHaveEnded(4)).toThrow('to have ended with status 4, and it ended with status 3');
  expect(one).not.toHaveFaulted();
  two.crash();
  expect(two).toHaveFaulted('machine-check-disabled');
  expect(() => expect(two).toHaveFaulted('no-handler')).toThrow(
    /the fault 'no-handler', and it had\n  two: machine-check-disabled/,
  );
  expect(() => expect(two).toHavePrinted('x')).toThrow("give it a console, as `board.console('name')` does");
  expect(() => expect(console).toHaveFaulted()).toThrow("give it a partition, as `board.partition('name')` does");
});
