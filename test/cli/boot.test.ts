// Partitions without a terminal: what is printed where, how a run ends, and with which status.

import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { elf, words } from '../loader/build.js';
import { cli, nodePackage, root, run, testWith, tool } from '../tools.js';
import { Child, hello, main, onePartition, put, putConfiguration, scratch, spin, twoPartitions } from './child.js';

const socat = tool('socat');
const pty = nodePackage('node-pty');

const twoHellos = putConfiguration('two-hellos.dts', [
  { name: 'one', image: hello },
  { name: 'two', image: hello },
]);
const withSpin = putConfiguration('with-spin.dts', [
  { name: 'hello', image: hello },
  { name: 'spin', image: spin },
]);

/** Prints `y` and a line feed for ever. */
let yes: string;
beforeAll(() => {
  const program = [
    asm('addis', { rt: 4, ra: 0, si: 0xef60 }),
    asm('ori', { rs: 4, ra: 4, ui: 0x0300 }),
    asm('addi', { rt: 5, ra: 0, si: 0x79 }),
    asm('stb', { rs: 5, ra: 4, d: 0 }),
    asm('addi', { rt: 5, ra: 0, si: 0x0a }),
    asm('stb', { rs: 5, ra: 4, d: 0 }),
    0x4bfffff0, // b .-16
  ];
  yes = put('yes.elf', elf({ segments: [{ virtual: 0x1000, bytes: words(...program) }], entry: 0x1000 }));
});

const linesOf = (name: string, stdout: string): string[] =>
  stdout.split('\n').flatMap((line) => (line.startsWith(`${name}| `) ? line.slice(name.length + 2) : []));

test('each line has the name of its partition, endings are announced, and the status is the highest', async () => {
  const { status, stdout, stderr } = await cli(['boot', twoPartitions], { input: 'mem\nexit 3\n' });
  expect(stdout.split('\n').filter((line) => !/^(hello|traps)\| /.test(line))).toEqual(['']);
  expect(linesOf('hello', stdout).slice(0, 6)).toEqual([
    'hv440 hello',
    'PVR 422218d3',
    'name hello',
    'memory 16 MiB',
    'hello> mem',
    'memory 16 MiB',
  ]);
  expect(linesOf('hello', stdout).slice(-2)).toEqual(['hello> exit 3', 'exit 3']);
  expect(linesOf('traps', stdout).at(-1)).toMatch(/^traps: \d+ ok, \d+ FAIL$/);
  expect(stderr.split('\n').sort()).toEqual([
    '',
    "hv440: partition 'hello' ended with status 3",
    expect.stringMatching(/^hv440: partition 'traps' ended with status [01]$/),
  ]);
  expect(status).toBe(3);
});

test("a single guest's output is bare, and its first console is what standard input feeds", async () => {
  const { status, stdout } = await cli(['boot', onePartition, '--headless'], { input: 'exit\n' });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^hv440 hello\r?\n/);
  expect(stdout).toMatch(/hello> exit\r?\nexit 0\r?\n$/);
});

test('a script that ends before the guest does ends the run, and says what the guest was doing', async () => {
  const { status, stdout, stderr } = await cli(['boot', onePartition], { input: 'mem\n' });
  expect(status).toBe(0);
  expect(stdout).toMatch(/hello> $/);
  expect(stderr).toMatch(
    /^hv440: the machine only waits, and no more input can come\nhv440: hello: waiting for an interrupt; pc 0x[0-9a-f]+; last trap: /,
  );
});

test('--input types a file at a stream by any name of it, beside standard input and instead of it', async () => {
  writeFileSync(scratch('script'), 'mem\nexit 9\n');
  const beside = await cli(['boot', twoHellos, '--input', `two=${scratch('script')}`], { input: 'trap\nexit 4\n' });
  expect(linesOf('one', beside.stdout)).toContain('and went on after it');
  expect(linesOf('two', beside.stdout).slice(-2)).toEqual(['hello> exit 9', 'exit 9']);
  expect(beside.status).toBe(9);
  const args = ['--input', `one/serial=${scratch('script')}`, '--input', 'two/serial@ef600300=-'];
  const instead = await cli(['boot', twoHellos, ...args], { input: 'exit 1\n' });
  expect(linesOf('one', instead.stdout).slice(-2)).toEqual(['hello> exit 9', 'exit 9']);
  expect(linesOf('two', instead.stdout).slice(-2)).toEqual(['hello> exit 1', 'exit 1']);
});

