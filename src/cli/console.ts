import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitStatus, type Machine } from '../board/machine.js';
import { parseEscapeKey } from '../console/escape-key.js';
import { Headless } from '../console/headless.js';
import { openLogs } from '../console/log.js';
import type { Mux, Stream } from '../console/mux.js';
import type { Expecter } from '../console/script.js';
import { partitionOf, shortName } from '../console/names.js';
import { openPtys } from '../console/pty.js';
import { Terminal } from '../console/terminal.js';
import { UsageError } from './errors.js';
import { dialogue, openStreams, StandardInput, typeScripts, type InputOptions } from './input.js';
import { Session, type SessionEnd } from './session.js';
import { statistics, statisticsJson } from './statistics.js';
import type { Wiring } from './wiring.js';

/** Options that boot and run share. */
export interface ConsoleOptions extends InputOptions {
  readonly headless?: boolean;
  readonly log?: string;
  readonly ptys?: string | boolean;
  readonly escape?: string;
  readonly maxInstructions?: number;
  readonly timeout?: number;
  readonly stats?: string | boolean;
}

const SILENCE_MS = 10_000;

/** What the hypervisor has to tell, kept until there is somebody to tell it to. */
export class Journal {
  #tell: ((line: string) => void) | undefined;
  readonly #kept: string[] = [];

