import { expect, test } from 'vitest';
import { defaultEscapeKey, parseEscapeKey } from '../../src/console/escape-key.js';

test.each(['ctrl-a', 'Ctrl-A', 'ctrl+a', '^A', '^a', 'C-a', 'c-A'])('%s is Ctrl-A', (text) => {
  expect(parseEscapeKey(text)).toEqual(defaultEscapeKey);
});

test.each([
  ['^]', 0x1d, 'Ctrl-]'],
  ['ctrl-b', 2, 'Ctrl-B'],
  ['C-_', 0x1f, 'Ctrl-_'],
  ['^@', 0, 'Ctrl-@'],
  ['none', undefined, 'none'],
])('%s is byte %s', (text, byte, name) => {
  expect(parseEscapeKey(text)).toEqual({ byte, name });
});

test.each([
  ['a', '--escape a: that is no key; write it as ctrl-a, ^A or C-a, or none for no such key'],
  ['', '--escape : that is no key; write it as ctrl-a, ^A or C-a, or none for no such key'],
  ['ctrl-ab', '--escape ctrl-ab: that is no key; write it as ctrl-a, ^A or C-a, or none for no such key'],
  [
    '^M',
    '--escape ^M: that key cannot be taken, it is the same as Enter; write it as ctrl-a, ^A or C-a, or none for no such key',
  ],
])('%j is refused', (text, problem) => {
  expect(parseEscapeKey(text)).toEqual({ problem });
});
