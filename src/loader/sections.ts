import { isElf, readHeader } from './elf.js';
import { sectionsOf, stringAt } from './symbols.js';

const SHT_NOBITS = 8;
const SHF_EXECINSTR = 4;

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
  const header = readHeader(bytes);
  const sections = sectionsOf(bytes, header);
  const { offset = 0, size = 0 } = sections[header.sectionNames] ?? {};
  const names = bytes.subarray(offset, offset + size);
  return sections
    .filter(({ type, flags }) => type !== SHT_NOBITS && (flags & SHF_EXECINSTR) !== 0)
    .map((section) => ({
      name: stringAt(names, section.name),
      address: section.address,
      bytes: bytes.subarray(section.offset, section.offset + section.size),
    }));
}
