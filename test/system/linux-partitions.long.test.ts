import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hello, inRoot, scratch } from '../cli/child.js';
import { root, testWith, tool } from '../tools.js';
import { HALTED, linux, partitions } from './linux.js';
import { boot, image, PATIENCE } from './linux-partitions.js';
import { Tmux } from './tmux.js';

test('four Linuxes and hello side by side, and another run is the same', async () => {
  const names = ['north', 'east', 'south', 'west'];
  const bootargs = 'console=ttyS0,115200 quiet';
  const config = partitions('four.dts', [
    ...names.map((name) => ({ name, image, bootargs, memory: 32 * 2 ** 20 })),
    { name: 'hello', image: hello, memory: 16 * 2 ** 20 },
  ]);
  const work =
    'sleep 1\nseq 2000 | sha256sum | cut -c 1-8; echo "<$(hostname)>"\ncut -d . -f 1 /proc/uptime\npoweroff\n';
  const scripts = { ...Object.fromEntries(names.map((name) => [name, work])), hello: 'mem\nexit 0\n' };
  const [result, again] = await Promise.all([1, 2].map(() => boot(config, scripts, 240_000)));
  const sums = names.map((name) => {
    const printed = result!.consoles[name]!;
    expect(printed).toMatch(/^[12]$/m); // seconds
    expect(result!.stderr).toContain(`partition '${name}' ${HALTED}\n`);
    return new RegExp(`^([0-9a-f]{8})\\n<${name}>$`, 'm').exec(printed)?.[1];
  });
  expect(sums[0]).toBeDefined();
  expect(new Set(sums).size).toBe(1);
  expect(result!.consoles['hello']).toMatch(/exit 0$/);
  expect(result!.status).toBe(0);
  expect(again!.consoles).toEqual(result!.consoles);
  expect(again!.statistics).toBe(result!.statistics);
});

test('the same image has its console on a byte channel, and patches itself for the magic page', async () => {
  const properties = `paravirtualization = "kvm", "magic-page"; ${patch()}`;
  const guest = { name: 'linux', image, properties, bootargs: 'console=ttyEHV0', console: 'byte channel' } as const;
  const config = partitions('paravirtual.dts', [guest]);
  const { boot: log } = await linux(['boot', config, '--expect', 'linux:~# '], PATIENCE, 'linux:~# ');
  expect(log).toMatch(/registered \/dev\/ttyEHV0 for byte channel 1\n/);
  expect(log).toMatch(/KVM: No more space \(65536 \+ \d+\)\n[^]*KVM: Live patching for a fast VM failed\n/);
  expect(log).toContain('BOOT-OK');
});

/** The property that docs/linux.md has for this image. */
const patch = (): string => /image-patch = <[^>]*>;/.exec(readFileSync(inRoot('docs', 'linux.md'), 'utf8'))![0];

testWith(tool('tmux'))('at a terminal both Linuxes and hello are typed to in turn', async () => {
  const terminal = new Tmux(root, { XDG_RUNTIME_DIR: scratch('.') });
  await terminal.shows('ready$');
  terminal.enter(`clear; node dist/cli/main.cjs boot ${inRoot('devicetrees', 'two-linux.dts')}; echo "status $?"`);
  await terminal.shows('linux-a:~#', 120);
  terminal.enter('echo $((6 * 7)) from $(hostname)');
  await terminal.shows('42 from linux-a');
  terminal.press('C-a', '2');
  await terminal.shows('linux-b:~#', 120);
  terminal.enter('echo $((6 * 7)) from $(hostname)');
  await terminal.shows('42 from linux-b');
  terminal.press('C-a', '3');
  terminal.enter('mem');
  await terminal.shows(/^hello> mem$/m);
  terminal.press('C-a', '1');
  terminal.enter('reboot');
  await terminal.shows(/^(?![^]*:~# reboot\n)[^]*\nlinux-a:~#$/, 120); // the boot has pushed the command off the screen
  terminal.press('C-a', '2');
  terminal.enter('poweroff');
  await terminal.shows('System halted');
  terminal.press('C-a', 'x');
  await terminal.shows('status 0');
});
