// The process in which vitest runs: it is vitest's own, its report is a file.

import { fileURLToPath } from 'node:url';
import type { VitestOrder } from './vitest.js';

/** What is used of `vitest/node`. */
interface VitestNode {
  startVitest(
    mode: 'test',
    filters: readonly string[],
    options: Readonly<Record<string, unknown>>,
    ofVite?: { readonly plugins: readonly { readonly name: string; config(): Readonly<Record<string, unknown>> }[] },
  ): Promise<{ close(): Promise<void> } | undefined>;
}

const order = JSON.parse(process.argv[2] ?? '{}') as VitestOrder;
const { module, files, report, workers, filter, bail, seed } = order;
const { startVitest } = (await import(module)) as VitestNode;

const inThisFolder = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Beside the set-up files that the user's configuration names: options would stand in their place. */
const withSeed = { name: 'hv440-seed', config: () => ({ test: { setupFiles: [inThisFolder('seed-setup.js')] } }) };

const options = {
  run: true,
  watch: false,
  root: process.cwd(),
  include: files,
  reporters: ['json'],
  outputFile: report,
  passWithNoTests: true,
  maxWorkers: workers,
  ...(filter !== undefined && { testNamePattern: filter }),
  ...(bail !== undefined && { bail }),
  ...(seed !== undefined && { sequence: { seed } }),
};
const vitest = await startVitest('test', [], options, seed === undefined ? undefined : { plugins: [withSeed] });
await vitest?.close();
