import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { hello, put, scratch } from '../cli/child.js';
import { cli, shared, testWith, tool } from '../tools.js';
import {
  archive,
  bootElsewhere,
  comparable,
  halted,
  HALTED,
  linux,
  partitions,
  PROMPT,
  secondPort,
  timings,
  treeInMemory,
  typing,
} from './linux.js';

const kernel = shared('guests/vmlinux-tiny');
const tree = shared('guests/ppc440-min1.dtb');
const uimage = shared('guests/uImage-tiny');
const initrd = shared('guests/initrd-shell.cpio');
const paravirt = shared('guests/vmlinux-paravirt');
const paravirtRecorded = shared('guests/boot-paravirt-qemu.log');
const netblk = shared('guests/vmlinux-netblk');
const qemu = tool('qemu-system-ppc');

const onBoard = (image: string): string[] => ['run', '--bare', image, '--dtb', tree!];

testWith(
  kernel,
  tree,
  qemu,
)('beside a QEMU that has both UARTs, only timings and the memory of the tree differ', async () => {
  mkdirSync(scratch('qemu'));
  copyFileSync(tree!, scratch('qemu', 'bamboo.dtb')); // the one that it loads, whatever -dtb says
  const options = '-M bamboo -m 128 -nic none -nographic -monitor none -serial stdio -serial null -no-reboot';
  const elsewhere = await bootElsewhere(qemu!, [...options.split(' '), '-L', scratch('qemu'), '-kernel', kernel!]);
  const { boot } = await linux([...onBoard(kernel!), '--expect', PROMPT]);
  const differences = [timings, treeInMemory];
  expect(comparable(boot, differences)).toEqual(comparable(elsewhere, differences));
});

testWith(
  paravirt,
  tree,
  paravirtRecorded,
)('the paravirtual kernel boots on the bare board as it does on QEMU', async () => {
  const { boot } = await linux([...onBoard(paravirt!), '--expect', PROMPT]);
  const differences = [timings, treeInMemory, secondPort];
  expect(comparable(boot, differences)).toEqual(comparable(readFileSync(paravirtRecorded!, 'latin1'), differences));
});

testWith(kernel, tree)(
  '`reboot -f` resets the board: with --reboot it boots again, without it the run ends well',
  async () => {
    const twice = await linux([...onBoard(kernel!), '--reboot', ...typing('reboot -f', 'poweroff -f')]);
    const [restarting] = twice.answers;
    expect(restarting).toMatch(/reboot: Restarting system\n/);
    const second = restarting!.slice(restarting!.indexOf('[    0.000000]'));
    expect(comparable(second + PROMPT, [timings])).toEqual(comparable(twice.boot, [timings]));
    expect(twice.stderr).toMatch(halted('the program'));
    expect(twice.status).toBe(0);

    const once = await linux([...onBoard(kernel!), ...typing('reboot -f')]);
    expect(once.stdout.match(/Linux version/g)).toHaveLength(1);
    expect(once.stderr).toMatch(/^hv440: the program reset its processor .*\nhv440: board: reset: at .*\n$/);
    expect(once.status).toBe(0);
  },
);

testWith(
  uimage,
  initrd,
  tree,
)('a uImage unpacks an initrd from outside over its own files', async () => {
  const more = put('more.cpio', Buffer.concat([readFileSync(initrd!), archive('from-outside', 'it is here\n')]));
  const args = [...onBoard(uimage!), '--initrd', more];
  const result = await linux([...args, ...typing('cat /from-outside', 'ls /init', 'poweroff -f')]);
  expect(result.boot).toMatch(/Found initrd at 0xc7[0-9a-f]{6}:0xc7[0-9a-f]{6}\n/);
  expect(result.boot).toMatch(/Freeing initrd memory: \d+K\n/);
  expect(result.boot).toContain('BOOT-OK: Linux 6.1.192 on ppc\n');
  expect(result.answers.slice(0, 2)).toEqual(['it is here\n', '/init\n']);
  expect(result.status).toBe(0);
});

testWith(kernel, tree)('--bootargs and --memory reach the kernel', async () => {
  const bootargs = 'console=ttyS0,115200 loglevel=7 hello=world';
  const args = [...onBoard(kernel!), '--bootargs', bootargs, '--memory', '64M'];
  const { boot, answers } = await linux([...args, ...typing('cat /proc/cmdline', 'poweroff -f')]);
  expect(boot).toContain(`Kernel command line: ${bootargs}\n`);
  expect(boot).toMatch(/Memory: \d+K\/65536K available/);
  expect(answers[0]).toBe(`${bootargs}\n`);
});

