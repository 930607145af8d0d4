import { expect, test } from 'vitest';
import { parseCount, parseSeconds, parseSize } from '../../src/cli/sizes.js';

test('a size is bytes, or has K, M or G', () => {
  const sizes = ['65536', '64k', '64K', '64KiB', '0x10000', '128M', '1G', '2G', '132K'].map(parseSize);
  expect(sizes).toEqual([2 ** 16, 2 ** 16, 2 ** 16, 2 ** 16, 2 ** 16, 2 ** 27, 2 ** 30, 2 ** 31, 132 * 1024]);
});

test.each([
  ['3', 'a board has 64K to 2G of memory'],
  ['4G', 'a board has 64K to 2G of memory'],
  ['much', 'that is no size; write bytes, or 64K, 128M, 1G'],
  ['1.5G', 'that is no size; write bytes, or 64K, 128M, 1G'],
  ['-64K', 'that is no size; write bytes, or 64K, 128M, 1G'],
  ['', 'that is no size; write bytes, or 64K, 128M, 1G'],
  ['100001', 'memory comes in pages of 4K; round it to a multiple'],
])('a size of %s is refused', (text, message) => {
  expect(() => parseSize(text)).toThrow(`--memory ${text}: ${message}`);
});

test('a count is a whole number from 1 on', () => {
  expect(['1', '1e9', '1_000_000'].map((text) => parseCount('-n', text))).toEqual([1, 1e9, 1e6]);
  for (const text of ['0', '-1', '1.5', 'all', '', '1e20'])
    expect(() => parseCount('-n', text)).toThrow(`-n ${text}: give a whole number from 1 on, such as 1000000 or 1e9`);
});

test('seconds are more than 0', () => {
  expect(['1', '0.25', '1e3'].map(parseSeconds)).toEqual([1, 0.25, 1000]);
  for (const text of ['0', '-1', 'soon', '', 'Infinity'])
    expect(() => parseSeconds(text)).toThrow(`--timeout ${text}: give a number of seconds above 0`);
});
