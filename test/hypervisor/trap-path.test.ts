import { expect, test } from 'vitest';
import { Code } from './code.js';
import { bare, finished, guest } from './guest.js';

test('x', () => {
  const code = new Code().print('hi').finish(3);
  const g = guest(code);
  expect(g.progress).toEqual(finished(3));
  expect(g.output.text('guest/serial@ef600300')).toBe('hi');
  console.log(g.exits);
  const b = bare(code);
  expect(b.progress).toEqual(finished(3));
  expect(b.output.text('board/serial@ef600300')).toBe('hi');
  console.log(b.machine.retired, g.hv.retired);
});
