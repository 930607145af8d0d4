import { expect, test } from 'vitest';
import { Mux } from '../../src/console/mux.js';
import { fileNameOf, findStream, shortName } from '../../src/console/names.js';

function streams(...names: string[]) {
  const mux = new Mux();
  for (const name of names) mux.open(name);
  return mux.streams;
}

const four = streams('hello/serial@ef600300', 'traps/serial@ef600300', 'traps/log', 'hypervisor');

test.each([
  ['hello/serial@ef600300', 'hello/serial@ef600300'],
  ['hello', 'hello/serial@ef600300'],
  ['hello/serial', 'hello/serial@ef600300'],
  ['log', 'traps/log'],
  ['hypervisor', 'hypervisor'],
])('%s finds %s', (name, full) => {
  expect(findStream(name, four)).toHaveProperty('name', full);
});

test('a name that several streams answer to lists them', () => {
  expect(findStream('traps', four)).toEqual({
    problem: "'traps' could be any of traps/serial@ef600300, traps/log; give the full name of one",
  });
  expect(findStream('serial@ef600300', four)).toHaveProperty('problem');
});

test('a name that none answers to lists all', () => {
  expect(findStream('hullo', streams('hello/serial@0', 'hypervisor'))).toEqual({
    problem: "there is no stream 'hullo'; there are hello/serial@0, hypervisor",
  });
  expect(findStream('x', [])).toEqual({ problem: "there is no stream 'x': there are no streams at all" });
});

test('the short name is the partition where that has one stream', () => {
  expect(four.map((stream) => shortName(stream, four))).toEqual([
    'hello',
    'traps/serial@ef600300',
    'traps/log',
    'hypervisor',
  ]);
});

test('file names lie in one folder and never meet', () => {
  expect(fileNameOf('hello/serial@ef600300')).toBe('hello.serial@ef600300');
  expect(fileNameOf('a.b/c')).toBe('a%2eb.c');
  expect(fileNameOf('a/b.c')).toBe('a.b%2ec');
  expect(fileNameOf('../etc')).toBe('%2e%2e.etc');
});
