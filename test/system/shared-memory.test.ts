// Guests that talk by memory that they share: what comes through, and the same again from a recording.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cli } from '../tools.js';

const example = 'devicetrees/shared-memory.dts';
const linesOf = (text: string): string[] => text.replaceAll('\r', '').split('\n');
const of = (name: string, lines: readonly string[]): string[] =>
  lines.filter((line) => line.startsWith(`${name}| `)).map((line) => line.slice(name.length + 2));

test('devicetrees/shared-memory.dts: a ring carries a thousand messages, and cannot be written by who only reads it', async () => {
  const { status, stdout } = await cli(['boot', example, '--headless']);
  const lines = linesOf(stdout);
  expect(of('producer', lines)).toEqual([
    'ring: 4 KiB at 80000000',
    'progress: 4 KiB at 80010000, only read',
    '1000 messages sent',
  ]);
  expect(of('consumer', lines)).toEqual([
    'ring: 4 KiB at 90000000, only read',
    'progress: 4 KiB at 90010000',
    'a store to the ring: a machine check, and nothing is changed',
    '1000 messages received in their order, 19893 bytes',
  ]);
  expect(status).toBe(0);
});

test('what was typed and went through shared memory comes again from the recording, to the same state', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const recording = join(folder, 'run.hv440');
  const typing = { input: 'first\nsecond, a longer one\n\n' };
  const typed = ['--set', '/partitions/producer/bootargs=messages=40 typed'];
  const recorded = await cli(['boot', example, '--headless', '--record', recording, ...typed], typing);
  expect(of('consumer', linesOf(recorded.stdout)).slice(-3)).toEqual([
    'received: first',
    'received: second, a longer one',
    '40 messages received in their order, 698 bytes',
  ]);
  const again = await cli(['replay', recording]);
  expect(linesOf(again.stdout)).toEqual(linesOf(recorded.stdout));
  expect([recorded.status, again.status]).toEqual([0, 0]);
});
