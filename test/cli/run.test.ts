// One guest: on the bare board and as a partition, from every kind of image.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { crc32 } from '../../src/loader/crc32.js';
import { elf, words } from '../loader/build.js';
import { cli, type CliResult } from '../tools.js';
import { hello, inRoot, put, scratch, traps } from './child.js';

const both = [['--bare'], []];

/** Both ways to run the same; gives the two results, with plain ends of lines. */
const twice = (args: readonly string[], input = ''): Promise<CliResult[]> =>
  Promise.all(
    both.map(async (way) => {
      const result = await cli(['run', ...way, ...args], { input });
      return { ...result, stdout: result.stdout.replaceAll('\r\n', '\n') };
    }),
  );

const script = 'help\nmem\nwrong\ntrap\nmemx\b \nexit 3\n';

test('hello prints the same on the bare board and as a partition, and its status is that of the command', async () => {
  const [bare, partition] = await twice([hello], script);
  expect(bare!.stdout).toBe(partition!.stdout);
  expect([bare!.status, partition!.status]).toEqual([3, 3]);
  expect(bare!.stderr).toBe('hv440: the program ended with status 3\n');
  expect(partition!.stderr).toBe("hv440: partition 'hello' ended with status 3\n");
  expect(bare!.stdout).toMatch(/^hv440 hello\nPVR 422218d3\nname hello\nmemory 128 MiB\nhello> help\n/);
  expect(bare!.stdout).toContain('wrong: unknown command; try');
  expect(bare!.stdout).toContain('trap instruction, ESR 02000000, SRR0 at the instruction\nand went on after it\n');
  expect(bare!.stdout).toMatch(/hello> exit 3\nexit 3\n$/);
});

test('traps finds every trap as the manual has it, on the bare board and as a partition', async () => {
  const [bare, partition] = await twice([traps]);
  expect(bare!.stdout).toBe(partition!.stdout);
  const results = bare!.stdout.split('\n').filter((line) => /^(ok|FAIL) /.test(line));
  expect(results.filter((line) => !line.startsWith('ok '))).toEqual([]);
  expect(results.length).toBeGreaterThan(80);
  expect(bare!.stdout).toMatch(new RegExp(`\ntraps: ${results.length} ok, 0 FAIL\n$`));
  expect([bare!.status, partition!.status]).toEqual([0, 0]);
});

test('--memory, --bootargs and the name of the image are what the guest reads in its tree', async () => {
  const renamed = put('other-name.elf', readFileSync(hello));
  for (const result of await twice([renamed, '--memory', '24M'], 'mem\nexit\n')) {
    expect(result.status).toBe(0);
    expect(result.stdout).toContain('name other-name\nmemory 24 MiB\n');
    expect(result.stdout).toContain('range  000000000-0017fffff\n');
  }
  const named = inRoot('firmware', 'hello', 'hello.elf');
  const board = put('board.dts', readFileSync(inRoot('devicetrees', 'hv440-board.dtsi'), 'utf8'));
  const given = await cli(['run', '--bare', named, '--dtb', board, '--memory', '32M', '--bootargs', 'name=by-args']);
  expect(given.stdout).toMatch(/name by-args\r?\nmemory 32 MiB\r?\n/);
});

/** A U-Boot legacy image: header and data with their checksums (include/image.h). */
function uimage(data: Uint8Array, { architecture = 7, compression = 0, load = 0, entry = 0 }): Uint8Array {
  const header = new Uint8Array(64);
  header.set(words(0x27051956, 0, 0, data.length, load, entry, crc32(data)));
  header.set([5, architecture, 2, compression], 28); // Linux, a kernel
  header.set(Buffer.from('test'), 32);
  header.set(words(crc32(header)), 4);
  return Buffer.concat([header, data]);
}

/** The bytes of hello from address 0 on, as objcopy -O binary gives them, and its entry. */
function rawHello(): { bytes: Uint8Array; entry: number } {
  const file = readFileSync(hello);
  const bytes = Buffer.alloc(0x11000);
  const [at, count] = [file.readUInt32BE(28), file.readUInt16BE(44)];
  for (let i = 0; i < count; i++) {
    const [type, offset, , physical, size] = [0, 4, 8, 12, 16].map((field) => file.readUInt32BE(at + 32 * i + field));
    if (type === 1) file.copy(bytes, physical, offset!, offset! + size!);
  }
  return { bytes, entry: file.readUInt32BE(24) };
}

test.each(['gzip', 'uImage', 'uImage of gzip'])('hello boots from a %s', async (kind) => {
  const { bytes, entry } = rawHello();
  const images: Record<string, () => string> = {
    gzip: () => put('hello.elf.gz', gzipSync(readFileSync(hello))),
    uImage: () => put('hello.uimage', uimage(bytes, { entry })),
    'uImage of gzip': () => put('hello.uimage', uimage(gzipSync(bytes), { entry, compression: 1 })),
  };
  const [bare, partition] = await twice([images[kind]!()], 'mem\nexit 4\n');
  expect(bare!.stdout).toMatch(/^hv440 hello\n[^]*image  000000000-000010fff\n/);
  expect(partition!.stdout).toBe(bare!.stdout);
  expect([bare!.status, partition!.status]).toEqual([4, 4]);
});

