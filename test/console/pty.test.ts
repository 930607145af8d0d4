import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { Mux, historySize } from '../../src/console/mux.js';
import { openPtys, type Ptys } from '../../src/console/pty.js';
import { nodePackage, testWith, tool } from '../tools.js';

const socat = tool('socat');
const test = testWith(nodePackage('node-pty'));
const testWithClient = testWith(nodePackage('node-pty'), socat);

let directory: string;
let muxes: Mux[];
let clients: ChildProcess[];
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'hv440-pty-')), 'ptys');
  muxes = [];
  clients = [];
});
afterEach(async () => {
  await Promise.all(muxes.map((mux) => mux.close()));
  for (const client of clients) client.kill();
  rmSync(join(directory, '..'), { recursive: true });
});

const fail = (sentence: string): never => {
  throw new Error(sentence);
};

async function opened(mux: Mux, report: (sentence: string) => void = fail): Promise<Ptys> {
  muxes.push(mux);
  const ptys = await openPtys(mux, directory, report);
  return 'problem' in ptys ? fail(ptys.problem) : ptys;
}

/** A mux with one stream and its pty; what is typed is gathered. */
async function one() {
  const mux = new Mux();
  const stream = mux.open('hello/serial@ef600300');
  let typed = '';
  stream.input = (bytes) => void (typed += Buffer.from(bytes).toString('latin1'));
  const ptys = await opened(mux);
  const link = ptys.linkOf(stream) ?? fail('no link');
  return { mux, stream, ptys, link, typed: () => typed };
}

/**
 * Start a program without the descriptors of this process: node-pty does not mark its own close-on-exec, and a child
 * that had inherited a master would keep its pty alive.
 */
function start(...command: string[]): ChildProcessWithoutNullStreams {
  const close = 'for fd in /proc/$$/fd/*; do n=${fd##*/}; if ((n > 2)); then eval "exec $n>&-"; fi; done; exec "$@"';
  const child = spawn('bash', ['-c', close, 'bash', ...command]);
  clients.push(child);
  return child;
}

/** socat on a pty, as a person would use it. */
function client(link: string) {
  const child = start('socat', '-u', `${link},raw,echo=0`, '-');
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  const gone = new Promise((resolve) => child.on('close', resolve));
  return { text: () => text, leave: () => (child.kill(), gone), gone };
}

function typist(link: string, text: string): Promise<unknown> {
  const child = start('socat', '-u', '-', `${link},raw,echo=0`);
  child.stdin.end(text);
  return new Promise((resolve) => child.on('close', resolve));
}

/** Wait until something is so, looking at it every few milliseconds. */
async function until(so: () => boolean): Promise<void> {
  while (!so()) await new Promise((resolve) => setTimeout(resolve, 5));
}

testWithClient('a client reads what was printed before it came, and what is printed while it is there', async () => {
  const { mux, stream, link } = await one();
  stream.print('before\n');
  mux.flush();
  const reader = client(link);
  await until(() => reader.text() === 'before\n');
  stream.print('after\r\n\x00\x01');
  mux.flush();
  await until(() => reader.text() === 'before\nafter\r\n\x00\x01');
});

testWithClient('what a client types reaches the stream, byte for byte and without an echo', async () => {
  const { mux, link, typed } = await one();
  const every = String.fromCharCode(...Array.from({ length: 128 }, (_, byte) => byte));
  await typist(link, every);
  await until(() => typed().length >= every.length);
  const reader = client(link);
  await typist(link, 'again\n');
  await until(() => typed().length >= every.length + 6);
  mux.flush();
  expect(typed()).toBe(`${every}again\n`);
  expect(reader.text()).toBe('');
});

test('a line feed written by a program that sets nothing up stays a line feed', async () => {
  const { link, typed } = await one();
  writeFileSync(link, 'help\n');
  await until(() => typed().length > 0);
  expect(typed()).toBe('help\n');
});

