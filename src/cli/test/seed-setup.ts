// What vitest loads before each file of tests: the seed of `hv440 test --seed`, for boards that are booted without one.

import { giveSeed } from '../../testing/given-seed.js';
import { SEED } from './vitest.js';

const seed = process.env[SEED];
if (seed !== undefined) giveSeed(Number(seed));
