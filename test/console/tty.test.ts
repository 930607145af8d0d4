// The terminal and the ptys on a real terminal, that of tmux: a small program with two echoing guests, started by a shell.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { Tmux } from '../system/tmux.js';
import { nodePackage, root, testWith, tool } from '../tools.js';

const tmux = tool('tmux');
const pty = nodePackage('node-pty');
const test = testWith(tmux);
const testWithPtys = testWith(tmux, pty);

const program = `
import { writeFileSync } from 'node:fs';
import { Mux } from './mux.js';
import { Terminal } from './terminal.js';
import { openPtys } from './pty.js';
writeFileSync('pid', String(process.pid));
const mux = new Mux();
for (const name of ['one/serial@0', 'two/serial@0']) {
  const stream = mux.open(name);
  stream.input = (bytes) => {
    for (const byte of bytes) stream.print(byte === 13 ? '\\n' + name + '> ' : byte === 3 ? '^C!' : String.fromCharCode(byte));
    mux.flush();
    if (bytes.includes(33)) setImmediate(() => { throw new Error('guest says !'); });
    if (bytes.includes(63)) process.exit(7);
  };
  stream.print(name + ' is up\\n\\x1b[?25l' + name + '> ');
}
if (process.env.PTYS) await openPtys(mux, process.env.PTYS, console.error, () => import(process.env.NODE_PTY));
const quit = (why) => mux.close().then(() => { console.log('closed: ' + why); process.exit(0); });
if (process.env.GRACEFUL) process.on('SIGTERM', () => quit('SIGTERM'));
const terminal = new Terminal({ input: process.stdin, output: process.stdout, quit, commands: (line) => ['did ' + line] });
mux.attach(terminal);
mux.flush();
terminal.start();
setInterval(() => mux.flush(), 10);
`;

let built: string;
let terminal: Tmux;

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), 'hv440-tty-'));
  const { default: typescript } = await import('typescript');
  const from = join(root, 'src', 'console');
  for (const file of readdirSync(from)) {
    const compilerOptions = { module: typescript.ModuleKind.ESNext, target: typescript.ScriptTarget.ES2023 };
    const { outputText } = typescript.transpileModule(readFileSync(join(from, file), 'utf8'), { compilerOptions });
    writeFileSync(join(built, `${basename(file, '.ts')}.js`), outputText);
  }
  writeFileSync(join(built, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(built, 'program.js'), program);
  mkdirSync(join(built, 'ptys'));
});

beforeEach(() => {
  if (tmux) terminal = new Tmux();
});
afterAll(() => rmSync(built, { recursive: true }));

const keys = (...names: string[]): void => terminal.press(...names);
const shows = (what: RegExp | string): Promise<string> => terminal.shows(what);

/** Start the program from a shell that says what the terminal's settings were before and after, and how it ended. */
async function started(environment = ''): Promise<void> {
  await shows('ready$');
  const command = `trap : INT; stty -g >before; ${environment} '${process.execPath}' program.js 2>err; echo "status $?"; stty -g >after; cmp before after && echo same`;
  writeFileSync(join(built, 'go'), command);
  keys(`cd ${built}; clear; . ./go`, 'Enter');
  await shows('one/serial@0>');
}

const pidOf = (): number => Number(readFileSync(join(built, 'pid'), 'utf8'));

/** The cursor that the guests have hidden is there again, and the settings are what they were. */
async function restored(): Promise<void> {
  await shows(/^same$/m);
  expect(terminal.cursorIsVisible).toBe(true);
}

test('typing, switching, Ctrl-C and the command line work, and Ctrl-A x gives the terminal back', async () => {
  await started();
  expect(terminal.screen).toContain(
    '[hv440] 1: one, 2: two. Ctrl-A then 1…2 switches, ? helps, x leaves\none/serial@0 is up\n',
  );
  keys('abc', 'Enter', 'C-c');
  await shows('one/serial@0> abc\none/serial@0> ^C!');
  keys('C-a', '2');
  await shows('two/serial@0>');
  keys('xyz');
  await shows('two/serial@0> xyz');
  keys('C-a', ':', 'info', 'Enter', 'Up', 'Enter', 'C-c');
  await shows(/did info\nhv440> info\ndid info\nhv440>\ntwo\/serial@0> xyz$/);
  keys('C-a', 'x');
  await shows('closed: asked\nstatus 0');
  await restored();
});

test.each([
  ['SIGTERM', '', 'status 143'],
  ['SIGINT', '', 'status 130'],
  ['SIGHUP', '', 'status 129'],
  ['SIGTERM', 'GRACEFUL=1', 'closed: SIGTERM\nstatus 0'],
])('%s %s gives the terminal back', async (signal, environment, status) => {
  await started(environment);
  process.kill(pidOf(), signal);
  await shows(status);
  await restored();
});

test('an uncaught exception gives the terminal back', async () => {
  await started();
  keys('!');
  await shows('status 1');
  await restored();
  expect(readFileSync(join(built, 'err'), 'utf8')).toContain('guest says !');
});

test('an exit gives the terminal back', async () => {
  await started();
  keys('?');
  await shows('status 7');
  await restored();
});

test('a stopped program leaves the terminal to the shell, and takes it again when it goes on', async () => {
  await shows('ready$');
  keys(`cd ${built}; clear; stty -g >before; '${process.execPath}' program.js`, 'Enter');
  await shows('one/serial@0>');
  keys('abc');
  await shows('> abc');
  process.kill(pidOf(), 'SIGTSTP');
  await shows(/Stopped|Suspended/);
  keys('stty -g >after; cmp before after && echo sa""me', 'Enter');
  await restored();
  keys('clear; fg', 'Enter');
  await shows('1: one\n');
  keys('def', 'C-c');
  await shows('one/serial@0> abcdef^C!');
  keys('C-a', 'x');
  await shows('closed: asked');
});

testWithPtys(
  'another terminal can type to the stream that is not shown; a killed program leaves no links',
  async () => {
    const directory = join(built, 'ptys');
    await started(`PTYS=${directory} NODE_PTY=${pty ?? ''}`);
    writeFileSync(join(directory, 'two.serial@0'), 'hey');
    await shows('[hv440] 2: two has new output, Ctrl-A 2 shows it\none/serial@0>');
    keys('C-a', '2');
    await shows('two/serial@0> hey');
    expect(readdirSync(directory).sort()).toEqual(['.owner', 'one.serial@0', 'two.serial@0']);
    process.kill(pidOf(), 'SIGTERM');
    await restored();
    expect(readdirSync(directory)).toEqual([]);
  },
);
