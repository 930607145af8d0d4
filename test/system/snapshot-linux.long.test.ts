// A Linux amid its boot, written to a file: it goes on from there as it went, by itself and under the debugger.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Child, inRoot, put, scratch } from '../cli/child.js';
import { cli } from '../tools.js';

const settings = put(
  'linux.dts',
  `/dts-v1/;
/include/ "${inRoot('devicetrees', 'hv440-board.dtsi')}"
&partitions {
	linux {
		compatible = "hv440,partition";
		image = "${inRoot('firmware', 'linux', 'vmlinux.gz')}";
		memory = <0 0 0 0x04000000>;
		bootargs = "console=ttyS0,115200";
		serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
	};
};
`,
);

test('it boots from the middle of its boot to the same state, and under the debugger to the same lines', async () => {
  const [middle, end, again] = [scratch('middle.snapshot'), scratch('end.snapshot'), scratch('again.snapshot')];
  const options = ['--headless', '--stats', 'json', settings];
  const whole = await cli(['boot', '--expect', 'BOOT-OK', '--snapshot', end, ...options], { timeout: 600_000 });
  expect(whole.status).toBe(0);
  const { instructions, cycles } = JSON.parse(whole.stdout.trimEnd().split('\n').at(-1)!) as {
    instructions: number;
    cycles: number;
  };
  const at = Math.floor(cycles / 2);
  const half = ['boot', '--snapshot', `${middle}@${at}`, '--max-instructions', String(instructions), ...options];
  await cli(half, { timeout: 600_000 });
  const rest = await cli(['boot', '--from', middle, '--expect', 'BOOT-OK', '--snapshot', again, ...options], {
    timeout: 600_000,
  });
  expect(rest.status).toBe(0);
  expect(readFileSync(again).equals(readFileSync(end))).toBe(true);
  const lines = rest.stdout.split(/\r?\n/).slice(1, -2); // the first is the rest of one that was begun
  expect(lines.length).toBeGreaterThan(5);
  expect(whole.stdout).toContain(lines[0]!);
  expect(whole.stdout).not.toBe(rest.stdout);

  const child = new Child(['debug', '--from', middle, settings]);
  child.process.stdin.end(`history\nstepi ${instructions}\nquit\n`);
  const { stdout, stderr } = await child.ended;
  expect(stderr).toBe('');
  expect(stdout).toContain(`cycle ${at.toLocaleString('en-US').slice(0, 5)}`);
  const shown = stdout.split(/\r?\n/).filter((line) => line.startsWith('linux| '));
  // The last one was cut off where it was what was waited for
  const missing = lines.filter((line) => !shown.some((each) => each.startsWith(`linux| ${line}`.trimEnd())));
  expect(missing).toEqual([]);
});
