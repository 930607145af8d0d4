import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Mux } from '../../src/console/mux.js';
import { Expecter, parseExchanges, parseInput, parseInputs, parseText } from '../../src/console/script.js';

const mux = new Mux();
const hello = mux.open('hello/serial@ef600300');
mux.open('hypervisor');

test('an input names a stream and a file, which may hold an equals sign', () => {
  expect(parseInput('hello=a=b.txt', mux.streams)).toEqual({ stream: hello, file: 'a=b.txt' });
});

test.each([
  ['hello', '--input hello: give it as NAME=FILE, a stream and the file that is typed to it'],
  ['=f', "--input =f: the stream's name before '=' is missing"],
  ['hello=', "--input hello=: the file's name after '=' is missing"],
  ['hi=f', "--input hi=f: there is no stream 'hi'; there are hello/serial@ef600300, hypervisor"],
])('--input %s is refused', (option, problem) => {
  expect(parseInput(option, mux.streams)).toEqual({ problem });
});

test('a stream has one script', () => {
  expect(parseInputs(['hello=a', 'hello/serial=b', 'x'], mux.streams)).toEqual({
    problems: [
      '--input hello/serial=b: hello/serial@ef600300 has a script already, a; join the two files',
      '--input x: give it as NAME=FILE, a stream and the file that is typed to it',
    ],
  });
  expect(parseInputs(['hello=a'], mux.streams)).toEqual([{ stream: hello, file: 'a' }]);
});

test('text has the escapes of C, and is UTF-8 otherwise', () => {
  expect(parseText('a\\n\\r\\t\\x7f\\\\\\e\\0\\101é')).toEqual(
    Uint8Array.of(0x61, 10, 13, 9, 0x7f, 0x5c, 0x1b, 0, 0x41, 0xc3, 0xa9),
  );
});

test.each([
  ['ab\\q', "character 3 of 'ab\\q': '\\q' is no escape; there are "],
  ['\\x1', "character 1 of '\\x1': '\\x' wants two hexadecimal digits after it"],
  ['\\', "character 1 of '\\': a backslash at the end; write \\\\ for a backslash"],
  ['\\777', "character 1 of '\\777': '\\7' is no escape"],
])('text %s is refused', (text, problem) => {
  expect(parseText(text)).toEqual({ problem: expect.stringContaining(problem) });
});

test('expects and sends pair up in order; only the last expect may stand alone', () => {
  expect(parseExchanges(['a', 'b'], ['1\\r'])).toEqual([
    { expect: Uint8Array.of(0x61), send: Uint8Array.of(0x31, 13) },
    { expect: Uint8Array.of(0x62), send: new Uint8Array() },
  ]);
  expect(parseExchanges([], ['1'])).toEqual({ problem: '--send 1: it has no --expect; say what to wait for first' });
  expect(parseExchanges(['a', 'b'], [])).toHaveProperty('problem');
  expect(parseExchanges([''], ['x'])).toHaveProperty('problem');
  expect(parseExchanges(['\\q'], ['x'])).toHaveProperty('problem');
});

/** Feed all output; gives each answer with the number of bytes after which it came. */
function play(expecter: Expecter, output: string): string[] {
  return [...Buffer.from(output)].flatMap((byte, at) => {
    const send = expecter.feed(byte);
    return send ? [`${at + 1} ${Buffer.from(send).toString()}`] : [];
  });
}

test('each text is looked for after the end of the one before', () => {
  const pairs = parseExchanges(['> ', '> ', 'aab', 'done'], ['one', 'two', 'three']);
  if ('problem' in pairs) throw new Error(pairs.problem);
  const expecter = new Expecter(pairs);
  expect(expecter.waitingFor).toBe('> ');
  expect(play(expecter, 'hi> > aaab')).toEqual(['4 one', '6 two', '10 three']);
  expect(expecter.done).toBe(false);
  expect(expecter.waitingFor).toBe('done');
  expect(play(expecter, 'done')).toEqual([]);
  expect(expecter.done).toBe(true);
});

test('an expected text is found exactly where a search of the whole output finds it', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 60 }), (wanted, output) => {
      const exchange = { expect: Buffer.from(wanted), send: Buffer.from('!') };
      const at = output.indexOf(wanted);
      expect(play(new Expecter([exchange]), output)).toEqual(at < 0 ? [] : [`${at + wanted.length} !`]);
    }),
  );
});
