import type { Clock } from '../bus/clock.js';
import type { Core } from '../cpu/core.js';
import type { Probes } from '../cpu/probes.js';
import type { TrapWitness } from './trap-witness.js';

/** Who stopped a partition, as Topaz's fsl,hv-stopped-by names them; the shell is the multiplexer's command line. */
export type StoppedBy = 'self' | 'manager' | 'shell' | 'watchdog';

/** Why a program, or the machine it had, is no longer running. */
export type Ending =
  | { readonly kind: 'finished'; readonly status: number } // through its finisher
  | { readonly kind: 'reset' } // it reset its processor and is not to start again
  | { readonly kind: 'halted' } // it waits, or branches to itself, and nothing can wake it
  | { readonly kind: 'checkstop' } // a machine check while it forbade them
  | { readonly kind: 'fault-loop' } // its interrupt handlers cannot be entered: it only faults
  | { readonly kind: 'stopped'; readonly by: StoppedBy }; // somebody stopped it

/** So many interrupts in a row without one instruction retired, and it is a fault loop: the handlers cannot be entered. */
export const FRUITLESS_LIMIT = 1000;

/** The exit status that an ending gives to the command that ran it: 0 good, 1 the guest failed, or the guest's own. */
export function exitStatus(ending: Ending): number {
  if (ending.kind === 'finished') return ending.status;
  return ending.kind === 'checkstop' || ending.kind === 'fault-loop' ? 1 : 0;
}

/** `ended with status 3`, `was reset`: what became of it, as the rest of a sentence. */
export function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'finished':
      return `ended with status ${ending.status}`;
    case 'reset':
      return 'reset its processor (DBCR0[RST] or the watchdog), and on-reset is "stop"';
    case 'halted':
      return 'halted: it waits, and no interrupt that it enabled can come';
    case 'checkstop':
      return 'stopped at a machine check while MSR[ME] was clear';
    case 'fault-loop':
      return 'only faulted any more: entering its own interrupt handler raises the same interrupt again';
    case 'stopped':
      return stoppings[ending.by];
    default:
      return ending satisfies never;
  }
}

const stoppings: Readonly<Record<StoppedBy, string>> = {
  self: 'stopped itself',
  manager: 'was stopped by its manager',
  shell: 'was stopped from the command line',
  watchdog: 'was stopped by its watchdog, as watchdog-timeout says',
};

/** How far a machine got in one call of `run`. */
export type Progress =
  | { readonly kind: 'ran' } // as many cycles as it was given
  | { readonly kind: 'starved' } // a script that is still being read owes the next character
  | { readonly kind: 'stopped' } // a debugger wants it to stop here; it runs on once what stopped it is taken back
  | { readonly kind: 'idle'; readonly until: number } // nothing to do before this cycle; Infinity: until outside input
  | {
      readonly kind: 'ended'; // nothing runs any more
      readonly ending: Ending;
      /** A person could start something again that did not end by itself: it was stopped, paused, or held back. */
      readonly startable?: boolean;
    };

/**
 * A processor as a debugger sees it: a board's core, or a partition's vcpu. Stopping leaves no trace in the run. Only
 * `held` changes what happens; it is an input, as typed characters are.
 */
export interface Debuggable {
  /** `board/cpu0`, `linux/cpu0`. */
  readonly name: string;
  /** The processor that its program believes to have, with the registers that it has now. */
  readonly machine: Core;
  /** Instructions retired, interrupts taken, hypercalls made, resets: every step of its program, numbered from 0. */
  readonly steps: number;
  /** It stops when `steps` reaches this. */
  stopAt: number;
  /** Its breakpoints and watchpoints; to be assigned again whenever they are others. */
  probes: Probes | undefined;
  /** It does not run though others do. */
  held: boolean;
  /** Registers that the program also has elsewhere than in its processor, by their names in `isa/registers.ts`. */
  readonly elsewhere?: { peek(name: string): number | undefined; poke(name: string): void } | undefined;
  /** What it was stopped in the middle of, before anything was done about it, is met again. */
  retry(): void;
  /** Its program is out of the processor: its registers are what it believes that they are. */
  leave?(): void;
  /** Looks on while its traps are dealt with. */
  readonly witness: TrapWitness | undefined;
}

/** Does the debugger want it to stop where it is: at a breakpoint, behind a watched access, at a trap, after so many steps? */
export const stopsHere = ({ probes, steps, stopAt, witness }: Debuggable): boolean =>
  probes?.stop !== undefined || witness?.stop === true || steps >= stopAt;

/** What one of the machine's programs is doing, for a person who wonders. */
export interface ProgramState {
  readonly name: string;
  /** `running`, `waiting for an interrupt`, `paused`, or how it ended. */
  readonly state: string;
  readonly ending: Ending | undefined;
  /** Why nobody reads what is typed to it: how it ended, or that it waits to be started; undefined while somebody does. */
  readonly down: string | undefined;
  readonly pc: number;
  /** The last trap that it took or that it was left for, with its kind and place; undefined if there was none. */
  readonly lastTrap: string | undefined;
}

/** A machine as the command line runs it: a bare board, or partitions under the hypervisor. */
export interface Machine {
  /** Whatever runs instructions, or holds their registers. */
  readonly cores: readonly Core[];
  readonly clock: Clock;
  /** Run for at most so many cycles. An idle machine stays where it is in time: `skip` moves it on. */
  run(cycles: number): Progress;
  /** Move an idle machine's clock on, to `cycle` at most to the next alarm. */
  skip(cycle: number): void;
  /** Characters typed at a stream: `board/serial@ef600300`, `hello/serial@ef600300`. False if there is no such stream. */
  type(stream: string, bytes: Uint8Array): boolean;
  /** Announce that a stream is typed at by a script that is still being read, or that the script is at its end. */
  scripted(stream: string, more: boolean): void;
  /** The streams that can be typed at, the console first. */
  readonly streams: readonly string[];
  /** Characters typed that no program has taken yet. */
  readonly waitingInput: number;
  /** Instructions retired by all programs since power-on. */
  readonly retired: number;
  /** Start counting anew: instructions, cycles, exits. What limits a run is not touched. */
  resetAccounts(): void;
  readonly programs: readonly ProgramState[];
  /** Its processors, or its programs' ones, for a debugger. */
  readonly debuggables: readonly Debuggable[];
}
