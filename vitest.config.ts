import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const long = process.env['HV440_LONG'] === '1';

const source = (name: string): string => fileURLToPath(new URL(`src/testing/${name}.ts`, import.meta.url));

export default defineConfig({
  // The examples name the library as users do; here it is run from its sources.
  resolve: {
    alias: [
      { find: /^hv440\/testing$/, replacement: source('index') },
      { find: /^hv440\/testing\/vitest$/, replacement: source('vitest') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'devicetrees/*.test.ts'],
    // `*.long.test.ts` takes minutes; `npm run test:long` runs those too.
    exclude: long ? configDefaults.exclude : [...configDefaults.exclude, 'test/**/*.long.test.ts'],
    // One process a file: a machine's shared memory is freed with it. Two cores are what CI has.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: long ? 1_800_000 : 60_000,
    hookTimeout: 60_000,
  },
});
