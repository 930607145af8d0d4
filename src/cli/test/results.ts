/** What became of one test. Plain data: it comes from another process. */
export interface TestResult {
  /** As in TestCase; of a test in code, its file and its full name. */
  readonly name: string;
  readonly file: string;
  readonly title: string;
  /** The variant of each axis. */
  readonly combination: Readonly<Record<string, string>>;
  /** `trouble`: it could not be run, since the configuration is wrong. */
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'trouble';
  /** Wall time. */
  readonly milliseconds: number;
  /** What was simulated; undefined where that is not known. */
  readonly run?: RunFigures;
  readonly failure?: Failure;
}

/** How much was simulated; the same in every run. */
export interface RunFigures {
  readonly cycles: number;
  /** Cycles a second. */
  readonly frequency: number;
  readonly instructions: number;
  /** Of all partitions. */
  readonly exits: number;
}

export interface Failure {
  /** One line: `FILE:LINE:COL: step 'hello.greets': …`. */
  readonly message: string;
  /** What else is known, a line each. */
  readonly details: readonly string[];
  /** The commands that have the same run again. */
  readonly again: readonly string[];
}

/** How many tests came out how. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly trouble: number;
}

export function tally(results: readonly TestResult[]): Tally {
  const count = (outcome: TestResult['outcome']): number => results.filter((r) => r.outcome === outcome).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), trouble: count('trouble') };
}

/** 0 where all is well, 1 where a test failed, 2 where one could not be run. */
export function statusOf({ failed, trouble }: Tally): number {
  if (trouble > 0) return 2;
  return failed > 0 ? 1 : 0;
}
