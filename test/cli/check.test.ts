import { expect, test } from 'vitest';
import { cli } from '../tools.js';
import { readFileSync, writeFileSync } from 'node:fs';
import { Child, configuration, hello, inRoot, onePartition, put, scratch, sleep, twoPartitions } from './child.js';

const good = { name: 'good', image: hello };
const lacks = put('lacks.dts', configuration([{ name: 'bad', image: 'nosuch.elf', more: 'memroy = <1>;' }]));
const twice = put('twice.dts', configuration([good, { ...good, name: 'other', more: 'vcpus = <7>;' }]));

test('a sound configuration has nothing wrong, and says so', async () => {
  const projects = ['one-partition.dts', 'two-partitions.dts', 'hostile.dts'].map((name) =>
    inRoot('devicetrees', name),
  );
  expect(await cli(['check', ...projects])).toEqual({
    status: 0,
    stdout: `${projects.join(', ')}: no errors\n`,
    stderr: '',
  });
});

test('all that is wrong with all files comes together, with place, reason and remedy, and status 2', async () => {
  const missing = scratch('missing.dts');
  const { status, stdout, stderr } = await cli(['check', lacks, missing, onePartition, twice]);
  expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^\/\S+\.dts:\d+:\d+: (error|warning|note): .+; .+ \[[a-z-]+\]$/);
  expect(stdout).toContain(`${lacks}:7:3: error: the image 'nosuch.elf' of partition 'bad' is not there`);
  expect(stdout).toContain(`memroy`);
  expect(stdout).toContain(`${missing}:1:1: error: there is no such file; name a device tree, .dts or .dtb [file]`);
  expect(stdout).toContain(`${twice}:`);
  expect(stdout).not.toContain(onePartition);
});

test('--json has the same findings as data', async () => {
  const text = await cli(['check', lacks, twice]);
  const { status, stdout } = await cli(['check', '--json', lacks, twice]);
  expect(status).toBe(2);
  const lines = JSON.parse(stdout).map(
    ({ at, severity, message, remedy, rule }: Record<string, unknown> & { at: Record<string, unknown> }) =>
      `${at['file']}:${at['line']}:${at['col']}: ${severity}: ${message}; ${remedy} [${rule}]\n`,
  );
  expect(lines.join('')).toBe(text.stdout);
  expect(await cli(['check', '--json', twoPartitions])).toEqual({ status: 0, stdout: '[]\n', stderr: '' });
});

test('boot reports the same on standard error, and boots nothing', async () => {
  const checked = await cli(['check', lacks]);
  expect(await cli(['boot', lacks])).toEqual({ status: 2, stdout: '', stderr: checked.stdout });
});

test('--source shows the line, a caret, and how a place came to be; --sarif has the same for code hosts', async () => {
  const text = '/dts-v1/;\n#define LINK <&nobody>\n/ {\n\tp = LINK;\n};\n';
  const file = put('macro.dts', text);
  const { stdout } = await cli(['check', '--source', file]);
  expect(stdout.split('\n').slice(1)).toEqual([
    '    \tp = LINK;',
    '    \t    ^',
    `    from the macro 'LINK', defined at ${file}:2:9`,
    '',
  ]);
  const log = JSON.parse((await cli(['check', '--sarif', file])).stdout);
  expect(log).toMatchObject({ version: '2.1.0', runs: [{ tool: { driver: { name: 'hv440' } } }] });
  const [result] = log.runs[0].results;
  expect(result).toMatchObject({ ruleId: 'dts-unknown-label', ruleIndex: 0, level: 'error' });
  const { artifactLocation, region } = result.locations[0].physicalLocation;
  expect([artifactLocation.uri, region]).toEqual([`file://${file}`, { startLine: 4, startColumn: 6 }]);
});

test('--explain says what a rule wants, and knows the nearest name', async () => {
  const { status, stdout } = await cli(['check', '--explain', 'memory-overlap']);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `memory-overlap (error)

No two ranges of a partition's memory have an address in common.

Move or shrink one of the two.

Looked at where these found nothing: memory-empty, memory-too-wide, memory-not-page-aligned

For example

    memory = <0x0 0x0 0x0 0x01000000>, <0x0 0x00fff000 0x0 0x1000>;

has

    error: two ranges of the memory of partition 'guest' overlap: 0x0–0xffffff and 0xfff000–0xffffff; let the second begin at 0x1000000, or shrink the first [memory-overlap]

and this has not:

    memory = <0x0 0x0 0x0 0x01000000>, <0x0 0x01000000 0x0 0x1000>;
`,
  });
  for (const rule of ['dts-unclosed', 'unit_address_vs_reg', 'ignore-unused', 'always_fail'])
    expect((await cli(['check', '--explain', rule])).status).toBe(0);
  const unknown = await cli(['check', '--explain', 'memory-overlaps']);
  expect(unknown.status).toBe(2);
  expect(unknown.stderr).toContain('there is no such rule');
  const remedies = ['unit_addr', 'xyz'].map(async (rule) => (await cli(['check', '--explain', rule])).stderr);
  expect((await Promise.all(remedies)).map((text) => /rule; (.*)/.exec(text)![1])).toEqual([
    "write 'unit_address_vs_reg', 'unit_address_format', 'unique_unit_address' or 'unique_unit_address_if_enabled'",
    'docs/rules.md has them all',
  ]);
});

