// Inputs that were recorded are had again in other slices, and lead to the same state.

import { expect, test } from 'vitest';
import { Replay, type RecordedInput } from '../../src/board/inputs.js';
import { snapshotOf } from '../../src/board/snapshot.js';
import { encodeState } from '../../src/board/state-text.js';
import { configuration, hello, spin } from '../cli/child.js';
import { partitions } from './machines.js';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const build = (more = '') =>
  partitions(
    configuration([
      { name: 'hello', image: hello, more },
      { name: 'spin', image: spin },
    ]),
  ).machine;
function diff(a: unknown, b: unknown, path = ''): string[] {
  if (typeof a === 'object' && a && typeof b === 'object' && b)
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((k) =>
      diff((a as never)[k], (b as never)[k], `${path}.${k}`),
    );
  return a === b ? [] : [`${path}: ${String(a).slice(0, 80)} | ${String(b).slice(0, 80)}`];
}
test.each([
  ['typed', ''],
  ['pause', ''],
  ['both', ''],
  ['both', 'guarantee = <20>;'],
  ['restart', ''],
  ['restart', 'guarantee = <70>;'],
])('%s %s: a replay comes to the same state', (what, more) => {
  const m = build(more);
  const inputs: RecordedInput[] = [];
  m.listeners.push((input) => inputs.push({ ...input, ...m.moment }));
  const part = (name: string) => m.partitions.find((p) => p.name === name)!;
  const go = (end: number) => {
    while (m.clock.now < end) {
      const p = m.run(Math.min(12_345, end - m.clock.now));
      if (p.kind === 'idle') m.skip(Math.min(p.until, m.clock.now + 7777, end));
    }
  };
  go(1_000_000);
  if (what === 'typed' || what === 'both') m.type(m.streams[0]!, bytes('mem\r'));
  go(2_500_000);
  if (what === 'pause' || what === 'both') m.ask('pause', part('spin'));
  go(3_700_001);
  if (what === 'restart') m.ask('restart', part('spin'));
  go(6_000_000);
  const end: RecordedInput = { kind: 'end', hash: '', ...m.moment };
  const r = build(more);
  const replay = new Replay(r, [...inputs, end]);
  for (let i = 0; i < 100 && !replay.ended; i++) if (replay.run({}, 2_000_000).kind !== 'ran') break;
  const parse = (x: typeof m) => JSON.parse(encodeState(snapshotOf(x).state));
  expect(diff(parse(m), parse(r)).slice(0, 12)).toEqual([]);
});
