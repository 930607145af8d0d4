import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { snapshotFixture, type TestBoard } from '../../src/testing/index.js';
import { hello } from './machines.js';

/** A fixture with a cache of its own that counts how often it was prepared. */
function counted(cache: string | false, key?: string) {
  const count = { prepared: 0 };
  const prepare = async (board: TestBoard): Promise<void> => {
    count.prepared += 1;
    await board.console('one').expect('> ');
  };
  const fixture = snapshotFixture({
    config: { source: hello('one') },
    artifacts: false,
    cache,
    prepare,
    ...(key && { key }),
  });
  return { fixture, count };
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'hv440-'));

test('a board is prepared once, and each test finds it as it was then', async () => {
  const { fixture, count } = counted(false);
  const cycles = [];
  for (let i = 0; i < 3; i++) {
    const board = await fixture();
    cycles.push(board.cycle);
    expect(board.console('one').rest).toBe('');
    expect(board.partition('one').state).toBe('running');
    board.console('one').send('exit 0\n');
    await board.partition('one').expectExit(0);
  }
  expect(new Set(cycles).size).toBe(1);
  expect(count.prepared).toBe(1);
});

test('another file or process takes the snapshot from the cache; another key or a damaged file does not', async () => {
  const cache = folder();
  const first = counted(cache);
  const board = await first.fixture();
  const second = counted(cache);
  const other = await second.fixture();
  expect(other.cycle).toBe(board.cycle);
  expect(other.console('one').text).toBe(board.console('one').text);
  expect([first.count.prepared, second.count.prepared]).toEqual([1, 0]);
  const third = counted(cache, 'another');
  await third.fixture();
  expect(third.count.prepared).toBe(1);
  const snapshots = join(cache, 'snapshots');
  const files = readdirSync(snapshots);
  expect(files).toHaveLength(2);
  for (const file of files) writeFileSync(join(snapshots, file), 'damaged');
  const fourth = counted(cache);
  await fourth.fixture();
  expect(fourth.count.prepared).toBe(1);
});

test('a recording of a board from the cache begins at power-on', async () => {
  const cache = folder();
  await counted(cache).fixture();
  const board = await counted(cache).fixture();
  board.console('one').send('mem\n');
  const lines = board.recording().trimEnd().split('\n').slice(1);
  expect(lines.map((line) => (JSON.parse(line.slice(9)) as { kind: string }).kind)).toEqual(['typed', 'end']);
});
