import { expect, test } from 'vitest';
import { replayable, Tracker, withCarriageReturns } from '../../src/console/vt.js';

function after(text: string): Tracker {
  const tracker = new Tracker();
  tracker.feed(Buffer.from(text));
  return tracker;
}

test.each([
  ['', true],
  ['line\r\n', true],
  ['prompt> ', false],
  ['line\n\r', true],
  ['line\r\n\x1b[0m', true],
  ['line\r\n\x1b[5;5H', false],
  ['line\n\x1b[3', false],
])('after %j the line is fresh: %s', (text, fresh) => {
  expect(after(text).fresh).toBe(fresh);
});

test.each(['\x1b', '\x1b[31', '\x1b]0;title', '\x1b]0;title\x1b', '\x1b(', '\x1bP'])(
  'in the middle of %j it is not settled',
  (text) => expect(after(text).settled).toBe(false),
);

test('half a UTF-8 character is not settled, a whole one is', () => {
  const tracker = new Tracker();
  tracker.feed(Uint8Array.of(0xe2, 0x82));
  expect(tracker.settled).toBe(false);
  tracker.feed(Uint8Array.of(0xac));
  expect(tracker.settled).toBe(true);
});

test.each(['\x1b[31m', '\x1b]0;title\x07', '\x1b]0;title\x1b\\', '\x1b(B', '\x1bP1$q\x1b\\', '\x1b[3\x18', '\x1bc'])(
  '%j is whole',
  (text) => expect(after(text).settled).toBe(true),
);

test.each([
  ['plain', ''],
  ['\x1b[31mred', '\x1b[m'],
  ['\x1b[31mred\x1b[0m', ''],
  ['\x1b[?25l', '\x1b[?25h'],
  ['\x1b[?25l\x1b[?25h', ''],
  ['\x1b[?1049h\x1b[?1;2004h', '\x1b[?1049l\x1b[?1l\x1b[?2004l'],
  ['\x1b=', '\x1b>'],
  ['\x1b[1;10r', '\x1b7\x1b[r\x1b8'],
  ['\x1b[?25l\x1bc', ''],
  ['\x0e', '\x1b(B\x0f'],
])('%j is undone by %j', (text, undo) => {
  expect(after(text).undo()).toBe(undo);
});

test('colours and modes can be set again', () => {
  const tracker = after('\x1b[1m\x1b[31m\x1b[?25l\x1b[?7h\x1b=');
  expect(tracker.colours).toBe('\x1b[1m\x1b[31m');
  expect(tracker.redo()).toBe('\x1b=\x1b[?25l');
  expect(after('\x1b[1m\x1b[0;32m').colours).toBe('\x1b[0;32m');
});

test('the last lines are shown again from a line start, without questions to the terminal', () => {
  const replay = (text: string, lines: number): string => Buffer.from(replayable(Buffer.from(text), lines)).toString();
  expect(replay('a\nb\nc\nd', 2)).toBe('c\nd');
  expect(replay('a\nb\nc\nd\n', 2)).toBe('c\nd\n');
  expect(replay('a\nb', 9)).toBe('a\nb');
  expect(replay('', 9)).toBe('');
  expect(replay('\n\n\n', 2)).toBe('\n\n');
  expect(replay('# \x1b[6n\x1b[c\x1b]11;?\x07\x1b[31mx\x1bZ\x05é', 1)).toBe('# \x1b[31mxé');
});

test('a lone line feed gets its carriage return, also over a border', () => {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  expect(text(withCarriageReturns(Buffer.from('a\nb\r\n\n'), 0))).toBe('a\r\nb\r\n\r\n');
  expect(text(withCarriageReturns(Buffer.from('\nx'), 0x0d))).toBe('\nx');
});