test('--expect and --send are a dialogue, and a last --expect alone ends the run where its text is complete', async () => {
  const dialogue = ['--expect', 'hello> ', '--send', 'mem\\n', '--expect', 'hello> ', '--send', 'trap\\x0a'];
  const { status, stdout, stderr } = await cli(['run', hello, ...dialogue, '--expect', 'and went']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/hello> mem\r?\nmemory [^]*hello> trap\r?\n[^]*\nand went$/);
});

test('a text that never appears is named, with status 1', async () => {
  const args = ['--expect', 'hello> ', '--send', 'exit\\n', '--expect', 'farewell', '--send', 'x'];
  const { status, stderr } = await cli(['run', hello, ...args]);
  expect(status).toBe(1);
  expect(stderr).toBe('hv440: partition \'hello\' ended with status 0\nhv440: --expect "farewell" never appeared\n');
  const idle = await cli(['boot', onePartition, '--expect', 'nothing like it']);
  expect(idle.status).toBe(1);
  expect(idle.stderr).toMatch(/only waits[^]*\nhv440: --expect "nothing like it" never appeared\n$/);
});

test('--log writes what each stream prints, byte for byte', async () => {
  const bare = await cli(['run', hello], { input: 'mem\nexit\n' });
  const options = ['--log', scratch('logs'), '--input', `two=${put('exits', 'exit\n')}`];
  const { stdout } = await cli(['boot', twoHellos, ...options], { input: 'mem\nexit\n' });
  const log = readFileSync(scratch('logs', 'one.serial@ef600300.log'), 'latin1');
  expect(log.split(/\r?\n/).slice(0, -1)).toEqual(linesOf('one', stdout));
  expect(log.split('\n').length).toBe(bare.stdout.split('\n').length);
  expect(readFileSync(scratch('logs', 'two.serial@ef600300.log'), 'latin1')).toMatch(/exit 0\r?\n$/);
});

test('--stats says how often each partition left the core and why, as text and as JSON', async () => {
  const text = await cli(['boot', twoHellos, '--stats', '--input', `two=${put('exits', 'exit\n')}`], {
    input: 'exit\n',
  });
  expect(text.stderr).toMatch(/^hv440: [\d,]+ instructions retired in [\d,]+ cycles$/m);
  for (const name of ['one', 'two'])
    expect(text.stderr).toMatch(
      new RegExp(
        `^hv440: ${name}/cpu0: [\\d,]+ instructions in [\\d,]+ cycles, [\\d,]+ exits \\([\\d,]+ per million instructions\\)\nhv440:   time      guest [\\d,]+`,
        'm',
      ),
    );
  const json = await cli(['run', hello, '--stats', 'json', '--max-instructions', '300000'], { input: 'me' });
  const lines = json.stdout.split('\n');
  expect(lines.at(-3)).toMatch(/^hello> me\r?$/);
  const { instructions, cycles, partitions } = JSON.parse(lines.at(-2)!);
  expect(instructions).toBe(300000);
  expect(cycles).toBeGreaterThan(300000);
  expect(partitions).toMatchObject([
    { name: 'hello', state: expect.any(String), restarts: 0, vcpus: [{ index: 0, instructions }] },
  ]);
  const [{ vcpus }] = partitions;
  for (const { count, cycles: cost } of Object.values<{ count: number; cycles: number }>(vcpus[0].exits)) {
    expect(count).toBeGreaterThan(0);
    expect(cost).toBeGreaterThanOrEqual(count);
  }
});

