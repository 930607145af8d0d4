import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressMap, hex } from '../../src/bus/bus.js';

test('an address finds the region that it lies in, from its first byte to its last', () => {
  const map = new AddressMap<string>();
  map.attach('uart', 0xef600300, 8, 'a');
  map.attach('high', 0xf_ffff_f000, 0x1000, 'b');
  const found = (address: number): string | undefined => map.find(address)?.target;
  expect([0xef6002ff, 0xef600300, 0xef600307, 0xef600308].map(found)).toEqual([undefined, 'a', 'a', undefined]);
  expect([0xf_ffff_efff, 0xf_ffff_f000, 0xf_ffff_ffff, 0xffff_f000].map(found)).toEqual([
    undefined,
    'b',
    'b',
    undefined,
  ]);
});

// prettier-ignore
const overlaps = [
  [0x0fff, 1, false], [0x0fff, 2, true], [0x1000, 0x100, true], [0x1040, 0x10, true],
  [0x10ff, 1, true], [0x10ff, 0x100, true], [0x1100, 0x100, false], [0, 0x10000, true],
] as const;

test.each(overlaps)(
  'a region at 0x1000 to 0x10ff, and one at %i of %i bytes: they overlap: %s',
  (base, size, clash) => {
    const map = new AddressMap<number>();
    map.attach('first', 0x1000, 0x100, 1);
    const attach = (): void => map.attach('second', base, size, 2);
    if (clash) expect(attach).toThrow(`second at ${hex(base)} overlaps first at 0x1000`);
    else expect(attach).not.toThrow();
    expect(map.regions.map((r) => r.name)).toEqual(clash ? ['first'] : ['first', 'second']);
  },
);

test('regions attached in any order are found as a search through all of them finds them', () => {
  const region = fc.record({ base: fc.nat(100), size: fc.integer({ min: 1, max: 20 }) });
  fc.assert(
    fc.property(
      fc.array(region, { maxLength: 12 }),
      fc.array(fc.nat(130), { minLength: 1, maxLength: 40 }),
      (regions, addresses) => {
        const map = new AddressMap<number>();
        const owner: (number | undefined)[] = Array<undefined>(140).fill(undefined);
        regions.forEach(({ base, size }, i) => {
          map.find(base); // what has been found before does not stand in the way
          if (owner.slice(base, base + size).some((o) => o !== undefined)) {
            expect(() => map.attach(`r${i}`, base, size, i)).toThrow('overlaps');
            return;
          }
          map.attach(`r${i}`, base, size, i);
          owner.fill(i, base, base + size);
        });
        for (const address of addresses) expect(map.find(address)?.target).toBe(owner[address]);
      },
    ),
  );
});
