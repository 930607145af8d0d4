import { expect, test } from 'vitest';
import { pack, unpack } from '../../src/loader/container.js';

const body = Uint8Array.from({ length: 5000 }, (_, i) => i % 7);
const file = pack('snapshot', 3, { of: 'hello' }, body);

test('what is packed comes out again', () => {
  expect(unpack(file, 'snapshot', 3)).toEqual({ header: { of: 'hello' }, body });
  expect(file.length).toBeLessThan(body.length);
});

test('a file that is cut off anywhere is refused', () => {
  for (let end = 0; end < file.length; end++)
    expect(unpack(file.subarray(0, end), 'snapshot', 3)).toHaveProperty('problem');
  expect(unpack(file.subarray(0, -1), 'snapshot', 3)).toEqual({ problem: 'is cut off; make or copy it again' });
});

test('a file with one byte changed anywhere is refused', () => {
  for (let at = 0; at < file.length; at++) {
    const damaged = file.slice();
    damaged[at]! ^= 0x10;
    expect(unpack(damaged, 'snapshot', 3)).toHaveProperty('problem');
  }
});

test('a file of another kind, version or program is refused, and it is said why', () => {
  expect(unpack(file, 'recording', 3)).toEqual({ problem: 'is a snapshot, not a recording' });
  expect(unpack(file, 'snapshot', 4)).toEqual({
    problem: 'has version 3 of the format, and this hv440 has 4; make it again',
  });
  expect(unpack(new TextEncoder().encode('\x7fELF and more\n'), 'snapshot', 3)).toEqual({
    problem: 'is no snapshot of hv440’s',
  });
});
