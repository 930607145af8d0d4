// The promise of the README's first lines, on what is committed: a fresh clone needs no other step.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { scratch } from '../cli/child.js';
import { root, run, testWith, tool } from '../tools.js';
import { Tmux } from './tmux.js';

const repository = existsSync(join(root, '.git')) ? root : undefined;
const test = testWith(tool('tmux'), tool('git'), repository);

test('npm start in a fresh clone installs, builds and boots; a second time it boots at once', async () => {
  const clone = scratch('clone');
  expect(await run('git', ['clone', '--quiet', root, clone])).toMatchObject({ status: 0 });
  const terminal = new Tmux(clone, { XDG_RUNTIME_DIR: scratch('.') });
  await terminal.shows('ready$');
  for (const setUp of [/installing dependencies[^]*building/, /^/]) {
    terminal.enter('clear; npm start; echo "status $?"');
    const screen = await terminal.shows(/^hello>$/m, 400);
    expect(screen).toMatch(setUp);
    expect(screen).toContain('[hv440] 1: hello, 2: traps. Ctrl-A then 1…2 switches, ? helps, x leaves');
    expect(screen).toContain('\nhv440 hello\n');
    terminal.enter('trap');
    await terminal.shows('and went on after it');
    terminal.press('C-a', '2');
    await terminal.shows(/\ntraps: \d+ ok, \d+ FAIL$/m);
    terminal.press('C-a', 'x');
    await terminal.shows('status 0');
  }
  expect(await run('git', ['status', '--porcelain'], { cwd: clone })).toMatchObject({ stdout: '' });
});
