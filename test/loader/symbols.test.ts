import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadImage, symbolAt, type ImageSymbol } from '../../src/loader/image.js';
import { elf, type SymbolSpec } from './build.js';

const symbolsOf = (symbols: readonly SymbolSpec[]): readonly ImageSymbol[] | undefined => {
  const image = loadImage(elf({ symbols }), 'x.elf');
  if (!image.ok) throw new Error(image.reason);
  return image.symbols;
};

test('symbols come in the order of their addresses, functions before labels at the same one', () => {
  const symbols = symbolsOf([
    { name: 'table', value: 0x2000, size: 8, type: 1 },
    { name: 'local_label', value: 0x1000, global: false },
    { name: 'label', value: 0x1000 },
    { name: 'main', value: 0x1000, size: 16, type: 2 },
  ]);
  expect(symbols).toEqual([
    { address: 0x1000, size: 16, name: 'main', kind: 'function' },
    { address: 0x1000, size: 0, name: 'label', kind: 'label' },
    { address: 0x1000, size: 0, name: 'local_label', kind: 'label' },
    { address: 0x2000, size: 8, name: 'table', kind: 'object' },
  ]);
});

test('what names no address of the program is left out', () => {
  const symbols = symbolsOf([
    { name: 'start', value: 0x1000 },
    { name: 'undefined', value: 0, section: 0 },
    { name: 'constant', value: 7, section: 0xfff1 },
    { name: 'x.c', value: 0, type: 4 },
    { name: '', value: 0x1000, type: 3 },
  ]);
  expect(symbols?.map(({ name }) => name)).toEqual(['start']);
});

test('a stripped file has no symbols', () => {
  expect(loadImage(elf(), 'x.elf')).not.toHaveProperty('symbols');
});

test('a damaged symbol table does not keep a program from loading', () => {
  const bytes = elf({ symbols: [{ name: 'start', value: 0x1000 }] });
  const cut = loadImage(bytes.subarray(0, bytes.length - 1), 'x.elf');
  expect(cut.ok).toBe(true);
  expect(cut).not.toHaveProperty('symbols');
});

const symbols: readonly ImageSymbol[] = [
  { address: 0x1000, size: 0x100, name: 'outer', kind: 'function' },
  { address: 0x1010, size: 4, name: 'inner', kind: 'object' },
  { address: 0x2000, size: 8, name: 'pair', kind: 'function' },
  { address: 0x2000, size: 0, name: 'pair_label', kind: 'label' },
  { address: 0x3000, size: 4, name: 'last', kind: 'function' },
];

test.each([
  [0xfff, undefined],
  [0x1000, { name: 'outer', offset: 0 }],
  [0x1010, { name: 'inner', offset: 0 }],
  [0x1013, { name: 'inner', offset: 3 }],
  [0x1014, { name: 'outer', offset: 0x14 }],
  [0x10ff, { name: 'outer', offset: 0xff }],
  [0x1100, undefined],
  [0x2004, { name: 'pair', offset: 4 }],
  [0x2008, { name: 'pair_label', offset: 8 }],
  [0x3003, { name: 'last', offset: 3 }],
])('the symbol at address %i', (address, expected) => {
  expect(symbolAt(symbols, address)).toEqual(expected);
});

test('without symbols nothing is found', () => {
  expect(symbolAt([], 0)).toBeUndefined();
});

test('what is found covers the address, and nothing that covers it is nearer', () => {
  const symbol = fc.record({ address: fc.nat(60), size: fc.nat(20), kind: fc.constant('label' as const) });
  fc.assert(
    fc.property(fc.array(symbol, { maxLength: 12 }), fc.nat(100), (some, address) => {
      const sorted = some
        .map((one, i): ImageSymbol => ({ ...one, name: `s${i}` }))
        .sort((a, b) => a.address - b.address);
      const covering = sorted.filter((s) => s.address <= address && (s.size === 0 || address < s.address + s.size));
      const offset = covering.length > 0 ? address - covering.at(-1)!.address : undefined;
      expect(symbolAt(sorted, address)?.offset).toBe(offset);
    }),
  );
});
