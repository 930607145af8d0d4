// What the user does wrong: a message with what is wrong and how to mend it, status 2, nothing booted.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeBlob } from '../../src/devicetree/blob.js';
import { parse } from '../../src/devicetree/source.js';
import { cli } from '../tools.js';
import { hello, onePartition, put, scratch, twoPartitions } from './child.js';

/** Run it with what is wrong; gives its complaint. */
async function complaint(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await cli(args, { input: 'exit\n' });
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m); // a stack trace
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/\S/) });
  return stderr;
}

test('without a command it prints its help, with status 2', async () => {
  expect(await complaint()).toMatch(/^Usage: hv440 [^]*Commands:\n[^]*boot[^]*run[^]*check[^]*dts[^]*Examples:/);
});

test.each(['boot', 'run', 'check', 'dts'])('the help of %s has its options and examples', async (command) => {
  const asked = await cli([command, '--help']);
  expect(asked).toMatchObject({ status: 0, stderr: '' });
  expect(asked.stdout).toMatch(new RegExp(`^Usage: hv440 ${command} [^]*Options:[^]*Examples:\n  .*hv440 ${command} `));
  if (command === 'boot') expect(await cli(['help', command])).toEqual(asked);
});

test('--help and --version', async () => {
  expect(await cli(['--help'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: hv440/) });
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(await cli(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
});

test('an unknown command or option is named, with the nearest one and where the help is', async () => {
  expect(await complaint('boto', onePartition)).toBe(
    "hv440: unknown command 'boto'\n(Did you mean boot?)\nhv440 help lists the commands\n",
  );
  expect(await complaint('boot', onePartition, '--headles')).toBe(
    "hv440: unknown option '--headles'\n(Did you mean --headless?)\nhv440 help boot lists the options\n",
  );
});

test('an argument that is missing, and one too many', async () => {
  expect(await complaint('boot')).toContain("missing required argument 'CONFIG.dts'");
  expect(await complaint('run')).toContain("missing required argument 'IMAGE'");
  expect(await complaint('boot', onePartition, onePartition)).toContain('too many arguments');
  expect(await complaint('run', hello, '--memory')).toContain("option '--memory <SIZE>' argument missing");
});

test('a file that is not there, a folder, and one that cannot be read', async () => {
  const missing = scratch('no.dts');
  mkdirSync(scratch('folder'));
  for (const command of [['boot'], ['run', hello, '--bare', '--dtb']])
    expect(await complaint(...command, missing)).toBe(
      `hv440: ${missing}: there is no such file; name a device tree, .dts or .dtb\n`,
    );
  expect(await complaint('boot', scratch('folder'))).toBe(
    `hv440: ${scratch('folder')}: that is a folder; name a device tree, .dts or .dtb\n`,
  );
  expect(await complaint('boot', `${onePartition}/x`)).toContain('something on the way is not a folder');
  expect(await complaint('boot', '/proc/self/mem')).toMatch(/^hv440: \/proc\/self\/mem: it cannot be read: /);
  expect(await complaint('run', scratch('no.elf'))).toMatch(/no\.elf: there is no such file; name an ELF/);
  expect(await complaint('run', '--bare', scratch('folder'))).toMatch(/folder: that is a folder; name an ELF/);
  for (const bare of [[], ['--bare']])
    expect(await complaint('run', ...bare, hello, '--initrd', missing)).toBe(
      `hv440: ${missing}: there is no such file; name the initial RAM disk\n`,
    );
});

test('an image where a device tree belongs, and a device tree where an image belongs', async () => {
  expect(await complaint('boot', hello)).toBe(
    `hv440: ${hello}: it is an ELF image, not a device tree; \`hv440 run ${hello}\` boots an image\n`,
  );
  expect(await complaint('run', twoPartitions)).toBe(
    `hv440: ${twoPartitions}: it is no image; \`hv440 boot ${twoPartitions}\` boots a device tree\n`,
  );
  expect(await complaint('boot', put('zeros.dts', new Uint8Array(100)))).toContain('it is a binary file');
});

test('what is no device tree is told with its place', async () => {
  const text = put('text.dts', '# A list\n\n- of things\n');
  expect(await complaint('boot', text)).toMatch(/text\.dts:1:1: error: .*'\/dts-v1\/;'.*\n.*text\.dts:1:1: error: /);
  expect(await complaint('boot', put('empty.dts', ''))).toMatch(/empty\.dts:1:1: error: /);
});

test('a blob that is cut off or damaged is told as such', async () => {
  const source = '/dts-v1/; / { a = <1>; b { c = "text"; }; };';
  const blob = encodeBlob(parse(source, 'x.dts', () => undefined).tree);
  for (const length of [20, blob.length - 9])
    expect(await complaint('boot', put('cut.dtb', blob.subarray(0, length)))).toMatch(/cut\.dtb:\d+:\d+: error: .*; /);
  const damaged = blob.slice();
  damaged.fill(0xff, 56, 64);
  expect(await complaint('dts', put('damaged.dtb', damaged))).toMatch(/damaged\.dtb:\d+:\d+: error: .*; /);
});

test.each([
  ['--memory', '3', 'a board has 64K to 2G of memory'],
  ['--timeout', 'soon', 'give a number of seconds above 0'],
  ['--max-instructions', '1.5', 'give a whole number from 1 on, such as 1000000 or 1e9'],
  ['--escape', 'shift-q', 'that is no key; write it as ctrl-a'],
  ['--input', 'x', 'give it as NAME=FILE, a stream and the file that is typed to it'],
  ['--input', `x=${hello}`, "there is no stream 'x'; there are hello/serial@ef600300"],
  ['--input', 'hello=nosuch', 'no such file or directory'],
  ['--send', 'x', 'it has no --expect; say what to wait for first'],
  ['--expect', 'a\\q', "character 2 of 'a\\q'"],
])('%s %s: the message says what is wrong and how to mend it', async (option, value, message) => {
  const said = await complaint('run', hello, option, value);
  expect(said).toMatch(/^hv440: /);
  expect(said).toContain(option);
  expect(said).toContain(message);
});

test('--stats takes text or json, and leaves a file name alone', async () => {
  expect(await complaint('run', hello, '--stats=xml')).toContain('Allowed choices are text, json');
  const { status, stderr } = await cli(['run', '--stats', hello], { input: 'exit\n' });
  expect(status).toBe(0);
  expect(stderr).toMatch(/instructions retired in .* cycles/);
});

test('--log and --ptys that cannot be written', async () => {
  writeFileSync(scratch('file'), '');
  expect(await complaint('run', hello, '--log', scratch('file', 'x'))).toContain('name a folder that can be written');
  expect(await complaint('run', hello, '--ptys', scratch('file', 'x'))).toContain('name a folder that can be written');
});

test('--dtb belongs to --bare', async () => {
  expect(await complaint('run', hello, '--dtb', onePartition)).toContain('it goes with --bare');
});

test('a partition that is not there is answered with those that are', async () => {
  expect(await complaint('dts', twoPartitions, '--partition', 'helo')).toBe(
    'hv440: --partition helo: there is no such partition; there are hello, traps\n',
  );
});

test('memory that is too small for the image is told with the option that mends it', async () => {
  expect(await complaint('run', hello, '--memory', '64K')).toMatch(
    /needs \d+ bytes, and .* has 64 KiB; .*--memory SIZE/,
  );
  expect(await complaint('run', '--bare', hello, '--memory', '64K')).toMatch(
    /no room for the device tree; --memory SIZE/,
  );
});