testWithClient('10 MB with no reader are held in 64 KiB, and a later reader gets the last of them', async () => {
  const { mux, stream, link } = await one();
  const line = (number: number): string => `${String(number).padStart(9, '0')}\n`;
  const before = process.memoryUsage();
  for (let i = 0; i < 1_000_000; i++) {
    stream.print(line(i));
    if (i % 1000 === 999) mux.flush();
    if (i % 100_000 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const after = process.memoryUsage();
  expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(64 << 20);
  const reader = client(link);
  await until(() => reader.text().endsWith(line(999_999)));
  expect(reader.text().length).toBe(historySize);
  const lines = reader.text().split('\n').slice(1, -1).map(Number);
  expect(lines).toEqual(lines.map((_, at) => 1_000_000 - lines.length + at));
});

testWithClient('clients leave and return, and what came meanwhile is there', async () => {
  const { mux, stream, ptys, link } = await one();
  let expected = '';
  for (let round = 0; round < 4; round++) {
    stream.print(`between ${round}\n`);
    mux.flush();
    const reader = client(link);
    await until(() => reader.text() === `between ${round}\n`);
    stream.print(`during ${round}\n`);
    mux.flush();
    await until(() => reader.text() === `between ${round}\nduring ${round}\n`);
    expected += reader.text();
    await reader.leave();
    await until(() => !ptys.attached(stream));
  }
  expect(expected).toBe(Array.from({ length: 4 }, (_, round) => `between ${round}\nduring ${round}\n`).join(''));
});

testWithClient('what a client has not read when it leaves is given to the next', async () => {
  const { mux, stream, ptys, link } = await one();
  const stopped = start('sh', '-c', `exec <'${link}'; exec sleep 100`);
  await until(() => ptys.attached(stream));
  stream.print('unread '.repeat(5000));
  mux.flush();
  await new Promise((resolve) => setTimeout(resolve, 300));
  stopped.kill();
  await until(() => !ptys.attached(stream));
  const reader = client(link);
  await until(() => reader.text().length >= 35_000);
  expect(reader.text()).toBe('unread '.repeat(5000));
});

testWithClient('a client that is there reads the last words before the end', async () => {
  const { mux, stream, ptys, link } = await one();
  const reader = client(link);
  await until(() => ptys.attached(stream));
  stream.print('x'.repeat(50_000));
  stream.print('the end');
  await mux.close();
  await reader.gone;
  expect(reader.text()).toBe(`${'x'.repeat(50_000)}the end`);
});

test('links have the names of the streams, later ones too, and are gone at the end with their folder’s owner', async () => {
  const { mux, stream, ptys, link } = await one();
  const late = mux.open('traps/log');
  expect(link).toBe(join(directory, 'hello.serial@ef600300'));
  expect(ptys.linkOf(late)).toBe(join(directory, 'traps.log'));
  expect(readlinkSync(link)).toMatch(/^\/dev\/pts\/\d+$/);
  expect(existsSync(link)).toBe(true);
  await mux.close();
  expect(existsSync(link)).toBe(false);
  expect(existsSync(join(directory, '.owner'))).toBe(false);
  expect(ptys.linkOf(stream)).toBeUndefined();
});

test('the links of a dead run are replaced', async () => {
  await one();
  const dead = join(directory, 'traps.log');
  symlinkSync('/dev/pts/9999', dead);
  await muxes[0]?.close();
  symlinkSync('/dev/pts/9999', join(directory, 'hello.serial@ef600300'));
  writeFileSync(join(directory, '.owner'), `${2 ** 22 + 1} 1\n`);
  const { link } = await one();
  expect(readlinkSync(link)).not.toBe('/dev/pts/9999');
  expect(() => readlinkSync(dead)).toThrow('ENOENT');
});

test('the folder of a living run is left to it', async () => {
  await one();
  await muxes[0]?.close();
  writeFileSync(join(directory, '.owner'), `${process.ppid} \n`);
  expect(await openPtys(new Mux(), directory, fail)).toEqual({
    problem: `${directory} has the ptys of process ${process.ppid}, which still runs; name another folder`,
  });
});

test('a file that is no link of ours is left alone, and its stream has no pty', async () => {
  await one();
  await muxes[0]?.close();
  writeFileSync(join(directory, 'a'), 'precious');
  symlinkSync('/etc/passwd', join(directory, 'b'));
  const mux = new Mux();
  mux.open('a');
  mux.open('b');
  const reports: string[] = [];
  await opened(mux, (sentence) => reports.push(sentence));
  expect(reports).toEqual([
    `a has no pty: ${join(directory, 'a')} is there and is not a link; move it away`,
    `b has no pty: ${join(directory, 'b')} is there and points to /etc/passwd, which is no terminal; move it away`,
  ]);
  await mux.close();
  expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('precious');
  expect(readlinkSync(join(directory, 'b'))).toBe('/etc/passwd');
});

testWith()('without node-pty there is a sentence, and the mux works on', async () => {
  const mux = new Mux();
  muxes.push(mux);
  const refused = await openPtys(mux, directory, fail, () => Promise.reject(new Error('Cannot find module')));
  expect(refused).toEqual({ problem: expect.stringContaining('node-pty') });
  rmSync(directory, { force: true, recursive: true });
  mux.open('a').print('x');
  mux.flush();
  expect(mux.get('a')?.history.total).toBe(1);
});
