import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Machine } from '../../src/board/machine.js';
import { StandardInput } from '../../src/cli/input.js';
import { Mux } from '../../src/console/mux.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Standard input for a machine that only takes notes. */
function made() {
  const notes: string[] = [];
  const machine = {
    type: (_stream: string, bytes: Uint8Array) => notes.push(`typed ${Buffer.from(bytes).toString()}`),
    scripted: (_stream: string, more: boolean) => notes.push(more ? 'script' : 'no script'),
  } as unknown as Machine;
  const source = new PassThrough();
  const wake = vi.fn<() => void>();
  const input = new StandardInput(machine, new Mux().open('s'), source, wake);
  return { notes, source, input, wake };
}

/** The machine is starved for so many milliseconds, in which it looks about once in a second. */
async function starve(input: StandardInput, milliseconds: number): Promise<void> {
  let left = milliseconds;
  while (left > 0) {
    const before = left;
    await input.feed(async (most) => {
      const pause = Math.min(most, 1000, left);
      left -= pause;
      vi.advanceTimersByTime(pause);
    });
    if (left === before) return; // it did not wait: somebody may type, or the script has ended
  }
}

/** What was written has arrived. */
const delivered = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);

test('a script may pause for less than three seconds as often as it likes', async () => {
  const { notes, source, input, wake } = made();
  for (const part of ['a', 'b', 'c']) {
    await starve(input, 2900);
    expect(input.live).toBe(false);
    source.write(part);
    await delivered();
  }
  expect(notes).toEqual(['script', 'typed a', 'typed b', 'typed c']);
  expect(wake).toHaveBeenCalledTimes(3);
});

test('after three seconds without a byte it is somebody who may type, and stays so until the end', async () => {
  const { notes, source, input } = made();
  await starve(input, 4000);
  expect(input.live).toBe(true);
  source.write('x');
  await delivered();
  expect(input.live).toBe(true);
  source.end();
  await delivered();
  expect(input.live).toBe(false);
  expect(notes).toEqual(['script', 'no script', 'typed x', 'no script']);
});

test('time in which the machine works does not count', async () => {
  const { input } = made();
  vi.advanceTimersByTime(60_000);
  await starve(input, 2900);
  expect(input.live).toBe(false);
});

test('an empty script ends at once', async () => {
  const { notes, source, input, wake } = made();
  source.end();
  source.resume();
  await delivered();
  await starve(input, 10_000);
  expect(input.live).toBe(false);
  expect(notes).toEqual(['script', 'no script']);
  expect(wake).toHaveBeenCalledTimes(1);
});
