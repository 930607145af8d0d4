import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { root } from '../tools.js';
import { checkTranscript, debug, transcripts } from './prompt-transcripts.js';

const PROMPT = '(hv440) ';

test('the guided tour has transcripts', () => expect(transcripts.length).toBeGreaterThanOrEqual(4));

test.each(transcripts.filter(({ long }) => !long))(
  'docs/debugging.md: what `hv440 debug $args` says is what it says',
  checkTranscript,
);

test('a script whose commands cannot be carried out says so, goes on, and ends with status 1', async () => {
  const { status, stdout } = await debug(
    ['firmware/hello/hello.elf'],
    [
      'frobnicate',
      'print 1 +',
      'break nowhere',
      'set $r3 = 0x1234',
      'print/x $r3 + 1',
      'print $msr.EE == 0 && 7 * (2 + 3) == 35',
      'set word(0x100) = 0xcafe0000 | 0xf00d',
      'x/2hx 0x100',
      'x/i _start',
    ],
  );
  expect(
    stdout
      .split('\n')
      .filter((line) => !line.startsWith(PROMPT))
      .slice(3),
  ).toEqual([
    "there is no command 'frobnicate'; 'help' lists them",
    'something is missing at its end',
    "there is no symbol 'nowhere'",
    '0x1235',
    '1',
    '00000100 <vector_0>: cafe  f00d',
    '=> 00001000 <_start>: 7c7f1b78  mr r31,r3',
    '',
  ]);
  expect(status).toBe(1);
});

test('a temporary breakpoint stops once', async () => {
  const script = ['tbreak tick', 'tbreak trap_dispatch', 'continue', 'continue', 'info breakpoints'];
  const { stdout } = await debug(['firmware/hello/hello.elf'], script);
  expect([...stdout.matchAll(/^breakpoint \d$/gm)].map(([line]) => line)).toEqual(['breakpoint 2', 'breakpoint 1']);
  expect(stdout).toMatch(/info breakpoints\nno breakpoints\n$/);
});

test('on the bare board traps are the hardware’s, and next goes over a call', async () => {
  const { status, stdout } = await debug(
    ['--bare', 'firmware/hello/hello.elf'],
    ['tbreak guest_main', 'continue', 'next', 'catch decrementer', 'continue', 'backtrace', 'trap-finish', 'quit'],
  );
  expect(stdout).toContain('hello.c:19\n');
  expect(stdout).toMatch(
    /catch 1\n#\d+ {2}board\/cpu0 .* before .*\n {2}guest .*\n {2}inject {3}decrementer; SRR0 0000525c/,
  );
  expect(stdout).toContain('    -- decrementer came here --\n#1  0000525c <guest_main+0x134>');
  expect(stdout.split(`${PROMPT}trap-finish\n`)[1]).toContain('board/cpu0  0000525c <guest_main+0x134>');
  expect(status).toBe(0);
});

test('breakpoints are taken back, one or all, and a call is gone back to as a trap of its own instruction', async () => {
  const script = [
    'select traps',
    'break guest_main',
    'break tests_start',
    'delete 1',
    'info breakpoints',
    'delete',
    'info breakpoints',
    'catch system-call traps',
    'continue',
    'reverse-trap-step',
    'registers pc',
  ];
  const { status, stdout } = await debug(['devicetrees/two-partitions.dts'], script);
  expect(stdout).toMatch(/info breakpoints\nbreakpoint 2 of traps at [^\n]*\n\(hv440\) delete\n/);
  expect(stdout).toContain('info breakpoints\nno breakpoints\n');
  expect(stdout).toMatch(/registers pc\npc 400000d4\n$/);
  expect(status).toBe(0);
});

test('each way to go on has its way back', async () => {
  const { status, stdout } = await debug(
    ['firmware/hello/hello.elf'],
    [
      'tbreak console_put',
      'continue',
      'where',
      'reverse-finish',
      'next',
      'reverse-next',
      'bookmark called',
      'tbreak tick',
      'continue', // to the present
      'continue',
      'reverse-trap-finish',
      'reverse-until printf',
      'goto called',
      'bookmarks',
      'reverse-until nowhere',
      'reverse-trap-finish',
    ],
  );
  const said = stdout
    .split(PROMPT)
    .slice(1)
    .map((part) => part.split('\n').filter((line) => !line.startsWith('hello| ')));
  const of = (command: string, which = 0): string => {
    const own = said.filter(([line]) => line === command);
    return own[which]!.slice(1).join('\n');
  };
  const call = of('reverse-finish');
  expect(of('where')).toContain('<console_put>');
  expect(call).not.toContain('<console_put');
  expect(call).toMatch(/^hello\/cpu0 {2}[\da-f]{8} <[\w.]+\+0x[\da-f]+>/);
  // the call is in the middle of its line, at whose beginning a step back over the next one ends
  const line = /\S+:\d+$/m.exec(call)![0];
  expect(of('next')).not.toContain(line);
  expect(of('reverse-next')).toContain(line);
  expect(of('reverse-trap-finish')).toMatch(/^before the trap:\n#\d+ .*\n(.*\n)*.*inject {3}decrementer/);
  expect(of('reverse-trap-finish')).toContain('<guest_main+0x134>');
  expect(of('reverse-until printf')).toContain('<printf>');
  const [where] = /^step [\d,]+, cycle [\d,]+/.exec(of('goto called'))!;
  expect(of('bookmarks').split('\n')).toContain(`called: ${where}`);
  expect(of('reverse-until nowhere')).toContain("there is no symbol 'nowhere'");
  expect(of('reverse-trap-finish', 1)).toContain('is in no handler');
  expect(status).toBe(1);
});

test('help that is read only in part ends quietly', () => {
  for (const command of [
    'help boot',
    'check --help',
    'disasm firmware/hello/hello.elf',
    'dts devicetrees/two-linux.dts',
  ]) {
    const shell = `node dist/cli/main.cjs ${command} | head -1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', shell], { cwd: root, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toHaveLength(2);
  }
});
