import { basename } from 'node:path';
import { gunzip, isGzip } from '../loader/gzip.js';
import { loadImage, type Image } from '../loader/image.js';
import { codeSections, type CodeSection } from '../loader/sections.js';
import { FileError, UsageError } from '../launch/errors.js';
import { readContents } from '../launch/files.js';
import { listedWords, listing, Names, type Extent } from './listing.js';

export interface DisasmOptions {
  /** Where to begin and where to end (not listed), each an address or a symbol; by default everything. */
  readonly start?: string;
  readonly stop?: string;
  /** Where raw code lies. */
  readonly base?: string;
  /** One object a word instead of a listing. */
  readonly json?: boolean;
}

/**
 * `hv440 disasm IMAGE`: the code of an image as `objdump -d -M440` lists it, on standard output. Gives the exit status; throws
 * a UsageError where the image or the options cannot be used. An ELF's sections are listed at their effective addresses;
 * what has no sections, at the physical addresses that it is loaded at.
 */
export async function disasm(path: string, { start, stop, base, json = false }: DisasmOptions): Promise<number> {
  const { image, sections } = readCode(path, base);
  const symbols = image.symbols ?? [];
  const place = (option: string, text: string): number => {
    const symbol = symbols.find(({ name }) => name === text);
    return symbol?.address ?? parseAddress(option, text, 'an address such as 0x1000 or a symbol of the image');
  };
  const from = start === undefined ? 0 : place('--start', start);
  const to = stop === undefined ? Infinity : place('--stop', stop);
  const extents = sections.map((section) => cut(section, from, to)).filter((e) => e.start < e.stop);
  if (extents.length === 0) throw new UsageError(`${path}: there is no code there; it has ${places(sections)}`);
  const names = new Names(symbols);
  await print(json ? jsonLines(extents, names) : textLines(path, image, extents, names));
  return 0;
}

function readCode(path: string, base: string | undefined): { image: Image; sections: CodeSection[] } {
  const contents = readContents(path);
  if (!contents.ok) throw new FileError(path, contents.reason, 'name an image to disassemble');
  const options = base === undefined ? {} : { rawAddress: parseAddress('--base', base, 'an address such as 0x1000') };
  const image = loadImage(contents.bytes, path, options);
  if (!image.ok)
    throw new UsageError(`${image.reason}${image.reason.includes('raw code') ? ' with --base ADDRESS' : ''}`);
  const plain = isGzip(contents.bytes) ? gunzip(contents.bytes, path) : contents.bytes;
  const named = plain instanceof Uint8Array ? codeSections(plain) : [];
  const segments = image.segments.map(({ address, bytes }, i) => ({ name: `segment ${i}`, address, bytes }));
  return { image, sections: named.length > 0 ? named : segments };
}

function parseAddress(option: string, text: string, wanted: string): number {
  const address = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(address) || address >= 2 ** 32 || address % 4 !== 0)
    throw new UsageError(`${option} ${text}: give ${wanted}, a multiple of 4`);
  return address;
}

const cut = (section: CodeSection, from: number, to: number): Extent => ({
  section,
  start: Math.max(section.address, from),
  stop: Math.min(section.address + section.bytes.length, to),
});

const hex = (value: number): string => `0x${value.toString(16)}`;

const places = (sections: readonly CodeSection[]): string =>
  sections.map(({ name, address, bytes }) => `${name} at ${hex(address)} to ${hex(address + bytes.length)}`).join(', ');

const formats = { elf: 'elf32-powerpc', uimage: 'uImage', raw: 'binary' } as const;

function* textLines(path: string, image: Image, extents: readonly Extent[], names: Names): Generator<string> {
  yield '';
  yield `${basename(path)}:     file format ${formats[image.format]}`;
  yield '';
  for (const extent of extents) {
    yield '';
    yield `Disassembly of section ${extent.section.name}:`;
    yield* listing(extent, names);
  }
}

/** An array with one object a line. */
function* jsonLines(extents: readonly Extent[], names: Names): Generator<string> {
  let before = '[';
  for (const extent of extents) {
    for (const { address, word, mnemonic, operands } of listedWords(extent, names)) {
      const symbol = names.at(address);
      const entry = { section: extent.section.name, address, word, mnemonic, operands, ...(symbol && { symbol }) };
      yield `${before}${JSON.stringify(entry)}`;
      before = ',';
    }
  }
  yield before === '[' ? '[]' : ']';
}

const CHUNK = 65536;

/** Writes lines as fast as they are taken; ends early where nobody reads on, as behind `| head`. */
async function print(lines: Iterable<string>): Promise<void> {
  process.stdout.on('error', () => {}); // each write is told of it
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < CHUNK) continue;
    if (!(await isTaken(text))) return;
    text = '';
  }
  await isTaken(text);
}

/** Whether standard output took this; rejects with an error that is not a closed pipe. */
const isTaken = (text: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    process.stdout.write(text, (error?: NodeJS.ErrnoException | null) => {
      if (!error) resolve(true);
      else if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') resolve(false);
      else reject(error);
    });
  });
