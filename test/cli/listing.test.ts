import { expect, test } from 'vitest';
import { listedWords, listing, Names } from '../../src/cli/listing.js';
import type { ImageSymbol } from '../../src/loader/image.js';

const symbol = (address: number, name: string): ImageSymbol => ({ address, name, size: 0, kind: 'function' });
const code = (...words: number[]): Uint8Array =>
  Uint8Array.from(words.flatMap((w) => [w >>> 24, w >>> 16, w >>> 8, w].map((b) => b & 255)));
const extent = (address: number, bytes: Uint8Array) => ({
  section: { name: '.text', address, bytes },
  start: address,
  stop: address + bytes.length,
});

test('a listing has a heading at every symbol, and names branch targets', () => {
  const names = new Names([symbol(0x1000, 'main'), symbol(0x1008, 'loop')]);
  expect([...listing(extent(0x1000, code(0x38600005, 0x48000008, 0x60000000, 0x4bfffffc)), names)]).toEqual([
    '',
    '00001000 <main>:',
    '    1000:\t38 60 00 05 \tli      r3,5',
    '    1004:\t48 00 00 08 \tb       100c <loop+0x4>',
    '',
    '00001008 <loop>:',
    '    1008:\t60 00 00 00 \tnop',
    '    100c:\t4b ff ff fc \tb       1008 <loop>',
  ]);
});

test('two words of zeros and more are left out, one is not', () => {
  const lines = [
    ...listing(extent(0, code(0x60000000, 0, 0x60000000, 0, 0, 0, 0x60000000)), new Names([symbol(0, 'a')])),
  ];
  expect(lines.slice(2)).toEqual([
    '   0:\t60 00 00 00 \tnop',
    '   4:\t00 00 00 00 \t.long 0x0',
    '   8:\t60 00 00 00 \tnop',
    '\t...',
    '  18:\t60 00 00 00 \tnop',
  ]);
});

test('without symbols targets are plain addresses, and the section is the heading', () => {
  expect([...listing(extent(0x1000, code(0x48000004)), new Names([]))]).toEqual([
    '',
    '00001000 <.text>:',
    '    1000:\t48 00 00 04 \tb       0x1004',
  ]);
});

test('bytes that make no whole word are listed as bytes', () => {
  const lines = [...listing(extent(0x1000, Uint8Array.of(0x60, 0, 0, 0, 0xab, 0xcd)), new Names([]))];
  expect(lines.at(-1)).toBe('    1004:\tab cd \t.byte   0xab,0xcd');
});

test('a listing may begin within a function, and says so', () => {
  const names = new Names([symbol(0x1000, 'main')]);
  const part = { ...extent(0x1000, code(0x60000000, 0x4e800020)), start: 0x1004 };
  expect([...listing(part, names)]).toEqual(['', '00001004 <main+0x4>:', '    1004:\t4e 80 00 20 \tblr']);
  expect([...listedWords(part, names)]).toEqual([{ address: 0x1004, word: 0x4e800020, mnemonic: 'blr', operands: '' }]);
});

test('of two symbols at one address the first is shown', () => {
  const names = new Names([symbol(4, 'memmove'), symbol(4, 'memcpy'), symbol(8, 'end')]);
  expect([names.at(4), names.at(5), names.next(4), names.next(8)]).toEqual(['memmove', undefined, 8, undefined]);
  expect([names.target(6), names.target(2)]).toEqual(['6 <memmove+0x2>', '0x2']);
});
