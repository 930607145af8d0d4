import { Parser } from 'binary-parser';
import { ADDRESS_SPACE, refuse, type Image, type ImageProblem, type Segment } from './contents.js';
import { readSymbols } from './symbols.js';

// System V ABI, chapters 4 and 5; PowerPC processor supplement.

const HEADER_SIZE = 52;
const PROGRAM_HEADER_SIZE = 32;

/** Offsets and values in e_ident. */
const EI_CLASS = 4;
const EI_DATA = 5;
const EI_VERSION = 6;
const CLASS_32 = 1;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const BIG_ENDIAN = 2;

const ET_EXEC = 2;
const EM_PPC = 20;
const PT_LOAD = 1;
const PT_INTERP = 3;

const header = new Parser()
  .endianness('big')
  .seek(16) // e_ident
  .uint16('type')
  .uint16('machine')
  .uint32('version')
  .uint32('entry')
  .uint32('programHeaders')
  .uint32('sectionHeaders')
  .uint32('flags')
  .uint16('headerSize')
  .uint16('programHeaderSize')
  .uint16('programHeaderCount')
  .uint16('sectionHeaderSize')
  .uint16('sectionHeaderCount')
  .uint16('sectionNames');

/** The fields of an ELF header, by the names that they have here. */
export interface ElfHeader {
  readonly type: number;
  readonly machine: number;
  readonly version: number;
  readonly entry: number;
  readonly programHeaders: number;
  readonly sectionHeaders: number;
  readonly flags: number;
  readonly headerSize: number;
  readonly programHeaderSize: number;
  readonly programHeaderCount: number;
  readonly sectionHeaderSize: number;
  readonly sectionHeaderCount: number;
  readonly sectionNames: number;
}

const programHeader = new Parser()
  .endianness('big')
  .uint32('type')
  .uint32('offset')
  .uint32('virtual')
  .uint32('physical')
  .uint32('fileSize')
  .uint32('memorySize')
  .uint32('flags')
  .uint32('alignment');

type ProgramHeader = ReturnType<typeof programHeader.parse>;

// prettier-ignore
const machines: Readonly<Record<number, string>> = {
  2: 'SPARC', 3: 'x86', 4: '68000', 8: 'MIPS', 21: '64-bit PowerPC', 22: 'S/390', 40: 'ARM', 42: 'SuperH', 62: 'x86-64',
  94: 'Xtensa', 183: 'AArch64', 189: 'MicroBlaze', 243: 'RISC-V', 258: 'LoongArch',
};

// prettier-ignore
const unfitTypes: Readonly<Record<number, string>> = {
  1: 'an object file that is not linked; link it first',
  3: 'position-independent or a shared library; link it with -static -no-pie to a fixed address',
  4: 'a core dump; give the program itself',
};

/** Whether these bytes begin as an ELF file does. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

/** Read an executable for 32-bit big-endian PowerPC: its PT_LOAD segments at their physical addresses, and its symbols. */
export function readElf(bytes: Uint8Array, name: string): Image | ImageProblem {
  const foreign = identProblem(bytes, name);
  if (foreign) return foreign;
  const fields = header.parse(bytes);
  const unfit = headerProblem(bytes, fields, name);
  if (unfit) return unfit;
  const headers = Array.from({ length: fields.programHeaderCount }, (_, i) => {
    const at = fields.programHeaders + i * PROGRAM_HEADER_SIZE;
    return programHeader.parse(bytes.subarray(at, at + PROGRAM_HEADER_SIZE));
  });
  const loads = headers.filter(({ type, memorySize }) => type === PT_LOAD && memorySize > 0);
  const misplaced = segmentsProblem(bytes, headers, loads, name);
  if (misplaced) return misplaced;
  const entry = physicalEntry(loads, fields.entry);
  if (entry === undefined) {
    return refuse(
      `${name} has its entry at ${hex(fields.entry)}, where none of its segments has an instruction; ` +
        `link it with the right -e or ENTRY()`,
    );
  }
  const symbols = readSymbols(bytes, fields);
  const segments = loads.map((load) => toSegment(bytes, load));
  return { ok: true, format: 'elf', segments, entry, ...(symbols.length > 0 ? { symbols } : {}) };
}

/** The header of an ELF32 big-endian file; `bytes` are at least as long as one. */
export const readHeader = (bytes: Uint8Array): ElfHeader => header.parse(bytes);