test.each([1, 2, 12_345, 200_001])('--max-instructions %i stops after exactly so many', async (count) => {
  for (const args of [
    ['run', '--bare', spin],
    ['boot', withSpin],
  ]) {
    const { status, stdout, stderr } = await cli([...args, '--max-instructions', String(count), '--stats', 'json']);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({ instructions: count });
    expect({ status, stderr }).toEqual({ status: 0, stderr: `hv440: stopped after ${count} instructions\n` });
  }
});

test('--timeout stops a run with status 1, and says what each partition was doing', async () => {
  const { status, stdout, stderr } = await cli(['boot', withSpin, '--timeout', '1.5']);
  expect(status).toBe(1);
  expect(linesOf('spin', stdout)).toEqual(['spin']);
  expect(stderr).toMatch(
    /^hv440: stopped: --timeout 1\.5 seconds are over\nhv440: hello: [^\n]+; pc 0x[0-9a-f]+; [^\n]+\nhv440: spin: running; pc 0x[0-9a-f]+; no trap yet\n$/,
  );
});

test('--timeout is heeded while the machine waits for a script', async () => {
  const child = new Child(['run', hello, '--timeout', '0.7']);
  expect(await child.ended).toMatchObject({ status: 1, stderr: expect.stringContaining('waiting for an interrupt') });
});

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('%s ends a run cleanly, while it works and while it waits', async (signal, status) => {
  for (const config of [withSpin, onePartition]) {
    const child = new Child(['boot', config, '--stats', 'json', '--log', scratch('logs')]);
    await child.shows('memory 16 MiB');
    child.process.kill(signal);
    const result = await child.ended;
    expect(result.status).toBe(status);
    expect(result.stderr).toBe(`hv440: stopped by ${signal}\n`);
    expect(result.stdout).toMatch(/\n\{"instructions":\d+,.*\}\n$/);
  }
});

test('a reader that goes away ends the run', async () => {
  const command = `'${process.execPath}' '${main}' run '${yes}' | head -n 3`;
  expect(await run('sh', ['-c', command])).toMatchObject({ status: 0, stdout: 'y\ny\ny\n', stderr: '' });
});

test('a guest prints no faster than its reader reads, and nothing is lost', async () => {
  const count = 3_000_000;
  const command = `'${process.execPath}' '${main}' run '${yes}' --max-instructions ${count} | (sleep 2; wc -c)`;
  const { stdout } = await run('sh', ['-c', command]);
  const slow = Number(stdout);
  expect(slow).toBeGreaterThan(count / 3); // two bytes in five instructions
  const fast = await cli(['run', yes, '--max-instructions', String(count)]);
  expect(fast.stdout.length).toBe(slow);
});

test('--ptys before the configuration takes no file for its folder', async () => {
  const { status, stdout } = await cli(['boot', '--headless', '--ptys', onePartition], { input: 'exit 4\n' });
  expect(status).toBe(4);
  expect(stdout).toContain('hello> exit 4');
});

testWith(socat, pty)('--ptys gives each stream a pty, and who types there is heard', async () => {
  const folder = scratch('ptys');
  const scripted = put('mem', 'mem\n');
  const child = new Child(['boot', twoHellos, '--ptys', folder, '--input', `one=${scripted}`]);
  await child.shows(`ptys in ${folder}: one.serial@ef600300, two.serial@ef600300\n`, 'stderr');
  await child.shows('one| image  ');
  const typed = (name: string, text: string) =>
    run(socat!, ['-t', '2', '-', `${folder}/${name}.serial@ef600300,raw,echo=0`], { input: text });
  const seen = await typed('two', 'trap\n');
  expect(seen.stdout).toMatch(/hello> trap\r?\n[^]*and went on after it\r?\nhello> $/);
  expect(linesOf('two', child.stdout)).toContain('and went on after it');
  await typed('two', 'exit 5\n');
  await child.shows("partition 'two' ended with status 5", 'stderr');
  await typed('one', 'exit\n');
  expect(await child.ended).toMatchObject({ status: 5 });
});

testWith(pty)('the links are gone after the run', async () => {
  await cli(['run', hello, '--ptys', scratch('gone')], { input: 'exit\n' });
  expect((await run('ls', ['-A', scratch('gone')], { cwd: root })).stdout).toBe('');
});
