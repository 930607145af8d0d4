import { expect, test } from 'vitest';
import { historySize, Mux, type Endpoint, type Stream } from '../../src/console/mux.js';

/** An endpoint that keeps a list of what happened to it. */
function recorder(): Endpoint & { events: string[] } {
  const events: string[] = [];
  return {
    events,
    opened: (stream) => void events.push(`opened ${stream.name}`),
    output: (stream, bytes) => void events.push(`${stream.name}: ${Buffer.from(bytes).toString()}`),
    ended: (stream) => void events.push(`ended ${stream.name}: ${stream.ended}`),
    flushed: () => void events.push('flushed'),
    close: () => void events.push('closed'),
  };
}

const print = (stream: Stream, text: string): void => [...Buffer.from(text)].forEach((byte) => stream.write(byte));

test('output comes in batches, in order, and nothing is lost at the end', async () => {
  const mux = new Mux();
  const one = mux.open('one/serial@0');
  const seen = recorder();
  mux.attach(seen);
  const two = mux.open('two');
  print(one, 'hello');
  mux.flush();
  print(two, 'last words');
  await mux.close();
  await mux.close();
  expect(seen.events).toEqual([
    'opened one/serial@0',
    'opened two',
    'one/serial@0: hello',
    'flushed',
    'two: last words',
    'flushed',
    'closed',
  ]);
});

test('streams that print in turns are heard in turns, whenever they are flushed', () => {
  const mux = new Mux();
  const [one, two] = [mux.open('one'), mux.open('two')];
  const seen = recorder();
  mux.attach(seen);
  print(two, 'a');
  print(one, 'b');
  print(two, 'c');
  one.end('done');
  expect(seen.events.slice(2)).toEqual(['two: a', 'one: b', 'two: c', 'ended one: done']);
});

test('the history is the last 64 KiB, and counts what came before', () => {
  const stream = new Mux().open('one');
  for (let i = 0; i < historySize + 1000; i++) stream.write(i);
  stream.flush();
  expect(stream.history.length).toBe(historySize);
  expect(stream.history.dropped).toBe(1000);
  expect(stream.history.since(0)[0]).toBe(1000 & 0xff);
});

test('a guest that prints more than a batch between flushes loses none of it', () => {
  const mux = new Mux();
  const stream = mux.open('one');
  let bytes = 0;
  mux.attach({ output: (_, batch) => void (bytes += batch.length), close: () => {} });
  for (let i = 0; i < 1_000_000; i++) stream.write(0x41);
  mux.flush();
  expect(bytes).toBe(1_000_000);
});

test('ending a stream gives out its last bytes first, says why once, and stops its input', () => {
  const mux = new Mux();
  const stream = mux.open('one');
  const typed: number[] = [];
  stream.input = (bytes) => void typed.push(...bytes);
  const seen = recorder();
  mux.attach(seen);
  expect(stream.type(Uint8Array.of(1))).toBe(true);
  print(stream, 'bye');
  stream.end('exit status 0');
  stream.end('again');
  expect(stream.type(Uint8Array.of(2))).toBe(false);
  expect(typed).toEqual([1]);
  expect(seen.events).toEqual(['opened one', 'one: bye', 'ended one: exit status 0']);
  stream.revive();
  expect(stream.type(Uint8Array.of(3))).toBe(true);
});

test('what is typed where nobody listens is refused', () => {
  expect(new Mux().open('hypervisor').type(Uint8Array.of(1))).toBe(false);
});

test('a name can be opened once', () => {
  const mux = new Mux();
  mux.open('one');
  expect(() => mux.open('one')).toThrow("stream 'one' is open already");
  expect(mux.get('one')?.name).toBe('one');
  expect(mux.streams).toHaveLength(1);
});

test('the mux is congested while any endpoint is', async () => {
  const mux = new Mux();
  const now: { wait?: Promise<void> } = {};
  let release = (): void => {};
  mux.attach({ congested: () => now.wait, close: () => {} });
  expect(mux.congested()).toBeUndefined();
  now.wait = new Promise((resolve) => (release = resolve));
  const until = mux.congested();
  release();
  await expect(until).resolves.toBeUndefined();
});