test.each([
  [
    'cut off',
    'hello.elf',
    () => readFileSync(hello).subarray(0, 3000),
    /in the file, which ends at 3000; copy it again/,
  ],
  ['for another processor', 'x86.elf', () => elf({ machine: 62 }), /build it for 32-bit PowerPC/],
  ['little-endian', 'le.elf', () => elf({ ident: { 5: 1 } }), /little-endian/],
  ['cut off in its headers', 'cut.elf', () => readFileSync(hello).subarray(0, 60), /is cut off/],
  ['empty', 'empty.elf', () => new Uint8Array(0), /is empty/],
  ['not an image', 'text.elf', () => Buffer.from('hello'), /is not an ELF, uImage or gzip image/],
  ['cut off within its gzip', 'cut.gz', () => gzipSync(readFileSync(hello)).subarray(0, 3000), /./],
  [
    'a uImage with a wrong checksum',
    'bad.uimage',
    () => uimage(Buffer.from('damaged!'), {}).fill(1, 64, 65),
    /checksum/,
  ],
  [
    'a uImage for ARM',
    'arm.uimage',
    () => uimage(Buffer.from('arm'), { architecture: 2 }),
    /make it with mkimage -A ppc/,
  ],
])('an image that is %s is refused with the reason, and status 2', async (_, name, bytes, reason) => {
  const path = put(name, bytes());
  for (const result of await twice([path])) {
    expect(result).toMatchObject({ status: 2, stdout: '' });
    expect(result.stderr).toMatch(/^hv440: [^\n]*\n$/);
    expect(result.stderr).toContain(path);
    expect(result.stderr).toMatch(reason);
  }
});

/** Counts in memory how often it was started, prints that, and resets the system by DBCR0[RST]. */
let resetting: string;
beforeAll(() => {
  const [COUNT, UART, DBCR0] = [0x3000, 0xef600300, 308];
  const program = [
    asm('addis', { rt: 4, ra: 0, si: UART >>> 16 }),
    asm('ori', { rs: 4, ra: 4, ui: UART & 0xffff }),
    asm('addi', { rt: 5, ra: 0, si: 0x52 }),
    asm('stb', { rs: 5, ra: 4, d: 0 }),
    asm('addi', { rt: 6, ra: 0, si: COUNT }),
    asm('lwz', { rt: 7, ra: 6, d: 0 }),
    asm('addi', { rt: 7, ra: 7, si: 0x30 }),
    asm('stb', { rs: 7, ra: 4, d: 0 }),
    asm('addi', { rt: 7, ra: 7, si: 1 - 0x30 }),
    asm('stw', { rs: 7, ra: 6, d: 0 }),
    asm('addis', { rt: 3, ra: 0, si: 0x3000 }),
    asm('mtspr', { rs: 3, spr: DBCR0 }),
  ];
  resetting = put('resetting.elf', elf({ segments: [{ virtual: 0x1000, bytes: words(...program) }], entry: 0x1000 }));
});

test('a reset ends the run, and with --reboot starts it again from clean memory', async () => {
  const [bare, partition] = await twice([resetting]);
  expect([bare!.stdout, partition!.stdout]).toEqual(['R0', 'R0']);
  expect([bare!.status, partition!.status]).toEqual([0, 0]);
  expect(bare!.stderr).toMatch(/^hv440: the program reset its processor/);
  expect(partition!.stderr).toMatch(/^hv440: partition 'resetting' reset its processor/);
  for (const again of await twice([resetting, '--reboot', '--max-instructions', '1200'])) {
    expect(again.stdout).toMatch(/^(R0){90,100}R?$/);
    expect(again.stderr).toBe('hv440: stopped after 1200 instructions\n');
  }
});

test('a guest that halts ends the run, with the reason', async () => {
  const halting = put('halting.elf', elf({ segments: [{ virtual: 0x1000, bytes: words(0x48000000) }], entry: 0x1000 }));
  const [bare, partition] = await twice([halting]);
  expect([bare!.status, partition!.status]).toEqual([0, 0]);
  expect(bare!.stderr).toBe(
    'hv440: the program halted: it waits, and no interrupt that it enabled can come\n' +
      'hv440: board: branches-forever: at 0x1000 (--fault-report FILE has more)\n',
  );
  expect(partition!.stderr).toMatch(
    /^hv440: partition 'halting' halted: .*\nhv440: halting: branches-forever: at 0x1000 /,
  );
});

test('--initrd is announced in the tree', async () => {
  const initrd = put('initrd', new Uint8Array(10_000));
  for (const result of await twice([hello, '--initrd', initrd], 'exit\n')) expect(result.status).toBe(0);
  expect((await cli(['run', hello, '--initrd', scratch('none')])).status).toBe(2);
});
