import type { Machine, ProgramState } from '../board/machine.js';
import type { Stream } from '../console/mux.js';
import { partitionOf } from '../console/names.js';
import { briefStatistics, partitionStatistics } from './statistics.js';

/** What commands tell of. */
export interface Subject {
  readonly machine: Machine;
  /** Lines that say where the streams' ptys are. */
  ptys(): string[];
}

/** The commands of the multiplexer's command line. */
// prettier-ignore
const commands: Readonly<Record<string, { readonly help: string; readonly run: (subject: Subject, words: readonly string[]) => string[] }>> = {
  programs: { help: 'what each program does, its pc and last trap', run: ({ machine }) => programLines(machine) },
  ptys:     { help: 'the pty of each stream',                       run: ({ ptys }) => ptys() },
  stats:    { help: 'instructions, cycles, and exits by kind: of all, of a partition, or `stats reset`', run: stats },
  help:     { help: 'this list',                                    run: () => help() },
};

const help = (): string[] => Object.entries(commands).map(([name, { help }]) => `${name.padEnd(10)}${help}`);

/** Run one line of the multiplexer's command line; gives the lines of its answer. */
export function command(subject: Subject, line: string): string[] {
  const [word = '', ...words] = line.trim().split(/\s+/);
  if (word === '') return [];
  const known = Object.hasOwn(commands, word) ? commands[word] : undefined;
  return known?.run(subject, words) ?? [`there is no command '${word}'; 'help' lists them`];
}

/** `stats` is brief, `stats PARTITION` tells all (its name comes before the word), `stats reset`. */
function stats({ machine }: Subject, [word]: readonly string[]): string[] {
  if (word === undefined) return briefStatistics(machine);
  const one = partitionStatistics(machine, word);
  if (one) return one;
  if (word === 'reset') {
    machine.resetAccounts();
    return ['counting starts anew'];
  }
  const names = machine.programs.map((p) => p.name).join(', ');
  return [`there is no partition '${word}' (there are ${names}); \`stats reset\` starts counting anew`];
}

/** Each program's state, pc and last trap: what a person wants to know of a guest that says nothing. */
export function programLines(machine: Machine): string[] {
  return machine.programs.map(
    ({ name, state, pc, lastTrap }) =>
      `${name}: ${state}; pc 0x${pc.toString(16)}; ${lastTrap === undefined ? 'no trap yet' : `last trap: ${lastTrap}`}`,
  );
}

/** The program that prints a stream. */
export const programOf = (machine: Machine, stream: Stream): ProgramState | undefined =>
  machine.programs.find((p) => p.name === partitionOf(stream.name));

/** What the program does that prints a stream. */
export const stateOf = (machine: Machine, stream: Stream): string => programOf(machine, stream)?.state ?? 'running';
