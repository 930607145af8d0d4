import { Parser } from 'binary-parser';
import type { ImageSymbol } from './contents.js';
import type { ElfHeader } from './elf.js';

const SECTION_HEADER_SIZE = 40;
const SYMBOL_SIZE = 16;
const SHT_SYMTAB = 2;
const SHN_UNDEF = 0;
const SHN_LORESERVE = 0xff00; // from here on: absolute, common, and others that are no addresses of the program
const STB_LOCAL = 0;

/** Symbol types (STT_…) that name addresses, in the order in which one is preferred to another at the same address. */
const kinds: Readonly<Record<number, ImageSymbol['kind']>> = { 0: 'label', 1: 'object', 2: 'function' };
const preference: readonly ImageSymbol['kind'][] = ['function', 'object', 'label'];

const sectionHeader = new Parser()
  .endianness('big')
  .uint32('name')
  .uint32('type')
  .uint32('flags')
  .uint32('address')
  .uint32('offset')
  .uint32('size')
  .uint32('link')
  .uint32('info');

const symbolEntry = new Parser()
  .endianness('big')
  .uint32('name')
  .uint32('value')
  .uint32('size')
  .uint8('info')
  .uint8('other')
  .uint16('section');

/**
 * The symbols of an ELF32 file, in the order of their addresses. A program runs without them, so of a symbol table that
 * is missing or damaged only what can be read is given.
 */
export function readSymbols(bytes: Uint8Array, header: ElfHeader): ImageSymbol[] {
  const sections = sectionsOf(bytes, header);
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  const strings = table && sections[table.link];
  if (!table || !strings) return [];
  const names = bytes.subarray(strings.offset, strings.offset + strings.size);
  const found: (ImageSymbol & { local: boolean })[] = [];
  const end = Math.min(table.offset + table.size, bytes.length) - SYMBOL_SIZE;
  for (let at = table.offset; at <= end; at += SYMBOL_SIZE) {
    const { name, value, size, info, section } = symbolEntry.parse(bytes.subarray(at, at + SYMBOL_SIZE));
    const kind = kinds[info & 0x0f];
    if (!kind || section === SHN_UNDEF || section >= SHN_LORESERVE) continue;
    const text = stringAt(names, name);
    if (text !== '') found.push({ address: value, size, name: text, kind, local: info >> 4 === STB_LOCAL });
  }
  found.sort((a, b) => a.address - b.address || rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  return found.map(({ address, size, name, kind }) => ({ address, size, name, kind }));
}

/** The section headers of an ELF32 file; none where the table is missing or cut off. */
export function sectionsOf(bytes: Uint8Array, header: ElfHeader) {
  const { sectionHeaders, sectionHeaderCount, sectionHeaderSize } = header;
  const end = sectionHeaders + sectionHeaderCount * SECTION_HEADER_SIZE;
  if (sectionHeaders === 0 || sectionHeaderSize !== SECTION_HEADER_SIZE || end > bytes.length) return [];
  return Array.from({ length: sectionHeaderCount }, (_, i) => {
    const at = sectionHeaders + i * SECTION_HEADER_SIZE;
    return sectionHeader.parse(bytes.subarray(at, at + SECTION_HEADER_SIZE));
  });
}

const rank = ({ kind, local }: ImageSymbol & { local: boolean }): number =>
  preference.indexOf(kind) * 2 + (local ? 1 : 0);

/** The zero-ended string at that place of a string table; empty where there is none. */
export function stringAt(strings: Uint8Array, offset: number): string {
  const end = strings.indexOf(0, offset);
  if (offset >= strings.length || end < 0) return '';
  let text = '';
  for (const byte of strings.subarray(offset, end)) text += String.fromCharCode(byte);
  return text;
}

/**
 * The symbol that an effective address belongs to, and how far into it: the nearest one below whose size covers the
 * address, or whose size is not known. At one address a function is preferred to an object, and that to a label.
 */
export function symbolAt(
  symbols: readonly ImageSymbol[],
  address: number,
): { readonly name: string; readonly offset: number } | undefined {
  const covers = ({ address: start, size }: ImageSymbol) => size === 0 || address < start + size;
  let at = lastAtOrBelow(symbols, address);
  while (at >= 0 && !covers(symbols[at]!)) at--;
  const nearest = symbols[at];
  if (!nearest) return undefined;
  let best = nearest;
  for (let i = at; symbols[i]?.address === nearest.address; i--) if (covers(symbols[i]!)) best = symbols[i]!;
  return { name: best.name, offset: address - best.address };
}

/** The index of the last symbol whose address is not above this one, or -1. */
function lastAtOrBelow(symbols: readonly ImageSymbol[], address: number): number {
  let low = 0;
  let high = symbols.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (symbols[middle]!.address <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
