import { expect, test } from 'vitest';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { course, engines, guests } from './guests-agree.js';

const CYCLES = 1_000_000;

test.each(guests)('%s: the same console bytes, cycles, counts and state on every engine', (_, build) => {
  const expected = course(build, new Interpreter({ inline: false }), CYCLES, Infinity);
  for (const [name, make] of engines) {
    expect(course(build, make(), CYCLES, 100_003), name).toEqual(expected);
  }
  console.log(`${expected.retired} instructions, ${expected.said} bytes sent`);
});
