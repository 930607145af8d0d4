import { readFileSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { symbolAt } from '../../src/loader/image.js';
import { snapshotFixture } from '../../src/testing/index.js';
import { inRoot, put } from '../cli/child.js';
import { uimage } from '../loader/build.js';
import { archive, comparable, halted, HALTED, linux, partitions, timings, when } from './linux.js';

import { boot, flatKernel, image, kernel, PATIENCE, promptOf } from './linux-partitions.js';

vi.setConfig({ testTimeout: PATIENCE + 10_000 });

/** Type commands, each at the next prompt of the Linux with this name. */
const typing = (name: string, ...commands: readonly string[]): string[] =>
  commands.flatMap((command) => when(promptOf(name), `${command}\\n`));

/** What a Linux that is called like this answers to commands, and the text before the first prompt. */
const converse = async (name: string, args: readonly string[], ...commands: readonly string[]) =>
  linux([...args, ...typing(name, ...commands)], PATIENCE, promptOf(name));

/** The example at its prompt. */
const example = snapshotFixture({
  config: inRoot('devicetrees', 'linux.dts'),
  prepare: (board) => board.console('linux').expect('linux:~# '),
});

test('the Linux of the example finds its memory, its processor, its interrupts and its name', async () => {
  const read = (path: string): string => `tr "\\\\0" "|" </proc/device-tree/${path}; echo`;
  const example = inRoot('devicetrees', 'linux.dts');
  const result = await converse(
    'linux',
    ['boot', example],
    'cat /proc/cpuinfo',
    'cat /proc/interrupts',
    ...['model', 'compatible', 'label', 'epapr-version', 'cpus/cpu@0/status'].map(read),
    ...['chosen/stdout-path', 'hypervisor/guest-name'].map(read),
    'hexdump /proc/device-tree/memory@0/reg',
    'ls -1 /proc/device-tree /proc/device-tree/plb',
    'cat /sys/class/tty/console/active; id -un; hostname',
    'poweroff',
  );
  const { boot: log, answers, status, stderr } = result;
  expect(log).toContain('phys_mem_size     = 0x4000000\n');
  expect(log).toContain('dcache_bsize      = 0x20\n');
  expect(log).toMatch(/Hardware name: amcc,bamboo 440GR Rev\. B 0x422218d3 PowerPC 44x Platform\n/);
  expect(log).toContain('UIC0 (32 IRQ sources) at DCR 0xc0\n');
  expect(log).toMatch(/ttyS0 at MMIO 0xef600300 \(irq = \d+, base_baud = 691200\) is a 16550A\n/);
  expect(log).toContain('booke_wdt: powerpc book-e watchdog driver loaded\n');
  expect(log).toMatch(/\nBOOT-OK: Linux 6\.1\.\d+-hv440 on amcc,bamboo, linux\n/);
  expect(log).not.toMatch(/not found|WARNING|Oops|Unable/i);
  const [cpu, interrupts, ...others] = answers;
  expect(cpu).toMatch(/^clock\t\t: 400\.000000MHz$/m);
  expect(cpu).toMatch(/^timebase\t: 400000000$/m);
  expect(cpu).toMatch(/^model\t\t: amcc,bamboo$/m);
  expect(cpu).toMatch(/^Memory\t\t: 64 MB$/m);
  expect(interrupts).toMatch(/^ *\d+: +[1-9]\d* +UIC +0 Level +ttyS0$/m);
  const texts = [
    'amcc,bamboo',
    'hv440,board|amcc,bamboo',
    'linux',
    'ePAPR-1.1',
    'okay',
    '/plb/serial@ef600300',
    'linux',
  ];
  expect(others.slice(0, texts.length)).toEqual(texts.map((text) => `${text}|\n`));
  const [memory, nodes, names] = others.slice(texts.length);
  expect(memory).toBe('0000000 0000 0000 0000 0000 0400 0000          \n000000c\n');
  expect(nodes).toMatch(/^hypervisor$[^]*^memory@0$[^]*^serial@ef600300$/m);
  expect(names).toBe('ttyS0\nroot\nlinux\n');
  expect(result.stdout).toMatch(/reboot: System halted\n/);
  expect(stderr).toMatch(halted("partition 'linux'"));
  expect(status).toBe(0);
});

test('the image is small, names its functions, and its sources are stated with their versions', () => {
  expect(statSync(image).size).toBeLessThan(2e6);
  const { symbols = [] } = kernel();
  const [found] = symbols.filter(({ name }) => name === 'start_kernel');
  expect(symbolAt(symbols, found!.address + 4)).toEqual({ name: 'start_kernel', offset: 4 });
  const recipe = readFileSync(inRoot('firmware', 'linux', 'build.sh'), 'utf8');
  const versions = [...recipe.matchAll(/\[(linux-source-6\.1|gcc-12-[a-z-]+|busybox|musl)\]=([^\s)]+)/g)];
  expect(versions).toHaveLength(5);
  for (const file of [
    ['docs', 'linux.md'],
    ['firmware', 'linux', 'README.md'],
  ]) {
    const text = readFileSync(inRoot(...file), 'utf8');
    for (const [, name, version] of versions) expect(text).toMatch(new RegExp(`\`${name}\`.*${escaped(version!)}`));
  }
});

