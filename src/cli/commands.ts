import type { Machine, ProgramState } from '../board/machine.js';
import type { Stream } from '../console/mux.js';
import { partitionOf } from '../console/names.js';
import { ASKS } from '../hypervisor/lifecycle.js';
import { askHelp, askPartitions, partitionLines, partitionNames } from './lifecycle-commands.js';
import { briefStatistics, partitionStatistics } from './statistics.js';

/** What commands tell of. */
export interface Subject {
  readonly machine: Machine;
  /** Lines that say where the streams' ptys are. */
  ptys(): string[];
  /** Why a program died, or how things stand with it; without a name, who died. */
  fault(program?: string): string[];
  /** Writes a snapshot to a file; says why it cannot. */
  keep?(file: string): string | undefined;
}

interface Command {
  readonly help: string;
  /** What may follow it, for the list. */
  readonly takes?: string;
  run(subject: Subject, words: readonly string[]): string[];
  /** The words that may follow. */
  words?(subject: Subject): readonly string[];
}

const lifecycleCommands = Object.fromEntries(
  ASKS.map((ask): [string, Command] => [
    ask,
    {
      takes: 'NAME…',
      help: askHelp[ask],
      run: ({ machine }, names) => askPartitions(machine, ask, names),
      words: ({ machine }) => partitionNames(machine),
    },
  ]),
);

/** The commands of the multiplexer's command line. */
// prettier-ignore
const commands: Readonly<Record<string, Command>> = {
  partitions: { help: 'the state of each partition',                  run: ({ machine }) => partitionLines(machine) },
  programs:   { help: 'what each program does, its pc and last trap', run: ({ machine }) => programLines(machine) },
  ...lifecycleCommands,
  ptys:       { help: 'the pty of each stream',                       run: ({ ptys }) => ptys() },
  stats:      {
    takes: 'NAME|reset', help: 'instructions, cycles, and exits by kind: of all, of a partition, or `stats reset`', run: stats,
    words: ({ machine }) => [...partitionNames(machine), 'reset'],
  },
  fault:      {
    takes: 'NAME', help: 'why a program died, or how things stand with it', run: ({ fault }, [name]) => fault(name),
    words: ({ machine }) => machine.programs.map((p) => p.name),
  },
  snapshot:   { takes: 'FILE', help: 'write a snapshot of the machine, for --from FILE', run: snapshot },
  help:       { help: 'this list',                                    run: () => help() },
};

function snapshot({ keep }: Subject, [file]: readonly string[]): string[] {
  if (file === undefined) return ['snapshot to which file?'];
  if (!keep) return ['this run has no snapshots'];
  const problem = keep(file);
  return [problem === undefined ? `written to ${file}` : `${file}: ${problem}`];
}

const help = (): string[] =>
  Object.entries(commands).map(([name, { help, takes = '' }]) => `${`${name} ${takes}`.padEnd(16)}${help}`);

const wordsOf = (line: string): string[] => line.split(/\s+/).filter((word) => word !== '');

const commandOf = (word: string): Command | undefined => (Object.hasOwn(commands, word) ? commands[word] : undefined);

/** Run one line of the multiplexer's command line; gives the lines of its answer. */
export function command(subject: Subject, line: string): string[] {
  const [word, ...rest] = wordsOf(line);
  if (word === undefined) return [];
  const known = commandOf(word);
  if (!known) return [`there is no command '${word}'; 'help' lists them`];
  if (rest.length > 0 && known.takes === undefined) return [`'${word}' takes nothing more; 'help' lists the commands`];
  return known.run(subject, rest);
}

/** The words that the last word of a line, which may be empty, can be the beginning of. */
export function completions(subject: Subject, line: string): string[] {
  const before = wordsOf(line.replace(/\S+$/, ''));
  const begun = line.slice(line.search(/\S*$/));
  const [first, ...named] = before;
  const all = first === undefined ? Object.keys(commands) : (commandOf(first)?.words?.(subject) ?? []);
  return all.filter((word) => word.startsWith(begun) && !named.includes(word));
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
