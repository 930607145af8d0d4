import { describeCycles } from '../../../devicetree/duration.js';
import { count } from '../../columns.js';
import type { TestCase } from '../cases.js';
import { tally, type TestResult } from '../results.js';
import { matrixLines } from './matrix.js';

/** Where a list is printed. */
export interface Paper {
  write(text: string): void;
  /** A terminal, which has colours and a last line that changes. */
  readonly tty: boolean;
  /** Characters in a line. */
  readonly width: number;
}

const marks = { passed: '✓', failed: '✗', skipped: '-', trouble: '!' } as const;
const colours = { passed: 32, failed: 31, skipped: 33, trouble: 31 } as const;

const CLEAR = '\r\u001b[K';

/** A readable list: tests in their order as soon as those before them are over; on a terminal, what is being run below it. */
export class ListReport {
  readonly #results = new Map<string, TestResult>();
  readonly #running = new Set<string>();
  #told = 0;
  #shown = '';

  /** `order` has the names of all tests that are going to be run. */
  constructor(
    private readonly paper: Paper,
    private readonly order: readonly string[],
  ) {}

  started({ name }: Pick<TestCase, 'name'>): void {
    this.#running.add(name);
    this.#progress();
  }

  ended(result: TestResult): void {
    this.#running.delete(result.name);
    this.#results.set(result.name, result);
    this.#erase();
    for (;;) {
      const next = this.#results.get(this.order[this.#told] ?? '');
      if (!next) break;
      this.#told += 1;
      this.#tell(next);
    }
    this.#progress();
  }

  /** Whatever was left out is told, then matrices as tables, and how many came out how in so many seconds of wall time. */
  finish(seconds: number): void {
    this.#erase();
    for (const name of this.order.slice(this.#told)) {
      const result = this.#results.get(name);
      if (result) this.#tell(result);
    }
    const results = this.order.flatMap((name) => this.#results.get(name) ?? []);
    for (const line of matrixLines(results)) this.#line(line);
    const { passed, failed, skipped, trouble } = tally(results);
    const parts = [
      this.#colour('passed', `${passed} passed`),
      ...(failed > 0 ? [this.#colour('failed', `${failed} failed`)] : []),
      ...(trouble > 0 ? [this.#colour('trouble', `${trouble} could not be run`)] : []),
      ...(skipped > 0 ? [this.#colour('skipped', `${skipped} skipped`)] : []),
      ...(results.length < this.order.length ? [`${this.order.length - results.length} not begun`] : []),
    ];
    this.#line(`${parts.join(', ')} (${seconds.toFixed(1)} s)`);
  }

  #tell({ outcome, name, run, failure }: TestResult): void {
    const figures = run ? `  ${describeCycles(run.cycles, run.frequency)}, ${count(run.exits)} exits` : '';
    this.#line(`${this.#colour(outcome, marks[outcome])} ${name}${this.#dim(figures)}`);
    if (!failure) return;
    this.#line(`    ${failure.message}`);
    for (const line of failure.details) this.#line(`    ${line}`);
    for (const [i, command] of failure.again.entries())
      this.#line(`    ${i === 0 ? 'the same again: ' : '                '}${command}`);
  }

  #progress(): void {
    const { tty, width, write } = this.paper;
    if (!tty || this.#running.size === 0) return;
    const text = `${this.#results.size}/${this.order.length} ${[...this.#running].join(', ')}`;
    this.#shown = text.length < width ? text : `${text.slice(0, width - 2)}…`;
    write.call(this.paper, `${CLEAR}${this.#shown}`);
  }

  #erase(): void {
    if (this.#shown !== '') this.paper.write(CLEAR);
    this.#shown = '';
  }

  #line(text: string): void {
    this.paper.write(`${text}\n`);
  }

  #colour(outcome: TestResult['outcome'], text: string): string {
    return this.paper.tty ? `\u001b[${colours[outcome]}m${text}\u001b[0m` : text;
  }

  #dim(text: string): string {
    return this.paper.tty && text !== '' ? `\u001b[2m${text}\u001b[0m` : text;
  }
}
