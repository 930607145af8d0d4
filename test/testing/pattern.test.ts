import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Search, type Pattern } from '../../src/testing/pattern.js';

/** What is found when a text comes character by character, and after how many of them. */
function growing(pattern: Pattern, whole: 'line' | 'text', text: string) {
  const search = new Search(pattern, whole, 0);
  for (let length = 0; length <= text.length; length++) {
    const found = search.finds(text.slice(0, length));
    if (found) return { ...found, after: length };
  }
  return undefined;
}

test('text is found at its last character, and nothing is looked for twice', () => {
  expect(growing('abab', 'text', 'aabaabab--abab')).toMatchObject({ text: 'abab', end: 8, after: 8 });
  expect(growing('abc', 'text', 'ababab')).toBeUndefined();
});

test('a regular expression may span lines, amid the last one too', () => {
  const found = growing(/done (\d)\n(?<prompt>.*)# /, 'text', 'x\ndone 4\nlinux:~# more');
  expect(found).toMatchObject({ text: 'done 4\nlinux:~# ', groups: ['4', 'linux:~'], after: 18 });
  expect(found?.named).toEqual({ prompt: 'linux:~' });
});

test('the ends of lines are ends for an expression, whatever its flags say', () => {
  expect(growing(/^b$/g, 'text', 'ab\nb\n')).toMatchObject({ end: 4, after: 4 });
  expect(growing(/B/iy, 'text', 'ab')).toMatchObject({ end: 2 });
});

test('lines count when they are complete, or when nothing more comes', () => {
  expect(growing(/^\d+$/, 'line', '12\n')).toMatchObject({ text: '12', end: 3, after: 3 });
  expect(growing(/^\d+$/, 'line', '12')).toBeUndefined();
  expect(new Search(/^\d+$/, 'line', 0).finds('12', true)).toMatchObject({ text: '12', end: 2 });
  expect(growing('b', 'line', 'a\nxbx\nb\n')).toMatchObject({ text: 'xbx', end: 6 });
});

test('a match amid a long line behind much text is found as one is in the whole', () => {
  const before = `${'line\n'.repeat(2000)}`;
  expect(growing(/e\nx+$/, 'text', `${before}xxx`)).toMatchObject({ text: 'e\nx', after: before.length + 1 });
});

test('whatever the text, a string is found where it first ends', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '\n') });
  fc.assert(
    fc.property(
      letters,
      letters.filter((s) => s.length > 0),
      (text, wanted) => {
        const at = text.indexOf(wanted);
        expect(growing(wanted, 'text', text)?.after).toBe(at < 0 ? undefined : at + wanted.length);
      },
    ),
  );
});
