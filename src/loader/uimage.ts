import { Parser } from 'binary-parser';
import { ADDRESS_SPACE, refuse, type Image, type ImageProblem } from './contents.js';
import { crc32 } from './crc32.js';
import { gunzip } from './gzip.js';

// U-Boot's legacy image format: include/image.h, struct legacy_img_hdr, and doc/mkimage.1.

const MAGIC = 0x27051956;
const HEADER_SIZE = 64;
const HEADER_CRC = 4; // its offset, zero while the header's CRC is computed

const header = new Parser()
  .endianness('big')
  .uint32('magic')
  .uint32('headerCrc')
  .uint32('time')
  .uint32('size')
  .uint32('load')
  .uint32('entry')
  .uint32('dataCrc')
  .uint8('os')
  .uint8('architecture')
  .uint8('type')
  .uint8('compression');

type Header = ReturnType<typeof header.parse>;

const POWERPC = 7;
const MULTI = 4;

// prettier-ignore
const architectures: Readonly<Record<number, string>> = {
  1: 'alpha', 2: 'arm', 3: 'x86', 4: 'ia64', 5: 'mips', 6: 'mips64', 7: 'ppc', 8: 's390', 9: 'sh', 10: 'sparc',
  11: 'sparc64', 12: 'm68k', 14: 'microblaze', 15: 'nios2', 16: 'blackfin', 17: 'avr32', 19: 'sandbox', 20: 'nds32',
  21: 'or1k', 22: 'arm64', 23: 'arc', 24: 'x86_64', 25: 'xtensa', 26: 'riscv',
};

// prettier-ignore
const systems: Readonly<Record<number, string>> = {
  1: 'openbsd', 2: 'netbsd', 3: 'freebsd', 4: '4_4bsd', 5: 'linux', 6: 'svr4', 7: 'esix', 8: 'solaris', 9: 'irix',
  10: 'sco', 11: 'dell', 12: 'ncr', 13: 'lynxos', 14: 'vxworks', 15: 'psos', 16: 'qnx', 17: 'u-boot', 18: 'rtems',
  19: 'artos', 20: 'unity', 21: 'integrity', 22: 'ose', 23: 'plan9', 24: 'openrtos', 25: 'arm-trusted-firmware',
  26: 'tee', 27: 'opensbi', 28: 'efi',
};

/** Those entered as this machine enters an image: with a device tree in r3 and nothing else asked for. */
const bootableSystems: readonly number[] = [5, 17, 18];

// prettier-ignore
const types: Readonly<Record<number, string>> = {
  1: 'standalone program', 2: 'kernel', 3: 'ramdisk', 4: 'multi-file', 5: 'firmware', 6: 'script', 7: 'filesystem',
  8: 'flat device tree', 14: 'kernel without a load address',
};

const bootableTypes: readonly number[] = [1, 2, MULTI];

// prettier-ignore
const compressions: Readonly<Record<number, string>> = {
  0: 'none', 1: 'gzip', 2: 'bzip2', 3: 'lzma', 4: 'lzo', 5: 'lz4', 6: 'zstd',
};

/** Whether these bytes begin as a U-Boot legacy image does. */
export const isUimage = (bytes: Uint8Array): boolean => bytes.length >= 4 && view(bytes).getUint32(0) === MAGIC;

/** Read a U-Boot legacy image, checking both its CRCs. Of a multi-file image the first part is what is loaded. */
export function readUimage(bytes: Uint8Array, name: string): Image | ImageProblem {
  if (bytes.length < HEADER_SIZE)
    return refuse(`${name} is a uImage cut off after ${bytes.length} bytes of its 64-byte header; copy it again`);
  const fields = header.parse(bytes);
  const unfit = headerProblem(bytes, fields, name);
  if (unfit) return unfit;
  const data = bytes.subarray(HEADER_SIZE, HEADER_SIZE + fields.size);
  const stored = fields.type === MULTI ? firstPart(data) : data;
  if (!stored)
    return refuse(`${name} is a multi-file uImage whose table of parts does not fit its data; make it again`);
  const program = fields.compression === 0 ? stored : gunzip(stored, name);
  return program instanceof Uint8Array ? place(program, fields, name) : program;
}

function headerProblem(bytes: Uint8Array, fields: Header, name: string): ImageProblem | undefined {
  const { headerCrc, size, dataCrc, os, architecture, type, compression } = fields;
  const zeroed = new Uint8Array(bytes.subarray(0, HEADER_SIZE)).fill(0, HEADER_CRC, HEADER_CRC + 4);
  if (crc32(zeroed) !== headerCrc)
    return refuse(`${name} is a uImage whose header does not match its checksum; copy it or run mkimage again`);
  const called = (names: Readonly<Record<number, string>>, value: number) => names[value] ?? `number ${value}`;
  if (architecture !== POWERPC)
    return refuse(`${name} is a uImage for ${called(architectures, architecture)}; make it with mkimage -A ppc`);
  if (!bootableTypes.includes(type))
    return refuse(`${name} is a uImage that holds a ${called(types, type)}; give one made with mkimage -T kernel`);
  if (!bootableSystems.includes(os))
    return refuse(
      `${name} is a uImage for ${called(systems, os)}, which needs its own way to boot; use -O linux, u-boot or rtems`,
    );
  if (compression > 1)
    return refuse(
      `${name} is a uImage compressed by ${called(compressions, compression)}; make it with mkimage -C gzip or none`,
    );
  const there = bytes.length - HEADER_SIZE;
  if (size > there)
    return refuse(`${name} is a uImage cut off: ${there} of its ${size} bytes of data are there; copy it again`);
  if (crc32(bytes.subarray(HEADER_SIZE, HEADER_SIZE + size)) !== dataCrc)
    return refuse(`${name} is a uImage whose data does not match its checksum; copy it or run mkimage again`);
  return undefined;
}

/** A multi-file image begins with the sizes of its parts, a zero behind the last. */
function firstPart(data: Uint8Array): Uint8Array | undefined {
  const words = view(data);
  let table = 0;
  while (table + 4 <= data.length && words.getUint32(table) !== 0) table += 4;
  const start = table + 4;
  if (table === 0 || start > data.length) return undefined;
  const end = start + words.getUint32(0);
  return end <= data.length ? data.subarray(start, end) : undefined;
}

function place(program: Uint8Array, { load, entry, os }: Header, name: string): Image | ImageProblem {
  const end = load + program.length;
  if (program.length === 0) return refuse(`${name} is a uImage without any data; run mkimage on a program`);
  if (end > ADDRESS_SPACE)
    return refuse(
      `${name} is a uImage that ends beyond 4 GiB when loaded at 0x${load.toString(16)}; use a lower mkimage -a`,
    );
  if (entry < load || entry >= end || entry % 4 !== 0) {
    const [at, from, to] = [entry, load, end].map((address) => `0x${address.toString(16)}`);
    return refuse(
      `${name} is a uImage whose entry ${at} is not a word of what it loads (${from} to ${to}); use another mkimage -e`,
    );
  }
  const segment = { address: load, bytes: program, size: program.length };
  return { ok: true, format: 'uimage', segments: [segment], entry, system: systems[os]! };
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
