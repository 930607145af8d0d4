import type { Writable } from 'node:stream';
import { describeEnding, exitStatus, type Machine } from '../board/machine.js';
import { parseEscapeKey, type EscapeKey } from '../console/escape-key.js';
import { Headless } from '../console/headless.js';
import { openLogs } from '../console/log.js';
import type { Stream } from '../console/mux.js';
import { partitionOf, shortName } from '../console/names.js';
import type { Expecter } from '../console/script.js';
import { Terminal } from '../console/terminal.js';
import { command, completions, programLines, stateOf } from './commands.js';
import { Departure } from './departure.js';
import type { EngineOptions } from '../launch/engine-options.js';
import { UsageError } from '../launch/errors.js';
import type { FaultReport } from '../hypervisor/fault-report.js';
import { faultSummary } from '../hypervisor/fault-text.js';
import type { Faults } from './faults.js';
import { dialogue, openStreams, StandardInput, typeScripts, type InputOptions } from './input.js';
import { generatedCode } from './generated.js';
import { followPrograms, type Journal } from './journal.js';
import { givePtys, type PtyLinks } from './ptys.js';
import { Session, type Driver, type SessionEnd } from './session.js';
import { statistics, statisticsJson } from './statistics.js';
import type { TraceOptions } from './trace.js';
import type { Wiring } from '../launch/wiring.js';

/** Options that boot and run share. */
export interface ConsoleOptions extends InputOptions, EngineOptions, TraceOptions {
  readonly headless?: boolean;
  /** Takes what would be printed. */
  readonly out?: Writable;
  readonly log?: string;
  readonly ptys?: string | boolean;
  readonly escape?: string;
  readonly maxInstructions?: number;
  /** Seconds of wall time. */
  readonly timeout?: number;
  readonly stats?: string | boolean;
  /** An effective address. */
  readonly showGenerated?: number;
  /** Where the reports of what died go, as JSON. */
  readonly faultReport?: string;
}

/** Milliseconds of wall time without output after which a person at a terminal is told what the guests do. */
const SILENCE = 10_000;

/** Where the streams are shown. */
interface Console {
  readonly terminal?: Terminal;
  readonly headless?: Headless;
  /** A line of our own. */
  say(line: string): void;
}

/** What a debugger may do with the run that it is part of. */
export interface Surroundings {
  /** Have the machine looked at. */
  wake(): void;
  say(line: string): void;
  /** End it all, with this exit status. */
  leave(status?: number): void;
  /** Have what the guests have printed up to now appear, so that something else can be written in a line of its own. */
  freshLine(): void;
}

/** A debugger beside the consoles: it runs the machine. */
export interface Attendant extends Driver {
  /** Somebody may do something at any time, so idle time passes as wall time does (default true). */
  readonly live?: boolean;
  /** It reads standard input, so no console does: their output is lines with names. */
  readonly ownsInput?: boolean;
  /** Begin, once the consoles are there: `wake` has the machine looked at, `leave` ends it. */
  open(surroundings: Surroundings): Promise<void>;
  close(): Promise<void>;
}

/** Who hears of the machine, beside its consoles. */
export interface Witnesses {
  readonly journal: Journal;
  readonly faults: Faults;
  readonly attendant?: Attendant;
  /** Writes a snapshot of this moment to a file; says why it cannot. */
  keep?(file: string): string | undefined;
}

