import type { EngineOptions } from '../../launch/engine-options.js';
import type { SourceFlags } from '../../launch/config.js';
import type { TestCase } from './cases.js';
import type { TestResult } from './results.js';

/** What a worker is asked to do. */
export interface Job {
  readonly id: number;
  readonly test: TestCase;
  readonly flags: SourceFlags;
  readonly engine: EngineOptions;
  /** In place of the test's own. */
  readonly seed?: number;
  /** Where recordings of failures go. */
  readonly recordings: string;
}

/** What it answers. */
export interface Answer {
  readonly id: number;
  readonly result: TestResult;
  /** The files that the configuration was made of, absolute. */
  readonly files: readonly string[];
  /** Bytes of memory that the worker has by now. */
  readonly resident: number;
}
