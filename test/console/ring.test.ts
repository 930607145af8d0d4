import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ring } from '../../src/console/ring.js';

test('a ring holds the end of what was pushed, and says how much is gone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.uint8Array({ maxLength: 50 })), (capacity, pushes) => {
      const ring = new Ring(capacity);
      for (const bytes of pushes) ring.push(bytes);
      const all = pushes.flatMap((bytes) => [...bytes]);
      expect([...ring.since(0)]).toEqual(all.slice(-capacity));
      expect(ring.total).toBe(all.length);
      expect(ring.dropped + ring.length).toBe(all.length);
    }),
  );
});

test('reading from a position gives what came after it, up to a limit', () => {
  const ring = new Ring(8);
  ring.push(Buffer.from('0123456789'));
  expect(Buffer.from(ring.since(0)).toString()).toBe('23456789');
  expect(Buffer.from(ring.since(7)).toString()).toBe('789');
  expect(Buffer.from(ring.since(4, 2)).toString()).toBe('45');
  expect(ring.since(10)).toHaveLength(0);
});