const escaped = (text: string): string => text.replace(/[.+]/g, '\\$&');

test('the same image prints the same on the bare board and in a partition with the same devices', async () => {
  const bootargs = 'console=ttyS0,115200 hostname=ppc440';
  const guest = { name: 'linux', image, bootargs, memory: 64 * 2 ** 20, console: 'four UARTs' } as const;
  const commands = ['cat /proc/meminfo | head -1', 'seq 100 | md5sum', 'poweroff'];
  const [partition, bare] = await Promise.all([
    converse('ppc440', ['boot', partitions('same.dts', [guest])], ...commands),
    converse('ppc440', ['run', '--bare', '--memory', '64M', '--bootargs', bootargs, image], ...commands),
  ]);
  const differences = [
    timings,
    { reason: 'the trees differ in size', pattern: /Memory: \d+K(.*), \d+K reserved/, replacement: '…' },
    { reason: 'the board has a fifth port', pattern: /^.* 9c000000\.serial: .*\n/m, replacement: '' },
  ];
  expect(comparable(partition.boot, differences)).toEqual(comparable(bare.boot, differences));
  expect(partition.answers[1]).toBe(bare.answers[1]);
  expect(partition.answers[1]).toMatch(/^[0-9a-f]{32} {2}-\n$/);
  expect(partition.status).toBe(0);
});

