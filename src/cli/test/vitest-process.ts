// The process in which vitest runs: it is vitest's own, its report is a file.

import type { VitestOrder } from './vitest.js';

/** What is used of `vitest/node`. */
interface VitestNode {
  startVitest(
    mode: 'test',
    filters: readonly string[],
    options: Readonly<Record<string, unknown>>,
  ): Promise<{ close(): Promise<void> } | undefined>;
}

const order = JSON.parse(process.argv[2] ?? '{}') as VitestOrder;
const { module, files, report, workers, filter, bail, seed } = order;
const { startVitest } = (await import(module)) as VitestNode;

const vitest = await startVitest('test', [], {
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
});
await vitest?.close();