  say = (line: string): void => {
    if (this.#tell) this.#tell(line);
    else this.#kept.push(line);
  };

  listen(tell: (line: string) => void): void {
    this.#tell = tell;
    this.#kept.splice(0).forEach(tell);
  }
}

/** Runs a machine with its consoles until it ends or somebody ends it; gives the exit status. */
export async function converse(
  machine: Machine,
  wiring: Wiring,
  frequency: number,
  options: ConsoleOptions,
  journal: Journal,
): Promise<number> {
  const { mux } = wiring;
  const streams = openStreams(mux, machine);
  const scripted = typeScripts(machine, streams, options.input);
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  const onTerminal = options.headless !== true && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const terminal = onTerminal ? makeTerminal(machine, options, leave) : undefined;
  const tell = (line: string): void => (terminal ? terminal.say(line) : void process.stderr.write(`hv440: ${line}\n`));
  journal.listen(tell);

  if (options.log !== undefined) {
    const logs = openLogs(mux, options.log, tell);
    if ('problem' in logs) throw new UsageError(logs.problem);
  }
  const headless = terminal
    ? undefined
    : new Headless({ out: process.stdout, gone: leave, ...headlessStreams(streams) });
  mux.attach(terminal ?? headless!);
  const links = await ptysOf(mux, options, onTerminal, tell);

  const [first] = streams;
  const expecter = dialogue(options);
  const reading = first && !terminal && !expecter && !scripted.has(first);
  const input = reading ? new StandardInput(machine, first, process.stdin, () => session.wake()) : undefined;
  const session: Session = new Session({
    machine,
    mux,
    frequency,
    leave: leaving.signal,
    live: () => onTerminal || (input?.live ?? false) || links > 0,
    done: () => expecter?.endsRun ?? false,
    feed: () => input?.feed() ?? Promise.resolve(),
    settle: () => headless?.settle(),
    ...(options.maxInstructions !== undefined && { maxInstructions: options.maxInstructions }),
    ...(options.timeout !== undefined && { timeout: options.timeout }),
  });
  for (const stream of streams) {
    const type = stream.input;
    stream.input = (bytes) => {
      type(bytes);
      session.wake();
    };
  }
  const stop = (): void => leave();
  process.on('SIGTERM', stop);
  if (!terminal) process.on('SIGINT', stop);
  if (expecter && first) converseBy(expecter, machine, first, wiring);
  terminal?.start(first);
  const end = await session.run();
  input?.close();
  mux.flush();
  for (const stream of streams) stream.end(stateOf(machine, stream));
  await mux.close();
  process.off('SIGTERM', stop);
  process.off('SIGINT', stop);
  conclude(machine, end, options);
  return expecter && unmet(expecter) ? 1 : statusOf(end);
}

/** Plays the dialogue: answers enter at the cycle of the byte that completes what was expected. */
function converseBy(expecter: Expecter, machine: Machine, stream: Stream, wiring: Wiring): void {
  wiring.tap(stream.name, (byte) => {
    const answer = expecter.feed(byte);
    if (answer) machine.type(stream.name, answer);
  });
}

/** Says which text of the dialogue never appeared; false if all did. */
function unmet(expecter: Expecter): boolean {
  const { waitingFor } = expecter;
  if (waitingFor !== undefined) process.stderr.write(`hv440: --expect ${JSON.stringify(waitingFor)} never appeared\n`);
  return waitingFor !== undefined;
}

function makeTerminal(machine: Machine, options: ConsoleOptions, quit: () => void): Terminal {
  const escape = options.escape === undefined ? undefined : parseEscapeKey(options.escape);
  if (escape && 'problem' in escape) throw new UsageError(escape.problem);
  return new Terminal({
    input: process.stdin,
    output: process.stdout,
    quit,
    ...(escape && { escape }),
    commands: (line) => command(machine, line),
    stateOf: (stream) => stateOf(machine, stream),
    silence: { afterMs: SILENCE_MS, report: () => programLines(machine) },
  });
}

/** The command line of the multiplexer. */
function command(machine: Machine, line: string): string[] {
  const word = line.trim();
  if (word === '') return [];
  if (word === 'programs') return programLines(machine);
  if (word === 'stats') return statistics(machine);
  if (word === 'help')
    return [
      'programs  what each program does, its pc and last trap',
      'stats     instructions, cycles, and exits by kind',
    ];
  return [`there is no command '${word}'; help lists them`];
}

/** Each program's state, pc and last trap: what a person wants to know of a guest that says nothing. */
function programLines(machine: Machine): string[] {
  return machine.programs.map(
    ({ name, state, pc, lastTrap }) =>
      `${name}: ${state}; pc 0x${pc.toString(16)}; ${lastTrap === undefined ? 'no trap yet' : `last trap: ${lastTrap}`}`,
  );
}

function stateOf(machine: Machine, stream: Stream): string {
  const name = partitionOf(stream.name);
  return machine.programs.find((p) => p.name === name)?.state ?? 'running';
}

/** A single guest's console is printed bare; several streams are told apart by name. */
function headlessStreams(streams: readonly Stream[]): { only?: Stream; label?: (stream: Stream) => string } {
  const [first] = streams;
  const single = streams.every((s) => first && partitionOf(s.name) === partitionOf(first.name));
  return first && single ? { only: first } : { label: (stream) => shortName(stream, streams) };
}

/** On a terminal every stream has a pty unless it is not wanted; without one, only if asked for. Gives how many there are. */
async function ptysOf(
  mux: Mux,
  options: ConsoleOptions,
  onTerminal: boolean,
  tell: (line: string) => void,
): Promise<number> {
  const wanted = options.ptys ?? onTerminal;
  if (wanted === false) return 0;
  const asked = typeof wanted === 'string' ? wanted : undefined;
  const shared = join(
    process.env['XDG_RUNTIME_DIR'] ?? tmpdir(),
    asked === undefined ? `hv440-${process.getuid?.() ?? 0}` : '',
  );
  let ptys = await openPtys(mux, asked ?? shared, tell);
  if ('problem' in ptys && asked === undefined && !ptys.problem.startsWith('no ptys'))
    ptys = await openPtys(mux, `${shared}-${process.pid}`, tell);
  if ('problem' in ptys) {
    tell(ptys.problem);
    return 0;
  }
  tell(`a pty for each stream: ${mux.streams.map((s) => `${ptys.linkOf(s) ?? 'none'}`).join(' ')}`);
  return mux.streams.length;
}

/** What is said after the end, on standard error: why each program is no longer running, and the figures that were asked for. */
function conclude(machine: Machine, end: SessionEnd, options: ConsoleOptions): void {
  const say = (line: string): void => void process.stderr.write(`hv440: ${line}\n`);
  if (end.kind === 'instructions') say(`stopped after ${machine.retired} instructions`);
  if (end.kind === 'nothing-to-do') say('the machine only waits, and no more input can come');
  if (end.kind === 'timeout') say(`stopped: --timeout ${options.timeout} seconds are over`);
  if (end.kind === 'timeout' || end.kind === 'nothing-to-do') programLines(machine).forEach(say);
  if (options.stats === 'json') process.stdout.write(`${statisticsJson(machine)}\n`);
  else if (options.stats !== undefined && options.stats !== false) statistics(machine).forEach(say);
}

function statusOf(end: SessionEnd): number {
  if (end.kind === 'ended') return exitStatus(end.progress.ending);
  return end.kind === 'timeout' ? 1 : 0;
}
