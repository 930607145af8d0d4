import { Writable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { Headless, type HeadlessOptions } from '../../src/console/headless.js';
import { Mux } from '../../src/console/mux.js';

/** A mux with streams a and b, printed to a string. */
function printed(options: Partial<HeadlessOptions> = {}) {
  const mux = new Mux();
  const [a, b] = [mux.open('a'), mux.open('b')];
  let text = '';
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString('latin1');
      done();
    },
  });
  const headless = new Headless({ out, ...options });
  mux.attach(headless);
  return { mux, a, b, headless, text: () => text };
}

test('each line comes whole and with its name, whatever way it was printed', async () => {
  const { mux, a, b, text } = printed();
  a.print('one ');
  b.print('uno\ndos\n');
  mux.flush();
  a.print('line\n');
  mux.flush();
  expect(text()).toBe('b| uno\nb| dos\na| one line\n');
  a.print('the end');
  await mux.close();
  expect(text()).toBe('b| uno\nb| dos\na| one line\na| the end\n');
});

test('carriage returns at the ends of a line are dropped, others stay', async () => {
  const { mux, a, text } = printed();
  a.print('one\r\ntwo\n\rthree\r\r\n10%\r20%\r\n\r\n');
  await mux.close();
  expect(text()).toBe('a| one\na| two\na| three\na| 10%\r20%\na| \n');
});

test('a partial line is printed once the machine waits for somebody who may type, and goes on in place', async () => {
  const { mux, a, headless, text } = printed();
  a.print('login: ');
  mux.flush();
  expect(text()).toBe('');
  headless.settle();
  expect(text()).toBe('a| login: ');
  a.print('root\r');
  mux.flush();
  headless.settle();
  expect(text()).toBe('a| login: root');
  a.print('\n');
  await mux.close();
  expect(text()).toBe('a| login: root\n');
});

test('settling twice prints nothing twice, and nothing where no line is unfinished', () => {
  const { mux, a, headless, text } = printed();
  a.print('done\n> ');
  mux.flush();
  headless.settle();
  headless.settle();
  expect(text()).toBe('a| done\na| > ');
});

test('another stream breaks a partial line that was printed', async () => {
  const { mux, a, b, headless, text } = printed();
  a.print('> ');
  mux.flush();
  headless.settle();
  b.print('news\n');
  a.print('help\n');
  await mux.close();
  expect(text()).toBe('a| > \nb| news\na| help\n');
});

test('an ended stream has its last partial line printed', () => {
  const { mux, a, text } = printed();
  a.print('bye');
  a.end('exit status 0');
  mux.flush();
  expect(text()).toBe('a| bye');
});

test('a line without an end is printed in parts, and held only so far', async () => {
  const { mux, a, text } = printed();
  for (let i = 0; i < 100_000; i++) a.write(0x78);
  mux.flush();
  expect(text().length).toBeGreaterThan(90_000);
  await mux.close();
  expect(text()).toBe(`a| ${'x'.repeat(100_000)}\n`);
});

test('a single stream comes bare, byte for byte', async () => {
  const mux = new Mux();
  const [a, b] = [mux.open('a'), mux.open('b')];
  const parts: Buffer[] = [];
  const out = new Writable({ write: (chunk: Buffer, _, done) => (parts.push(chunk), done()) });
  mux.attach(new Headless({ out, only: a }));
  for (const byte of [0, 0xff, 0x0d, 0x0a, 0x41]) a.write(byte);
  b.print('not me\n');
  await mux.close();
  expect(Buffer.concat(parts)).toEqual(Buffer.from([0, 0xff, 0x0d, 0x0a, 0x41]));
});

test('a slow reader makes the mux congested, and close waits until all is written', async () => {
  const mux = new Mux();
  const a = mux.open('a');
  let bytes = 0;
  const waiting: (() => void)[] = [];
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      bytes += chunk.length;
      waiting.push(done);
    },
  });
  mux.attach(new Headless({ out, only: a }));
  for (let i = 0; i < 3_000_000; i++) a.write(0x41);
  mux.flush();
  const until = mux.congested();
  expect(until).toBeInstanceOf(Promise);
  a.print('end');
  const pump = setInterval(() => waiting.splice(0).forEach((done) => done()), 1);
  await until;
  expect(mux.congested()).toBeUndefined();
  await mux.close();
  clearInterval(pump);
  expect(bytes).toBe(3_000_003);
});

test('a reader that goes away ends the printing without a word, once', async () => {
  const mux = new Mux();
  const a = mux.open('a');
  const gone = vi.fn<() => void>();
  const out = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  });
  mux.attach(new Headless({ out, gone }));
  a.print('one\n');
  mux.flush();
  await new Promise((resolve) => setImmediate(resolve));
  a.print('two\n');
  mux.flush();
  await mux.close();
  expect(gone).toHaveBeenCalledTimes(1);
});

test('the label stands for the name', async () => {
  const { mux, a, text } = printed({ label: (stream) => stream.name.toUpperCase() });
  a.print('x\n');
  await mux.close();
  expect(text()).toBe('A| x\n');
});
