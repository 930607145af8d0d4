import { expect, test } from 'vitest';
import { Finisher } from '../../src/devices/finisher.js';

test('a word written to the finisher ends the machine with its low 8 bits; nothing else does anything', () => {
  const ends: number[] = [];
  const finisher = new Finisher((status) => ends.push(status));
  expect(finisher.read()).toBe(0);
  expect(finisher.peek()).toBe(0);
  finisher.write(0, 1, 7);
  finisher.write(2, 2, 7);
  finisher.write(4, 4, 7);
  expect(ends).toEqual([]);
  finisher.write(0, 4, 0);
  finisher.write(0, 4, 0xffff_ff05);
  expect(ends).toEqual([0, 5]);
});
