import { isElf, readHeader } from './elf.js';
import { LARGEST_OUTPUT, unzlib } from './gzip.js';
import { sectionsOf, stringAt } from './symbols.js';

const SHT_NOBITS = 8;
const SHF_EXECINSTR = 4;
const SHF_COMPRESSED = 0x800;
const COMPRESSION_HEADER = 12;
const COMPRESSED_ZLIB = 1;

/** A stretch of code as a file names it. */
export interface CodeSection {
  readonly name: string;
  /** Effective, as in the file. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * The sections with code of an ELF executable that `loadImage` takes, in the order of the file (System V ABI, chapter 4,
 * "Sections"). None where the file is no ELF, or has been stripped of its section headers.
 */
export function codeSections(bytes: Uint8Array): CodeSection[] {
  if (!isElf(bytes)) return [];
  return namedSections(bytes)
    .filter(({ type, flags }) => type !== SHT_NOBITS && (flags & SHF_EXECINSTR) !== 0)
    .map(({ label, address, offset, size }) => ({
      name: label,
      address,
      bytes: bytes.subarray(offset, offset + size),
    }));
}

function namedSections(bytes: Uint8Array) {
  const header = readHeader(bytes);
  const sections = sectionsOf(bytes, header);
  const { offset = 0, size = 0 } = sections[header.sectionNames] ?? {};
  const names = bytes.subarray(offset, offset + size);
  return sections.map((section) => ({ ...section, label: stringAt(names, section.name) }));
}

/**
 * What sections of an ELF hold that are not for memory, by name: debug information. Compressed ones (System V ABI,
 * SHF_COMPRESSED, zlib) are decompressed. Sections that are missing or damaged are empty.
 */
export function sectionContents<Name extends string>(
  bytes: Uint8Array,
  names: readonly Name[],
): Readonly<Record<Name, Uint8Array>> {
  const sections = namedSections(bytes);
  const contents = names.map((name): [Name, Uint8Array] => {
    const section = sections.find(({ label, type }) => label === name && type !== SHT_NOBITS);
    if (!section) return [name, new Uint8Array()];
    const own = bytes.subarray(section.offset, section.offset + section.size);
    return [name, section.flags & SHF_COMPRESSED ? decompressed(own) : own];
  });
  return Object.fromEntries(contents) as Record<Name, Uint8Array>;
}

function decompressed(bytes: Uint8Array): Uint8Array {
  if (bytes.length < COMPRESSION_HEADER) return new Uint8Array();
  const header = new DataView(bytes.buffer, bytes.byteOffset, COMPRESSION_HEADER);
  if (header.getUint32(0) !== COMPRESSED_ZLIB) return new Uint8Array();
  return unzlib(bytes.subarray(COMPRESSION_HEADER), LARGEST_OUTPUT) ?? new Uint8Array();
}
