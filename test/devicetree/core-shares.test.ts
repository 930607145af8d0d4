import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CoreShares, type Demand } from '../../src/devicetree/core-shares.js';

const CORES = [0, 1, 2, 3];

/** Every set of cores. */
const sets = Array.from({ length: 1 << CORES.length }, (_, bits) => CORES.filter((core) => (bits >> core) & 1));

/** How much more than they have is asked of these cores by those that may have no other. */
const excess = (demands: readonly Demand[], cores: readonly number[]): number =>
  demands
    .filter((demand) => demand.cores.every((core) => cores.includes(core)))
    .reduce((sum, { percent }) => sum + percent, -100 * cores.length);

/** Hall's theorem: demands can be met where no set of cores is asked too much of. */
const feasible = (demands: readonly Demand[]): boolean => sets.every((cores) => excess(demands, cores) <= 0);

const demand = fc.record({
  percent: fc.integer({ min: 1, max: 100 }),
  cores: fc.subarray(CORES, { minLength: 1 }),
});

test('a demand is met just where no set of cores is asked too much of, and else the cores are named that are', () => {
  let met = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(demand, { minLength: 6, maxLength: 14 }), (demands) => {
      const shares = new CoreShares(CORES);
      const taken: Demand[] = [];
      for (const one of demands) {
        const tooFew = shares.add(one);
        expect(tooFew === undefined).toBe(feasible([...taken, one]));
        if (tooFew) expect(excess([...taken, one], tooFew)).toBeGreaterThan(0);
        else taken.push(one);
        if (tooFew) refused += 1;
        else met += 1;
        for (const cores of sets.slice(1))
          expect(shares.leaves(cores)).toBe(feasible([...taken, { percent: 1, cores }]));
      }
    }),
    { numRuns: 400, seed: 440 },
  );
  expect([met > 1000, refused > 300]).toEqual([true, true]);
});

test('whoever may have another core gives way', () => {
  const shares = new CoreShares([0, 1]);
  expect(shares.add({ percent: 60, cores: [0, 1] })).toBeUndefined();
  expect(shares.add({ percent: 80, cores: [0] })).toBeUndefined();
  expect(shares.leaves([0])).toBe(true);
  expect(shares.add({ percent: 61, cores: [0, 1] })).toEqual([0, 1]);
  expect(shares.add({ percent: 60, cores: [0, 1] })).toBeUndefined();
  expect(shares.leaves([0, 1])).toBe(false);
});
