import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InstructionCounts, lcov } from '../../../src/debug/profile/coverage.js';
import { Profile } from '../../../src/debug/profile/profile.js';
import { retiredOf, Sampler } from '../../../src/debug/profile/sampler.js';
import { LineTable } from '../../../src/debug/lines.js';
import type { DebuggedMachine } from '../../../src/debug/processes.js';
import { loadImage, symbolAt } from '../../../src/loader/image.js';
import { bareBoard, hypervisor } from '../../hypervisor/guest.js';
import { cli, root } from '../../tools.js';

const path = join(root, 'firmware/traps/traps.elf');
const bytes = readFileSync(path);
const image = loadImage(bytes, path);
if (!image.ok) throw new Error(image.reason);
const symbols = image.symbols!;
const LONGEST = 30_000;

function finish(
  machine: DebuggedMachine,
  run: (cycles: number) => { kind: string; until?: number },
  longest = LONGEST,
): void {
  while (machine.clock.now < longest) {
    const progress = run(10_000);
    if (progress.kind === 'ended') break;
    if (progress.kind === 'idle') machine.skip(progress.until!);
  }
}

const machines: Readonly<Record<string, () => DebuggedMachine>> = {
  'on a bare board': () => bareBoard(image).machine,
  'in partitions': () =>
    hypervisor({ a: { program: image }, b: { program: image } }, { partitions: 'quantum = <5000>;' }).hv,
};
const programsOf = (machine: DebuggedMachine): string[] => machine.programs.map(({ name }) => name);

/** A profile of a whole run. */
function profiled(build: () => DebuggedMachine, every: number, longest = LONGEST) {
  const machine = build();
  const found = new Profile(new Map(programsOf(machine).map((name) => [name, symbols])));
  const sampler = new Sampler(machine, found, every);
  finish(machine, (cycles) => sampler.run(cycles), longest);
  sampler.finish();
  return { machine, found };
}

/** All instructions of a whole run, counted. */
function counted(build: () => DebuggedMachine, longest = LONGEST) {
  const machine = build();
  const counts = machine.debuggables.map((each) => new InstructionCounts(machine, each));
  finish(machine, (cycles) => machine.run(cycles), longest);
  for (const each of counts) each.settle();
  return { machine, counts };
}

test.each(Object.entries(machines))('%s, a profile has all instructions, and looking leaves no trace', (_, build) => {
  const plain = build();
  finish(plain, (cycles) => plain.run(cycles));
  for (const every of [1, 997]) {
    const { machine, found } = profiled(build, every);
    expect(found.instructions).toBe(plain.retired);
    expect([machine.clock.now, machine.retired]).toEqual([plain.clock.now, plain.retired]);
    const own = found.rows().reduce((sum, { self }) => sum + self, 0);
    expect(own).toBe(plain.retired);
    const collapsed = found.collapsed().trim().split('\n');
    expect(collapsed.reduce((sum, line) => sum + Number(line.replace(/.* /, '')), 0)).toBe(plain.retired);
    expect(profiled(build, every).found.collapsed()).toBe(found.collapsed());
  }
});

test.each(Object.entries(machines))(
  '%s, every instruction is counted once, and an exact profile agrees',
  (_, build) => {
    const { machine, counts } = counted(build);
    const total = (own: InstructionCounts, name: string): number =>
      symbols
        .filter((s) => s.name === name)
        .reduce((sum, { address, size }) => {
          let all = sum;
          for (let at = address; at < address + size; at += 4) all += own.of(at);
          return all;
        }, 0);
    machine.debuggables.forEach((each, i) => expect(counts[i]!.total).toBe(retiredOf(machine, each)));
    const rows = profiled(build, 1).found.rows();
    for (const name of ['memcpy', 'strcmp', 'memset']) {
      const [first] = programsOf(machine);
      const own = rows.filter((row) => row.program === first && row.name === name);
      if (own.length === 0) continue;
      expect(own.reduce((sum, { self }) => sum + self, 0)).toBe(total(counts[0]!, name));
    }
  },
);

test('user and supervisor are told apart', () => {
  const rows = profiled(machines['on a bare board']!, 101, 1_500_000).found.rows();
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['user', 'supervisor']));
});

test('coverage has every line that ran, and those that did not', () => {
  const { counts } = counted(machines['on a bare board']!, 300_000);
  const table = LineTable.read(bytes)!;
  const text = lcov('traps', (address) => counts[0]!.of(address), symbols, table);
  const files = new Map<string, Map<number, number>>();
  for (const record of text.split('end_of_record\n').filter((each) => each !== '')) {
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)$/gm)].map(([, line, hits]): [number, number] => [
      Number(line),
      Number(hits),
    ]);
    expect(record).toContain(`LF:${lines.length}\nLH:${lines.filter(([, hits]) => hits > 0).length}\n`);
    files.set(/^SF:(.*)$/m.exec(record)![1]!, new Map(lines));
  }
  expect([...files.keys()]).toContain('/hv440/firmware/lib/console.c');
  const hits = [...files.values()].flatMap((lines) => [...lines.values()]);
  expect(hits.some((count) => count === 0)).toBe(true);
  for (const { file, line, from, to } of table)
    for (let at = from; at < to; at += 4)
      if (counts[0]!.of(at) > 0) expect(files.get(file)!.get(line)).toBeGreaterThan(0);
  const main = symbols.find(({ name }) => name === 'guest_main')!;
  expect(symbolAt(symbols, main.address)).toEqual({ name: 'guest_main', offset: 0 });
  expect(text).toMatch(/^FNDA:1,guest_main$/m);
});

test('without debug information, functions stand for lines', () => {
  const { counts } = counted(machines['on a bare board']!, 300_000);
  const text = lcov('traps', (address) => counts[0]!.of(address), symbols, undefined);
  const main = symbols.find(({ name }) => name === 'guest_main')!;
  expect(text).toContain('SF:traps\n');
  expect(text).toContain(`DA:${main.address},1\n`);
});

test('hv440 profile prints a table, and writes stacks and coverage', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-profile-'));
  const hello = join(root, 'firmware/hello/hello.elf');
  const stacks = join(folder, 'stacks');
  const exact = await cli(['profile', '--bare', hello, '--expect', 'hello> ', '--every', '1', '--collapsed', stacks]);
  expect(exact).toMatchObject({ status: 0 });
  expect(exact.stdout).toMatch(
    /\n[\d,]+ instructions, every one counted\nfunction +program +state +self +% +total +%\n/,
  );
  expect(exact.stdout).toMatch(/^_start +board +supervisor .* 100\.0$/m);
  expect(readFileSync(stacks, 'utf8')).toMatch(/^board;supervisor;_start;guest_start;guest_main;/m);
  const info = join(folder, 'hello.info');
  const covered = await cli(['profile', hello, '--expect', 'hello> ', '--coverage', info]);
  expect(covered).toMatchObject({ status: 0 });
  expect(readFileSync(info, 'utf8')).toContain('SF:/hv440/firmware/hello/hello.c\n');
  rmSync(folder, { recursive: true });
});
