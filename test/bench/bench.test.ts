import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cli, root, run, testWith, tool } from '../tools.js';

const folder = mkdtempSync(join(tmpdir(), 'hv440-'));
afterAll(() => rmSync(folder, { recursive: true }));

const image = join('firmware', 'bench', 'bench.elf');
const qemu = tool('qemu-system-ppc');

/** What a program of the benchmark says on the console of each machine. */
const text = ({ stdout }: { stdout: string }): string => stdout.replaceAll('\r', '');
const onBoard = async (bootargs: string) => text(await cli(['run', '--bare', '--bootargs', bootargs, image]));
const inPartition = async (bootargs: string) => text(await cli(['run', '--bootargs', bootargs, image]));
const onQemu = async (bootargs: string) =>
  // prettier-ignore
  text(await run(qemu!, ['-M', 'bamboo', '-nographic', '-nic', 'none', '-no-reboot', '-kernel', image, '-append', bootargs]));

testWith(qemu).each(['integer', 'memory', 'mix', 'recursion', 'nodes', 'switch', 'calls', 'misses'])(
  'the benchmark %s has the same checksum on the bare board, in a partition and on QEMU',
  async (name) => {
    const bootargs = `bench=${name} rounds=1`;
    const expected = await onQemu(bootargs);
    expect(expected).toMatch(/^START\nEND [0-9a-f]{8}\n$/);
    expect(await onBoard(bootargs)).toBe(expected);
    expect(await inPartition(bootargs)).toBe(expected);
    expect(await onQemu(`bench=${name} rounds=2`)).not.toBe(expected);
  },
);

test('an unknown benchmark ends with status 1 and says which there are', async () => {
  const { status, stdout } = await cli(['run', '--bare', '--bootargs', 'bench=none', image]);
  expect(status).toBe(1);
  expect(stdout).toContain('there are nothing integer memory mix recursion nodes switch calls misses');
});

test('npm run bench counts the same instructions on both, and exits as cycles that they cost', async () => {
  const output = join(folder, 'bench.json');
  // prettier-ignore
  const { status, stdout, stderr } = await run(process.execPath, [join(root, 'test/bench/bench.mjs'), '--quick', '--guest', 'calls', '--readme', '--output', output]);
  expect(stderr).toContain('round 1 of 1');
  expect(status).toBe(0);
  expect(stdout).toContain('| calls |');
  const { results } = JSON.parse(readFileSync(output, 'utf8'));
  const [{ name, agree, instructions, cycles, exits, ahead }] = results;
  expect({ name, agree }).toEqual({ name: 'calls', agree: true });
  // By default an exit costs a cycle, and so does every further instruction that is emulated in it; what is emulated, or
  // delivered, takes as many as on the bare board.
  const count = exits.reduce((sum: number, exit: { count: number }) => sum + exit.count, 0);
  expect(cycles.partition - cycles.bare).toBe(count + ahead);
  expect(cycles.bare).toBeGreaterThan(instructions);
});

test('npm run bench tells a wrong option, and a guest that is not there', async () => {
  const bench = (...args: string[]) => run(process.execPath, [join(root, 'test/bench/bench.mjs'), ...args]);
  expect(await bench('--rounds', '0')).toMatchObject({ status: 2, stderr: expect.stringContaining('from 1 on') });
  const { status, stderr } = await bench('--guest', 'nobody');
  expect(status).toBe(1);
  expect(stderr).toContain('there is no such guest: nobody\n');
});

test('npm run bench tells how long a process takes to its first byte, and how much memory', async () => {
  const output = join(folder, 'start.json');
  const options = ['--quick', '--guest', 'start', '--output', output];
  const { status, stdout } = await run(process.execPath, [join(root, 'test/bench/bench.mjs'), ...options]);
  expect(status).toBe(0);
  expect(stdout).toContain('first byte of hello.elf');
  const { whole } = JSON.parse(readFileSync(output, 'utf8'));
  expect(whole).toHaveLength(1);
  expect(whole[0].milliseconds.bare.median).toBeGreaterThan(0);
  expect(whole[0].seconds.partition).toHaveLength(1);
});
