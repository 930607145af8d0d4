// The same images on QEMU's bamboo: an independent judge of our board. The console's text is the same, but for what QEMU is
// known to do otherwise than the manual says, which firmware/traps/README.md lists with the reasons.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect } from 'vitest';
import { hello, inRoot, traps } from '../cli/child.js';
import { cli, testWith, tool } from '../tools.js';

const qemu = tool('qemu-system-ppc');
const test = testWith(qemu);

let stop = (): void => {};
afterEach(() => stop());

/** Run an image on QEMU's bamboo; `dialogue` has what to wait for and what to type then. Gives what its console printed. */
function onQemu(
  image: string,
  args: readonly string[],
  dialogue: readonly (readonly [string, string])[],
): Promise<string> {
  const board = ['-M', 'bamboo', '-nographic', '-nic', 'none', '-no-reboot', '-monitor', 'none', '-serial', 'stdio'];
  const child = spawn(qemu!, [...board, '-kernel', image, ...args]);
  stop = () => void child.kill('SIGKILL');
  let [text, from, turn] = ['', 0, 0];
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    for (let next = dialogue[turn]; next; next = dialogue[turn]) {
      const at = text.indexOf(next[0], from);
      if (at < 0) return;
      from = at + next[0].length;
      turn += 1;
      child.stdin.write(next[1]);
    }
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(plain(text)));
  });
}

const plain = (text: string): string => text.replaceAll('\r\n', '\n');

/** The same on our board. */
async function onBoard(
  image: string,
  args: readonly string[],
  dialogue: readonly (readonly [string, string])[],
): Promise<string> {
  const pairs = dialogue.flatMap(([expected, typed]) => [
    '--expect',
    expected,
    '--send',
    typed.replaceAll('\n', '\\n'),
  ]);
  const { stdout } = await cli(['run', '--bare', image, ...args, ...pairs]);
  return plain(stdout);
}

test('hello: banner, help, memory, a trap, what it does not know, and its end', async () => {
  const typed = ['help\n', 'mem\n', 'trap\n', 'wrong\n', 'memx\b\n', '\n', 'exit 3\n'];
  const dialogue = typed.map((line) => ['hello> ', line] as const);
  const theirs = await onQemu(hello, ['-m', '128', '-append', 'name=hello'], dialogue);
  const ours = await onBoard(hello, ['--memory', '128M'], dialogue);
  expect(theirs).toMatch(/^hv440 hello\nPVR [0-9a-f]{8}\nname hello\nmemory 128 MiB\nhello> help\n[^]*\nexit 3\n$/);
  expect(ours).toBe(theirs);
});

/** The tests in the table of departures, and the total that it states. */
function departures(): { names: string[]; total: string } {
  const text = readFileSync(inRoot('firmware', 'traps', 'README.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z0-9-]+)` +\| (.+) \| (.+) \|$/gm)];
  for (const [, name, manual, qemu] of rows) {
    expect(manual, `what the manual says of ${name}`).toMatch(/\w{3}/);
    expect(qemu, `what QEMU does with ${name}`).toMatch(/\w{3}/);
  }
  return { names: rows.map(([, name]) => name!).sort(), total: /`(traps: \d+ ok, \d+ FAIL)`/.exec(text)?.[1] ?? '' };
}

test('traps: the same lines as on our board, but for the departures that are listed', async () => {
  const theirs = (await onQemu(traps, ['-m', '128'], [])).split('\n');
  const ours = (await onBoard(traps, ['--memory', '128M'], [])).split('\n');
  const nameOf = (line: string): string => /^(?:ok|FAIL) +([a-z0-9-]+)/.exec(line)?.[1] ?? line;
  const ends = (lines: readonly string[]) => lines.map(nameOf).filter((line) => !line.startsWith('traps: '));
  expect(ends(theirs)).toEqual(ends(ours));
  const { names, total } = departures();
  const differing = theirs.filter((line, i) => line !== ours[i] && !line.startsWith('traps: '));
  expect(differing.map(nameOf).sort()).toEqual(names);
  for (const line of differing) expect(line).toMatch(/^FAIL /);
  expect(theirs).toContain(total);
});
