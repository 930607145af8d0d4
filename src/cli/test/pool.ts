import { fork, type ChildProcess } from 'node:child_process';
import type { TestCase } from './cases.js';
import type { Answer, Job } from './job.js';
import type { TestResult } from './results.js';

/** A worker that has more memory than this, in bytes, makes room for a new one. */
const ENOUGH_MEMORY = 1.5 * 2 ** 30;

/** Lines of its standard error that are told of a worker that died. */
const LAST_LINES = 12;

export interface PoolOptions {
  readonly workers: number;
  /** What a job has beside its number and its test. */
  readonly common: Omit<Job, 'id' | 'test'>;
  started(test: TestCase): void;
  ended(result: TestResult, files: readonly string[]): void;
  /** Whether to begin no further test. */
  enough(): boolean;
}

/** Runs tests in processes of their own, as many at a time as there are workers; one that dies is its test's failure. */
export class Pool {
  readonly #waiting: TestCase[];
  #next = 0;

  constructor(
    tests: readonly TestCase[],
    private readonly options: PoolOptions,
  ) {
    this.#waiting = [...tests];
  }

  async run(): Promise<void> {
    const count = Math.min(this.options.workers, this.#waiting.length);
    await Promise.all(Array.from({ length: count }, () => this.#lane()));
  }

  /** One worker after the other, each with one test after the other. */
  async #lane(): Promise<void> {
    let worker: Worker | undefined;
    for (;;) {
      const test = this.options.enough() ? undefined : this.#waiting.shift();
      if (!test) break;
      worker ??= new Worker();
      this.options.started(test);
      const began = performance.now();
      const answer = await worker.do({ ...this.options.common, id: this.#next++, test });
      if ('died' in answer) {
        this.options.ended(failed(test, answer, performance.now() - began), []);
        worker = undefined;
        continue;
      }
      this.options.ended(answer.result, answer.files);
      if (answer.resident > ENOUGH_MEMORY) worker = worker.end();
    }
    worker?.end();
  }
}

/** A process is no more, in the middle of a test. */
interface Death {
  readonly died: string;
  readonly errors: readonly string[];
}

const failed = (test: TestCase, { died, errors }: Death, milliseconds: number): TestResult => {
  const { name, file, title, combination } = test;
  const failure = { message: `${file}: the process that ran the test ${died}`, details: errors, again: [] };
  return { name, file, title, combination, outcome: 'failed', milliseconds, failure };
};

class Worker {
  readonly #process: ChildProcess;
  #errors = '';
  #answer: ((answer: Answer | Death) => void) | undefined;

  constructor() {
    const [, program = ''] = process.argv;
    this.#process = fork(program, ['test-worker'], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
    this.#process.stderr?.on(
      'data',
      (bytes: Buffer) => (this.#errors = `${this.#errors}${bytes.toString()}`.slice(-8192)),
    );
    this.#process.on('message', (answer: Answer) => this.#tell(answer));
    this.#process.on('error', (error) => this.#tell({ died: `could not be begun: ${error.message}`, errors: [] }));
    this.#process.on('close', (status, signal) => {
      const died = signal === null ? `ended with status ${status}` : `was ended by ${signal}`;
      this.#tell({ died, errors: this.#errors.trimEnd().split('\n').slice(-LAST_LINES) });
    });
  }

  do(job: Job): Promise<Answer | Death> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#process.send(job, (error) => error && this.#tell({ died: error.message, errors: [] }));
    });
  }

  #tell(answer: Answer | Death): void {
    this.#answer?.(answer);
    this.#answer = undefined;
  }

  end(): undefined {
    this.#process.disconnect();
  }
}
