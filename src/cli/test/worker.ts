import type { Answer, Job } from './job.js';
import { runCase } from './run-case.js';

/** The process of a worker, `hv440 test-worker`: tests come as messages, results go back, until nobody listens any more. */
export function worker(): Promise<number> {
  process.on('message', (job: Job) => void answer(job));
  return new Promise(() => process.on('disconnect', () => process.exit())); // even amid a test: nobody wants to know
}

async function answer(job: Job): Promise<void> {
  const done = await runCase(job);
  const all: Answer = { id: job.id, ...done, resident: process.memoryUsage.rss() };
  process.send?.(all);
}
