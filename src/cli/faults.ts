import { appendFileSync, writeFileSync } from 'node:fs';
import type { BareMachine } from '../board/bare.js';
import type { Mux, Stream } from '../console/mux.js';
import { partitionOf } from '../console/names.js';
import { explain, type FaultReport } from '../hypervisor/fault-report.js';
import type { ImageSymbol } from '../loader/image.js';
import { UsageError } from '../launch/errors.js';
import { faultLines, faultSummary } from '../hypervisor/fault-text.js';

/** The reports of a run: told when they come, kept for whoever asks later, and written to a file as JSON, one a line. */
export class Faults {
  readonly #kept = new Map<string, { report: FaultReport; lastLine: string | undefined }>();
  #tell: (report: FaultReport, lines: string[]) => void = () => {};
  #file: string | undefined;

  /** `now` explains how things stand with a program that has not died. */
  constructor(
    private readonly mux: Mux,
    private readonly now: (program: string) => FaultReport | undefined,
  ) {}

  /** Hear of every report from now on; with `file`, have it there too. Throws a UsageError where that cannot be written. */
  listen(file: string | undefined, tell: (report: FaultReport, lines: string[]) => void): void {
    this.#tell = tell;
    this.#file = file;
    if (file !== undefined) this.#write(file, () => writeFileSync(file, ''));
  }

  add = (report: FaultReport): void => {
    this.mux.flush(); // what it printed comes before that it died
    const lastLine = this.#lastLine(report.program);
    this.#kept.set(report.program, { report, lastLine });
    const file = this.#file;
    if (file !== undefined)
      this.#write(file, () => appendFileSync(file, `${JSON.stringify({ ...report, lastLine })}\n`));
    this.#tell(report, faultLines(report, lastLine));
  };

  /** A bare board has ended: have its report, if there is one. */
  look(): void {
    const report = this.now('board');
    if (report) this.add(report);
  }

  #write(file: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      throw new UsageError(`--fault-report ${file}: ${(error as Error).message}; name a file that can be written`);
    }
  }

  /** The answer to `fault NAME`; without a name, what is known in one line each. */
  lines(program: string | undefined): string[] {
    if (program === undefined) {
      const known = [...this.#kept.values()].map(({ report }) => faultSummary(report));
      return known.length > 0 ? known : ['nothing has died; `fault NAME` says how things stand with a program'];
    }
    const kept = this.#kept.get(program);
    if (kept) return faultLines(kept.report, kept.lastLine);
    const report = this.now(program);
    return report ? faultLines(report, this.#lastLine(program)) : [`there is nothing to explain about '${program}'`];
  }

  /** The last line with anything in it that the program printed, on whichever of its streams printed last. */
  #lastLine(program: string): string | undefined {
    const lines = this.mux.streams.filter((s) => partitionOf(s.name) === program).map(lastLineOf);
    return lines.find((line) => line !== undefined);
  }
}

/** As much of a history as a last line is looked for in. */
const LOOKED_AT = 1024;

function lastLineOf({ history }: Stream): string | undefined {
  const text = Buffer.from(history.since(history.total - LOOKED_AT)).toString('utf8');
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  return lines.at(-1);
}

/** The same report for a program on the bare board. */
export function explainBare(machine: BareMachine, symbols: readonly ImageSymbol[]): FaultReport | undefined {
  const [core] = machine.board.cores;
  if (!core) return undefined;
  const { ending, traps, repeats, retired } = machine;
  return explain({
    name: 'board',
    vcpu: 0,
    core,
    instructions: retired,
    ending,
    traps,
    repeats: repeats && ending?.kind !== 'finished',
    symbols,
    exits: [],
    board: [],
    realAddress: () => undefined,
  });
}