/** Runs a machine with its consoles until it ends or somebody ends it; gives the exit status. */
export async function converse(
  machine: Machine,
  wiring: Wiring,
  frequency: number,
  options: ConsoleOptions,
  { journal, faults, attendant, keep }: Witnesses,
): Promise<number> {
  const { mux } = wiring;
  const escape = escapeKey(options);
  const streams = openStreams(mux, machine);
  const [first] = streams;
  const expecter = dialogue(options);
  const scripted = typeScripts(machine, streams, options.input);
  const departure = new Departure();
  const links: PtyLinks = { count: 0, of: () => undefined };
  const shown = attendant?.ownsInput ? { ...options, headless: true, named: true } : options;
  const { terminal, headless, say } = openConsole(
    { machine, faults, ...(keep && { keep }) },
    streams,
    escape,
    shown,
    departure,
    links,
    () => session.wake(),
  );
  mux.attach((terminal ?? headless)!);
  log(wiring, options, say);
  Object.assign(links, await givePtys(mux, options.ptys, terminal !== undefined, say));

  const reading = first && !terminal && !attendant?.ownsInput && !expecter && !scripted.has(first);
  const input = reading ? new StandardInput(machine, first, process.stdin, () => session.wake()) : undefined;
  const session: Session = new Session({
    machine,
    mux,
    frequency,
    leave: departure.signal,
    attended: () => terminal !== undefined,
    live: () =>
      terminal !== undefined ||
      (attendant?.live ?? attendant !== undefined) ||
      (input?.live ?? false) ||
      links.count > 0,
    ...(attendant && { driver: attendant }),
    done: () => expecter?.endsRun ?? false,
    feed: async (wait) => input?.feed(wait),
    settle: () => headless?.settle(),
    ...(options.maxInstructions !== undefined && { maxInstructions: options.maxInstructions }),
    ...(options.timeout !== undefined && { timeout: options.timeout }),
  });
  wakeWhenTyped(streams, session);
  if (expecter && first) play(expecter, machine, first, wiring);
  terminal?.start(first);
  if (links.place !== undefined) say(links.place);
  journal.listen((line) => {
    mux.flush(); // what it printed comes before that it ended
    if (followPrograms(machine, streams) === 0 || !terminal) say(line);
  });
  faults.listen(options.faultReport, (report, lines) => {
    if (terminal) say(`\`fault ${report.program}\` on the command line (the escape key, then :) explains why`);
    else (halted(report) ? [`${faultSummary(report)} (--fault-report FILE has more)`] : lines).forEach(say);
  });
  await attendant?.open({
    wake: () => session.wake(),
    say,
    leave: (status) => departure.leave(status),
    freshLine: () => headless?.freshLine(),
  });
  const end = await session.run();
  await attendant?.close();
  input?.close();
  mux.flush();
  if (end.kind === 'ended' && journal.empty) say(`the program ${describeEnding(end.progress.ending)}`);
  if (end.kind === 'ended' && journal.empty) faults.look();
  await mux.close();
  departure.close();
  conclude(machine, end, options, { departure, first });
  return unmet(expecter) ? 1 : statusOf(end, departure);
}

/** Did it stop as programs do that have done their work? Then a line is enough. */
const halted = ({ kind }: FaultReport): boolean =>
  kind === 'branches-forever' || kind === 'waits-forever' || kind === 'reset';

function escapeKey({ escape }: ConsoleOptions): EscapeKey | undefined {
  const key = escape === undefined ? undefined : parseEscapeKey(escape);
  if (key && 'problem' in key) throw new UsageError(key.problem);
  return key;
}

/** The terminal, where there is one and it is wanted; lines on standard output else. */
function openConsole(
  { machine, faults, keep }: { readonly machine: Machine; readonly faults: Faults } & Pick<Witnesses, 'keep'>,
  streams: readonly Stream[],
  escape: EscapeKey | undefined,
  { headless = false, named = false, out }: ConsoleOptions & { readonly named?: boolean },
  departure: Departure,
  links: PtyLinks,
  wake: () => void,
): Console {
  const quit = (): void => departure.leave();
  if (out || headless || !process.stdin.isTTY || !process.stdout.isTTY) {
    return {
      headless: new Headless({ out: out ?? process.stdout, gone: quit, ...shownStreams(streams, named) }),
      say: out ? (line) => void out.write(`${line}\n`) : complain,
    };
  }
  const subject = {
    machine,
    fault: (name?: string) => faults.lines(name),
    ptys: () => ptyLines(streams, links),
    ...(keep && { keep }),
  };
  const terminal = new Terminal({
    input: process.stdin,
    output: process.stdout,
    quit,
    ...(escape && { escape }),
    commands: (line) => {
      const answer = command(subject, line);
      wake();
      return answer;
    },
    complete: (before) => completions(subject, before),
    stateOf: (stream) => stateOf(machine, stream),
    silence: {
      afterMs: SILENCE,
      report: () => [`nothing was printed for ${SILENCE / 1000} seconds:`, ...programLines(machine)],
    },
  });
  return { terminal, say: (line) => terminal.say(line) };
}

