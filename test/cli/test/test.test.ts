import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Child, configuration, hello, inRoot, put, scratch, sleep, spin } from '../child.js';
import { cli } from '../../tools.js';
import { junitProblems, readXml } from './junit-reader.js';
import { readTap } from './tap-reader.js';

put('base.dts', configuration([{ name: 'hello', image: hello }]));
put('busy.dts', configuration([{ name: 'spin', image: spin }]));

/** A folder of tests, in this file's own; gives a way to run `hv440 test` there. */
function folder(name: string, files: Readonly<Record<string, string>>) {
  const path = scratch(name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(path, file, '..'), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  const run = (...args: string[]) => cli(['test', ...args], { cwd: path });
  return { path, run };
}

/** Without wall time. */
const steady = (text: string): string =>
  text.replaceAll(/\(\d+\.\d s\)/g, '(TIME)').replaceAll(/ \d+\.?\d* (ms|us), [\d,]+ exits/g, ' FIGURES');

const tree = (test: string, base = '../base.dts'): string =>
  `/include/ "${base}"\n/ { test { compatible = "hv440,test"; ${test} }; };\n`;
const greets = 'hello { greets { expect = "hello> "; }; };';
const says = (text: string): string => `hello { says { expect = "${text}"; within = "1 ms"; }; };`;

test('tests are found in folders, and reported in the order of their names', async () => {
  const { run, path } = folder('found', {
    'b.test.dts': tree(`description = "answers"; ${greets}`),
    'a/c.test.dts': tree(greets, '../../base.dts'),
    'a/none.dts': tree(greets),
    'node_modules/x/d.test.dts': tree(says('never')),
    'z.test.dts': tree(`status = "disabled"; ${greets}`),
  });
  const { status, stdout, stderr } = await run();
  expect(steady(stdout).split('\n')).toEqual([
    '✓ a/c.test.dts > c  FIGURES',
    '✓ b.test.dts > answers  FIGURES',
    '- z.test.dts > z',
    '2 passed, 1 skipped (TIME)',
    '',
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(existsSync(join(path, 'test-results'))).toBe(false);
  expect(steady((await run('a/../a', 'b.test.dts', '--workers', '1')).stdout)).toContain('2 passed (TIME)');
});

test('a failure has its place, what is known, and commands that have the same run again', async () => {
  const { run, path } = folder('fails', { 'x.test.dts': tree(`description = "shouts";\n${says('HELLO')}`) });
  const { status, stdout } = await run();
  expect(status).toBe(1);
  const lines = stdout.split('\n');
  expect(steady(lines[0]!)).toBe('✗ x.test.dts > shouts  FIGURES');
  expect(lines[1]).toBe(
    '    x.test.dts:3:16: step \'hello.says\' waited for "HELLO" from hello/serial@ef600300, and it did not come within 1 ms',
  );
  expect(stdout).toContain("partition 'hello': waiting for an interrupt");
  expect(stdout).toContain('  | hello> \n');
  expect(stdout).toContain('the same again: hv440 replay test-results/x.test.dts.rec\n');
  const again = await cli(['replay', 'test-results/x.test.dts.rec'], { cwd: path });
  expect(again.stderr).toContain('replayed to cycle 400000: the same state, bit by bit');
  expect((await run('--recordings', 'kept')).stdout).toContain('hv440 replay kept/x.test.dts.rec');
  expect(readdirSync(join(path, 'kept'))).toEqual(['x.test.dts.rec']);
});

test('all reports are written in one run', async () => {
  const { run, path } = folder('reports', {
    'a.test.dts': tree(greets),
    'b.test.dts': tree(says('HELLO')),
    'c.test.dts': tree('hello { a { expects = "x"; send = "x"; }; };'),
    'd.test.dts': '/dts-v1/; / { };',
  });
  const { status, stdout } = await run('--junit', 'r.xml', '--reporter', 'tap', '--output', 'r.tap');
  expect(status).toBe(2);
  expect(stdout).toContain('1 passed, 1 failed, 2 could not be run');
  expect(stdout).toContain(
    "! c.test.dts > c\n    c.test.dts:2:51: error: /test/hello/a has an unknown property 'expects'",
  );
  expect(stdout).toContain('! d.test.dts\n    d.test.dts:1:1: error: there is no /test node');
  const xml = readXml(readFileSync(join(path, 'r.xml'), 'utf8'));
  expect(junitProblems(xml)).toEqual([]);
  expect(xml.attributes).toMatchObject({ tests: '4', failures: '1', errors: '2' });
  const { points } = readTap(readFileSync(join(path, 'r.tap'), 'utf8'));
  expect(points.map(({ ok }) => ok)).toEqual([true, false, false, false]);
  const printed = await run('--reporter', 'junit', 'a.test.dts');
  expect(junitProblems(readXml(printed.stdout))).toEqual([]);
});

test('a matrix is run in every combination, and shown as a table', async () => {
  const { run } = folder('matrix', {
    'm.test.dts':
      tree(`hello { mem { expect = "hello> "; send = "mem\\n"; }; says { expect = "memory 2 MiB"; within = "5 ms"; }; };
	matrix {
		memory { two { partitions { hello { memory = <0 0 0 0x200000>; }; }; }; four { partitions { hello { memory = <0 0 0 0x400000>; }; }; }; };
		quantum { short { partitions { quantum = <5000>; }; }; long { }; };
	};`),
  });
  const { status, stdout } = await run();
  expect(status).toBe(1);
  expect(stdout).toContain('✓ m.test.dts > m [memory=two quantum=short]');
  expect(stdout).toContain('✗ m.test.dts > m [memory=four quantum=long]');
  expect(stdout).toContain('hv440 replay test-results/m.test.dts-memory-four-quantum-long.rec');
  expect(stdout).toMatch(
    /m\.test\.dts > m\n {2}memory {2}quantum {2}result +time +exits {2}instructions\n {2}two +short {2}passed /,
  );
  const one = await run('--variant', 'memory=two', '--filter', 'quantum=l');
  expect(steady(one.stdout).split('\n')[0]).toBe('✓ m.test.dts > m [memory=two quantum=long]  FIGURES');
  const set = await run('--variant', 'memory=two', '--set', '/partitions/hello/vcpus=7');
  expect(set.status).toBe(2);
  expect(set.stdout).toContain('--set:1:24: error: ');
});

test('shards have every test once, whatever others there are', async () => {
  const names = Array.from({ length: 6 }, (_, i) => `t${i}.test.dts`);
  const { run } = folder('shards', Object.fromEntries(names.map((name) => [name, tree(greets)])));
  const parts = await Promise.all(['1/2', '2/2'].map((shard) => run('--shard', shard)));
  const seen = parts.flatMap(({ stdout }) => [...stdout.matchAll(/✓ (\S+)/g)].map(([, name]) => name));
  expect(seen.toSorted()).toEqual(names);
  expect(parts.every(({ stdout }) => stdout.includes('✓'))).toBe(true);
  const alone = await run('--shard', '1/2', names[0]!);
  const within = parts[0]!.stdout.includes(`✓ ${names[0]}`);
  expect(alone.stdout.includes(`✓ ${names[0]}`)).toBe(within);
});

test('--bail begins no further test', async () => {
  const { run } = folder('bail', {
    'a.test.dts': tree(says('A')),
    'b.test.dts': tree(says('B')),
    'c.test.dts': tree(says('C')),
  });
  const { status, stdout } = await run('--bail', '--workers', '1', '--tap', 'r.tap');
  expect(status).toBe(1);
  expect(steady(stdout)).toMatch(/^✗ a\.test\.dts[^]*\n0 passed, 1 failed, 2 not begun \(TIME\)\n$/);
});

test('a seed of the command line takes the place of the test’s', async () => {
  const { run } = folder('seed', { 'a.test.dts': tree('hello { a { wait-up-to = "10 ms"; }; };') });
  const figures = async (...args: string[]): Promise<string> => (await run(...args)).stdout.split('\n')[0]!;
  expect(await figures('--seed', '1')).toBe(await figures());
  expect(await figures('--seed', '2')).not.toBe(await figures());
});

/** The process of the first worker. */
async function workerOf({ process: { pid } }: Child): Promise<number> {
  for (;;) {
    const [worker = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    if (worker !== '') return Number(worker);
    await sleep(20);
  }
}

test('a worker that dies is its test’s failure, and the others go on', async () => {
  const { path } = folder('dies', {
    'a.test.dts': tree('limit = "1000 s"; spin { a { expect = "never"; }; };', '../busy.dts'),
    'b.test.dts': tree(greets),
  });
  const child = new Child(['test', path, '--workers', '1']);
  const worker = await workerOf(child);
  await sleep(1500);
  process.kill(worker, 'SIGKILL');
  const { status, stdout } = await child.ended;
  expect(status).toBe(1);
  expect(stdout).toMatch(/a\.test\.dts > a\n {4}\S*a\.test\.dts: the process that ran the test was ended by SIGKILL\n/);
  expect(stdout).toMatch(/b\.test\.dts > b {2}[^]*\n1 passed, 1 failed/);
});

test('workers end with the process that began them', async () => {
  const { path } = folder('orphan', {
    'a.test.dts': tree('limit = "100000 s"; spin { a { expect = "never"; }; };', '../busy.dts'),
  });
  const child = new Child(['test', path, '--workers', '1']);
  const worker = await workerOf(child);
  await sleep(1000);
  await child.kill();
  while (existsSync(`/proc/${worker}/cmdline`) && readFileSync(`/proc/${worker}/cmdline`).length > 0) await sleep(50);
});

const code = `import { expect, test } from 'vitest';
test('adds', () => expect(1 + 1).toBe(2));
test('fails', () => expect(1 + 1).toBe(3));
test.skip('rests', () => {});
test('adds', () => expect(2 + 1).toBe(3));
const typed: number = 1;
test('is typed', () => expect(typed).toBe(1));
`;

test('tests in code are run by vitest, in the same report', async () => {
  const { run, path } = folder('code', { 'a.test.dts': tree(greets), 'b.test.ts': code, 'c.test.mjs': 'nonsense(' });
  symlinkSync(inRoot('node_modules'), join(path, 'node_modules'));
  const { status, stdout } = await run('--junit', 'r.xml');
  expect(status).toBe(1);
  expect(steady(stdout)).toContain(
    '✓ a.test.dts > a  FIGURES\n✓ b.test.ts > adds\n✗ b.test.ts > fails\n    b.test.ts: AssertionError: expected 2 to be 3',
  );
  expect(stdout).toContain(
    '- b.test.ts > rests\n✓ b.test.ts > adds (2)\n✓ b.test.ts > is typed\n✗ c.test.mjs\n    c.test.mjs: it could not be loaded',
  );
  expect(stdout).toContain('4 passed, 2 failed, 1 skipped');
  expect(junitProblems(readXml(readFileSync(join(path, 'r.xml'), 'utf8')))).toEqual([]);
  expect(steady((await run('--filter', 'adds', 'b.test.ts')).stdout)).toBe(
    '✓ b.test.ts > adds\n✓ b.test.ts > adds (2)\n2 passed (TIME)\n',
  );
});

test('tests in code begin with the seed of the command line, where they have none; the set-up of their own is run, too', async () => {
  const seeds = `import { expect, test } from 'vitest';
import { boot } from ${JSON.stringify(inRoot('dist', 'testing', 'index.js'))};
test('rolls', async () => {
  const boards = [await boot('../base.dts'), await boot('../base.dts', { seed: 5 })];
  throw new Error([globalThis.own, ...boards.map(({ random }) => random.integer(0, 999_999))].join(' '));
});`;
  const { run, path } = folder('code-seeds', {
    'a.test.mjs': seeds,
    'own.mjs': 'globalThis.own = "set up";',
    'vitest.config.mjs': 'export default { test: { setupFiles: ["./own.mjs"] } };',
  });
  symlinkSync(inRoot('node_modules'), join(path, 'node_modules'));
  const rolls = async (...args: string[]) =>
    /Error: set up (\d+) (\d+)/.exec((await run('a.test.mjs', ...args)).stdout)!.slice(1, 3);
  const [[first, own], [five], [six]] = [await rolls(), await rolls('--seed', '5'), await rolls('--seed', '6')];
  expect(first).not.toBe(own);
  expect(five).toBe(own);
  expect(new Set([first, five, six]).size).toBe(3);
});

test('a filter and a variant that no test has are mistakes, and not tests that passed', async () => {
  const matrix = 'matrix { size { small { }; large { }; }; };';
  const { run } = folder('nothing', { 'a.test.dts': tree(`${greets} ${matrix}`), 'b.test.dts': tree(greets) });
  const told = async (...args: string[]) => {
    const { status, stdout, stderr } = await run(...args);
    return { status, stderr, last: stdout.trimEnd().split('\n').at(-1)!.replace(/ \(.*/, '') };
  };
  expect(await told('--filter', 'greeets')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--filter greeets: no test has such a name') as string,
  });
  expect(await told('--filter', 'greeets', '--shard', '1/2')).toMatchObject({ status: 0, last: '0 passed' });
  expect(await told('--variant', 'size=smal')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("--variant size=smal: the axis has no variant 'smal'") as string,
  });
  expect(await told('--variant', 'siez=small')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("--variant siez=small: the matrix has no axis 'siez'") as string,
  });
  expect(await told('--variant', 'size=small')).toEqual({ status: 0, stderr: '', last: '2 passed' });
});

test('--watch runs tests again whose files change', async () => {
  const { path } = folder('watch', {
    'a.test.dts': tree(says('hello> ')),
    'b.test.dts': tree(greets, 'own.dts'),
    'own.dts': `/include/ "../base.dts"`,
  });
  const child = new Child(['test', path, '--watch']);
  await child.shows('waiting for changes');
  expect(child.stdout).toContain('2 passed');
  writeFileSync(join(path, 'unrelated.txt'), 'x');
  writeFileSync(join(path, 'own.dts'), `/include/ "../base.dts"\n/ { };`);
  while (child.stdout.split('waiting for changes').length < 3) await sleep(20);
  expect(child.stdout.split('waiting for changes')[1]).toMatch(/^[^>]*b\.test\.dts > b[^>]*\n1 passed/);
  child.process.kill('SIGINT');
  expect((await child.ended).status).toBe(0);
});

test.each([
  [['nosuch'], 'nosuch: there is no such file'],
  [['--shard', '3/2'], '--shard 3/2: give it as I/N'],
  [['--filter', '('], '--filter (: Invalid regular expression'],
  [['--workers', '0'], '--workers 0: give a whole number'],
  [['--seed', 'x'], '--seed x: give a whole number from 0 to 4294967295'],
  [['--junit', '/nosuch/r.xml'], '/nosuch/r.xml: ENOENT'],
])('%s is wrong usage', async (args, problem) => {
  const { run } = folder('usage', { 'a.test.dts': tree(greets) });
  const { status, stderr } = await run(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(problem);
});

test('a folder without tests, and tests in code without vitest, are told', async () => {
  const { run } = folder('empty', { 'a.dts': tree(greets) });
  expect(await run()).toMatchObject({ status: 2, stderr: 'hv440: .: there are no tests, *.test.dts or *.test.ts\n' });
  const lone = folder('lone', { 'b.test.ts': code });
  expect((await lone.run()).stderr).toContain('no vitest to run them');
});
