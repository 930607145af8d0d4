import { partitionOf } from '../console/names.js';
import { faultLines } from '../hypervisor/fault-text.js';
import type { FaultReport } from '../hypervisor/fault-report.js';
import { secondsText } from './duration.js';

/** What is known of a board where something that was waited for did not come. */
export interface Circumstances {
  readonly cycle: number;
  readonly frequency: number;
  /** Of the board's random numbers. */
  readonly seed: number;
  /** What each stream printed last. */
  readonly consoles: readonly { readonly name: string; readonly lines: readonly string[] }[];
  readonly faults: readonly FaultReport[];
  /** A line for each partition: what it is doing. */
  readonly partitions: readonly string[];
  /** The file of a recording of the run so far, if it was written. */
  readonly recording: string | undefined;
}

/** A test on a board failed: the message says what was waited for and all that tells why it did not come. */
export class BoardError extends Error {
  constructor(
    /** What went wrong, in a sentence. */
    readonly reason: string,
    readonly circumstances: Circumstances,
  ) {
    super([reason, ...describe(circumstances)].join('\n'));
    this.name = 'BoardError';
  }

  /** What is known of the board, a line each. */
  get details(): readonly string[] {
    return describe(this.circumstances).map((line) => line.slice(2));
  }
}

const SHOWN = 12;

function describe({ cycle, frequency, seed, consoles, faults, partitions, recording }: Circumstances): string[] {
  return [
    `  at ${secondsText(cycle, frequency)} of virtual time (cycle ${cycle}), seed ${seed}`,
    ...partitions.map((line) => `  ${line}`),
    ...consoles.flatMap(({ name, lines }) => consoleLines(name, lines)),
    ...faults.flatMap((report) => faultLines(report, lastLineOf(report, consoles)).map((line) => `  ${line}`)),
    ...(recording === undefined ? [] : replaying(recording)),
  ];
}

const replaying = (file: string): string[] => [
  `  the same run again: hv440 replay ${file}`,
  `  to look into it:    hv440 debug --replay ${file}`,
];

const consoleLines = (name: string, lines: readonly string[]): string[] =>
  lines.length === 0
    ? [`  ${name} printed nothing`]
    : [`  ${name} printed last:`, ...lines.slice(-SHOWN).map((line) => `    | ${line}`)];

const lastLineOf = ({ program }: FaultReport, consoles: Circumstances['consoles']): string | undefined =>
  consoles
    .filter(({ name }) => partitionOf(name) === program)
    .flatMap(({ lines }) => lines.filter((line) => line.trim() !== ''))
    .at(-1);
