import type { Breakpoint } from '../breakpoints.js';
import { backtrace, type Frame } from '../backtrace.js';
import type { Debugger, Resumption } from '../debugger.js';
import type { BackwardEnd } from '../history.js';
import type { MachineHistory } from '../machine-history.js';
import type { Program } from '../program.js';
import type { Target } from '../target.js';
import type { TrapStops } from '../traps/stops.js';

/** A breakpoint or watchpoint that a person set. */
export interface Point {
  readonly number: number;
  readonly kind: Breakpoint['kind'];
  readonly space: Breakpoint['space'];
  /** As it was asked for. */
  readonly text: string;
  readonly addresses: readonly number[];
  readonly length: number;
  readonly target: Target;
  readonly condition?: (target: Target) => boolean;
  /** It goes at its first stop. */
  readonly once: boolean;
  hits: number;
}

/** What a command works on. */
export interface PromptState {
  readonly debug: Debugger;
  readonly traps: TrapStops;
  /** The processor that commands are about. */
  target: Target;
  readonly points: Map<number, Point>;
  /** For numbers that are printed without a format. */
  radix: 10 | 16;
  /** Exits by kind, as `--stats` prints them. */
  readonly exits: () => readonly string[];
  /** Lines of a source file, where it can be found. */
  readonly source: (file: string) => readonly string[] | undefined;
  readonly program: Program;
  /** How wide what is shown may be. */
  readonly columns: number;
  physical: boolean;
  /** Set a breakpoint or watchpoint. */
  add(point: Omit<Point, 'number' | 'hits'>): Point;
  /** Tell the debugger of the points. */
  place(): void;
  /** Have the target run like this, and the others as they would. */
  run(resumption: Resumption): void;
  /** Run until one of these addresses is met with a stack at least this high. */
  runTo(addresses: readonly number[], sp: number): void;
  /**
   * Back to the last time that an address was met, with the stack as it is given; `elsewhere` where a breakpoint of the person's
   * own came first.
   */
  backTo(address: number, sp?: number): BackwardEnd['kind'] | 'elsewhere';
  /** Run to the end of the line, over calls if that is wished. */
  runLine(over: boolean): void;
}

/** A command cannot be carried out: what is wrong, as a sentence. */
export class PromptError extends Error {}

/** What a command gives: lines, and whether something runs now whose stop is to be waited for. */
export interface Answer {
  readonly lines: readonly string[];
  readonly runs?: boolean;
  readonly quits?: boolean;
}

/** A command: its name is its key in a table. */
export interface PromptCommand {
  readonly usage: string;
  readonly help: string;
  run(state: PromptState, rest: string, word: string): Answer;
}

export type Commands = Readonly<Record<string, PromptCommand>>;

export const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, '0');

/** The functions that have not returned. */
export const framesOf = ({ target, program, traps }: PromptState): readonly Frame[] =>
  backtrace(target, program, traps.handlers(target));

/** The machine's past; a PromptError where none is kept. */
export function pastOf({ debug }: Pick<PromptState, 'debug'>): MachineHistory {
  const { history } = debug;
  if (!history || !('extent' in history)) throw new PromptError('there is no history: --history 0 says so');
  return history as MachineHistory;
}
