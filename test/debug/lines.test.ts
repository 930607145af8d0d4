import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { LineTable } from '../../src/debug/lines.js';
import { codeSections } from '../../src/loader/sections.js';
import { root, run, testWith, tool } from '../tools.js';

const hello = join(root, 'firmware/hello/hello.elf');
const gcc = tool('powerpc-linux-gnu-gcc');
const gdb = tool('gdb-multiarch');

/** What GDB's `info line` says of every instruction: the line, and where its code begins and ends. */
async function lineByGdb(elf: string, addresses: readonly number[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-lines-'));
  const script = join(folder, 'script');
  writeFileSync(script, addresses.map((address) => `info line *0x${address.toString(16)}\n`).join(''));
  const { stdout } = await run(gdb!, ['-nx', '-batch', '-ex', 'set width 0', '-x', script, elf]);
  rmSync(folder, { recursive: true });
  return stdout.split('\n').filter((line) => /^(Line|No line|Address)/.test(line));
}

/** GDB divides a line's code where the compiler has a discriminator; for us it is one stretch. */
function difference(table: LineTable, address: number, said: string): string | undefined {
  const [, line, file, from] = /^Line (\d+) of "(?:.*\/)?([^/"]+)" .*?at address 0x([0-9a-f]+)/.exec(said) ?? [];
  const at = table.at(address);
  if (line === undefined) return at && `${address.toString(16)} has a line, but GDB says: ${said}`;
  const same =
    at && at.file.endsWith(`/${file}`) && at.line === Number(line) && at.from === table.at(parseInt(from!, 16))?.from;
  return same ? undefined : `${address.toString(16)} is ${at?.file}:${at?.line}, but GDB says: ${said}`;
}

/** How many instructions were compared with GDB, and where it has another line. */
async function differences(elf: string): Promise<{ compared: number; differing: string[] }> {
  const bytes = readFileSync(elf);
  const table = LineTable.read(bytes)!;
  const addresses = codeSections(bytes).flatMap(({ address, bytes: { length } }) =>
    Array.from({ length: length / 4 }, (_, i) => address + 4 * i),
  );
  const theirs = await lineByGdb(elf, addresses);
  const differing = addresses.flatMap((address, i) => difference(table, address, theirs[i] ?? 'nothing') ?? []);
  return { compared: addresses.length, differing };
}

const source = `static int twice(int x)
{
  return __builtin_bswap32(x) + x;
}
#include "other.h"
int __attribute__((noinline)) sum(int n)
{
  int s = 0;
  for (int i = 0; i < n; i++)
    s += other(i) + twice(i);
  return s;
}
void _start(void)
{
  volatile int r = sum(5);
  r = twice(r);
  for (;;) ;
}
`;
const header = `static inline int other(int x)
{
  static volatile int last;
  last = x;
  return last;
}
`;

/** An ELF of the program above, compiled with these flags. */
async function compiled(...flags: string[]): Promise<{ elf: string; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-lines-'));
  writeFileSync(join(folder, 'main.c'), source);
  writeFileSync(join(folder, 'other.h'), header);
  const elf = join(folder, 'main.elf');
  const fixed = ['-mcpu=440', '-nostdlib', '-static', '-no-pie', '-Wl,-Ttext=0x10000', '-o', elf, 'main.c'];
  const { status, stderr } = await run(gcc!, [...flags, ...fixed], { cwd: folder });
  expect(stderr.replace(/.*(GNU-stack|NOTE|RWX).*\n/g, '')).toBe('');
  expect(status).toBe(0);
  return { elf, folder };
}

testWith(gdb)('instructions of an optimised firmware guest have the lines that GDB gives them', async () => {
  const { compared, differing } = await differences(hello);
  expect(compared).toBeGreaterThan(4000);
  expect(differing.length).toBeLessThan(20); // GDB leaves out some rows at which no statement begins
});

for (const flags of [['-gdwarf-2'], ['-gdwarf-3'], ['-gdwarf-4'], ['-gdwarf-5'], ['-gdwarf-5', '-gz']])
  for (const level of ['-O0', '-O2'])
    testWith(gcc, gdb)(`a program compiled with ${flags.join(' ')} ${level} has GDB’s lines`, async () => {
      const { elf, folder } = await compiled(...flags, level);
      const table = LineTable.read(readFileSync(elf))!;
      expect(await differences(elf)).toMatchObject({ differing: [] });
      expect(table.files.toSorted()).toEqual([join(folder, 'main.c'), join(folder, 'other.h')]);
      expect(LineTable.read(gzipSync(readFileSync(elf)))!.files).toEqual(table.files);
      rmSync(folder, { recursive: true });
    });

testWith(gcc)(
  'a line has a place in every function that has it, and one without code has that of the next',
  async () => {
    const { elf, folder } = await compiled('-g', '-O2');
    const table = LineTable.read(readFileSync(elf))!;
    const file = join(folder, 'main.c');
    expect(table.find('main.c')).toEqual([file]);
    expect(table.find(file)).toEqual([file]);
    expect(table.find('ain.c')).toEqual([]);
    const loop = table.places(file, 9)!;
    expect(loop).toMatchObject({ line: 9 });
    expect(loop.addresses).toHaveLength(1); // though the loop comes back to it elsewhere
    const inline = table.places(file, 3)!;
    expect(inline.addresses.length).toBeGreaterThan(1); // inline in sum and in _start
    expect(table.places(file, 5)).toMatchObject({ line: 7 });
    expect(table.places(file, 1000)).toBeUndefined();
    expect(table.places('nothing.c', 1)).toBeUndefined();
    for (const address of [...loop.addresses, ...inline.addresses])
      expect(table.at(address)).toMatchObject({ file, from: address, statement: true });
    expect(table.lines(file)).toContain(15);
    expect(table.lines(file)).not.toContain(5);
    rmSync(folder, { recursive: true });
  },
);

testWith(hello)('the stretches of code follow one another, and each is what its addresses are', () => {
  const table = LineTable.read(readFileSync(hello))!;
  let end = 0;
  let count = 0;
  for (const stretch of table) {
    expect(stretch.from).toBeGreaterThanOrEqual(end);
    expect(stretch.to).toBeGreaterThan(stretch.from);
    expect(table.at(stretch.to - 4)).toEqual(stretch);
    end = stretch.to;
    count += 1;
  }
  expect(count).toBeGreaterThan(500);
});

testWith(hello)('damaged debug information gives fewer lines, and no more harm', () => {
  const whole = readFileSync(hello);
  expect(LineTable.read(whole.subarray(0, 40))).toBeUndefined();
  expect(LineTable.read(Buffer.from('no ELF'))).toBeUndefined();
  let seed = 1;
  const random = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
  for (let i = 0; i < 60; i++) {
    const bytes = Uint8Array.from(whole);
    for (let n = 0; n < 200; n++) bytes[52 + random(bytes.length - 52)] = random(256);
    const table = LineTable.read(bytes);
    table?.at(0x1000);
    for (const file of table?.files ?? []) table?.places(file, 1);
  }
});
