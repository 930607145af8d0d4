import { expect, test } from 'vitest';
import { LineEditor } from '../../src/console/line-editor.js';

/** Type text into one editor; gives every line that was entered. */
function typist() {
  let shown = '';
  const editor = new LineEditor('> ', (text) => (shown += text));
  editor.begin();
  return {
    shown: () => shown,
    type: (text: string): string[] =>
      [...Buffer.from(text)].flatMap((byte) => {
        const edited = editor.feed(byte);
        if (edited.kind === 'editing') return [];
        editor.begin();
        return [edited.kind === 'entered' ? edited.line : '(left)'];
      }),
  };
}

test.each([
  ['plain\r', 'plain'],
  ['ab\x7f\x08c\r', 'c'],
  ['bc\x01a\x05d\r', 'abcd'],
  ['ac\x1b[Db\r', 'abc'],
  ['ac\x02b\x06d\r', 'abcd'],
  ['one two\x17three\r', 'one three'],
  ['rubbish\x15good\r', 'good'],
  ['abc\x1b[D\x1b[D\x0b\r', 'a'],
  ['abc\x1b[H\x1b[3~\r', 'bc'],
  ['a\x1b[1;5Cb\r', 'ab'],
  ['aé€😀\x7f\x7fx\r', 'aéx'],
  ['\x03', '(left)'],
  ['\x04', '(left)'],
  ['ab\x01\x04\r', 'b'],
])('typing %j enters %j', (text, line) => {
  expect(typist().type(text)).toEqual([line]);
});

test('the history goes back and forth, and keeps what was being typed', () => {
  const { type } = typist();
  type('one\rtwo\rtwo\r \r');
  expect(type('\x1b[A\r')).toEqual(['two']);
  expect(type('\x1b[A\x1b[A\r')).toEqual(['one']);
  expect(type('draft\x1bOA\x1bOB!\r')).toEqual(['draft!']);
  expect(type('\x10\x10\x0e\r')).toEqual(['draft!']);
});

test('a change in the middle draws the line again and puts the cursor back', () => {
  const { shown, type } = typist();
  type('ac\x1b[Db');
  expect(shown().endsWith('\r> abc\x1b[K\x1b[1D')).toBe(true);
});