const ptyLines = (streams: readonly Stream[], links: PtyLinks): string[] =>
  streams.map((stream) => `${stream.name}  ${links.of(stream) ?? 'has no pty'}`);

const complain = (line: string): void => void process.stderr.write(`hv440: ${line}\n`);

/** A single guest's console is printed bare, unless `named`; several streams are told apart by name. */
export function shownStreams(
  streams: readonly Stream[],
  named = false,
): { only?: Stream; label?: (stream: Stream) => string } {
  const [first] = streams;
  const single = streams.every((s) => first && partitionOf(s.name) === partitionOf(first.name));
  return first && single && !named ? { only: first } : { label: (stream) => shortName(stream, streams) };
}

function log({ mux }: Wiring, options: ConsoleOptions, say: (line: string) => void): void {
  if (options.log === undefined) return;
  const logs = openLogs(mux, options.log, say);
  if ('problem' in logs) throw new UsageError(logs.problem);
}

/** Whoever types has an idle machine look at once. */
function wakeWhenTyped(streams: readonly Stream[], session: Session): void {
  for (const stream of streams) {
    const type = stream.input;
    stream.input = (bytes) => {
      type(bytes);
      session.wake();
    };
  }
}

/**
 * Plays the dialogue: answers enter at the cycle of the byte that completes what was expected, and after the last text time
 * is held, so that the run ends at that very cycle.
 */
function play(expecter: Expecter, machine: Machine, stream: Stream, wiring: Wiring): void {
  wiring.tap(stream.name, (byte) => {
    const answer = expecter.feed(byte);
    if (answer) machine.type(stream.name, answer);
    if (expecter.endsRun) machine.clock.hold(expecter);
  });
}

/** Says which text of the dialogue never appeared; false if all did. */
function unmet(expecter: Expecter | undefined): boolean {
  const text = expecter?.waitingFor;
  if (text !== undefined) complain(`--expect ${JSON.stringify(text)} never appeared`);
  return text !== undefined;
}

interface Circumstances {
  readonly departure: Departure;
  readonly first: Stream | undefined;
}

/** What there is to say when all is over. */
function conclude(
  machine: Machine,
  end: SessionEnd,
  options: ConsoleOptions,
  { departure, first }: Circumstances,
): void {
  if (end.kind === 'left' && departure.reason !== undefined) complain(`stopped by ${departure.reason}`);
  if (end.kind === 'instructions') complain(`stopped after ${machine.retired} instructions`);
  if (end.kind === 'nothing-to-do') complain('the machine only waits, and no more input can come');
  if (end.kind === 'timeout') complain(`stopped: --timeout ${options.timeout} seconds are over`);
  if (end.kind === 'timeout' || end.kind === 'nothing-to-do') programLines(machine).forEach(complain);
  if (options.showGenerated !== undefined) generatedCode(machine.cores, options.showGenerated).forEach(complain);
  const format = options.stats ?? false;
  if (format === 'json') process.stdout.write(`${freshLine(first)}${statisticsJson(machine)}\n`);
  else if (format !== false) statistics(machine).forEach(complain);
}

/** What ends the line that a guest's bare output left unfinished. */
function freshLine(first: Stream | undefined): string {
  const { history } = first ?? {};
  const last = history?.since(history.total - 1)[0];
  return last === undefined || last === 0x0a ? '' : '\n';
}

function statusOf(end: SessionEnd, departure: Departure): number {
  if (end.kind === 'ended') return exitStatus(end.progress.ending);
  if (end.kind === 'left') return departure.status;
  return end.kind === 'timeout' ? 1 : 0;
}