testWith(netblk)('the kernel with network and file systems boots, on the board and in a partition', async () => {
  // mke2fs wants random numbers, which Linux makes of the jitter of 256 timer interrupts: a thousand million instructions
  const mount = 'mke2fs /dev/ram0 >/dev/null; mount -t ext2 /dev/ram0 /mnt && echo kept > /mnt/file; cat /mnt/file';
  const ping = 'ifconfig lo 127.0.0.1 up; ping 127.0.0.1';
  const commands = typing('grep ext2 /proc/filesystems', mount, ping, 'poweroff -f');
  for (const bare of [['--bare'], []]) {
    const result = await linux(['run', ...bare, netblk!, '--bootargs', 'console=ttyS0,115200', ...commands], 300_000);
    const [systems, file, echo] = result.answers;
    expect(result.boot).toContain('squashfs: version 4.0');
    expect(systems).toBe('\text2\n');
    expect(file).toMatch(/kept\n$/);
    expect(echo).toBe('127.0.0.1 is alive!\n');
    expect(result.status).toBe(0);
  }
});

testWith(paravirt)('the paravirtual kernel has its console on a byte channel', async () => {
  const config = partitions('paravirt.dts', [
    { name: 'linux', image: paravirt!, bootargs: 'console=ttyEHV0', console: 'byte channel' },
  ]);
  const commands = typing('tty', 'cat /proc/interrupts', 'seq 2000', 'poweroff -f');
  const [result, again] = await Promise.all([1, 2].map(() => linux(['boot', config, ...commands])));
  const [terminal, interrupts, numbers] = result!.answers;
  expect(result!.boot).toMatch(/ehv-bc hypervisor:handles:console: registered \/dev\/ttyEHV0 for byte channel 1\n/);
  expect(terminal).toBe('/dev/ttyEHV0\n');
  expect(interrupts).toMatch(/^ *\d+: +[1-9]\d* +UIC +\d+ Level +ehv-bc$/m); // received by interrupt
  expect(numbers).toBe(Array.from({ length: 2000 }, (_, i) => `${i + 1}\n`).join(''));
  expect(result!.stderr).toMatch(halted("partition 'linux'"));
  expect(result!.status).toBe(0);
  expect(again).toEqual(result);
});

testWith(
  kernel,
  uimage,
  initrd,
)('two Linuxes and hello share the core, and another run is the same', async () => {
  const bootargs = 'console=ttyS0,115200';
  const config = partitions('neighbours.dts', [
    { name: 'hello', image: hello },
    { name: 'one', image: kernel!, bootargs },
    { name: 'two', image: uimage!, bootargs, initrd: initrd! },
  ]);
  const words = {
    hello: put('hello.in', 'mem\nexit 3\n'),
    one: put('one.in', 'echo $((6 * 7)) one; sleep 1; cat /proc/uptime; poweroff -f\n'),
    two: put('two.in', 'seq 3 | md5sum; grep -c . /proc/interrupts; poweroff -f\n'),
  };
  const inputs = Object.entries(words).flatMap(([name, file]) => ['--input', `${name}=${file}`]);
  const args = ['boot', config, '--headless', '--stats', 'json', ...inputs];
  const [result, again] = await Promise.all([1, 2].map(() => cli(args, { timeout: 120_000 })));
  const of = (name: string, { stdout }: { stdout: string }): string[] =>
    stdout
      .split('\n')
      .filter((line) => line.startsWith(`${name}| `))
      .map((line) => line.trimEnd());
  expect(result!.status).toBe(3);
  expect(of('hello', result!).at(-1)).toBe('hello| exit 3');
  expect(of('one', result!)).toContain('one| 42 one');
  expect(of('one', result!).at(-1)).toMatch(/System Halted, OK to turn off power$/);
  const sum = createHash('md5').update('1\n2\n3\n').digest('hex');
  expect(of('two', result!)).toContain(`two| ${sum}  -`);
  expect(result!.stderr).toContain(`hv440: partition 'one' ${HALTED}\n`);
  expect(result!.stderr).toContain(`hv440: partition 'two' ${HALTED}\n`);
  for (const name of Object.keys(words)) expect(of(name, again!)).toEqual(of(name, result!));
  const stats = ({ stdout }: { stdout: string }): string => stdout.trimEnd().split('\n').at(-1)!;
  expect(stats(again!)).toBe(stats(result!));
});