const noted = put(
  'noted.dts',
  '/dts-v1/;\n/include/ "' +
    inRoot('devicetrees', 'hv440-board.dtsi') +
    `"
&partitions {
	silent { compatible = "hv440,partition"; image = "${hello}"; memory = <0x0 0x0 0x0 0x01000000>; };
};
/ { extra { reg = <1 2 3>; }; other_name { }; };
`,
);

const rulesOf = async (...options: string[]): Promise<string[]> => {
  const { stdout } = await cli(['check', ...options, '--json', noted]);
  const rules = (JSON.parse(stdout) as { rule: string }[]).map(({ rule }) => rule);
  return rules.filter((rule) => rule !== 'path-absolute'); // the tests' images are elsewhere
};

test('--rule and --no-rule choose warnings and notes, and --rule runs a check that dtc has off', async () => {
  expect(await rulesOf()).toEqual(['no-console', 'unit_address_vs_reg']);
  expect(await rulesOf('--no-rule', 'no-console')).toEqual(['unit_address_vs_reg']);
  expect(await rulesOf('--no-rule', 'no-console', '--no-rule', 'unit_address_vs_reg')).toEqual([]);
  expect(await rulesOf('--rule', 'no-console', '--rule', 'node_name_chars_strict')).toEqual([
    'no-console',
    'node_name_chars_strict',
  ]);
  expect(await rulesOf('--rule', 'no-console', '--no-rule', 'no-console')).toEqual([]);
  const unknown = await cli(['check', '--no-rule', 'no-consol', noted]);
  expect(unknown).toMatchObject({ status: 2, stdout: '' });
  expect(unknown.stderr).toContain("no-consol: there is no such rule; did you mean 'no-console'?");
  const { stdout } = await cli(['check', '--rule', 'no-console', lacks]);
  expect(stdout).toContain('memroy');
});

/** The problem matcher that docs/checks.md shows for VS Code. */
function problemMatcher() {
  const [, json = ''] = /```json\n(.*?)```/s.exec(readFileSync(inRoot('docs', 'checks.md'), 'utf8')) ?? [];
  const { tasks } = JSON.parse(json) as {
    tasks: {
      problemMatcher: {
        pattern: { regexp: string };
        background: { beginsPattern: string; endsPattern: string };
      };
    }[];
  };
  const { pattern, background } = tasks[0]!.problemMatcher;
  return {
    finding: new RegExp(pattern.regexp),
    begins: new RegExp(background.beginsPattern),
    ends: new RegExp(background.endsPattern),
  };
}

test('--watch looks again when the source, an included file or an image changes, as docs/checks.md tells an editor', async () => {
  const image = put('watched.elf', 'no image');
  const included = put('watched.dtsi', '/ { extra@1 { }; };\n');
  const source = put(
    'watched.dts',
    configuration([{ name: 'guest', image }]).replace(/(\/include\/[^\n]*\n)/, `$1/include/ "${included}"\n`),
  );
  const child = new Child(['check', '--watch', source]);
  const looks = async (count: number): Promise<string[][]> => {
    for (;;) {
      const all = child.stdout.split('hv440 check: begin\n').slice(1);
      const over = all.filter((one) => /^hv440 check: end: .*\n/m.test(one));
      if (over.length >= count) return over.map((one) => one.trimEnd().split('\n'));
      await sleep(20);
    }
  };
  const { finding, begins, ends } = problemMatcher();
  expect('hv440 check: begin').toMatch(begins);
  const codes = (lines: readonly string[]): string[] =>
    lines.flatMap((line) => {
      const [, file, row, column, severity, message, code] = finding.exec(line) ?? [];
      if (code === undefined) return [];
      expect([file, included, source].includes(file)).toBe(true);
      expect(Number(row) * Number(column)).toBeGreaterThan(0);
      expect(message).toContain('; ');
      return `${severity} ${code}`;
    });
  const [first] = await looks(1);
  expect(first!.at(-1)).toMatch(ends);
  expect(codes(first!)).toContain('warning unit_address_vs_reg');
  writeFileSync(included, '/ { extra { }; };\n');
  const second = (await looks(2)).at(-1)!;
  expect(codes(second)).not.toContain('warning unit_address_vs_reg');
  const before = child.stdout.split('hv440 check: begin').length - 1;
  writeFileSync(image, readFileSync(hello));
  const third = (await looks(before + 1)).at(-1)!;
  expect(third.at(-1)).toMatch(/^hv440 check: end: 0 errors/);
  child.process.kill('SIGINT');
  expect((await child.ended).status).toBe(0);
});
