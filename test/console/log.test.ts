import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLogs, type Logs } from '../../src/console/log.js';
import { Mux } from '../../src/console/mux.js';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'hv440-log-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const fail = (sentence: string): never => {
  throw new Error(sentence);
};

function open(mux: Mux, where: string): Logs {
  const logs = openLogs(mux, where, fail);
  return 'problem' in logs ? fail(logs.problem) : logs;
}

test('each stream has its file from the start, and a second run adds to it', async () => {
  const where = join(directory, 'deep', 'logs');
  for (const text of ['one\r\n', 'two']) {
    const mux = new Mux();
    const stream = mux.open('hello/serial@ef600300');
    const logs = open(mux, where);
    mux.open('late');
    expect(existsSync(join(where, 'late.log'))).toBe(true);
    stream.print(text);
    stream.write(0xff);
    await mux.close();
    expect(logs.pathOf(stream)).toBe(join(where, 'hello.serial@ef600300.log'));
  }
  expect(readFileSync(join(where, 'hello.serial@ef600300.log'), 'latin1')).toBe('one\r\n\xfftwo\xff');
});

test('a folder that cannot be had is a sentence', () => {
  writeFileSync(join(directory, 'file'), '');
  const where = join(directory, 'file', 'logs');
  expect(openLogs(new Mux(), where, fail)).toEqual({ problem: expect.stringContaining(`--log ${where}: ENOTDIR`) });
});

test('a log that cannot be opened is a sentence, and nothing is attached', () => {
  const mux = new Mux();
  const stream = mux.open('/');
  mux.open('a');
  rmSync(directory, { recursive: true });
  writeFileSync(directory, '');
  expect(openLogs(mux, directory, fail)).toHaveProperty('problem');
  stream.print('x');
  expect(() => mux.flush()).not.toThrow();
});
