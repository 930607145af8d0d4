import type { Debugger } from '../../debug/debugger.js';
import type { DebuggedMachine } from '../../debug/processes.js';
import type { TrapStops } from '../../debug/traps/stops.js';
import type { Programs } from './programs.js';

/** What a session needs of launch.json, whoever launched the machine. */
export interface SessionArguments {
  /** Directories as the compiler knew them, and where they are here. */
  readonly sourceMap?: Readonly<Record<string, string>>;
  readonly stopOnEntry?: boolean;
  /** False: where one processor stops, the others run on. */
  readonly stopAll?: boolean;
}

/** A machine that a session debugs. */
export interface Launched {
  readonly machine: DebuggedMachine;
  readonly debug: Debugger;
  readonly programs: Programs;
  readonly exits: () => readonly string[];
  readonly traps: TrapStops;
  /** Paths of the programs' files. */
  readonly images: readonly string[];
  wake(): void;
  /** End it. */
  leave(): void;
  restart(): void;
}

/** How a session comes to its machine: by which request, and what then. */
export interface Start<Arguments extends SessionArguments> {
  readonly request: 'launch' | 'attach';
  /** Why the other request is refused, and what to do. */
  readonly refusal: string;
  begin(args: Arguments, say: (text: string) => void): Promise<Launched>;
  /** The client left before anything was begun, or left the machine to run on. */
  gone(): void;
}
