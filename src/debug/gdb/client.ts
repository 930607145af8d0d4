import type { Breakpoint } from '../breakpoints.js';
import type { Debugger, Resumption, StopEvent } from '../debugger.js';
import type { Process, Target } from '../target.js';
import type { TrapStops } from '../traps/stops.js';

/** A file that GDB may fetch: a program with its symbols. */
export interface DebugFile {
  /** Where it lies for whoever runs GDB on this machine. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What a connection is opened with. */
export interface GdbOptions {
  readonly debugger: Debugger;
  /** The processes that it shows: all of them, or one partition. */
  readonly processes: readonly Process[];
  /** Each process's program, by process number. */
  readonly files: ReadonlyMap<number, DebugFile>;
  /** Bytes to GDB. */
  send(bytes: Uint8Array): void;
  /** Start the machine's programs again from their images; undefined where that cannot be. */
  readonly restart?: () => void;
  /** End the machine. */
  kill(): void;
  /** End one partition. */
  stop(process: Process): void;
  /** What the monitor's `exits` answers. */
  readonly exits: () => readonly string[];
  readonly traps: TrapStops;
  /** Items of the protocol to do without, by their names in `packets.ts`: for tests. */
  readonly without?: ReadonlySet<string>;
}

/** What GDB knows of a process. */
export type Attachment =
  | 'attached' // GDB has it as an inferior
  | 'pending' // to be told of when GDB lets the hypervisor run; stops and runs with the others
  | 'free'; // detached: it runs whatever is stopped

/** A breakpoint as GDB asked for it. */
export interface Point {
  readonly type: number;
  readonly process: Process;
  readonly breakpoint: Breakpoint;
}

/** Everything that one connection has agreed on, and where it stands. */
export interface Connection {
  readonly options: GdbOptions;
  readonly attachments: Map<Process, Attachment>;
  readonly points: Map<string, Point>;
  /** What `qSupported` told of GDB. */
  readonly features: Set<string>;
  acknowledges: boolean;
  extended: boolean;
  nonStop: boolean;
  threadEvents: boolean;
  /** Memory packets and breakpoints are of physical addresses. */
  physical: boolean;
  /** The target of register and memory packets (Hg), and that of `c` and `s` (Hc), which may be all. */
  current: Target;
  /** GDB waits for a stop: it let something run. */
  waiting: boolean;
  /** Where the next `continue`, of either direction, goes instead; it tells where that is. */
  move: (() => readonly string[]) | undefined;
  /** The watchpoint that GDB was told of last, until something runs. */
  watched: { readonly target: Target; readonly breakpoint: Breakpoint } | undefined;
  /** Stops that are yet to be told. */
  readonly queue: StopEvent[];
  /** Partitions that GDB has been told execute their program. */
  readonly executing: Set<Process>;
  /** A step of the board's core ends with the first vcpu that makes one. */
  steppingBoard: Target | undefined;
  /** The last stop reply. */
  lastStop: string;
  /** In non-stop mode: a stop was notified that GDB has not taken yet. */
  notified: boolean;
  /** Send a notification. */
  notify(text: string): void;
  /** Send a packet that is no answer. */
  tell(text: string): void;
  /** Text for GDB's user, as part of an answer. */
  show(text: string): void;
  /** The same from a program that runs. */
  print(text: string): void;
  /** Tell the debugger of the points. */
  place(): void;
  /** Let targets run. */
  resume(resumptions: ReadonlyMap<Target, Resumption>): void;
}

/** The targets of processes that GDB has or is to have. */
export const ownTargets = ({ attachments }: Connection): readonly Target[] =>
  [...attachments].filter(([, state]) => state !== 'free').flatMap(([process]) => process.targets);

export const attachedTargets = ({ attachments }: Connection): readonly Target[] =>
  [...attachments].filter(([, state]) => state === 'attached').flatMap(([process]) => process.targets);