function identProblem(bytes: Uint8Array, name: string): ImageProblem | undefined {
  if (bytes[EI_CLASS] === CLASS_64)
    return refuse(`${name} is a 64-bit ELF file; a PowerPC 440 is a 32-bit processor: build it with -m32`);
  if (bytes[EI_DATA] === LITTLE_ENDIAN)
    return refuse(`${name} is a little-endian ELF file; a PowerPC 440 program is big-endian: build it with -mbig`);
  if (bytes.length < HEADER_SIZE)
    return refuse(`${name} is an ELF file cut off after ${bytes.length} bytes of its header; copy or link it again`);
  if (bytes[EI_CLASS] !== CLASS_32 || bytes[EI_DATA] !== BIG_ENDIAN || bytes[EI_VERSION] !== 1)
    return refuse(`${name} has a damaged ELF header; copy or link it again`);
  return undefined;
}

function headerProblem(bytes: Uint8Array, fields: ElfHeader, name: string): ImageProblem | undefined {
  const { type, machine, programHeaders, programHeaderCount, programHeaderSize } = fields;
  if (machine !== EM_PPC) {
    const which = machines[machine] ?? `machine number ${machine}`;
    return refuse(`${name} is an ELF file for ${which}; build it for 32-bit PowerPC (powerpc-linux-gnu-gcc -mcpu=440)`);
  }
  if (type !== ET_EXEC)
    return refuse(
      `${name} is ${unfitTypes[type] ?? `an ELF file of the unknown type ${type}; link it to an executable`}`,
    );
  if (programHeaderCount === 0)
    return refuse(`${name} has no program headers, so nothing says what to load; link it to an executable`);
  if (programHeaderSize !== PROGRAM_HEADER_SIZE)
    return refuse(`${name} has program headers of ${programHeaderSize} bytes instead of 32; copy or link it again`);
  const end = programHeaders + programHeaderCount * PROGRAM_HEADER_SIZE;
  if (end > bytes.length)
    return refuse(`${name} is cut off: its program headers end at ${end}, the file at ${bytes.length}; copy it again`);
  return undefined;
}

function segmentsProblem(
  bytes: Uint8Array,
  headers: readonly ProgramHeader[],
  loads: readonly ProgramHeader[],
  name: string,
): ImageProblem | undefined {
  if (headers.some(({ type }) => type === PT_INTERP))
    return refuse(`${name} is a program for an operating system's dynamic linker; link it with -static -nostdlib`);
  if (loads.length === 0) return refuse(`${name} has no loadable segment; link it with code in a PT_LOAD segment`);
  for (const load of loads) {
    const { offset, fileSize, memorySize, physical } = load;
    const where = `${name} has a segment at ${hex(physical)}`;
    if (fileSize > memorySize)
      return refuse(`${where} that is larger in the file (${fileSize}) than in memory (${memorySize}); link it again`);
    if (offset + fileSize > bytes.length)
      return refuse(
        `${where} that ends at ${offset + fileSize} in the file, which ends at ${bytes.length}; copy it again`,
      );
    if (physical + memorySize > ADDRESS_SPACE)
      return refuse(`${where} of ${memorySize} bytes, which ends beyond 4 GiB; link it to a lower address`);
  }
  const sorted = loads.toSorted((a, b) => a.physical - b.physical);
  for (const [i, load] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next && load.physical + load.memorySize > next.physical)
      return refuse(
        `${name} has segments that overlap at the physical address ${hex(next.physical)}; ` +
          `give their sections different load addresses (AT() in the linker script)`,
      );
  }
  return undefined;
}

/** The entry is effective in the file; its segment says where that is in physical memory. */
function physicalEntry(loads: readonly ProgramHeader[], entry: number): number | undefined {
  const load = loads.find(({ virtual, fileSize }) => entry >= virtual && entry < virtual + fileSize);
  return load && entry % 4 === 0 ? entry - load.virtual + load.physical : undefined;
}

const toSegment = (bytes: Uint8Array, { physical, offset, fileSize, memorySize }: ProgramHeader): Segment => ({
  address: physical,
  bytes: bytes.subarray(offset, offset + fileSize),
  size: memorySize,
});

const hex = (value: number): string => `0x${value.toString(16)}`;
