import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root, run } from '../tools.js';

const { bin, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

let folder: string;

/** `hv440 ARGS…` in a copy of what was built. */
const hv440 = (...args: string[]) => run(process.execPath, [join(folder, bin.hv440), ...args]);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hv440-start-'));
  for (const name of ['dist', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true, preserveTimestamps: true });
  for (const name of ['node_modules', 'devicetrees', 'firmware']) symlinkSync(join(root, name), join(folder, name));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Names of Node's own modules that it has loaded when a command is over. */
async function loaded(command: string): Promise<string> {
  const probe = join(folder, 'probe.cjs');
  writeFileSync(probe, "process.on('exit', () => console.error(process.moduleLoadList.join('\\n')));");
  return (await run(process.execPath, ['--require', probe, join(folder, command), '--version'])).stderr;
}

test('the command has Node load nothing for ECMAScript modules; main.js, which is one, does', async () => {
  expect(await loaded('dist/cli/main.js')).toContain('internal/modules/esm/module_job\n');
  expect(await loaded(bin.hv440)).not.toContain('internal/modules/esm/module_job\n');
});

test('the command and main.js print the same and end alike', async () => {
  const args = ['run', '--bare', join(root, 'firmware/hello/hello.elf'), '--headless', '--stats'];
  const input = 'mem\nexit 3\n';
  const [command, main] = await Promise.all(
    [bin.hv440, 'dist/cli/main.js'].map((name) => run(process.execPath, [join(folder, name), ...args], { input })),
  );
  expect(command!.status).toBe(3);
  expect(command).toEqual(main);
});

test('where the compiler has run since the bundle was made, the modules are what runs', async () => {
  writeFileSync(join(folder, 'dist/cli/version.js'), "export const version = () => 'newer';");
  expect((await hv440('--version')).stdout).toBe(`${version}\n`);
  const later = Date.now() / 1000 + 60;
  utimesSync(join(folder, 'dist/.tsbuildinfo'), later, later);
  expect((await hv440('--version')).stdout).toBe('newer\n');
});

test('where the bundler is not installed there is no bundle, and the command is there all the same', async () => {
  rmSync(join(folder, 'node_modules'));
  mkdirSync(join(folder, '.ci'));
  cpSync(join(root, '.ci/bundle.mjs'), join(folder, '.ci/bundle.mjs'));
  const bundler = await run(process.execPath, [join(folder, '.ci/bundle.mjs')]);
  expect(bundler.stderr).toContain('no bundle');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  expect(await hv440('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  expect(await run(join(folder, bin.hv440), ['--version'])).toMatchObject({ status: 0, stdout: `${version}\n` });
});

test('a command that waits for what nothing will bring does not end as if all were well', async () => {
  const bundle = join(folder, 'dist/bundle/hv440.cjs');
  chmodSync(bundle, 0o644);
  writeFileSync(bundle, '(function (exports) { exports.main = () => new Promise(() => {}); })');
  expect((await hv440('check')).status).toBe(13);
  writeFileSync(bundle, "(function (exports) { exports.main = async () => { throw new Error('ours'); }; })");
  const failed = await hv440('check');
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('Error: ours');
});

test('a command that is done ends at once, and all that it printed is there', async () => {
  const bundle = join(folder, 'dist/bundle/hv440.cjs');
  chmodSync(bundle, 0o644);
  writeFileSync(
    bundle,
    `(function (exports) { exports.main = async () => {
      setInterval(() => {}, 1000);
      process.exitCode = 7;
      process.stdout.write('o'.repeat(3e6));
      process.stderr.write('e'.repeat(3e6));
    }; })`,
  );
  const { status, stdout, stderr } = await hv440('check');
  expect([status, stdout.length, stderr.length]).toEqual([7, 3e6, 3e6]);
});
