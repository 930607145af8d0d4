import { expect, test } from 'vitest';
import { loadImage, type Image } from '../../src/loader/image.js';
import { testWith, tool, run } from '../tools.js';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { code, elf, type ElfSpec } from './build.js';

const load = (spec: ElfSpec): Image => {
  const image = loadImage(elf(spec), 'x.elf');
  if (!image.ok) throw new Error(image.reason);
  return image;
};

test('segments are loaded at their physical addresses, with room for what is zeroed, in the order of the file', () => {
  const image = load({
    entry: 0xc0000004,
    segments: [
      { virtual: 0xd0000000, physical: 0x8000, memorySize: 0x100 },
      { virtual: 0xc0000000, physical: 0x2000, bytes: code, memorySize: 0x40 },
    ],
  });
  expect(image).toEqual({
    ok: true,
    format: 'elf',
    entry: 0x2004,
    segments: [
      { address: 0x8000, bytes: new Uint8Array(), size: 0x100 },
      { address: 0x2000, bytes: code, size: 0x40 },
    ],
  });
});

test('segments that take no memory, notes and the like are left out', () => {
  const image = load({
    segments: [
      { virtual: 0x1000, bytes: code },
      { virtual: 0x1000, fileSize: 0 },
      { type: 4, virtual: 0x1000, bytes: code },
    ],
  });
  expect(image.segments).toEqual([{ address: 0x1000, bytes: code, size: 8 }]);
});

test('segments may touch, and may reach to the end of 4 GiB', () => {
  const image = load({
    entry: 0xfffffff8,
    segments: [
      { virtual: 0xfffffff8, bytes: code },
      { virtual: 0xfffffff0, bytes: code },
    ],
  });
  expect(image.entry).toBe(0xfffffff8);
  expect(image.segments.map(({ address }) => address)).toEqual([0xfffffff8, 0xfffffff0]);
});

const at = (virtual: number, more: object = {}) => ({ virtual, bytes: code, ...more });

// prettier-ignore
const refused: readonly (readonly [string, ElfSpec, string])[] = [
  ['64 bits', { ident: { 4: 2 } }, 'x.elf is a 64-bit ELF file; a PowerPC 440 is a 32-bit processor: build it with -m32'],
  ['little-endian', { ident: { 5: 1 } }, 'x.elf is a little-endian ELF file; a PowerPC 440 program is big-endian: build it with -mbig'],
  ['an unknown class', { ident: { 4: 7 } }, 'x.elf has a damaged ELF header; copy or link it again'],
  ['an unknown version', { ident: { 6: 2 } }, 'x.elf has a damaged ELF header; copy or link it again'],
  ['another machine', { machine: 8 }, 'x.elf is an ELF file for MIPS; build it for 32-bit PowerPC (powerpc-linux-gnu-gcc -mcpu=440)'],
  ['an unheard-of machine', { machine: 999 }, 'x.elf is an ELF file for machine number 999; build it for 32-bit PowerPC (powerpc-linux-gnu-gcc -mcpu=440)'],
  ['an object file', { type: 1 }, 'x.elf is an object file that is not linked; link it first'],
  ['a shared object', { type: 3 }, 'x.elf is position-independent or a shared library; link it with -static -no-pie to a fixed address'],
  ['a core dump', { type: 4 }, 'x.elf is a core dump; give the program itself'],
  ['another type', { type: 9 }, 'x.elf is an ELF file of the unknown type 9; link it to an executable'],
  ['no program headers', { segments: [] }, 'x.elf has no program headers, so nothing says what to load; link it to an executable'],
  ['odd program headers', { headerSize: 56 }, 'x.elf has program headers of 56 bytes instead of 32; copy or link it again'],
  ['nothing to load', { segments: [at(0x1000, { type: 4 })] }, 'x.elf has no loadable segment; link it with code in a PT_LOAD segment'],
  ['an interpreter', { segments: [at(0x1000), at(0x2000, { type: 3 })] }, "x.elf is a program for an operating system's dynamic linker; link it with -static -nostdlib"],
  ['more bytes than memory', { segments: [at(0x1000, { memorySize: 4 })] }, 'x.elf has a segment at 0x1000 that is larger in the file (8) than in memory (4); link it again'],
  ['a segment beyond the file', { segments: [at(0x1000, { fileSize: 9, memorySize: 16 })] }, 'x.elf has a segment at 0x1000 that ends at 93 in the file, which ends at 92; copy it again'],
  ['a segment beyond 4 GiB', { segments: [at(0xfffffff8, { memorySize: 9 })] }, 'x.elf has a segment at 0xfffffff8 of 9 bytes, which ends beyond 4 GiB; link it to a lower address'],
  ['an overlap', { segments: [at(0x1000, { memorySize: 17 }), at(0x1010)] }, 'x.elf has segments that overlap at the physical address 0x1010; give their sections different load addresses (AT() in the linker script)'],
  ['an entry nowhere', { entry: 0x1008 }, 'x.elf has its entry at 0x1008, where none of its segments has an instruction; link it with the right -e or ENTRY()'],
  ['an entry in .bss', { entry: 0x1008, segments: [at(0x1000, { memorySize: 64 })] }, 'x.elf has its entry at 0x1008, where none of its segments has an instruction; link it with the right -e or ENTRY()'],
  ['an odd entry', { entry: 0x1002 }, 'x.elf has its entry at 0x1002, where none of its segments has an instruction; link it with the right -e or ENTRY()'],
];

test.each(refused)('an ELF file with %s is refused with the reason', (_, spec, reason) => {
  expect(loadImage(elf(spec), 'x.elf')).toEqual({ ok: false, reason });
});

test.each([
  [5, 'x.elf is an ELF file cut off after 5 bytes of its header; copy or link it again'],
  [51, 'x.elf is an ELF file cut off after 51 bytes of its header; copy or link it again'],
  [52, 'x.elf is cut off: its program headers end at 84, the file at 52; copy it again'],
  [91, 'x.elf has a segment at 0x1000 that ends at 92 in the file, which ends at 91; copy it again'],
])('an ELF file cut off after %i bytes is refused with the reason', (length, reason) => {
  expect(loadImage(elf().subarray(0, length), 'x.elf')).toEqual({ ok: false, reason });
});

const gcc = tool('powerpc-linux-gnu-gcc');

testWith(gcc)('a program that the cross compiler linked is loaded with its symbols', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-elf-'));
  try {
    const source = join(folder, 'x.S');
    const program = join(folder, 'x.elf');
    writeFileSync(
      source,
      '.globl _start, main\n.type main,@function\n_start: bl main\nb .\nmain: blr\n.size main,.-main\n.comm buffer,64,16\n',
    );
    const built = await run(gcc!, [
      '-mcpu=440',
      '-nostdlib',
      '-static',
      '-no-pie',
      '-Ttext=0x10000',
      '-o',
      program,
      source,
    ]);
    expect(built.stderr).toBe('');
    const image = loadImage(readFileSync(program), 'x.elf');
    if (!image.ok) throw new Error(image.reason);
    expect(image.entry).toBe(0x10000);
    const named = Object.fromEntries((image.symbols ?? []).map((symbol) => [symbol.name, symbol]));
    expect(named['_start']).toEqual({ address: 0x10000, size: 0, name: '_start', kind: 'label' });
    expect(named['main']).toEqual({ address: 0x10008, size: 4, name: 'main', kind: 'function' });
    expect(named['buffer']).toMatchObject({ size: 64, kind: 'object' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
