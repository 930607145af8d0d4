// The set-up that every npm script runs first, on a project of one file with a false npm and a false compiler.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root, run } from '../tools.js';

let folder: string;

const put = (name: string, text: string): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
};
const said = (): string => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '');
const packages = (version: string): string =>
  JSON.stringify({
    packages: { '': { name: 'x' }, 'node_modules/a': { version }, 'node_modules/b': { version: '1', optional: true } },
  });

const falseNpm = `#!${process.execPath}
const fs = require('node:fs');
fs.appendFileSync('log', 'npm ' + process.argv.slice(2).join(' ') + '\\n');
if (fs.existsSync('no-network')) { console.error('ENOTFOUND'); process.exit(1); }
fs.rmSync('node_modules', { recursive: true, force: true });
fs.mkdirSync('node_modules/typescript/bin', { recursive: true });
fs.copyFileSync('false-tsc.js', 'node_modules/typescript/bin/tsc');
fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
console.log('added 1 package');
`;

const falseTsc = `
const fs = require('node:fs');
fs.appendFileSync('log', 'tsc\\n');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
if (fs.readFileSync('src/cli/main.ts', 'utf8').includes('wrong')) { console.error('main.ts(1,1): error'); process.exit(2); }
fs.mkdirSync('dist/cli', { recursive: true });
for (const name of fs.readdirSync('src/cli')) fs.copyFileSync('src/cli/' + name, 'dist/cli/' + name.replace('.ts', '.js'));
`;

const setUp = (...args: string[]) =>
  run(process.execPath, [join(folder, '.ci', 'set-up.mjs'), ...args], {
    cwd: tmpdir(),
    env: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, npm_execpath: '' },
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hv440-set-up-'));
  mkdirSync(join(folder, '.ci'));
  copyFileSync(join(root, '.ci', 'set-up.mjs'), join(folder, '.ci', 'set-up.mjs'));
  put('package.json', '{}');
  put('package-lock.json', packages('1.0.0'));
  put('tsconfig.json', '{}');
  put('src/cli/main.ts', 'one');
  put('false-tsc.js', falseTsc);
  put('bin/npm', falseNpm);
  chmodSync(join(folder, 'bin', 'npm'), 0o755);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a fresh clone is installed and built; a second time nothing is done, and nothing is said', async () => {
  const first = await setUp();
  expect(first.status, first.stderr).toBe(0);
  expect(first.stderr).not.toContain('added 1 package');
  expect(said()).toBe('npm ci --include=dev --include=optional\ntsc\n');
  expect(await setUp()).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(said()).toBe('npm ci --include=dev --include=optional\ntsc\n');
});

test('an edited source is built again, a touched one is not, and a deleted one leaves nothing in dist', async () => {
  put('src/cli/old.ts', 'old');
  await setUp();
  put('src/cli/main.ts', 'one');
  await setUp();
  expect(said()).toBe('npm ci --include=dev --include=optional\ntsc\n');
  put('src/cli/main.ts', 'two');
  rmSync(join(folder, 'src/cli/old.ts'));
  await setUp();
  expect(said()).toBe('npm ci --include=dev --include=optional\ntsc\ntsc\n');
  expect(readFileSync(join(folder, 'dist/cli/main.js'), 'utf8')).toBe('two');
  expect(existsSync(join(folder, 'dist/cli/old.js'))).toBe(false);
});

test('another lock file is installed; one that someone installed by hand is not installed again', async () => {
  await setUp();
  put('package-lock.json', packages('2.0.0'));
  await setUp();
  expect(said().match(/npm/g)).toHaveLength(2);
  put('package-lock.json', packages('3.0.0'));
  put('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/a': { version: '3.0.0' } } }));
  await setUp();
  expect(said().match(/npm/g)).toHaveLength(2);
});

test('--build compiles from nothing whatever the state', async () => {
  await setUp();
  put('dist/cli/stray.txt', '');
  await setUp('--build');
  expect(said()).toBe('npm ci --include=dev --include=optional\ntsc\ntsc\n');
  expect(existsSync(join(folder, 'dist/cli/stray.txt'))).toBe(false);
});

test('a failed installation shows what npm said, and is tried again the next time', async () => {
  put('no-network', '');
  const failed = await setUp();
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('ENOTFOUND');
  expect(failed.stderr).toContain('npm ci failed');
  rmSync(join(folder, 'no-network'));
  expect((await setUp()).status).toBe(0);
});

test('a failed build shows what the compiler said, and is tried again the next time', async () => {
  await setUp();
  put('src/cli/main.ts', 'wrong');
  for (const attempt of [1, 2]) {
    const failed = await setUp();
    expect(failed.status, `attempt ${attempt}`).toBe(1);
    expect(failed.stderr).toContain('main.ts(1,1): error');
  }
});

test('of several at once one installs and builds, and the others wait for it', async () => {
  const all = await Promise.all([setUp(), setUp(), setUp()]);
  expect(all.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(said()).toBe('npm ci --include=dev --include=optional\ntsc\n');
  expect(existsSync(join(folder, 'dist/.set-up-lock'))).toBe(false);
});

test('the lock of a process that is gone does not hold anyone up', async () => {
  const gone = await run(process.execPath, ['-p', 'process.pid'], { cwd: folder });
  put('dist/.set-up-lock/owner', `${gone.stdout.trim()} ${hostname()}`);
  expect((await setUp()).status).toBe(0);
  expect(said()).toContain('tsc');
});
