import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { shared, testWith } from '../tools.js';
import {
  boardName,
  comparable,
  halted,
  linux,
  partitions,
  secondPort,
  timings,
  treeInMemory,
  typing,
  when,
} from './linux.js';

const kernel = shared('guests/vmlinux-tiny');
const tree = shared('guests/ppc440-min1.dtb');
const recorded = shared('guests/boot-tiny-qemu.log');
const withLinux = testWith(kernel, tree, recorded);

// The recording has no command line; the kernel then uses the one that it was built with.
const onBoard = (): string[] => ['run', '--bare', kernel!, '--dtb', tree!];

withLinux(
  'Linux boots on the bare board as it does on QEMU, powers off, and does the same in another run',
  async () => {
    const [result, again] = await Promise.all([1, 2].map(() => linux([...onBoard(), ...typing('poweroff -f')])));
    const log = readFileSync(recorded!, 'latin1');
    const differences = [timings, treeInMemory, secondPort];
    expect(comparable(result!.boot, differences)).toEqual(comparable(log, differences));

    const reserved = (text: string): number => Number(/, (\d+)K reserved/.exec(text)?.[1]);
    expect(reserved(log) - reserved(result!.boot)).toBe(6 * 4); // the six pages of QEMU's tree
    expect(result!.boot).toMatch(secondPort.pattern);

    expect(result!.answers[0]).toMatch(/reboot: System halted\n.*System Halted, OK to turn off power\n/);
    expect(result!.stderr).toMatch(halted('the program'));
    expect(result!.status).toBe(0);

    expect(again).toEqual(result); // every byte, and the number of instructions
    expect(result!.instructions).toBeGreaterThan(19e6);
    expect(result!.instructions).toBeLessThan(25e6);
  },
);

const ZEROES = 1024 * 1024;

withLinux('commands work at its prompt: files, pipes, time, jobs and keys', async () => {
  const { answers, status } = await linux([
    ...onBoard(),
    ...typing(
      'cat /proc/cpuinfo',
      'cat /proc/interrupts',
      'ls -l /',
      `dd if=/dev/zero bs=1k count=${ZEROES / 1024} | md5sum`,
      'cat /proc/uptime; sleep 1; cat /proc/uptime',
      'sleep 2 & jobs; wait; jobs',
      "(echo asl''eep; exec sleep 100)",
    ),
    ...when('asleep', '\\x03'),
    ...typing('echo $?; cat /proc/uptime', 'sh', "(echo awa''ke; exec sleep 100)"), // children of process 1 never stop
    ...when('awake', '\\x1a'),
    ...typing('jobs; kill -9 %1', 'exit', 'cat /proc/interrupts; cat /proc/uptime', 'poweroff -f'),
  ]);
  expect(status).toBe(0);
  const [cpu, interrupts, files, sum, second, jobs, interrupted, after, , stopped, listed, , ending] = answers;
  const uptimes = (text?: string): number[] =>
    [...text!.matchAll(/^(\d+\.\d\d) \d+\.\d\d$/gm)].map(([, since]) => Number(since));
  const serial = (text?: string): number => Number(/^ *\d+: +(\d+) +UIC +0 Level +ttyS0$/m.exec(text!)?.[1]);
  const ticks = (text?: string): number => Number(/^LOC: +(\d+) +Local timer interrupts for timer/m.exec(text!)?.[1]);

  expect(cpu!.split('\n').filter((line) => line !== '')).toEqual([
    'processor\t: 0',
    'cpu\t\t: 440GR Rev. B', // as Linux calls this PVR
    'clock\t\t: 400.000000MHz',
    'revision\t: 24.211 (pvr 4222 18d3)',
    'bogomips\t: 800.00',
    'timebase\t: 400000000',
    'platform\t: PowerPC 44x Platform',
    'model\t\t: lab,ppc440-min',
    'Memory\t\t: 128 MB',
  ]);
  expect(serial(interrupts)).toBeGreaterThan(0);
  expect(ticks(interrupts)).toBeGreaterThan(0);
  const entries = files!.trimEnd().split('\n');
  expect(entries.map((line) => line.split(/\s+/).at(-1))).toEqual(
    ['bin', 'dev', 'etc', 'init', 'mnt', 'proc', 'sbin', 'sys', 'tmp'], // prettier-ignore
  );
  expect(entries[3]).toMatch(/^-rwxr-xr-x +1 +357 /);
  expect(sum).toContain(`${ZEROES / 1024}+0 records out\n`);
  expect(sum).toContain(`${createHash('md5').update(Buffer.alloc(ZEROES)).digest('hex')}  -\n`);

  const [before, then] = uptimes(second) as [number, number];
  expect(then - before).toBeGreaterThanOrEqual(0.99); // both are cut to hundredths
  expect(then - before).toBeLessThan(1.1);
  expect(jobs).toMatch(/^\[1\]\+ +Running +sleep 2\n\[1\]\+ +Done +sleep 2\n$/);

  expect(interrupted).toMatch(/^asleep\n\^C\n/);
  expect(after).toMatch(/^130\n/); // 128 + SIGINT
  expect(uptimes(after)[0]).toBeLessThan(10); // not the hundred seconds
  expect(stopped).toMatch(/^awake\n\^Z/);
  expect(listed).toMatch(/^\[1\]\+ +Stopped +\(echo awa/);
  expect(uptimes(ending)[0]).toBeLessThan(10);
  expect(serial(ending)).toBeGreaterThan(serial(interrupts));
  expect(ticks(ending)).toBeGreaterThan(ticks(interrupts));
});

withLinux('in a partition with the same devices it prints the same as on the board', async () => {
  const guest = { name: 'linux', image: kernel!, memory: 128 * 2 ** 20, console: 'two UARTs' } as const;
  const config = partitions('linux.dts', [guest]);
  const result = await linux(['boot', config, ...typing('poweroff -f')]);
  const differences = [timings, treeInMemory, secondPort, boardName];
  expect(comparable(result.boot, differences)).toEqual(comparable(readFileSync(recorded!, 'latin1'), differences));
  expect(result.stderr).toMatch(halted("partition 'linux'"));
  expect(result.status).toBe(0);
});