test('two Linuxes and hello, each at its own console', async () => {
  const config = inRoot('devicetrees', 'two-linux.dts');
  const scripts = {
    'linux-a': 'sleep 1\necho "<$(hostname) $((6 * 7))>"; seq 3 | md5sum\nuptime | cut -c 1-20\npoweroff\n',
    'linux-b': 'sleep 1\nfree | grep Mem: | cut -c 1-20; echo "<$(hostname)>"\ncat /proc/cmdline\npoweroff\n',
    hello: 'mem\nexit 0\n',
  };
  const { consoles, stderr, status } = await boot(config, scripts);
  const { 'linux-a': a, 'linux-b': b, hello } = consoles;
  expect(a).toMatch(/^BOOT-OK: .*, linux-a$/m);
  expect(a).toMatch(/^linux-a:~# echo .*\n<linux-a 42>\n[0-9a-f]{32} {2}-$/m);
  expect(b).toMatch(/BOOT-OK: .*, linux-b$/m);
  expect(b).not.toContain('Linux version'); // it is to be quiet
  expect(b).toMatch(/^Mem: +[23]\d{4}\D[^]*^<linux-b>\n[^]*^console=ttyS0,115200 quiet$/m);
  expect(hello).toMatch(/^exit 0$|hello> exit 0$/m);
  for (const name of ['linux-a', 'linux-b']) expect(stderr).toContain(`partition '${name}' ${HALTED}\n`);
  expect(status).toBe(0);
});

test('physical addresses that are another’s are nowhere: the program that asks for one dies, and nobody else', async () => {
  const console = (await example()).console('linux');
  const elsewhere = [
    'devmem 0x4000000', // the first byte behind its memory, which the board has
    'devmem 0xef600407 8', // the board's second port, which is not its own
  ];
  for (const command of elsewhere) {
    console.send(`${command}\n`);
    await console.expect(/machine check[^]*Bus error\n/);
    await console.expect(promptOf('linux'));
  }
  console.send('echo still here\n');
  await console.line(/^still here$/);
});

test('a uImage with a gzip kernel boots, and an initrd from outside comes over its own files', async () => {
  const kernel = put('uImage', uimage({ data: gzipSync(flatKernel()), compression: 1, load: 0, entry: 0 }));
  const initrd = put('more.cpio.gz', gzipSync(archive('from-outside', 'it is here\n')));
  const bootargs = 'console=ttyS0,115200 hostname=packed';
  const config = partitions('packed.dts', [{ name: 'linux', image: kernel, initrd, bootargs }]);
  const commands = ['cat /from-outside; ls /init', 'poweroff'];
  const { boot: log, answers, status } = await converse('packed', ['boot', config], ...commands);
  expect(log).toMatch(/Found initrd at 0xc3[0-9a-f]{6}:0xc3[0-9a-f]{6}\n/);
  expect(answers[0]).toBe('it is here\n/init\n');
  expect(status).toBe(0);
});

test('`reboot` boots that partition again and no other; where on-reset does not say so it ends', async () => {
  const source = readFileSync(inRoot('devicetrees', 'two-linux.dts'), 'utf8');
  const config = put(
    'reboot.dts',
    source
      .replaceAll('../firmware', inRoot('firmware'))
      .replace('hv440-board.dtsi', inRoot('devicetrees', 'hv440-board.dtsi'))
      .replace(/(linux-b \{[^}]*?)on-reset = "restart";/, '$1'),
  );
  const scripts = {
    'linux-a': 'sleep 2\nreboot\n',
    'linux-b': 'sleep 30\ncut -d . -f 1 /proc/uptime\nreboot\n',
    hello: 'exit 0\n',
  };
  const { consoles, stderr } = await boot(config, scripts);
  const { 'linux-a': a, 'linux-b': b } = consoles;
  expect(a!.match(/Linux version/g)).toHaveLength(2);
  expect(a!.match(/^BOOT-OK/gm)).toHaveLength(2);
  expect(a).toMatch(/reboot: Restarting system\n(?:.*\n)*?.*\[ +0\.000000\] Linux version/);
  expect(b).toMatch(/^3\d\nlinux-b:~# reboot$/m); // seconds since it booted, once
  expect(b!.match(/BOOT-OK/g)).toHaveLength(1);
  expect(stderr).toMatch(/partition 'linux-b' reset its processor/);
});

test('a watchdog that nobody feeds any more resets the partition', async () => {
  const board = await example();
  const console = board.console('linux');
  console.send('watchdog -T 3 -t 5 /dev/watchdog; sleep 200; cut -d . -f 1 /proc/uptime\n'); // fed: longer than it would take
  const { groups } = await console.line(/^(\d+)$/, { within: '300 s' });
  expect(Number(groups[0])).toBeGreaterThanOrEqual(200);
  expect(board.partition('linux').resets).toBe(0);
  console.send('killall -STOP watchdog; sleep 200\n');
  await board.partition('linux').expectReset({ within: '50 s' });
  await console.line(/\[ +0\.000000\] Linux version/);
  await console.expect(promptOf('linux'));
  console.send('cut -d . -f 1 /proc/uptime\n');
  await console.line(/^0$/);
});
