import { Hypervisor } from '../hypervisor/hypervisor.js';
import { BareMachine } from '../board/bare.js';
import { Debugger } from '../debug/debugger.js';
import type { DebugFile, GdbOptions } from '../debug/gdb/client.js';
import { MachineHistory } from '../debug/machine-history.js';
import type { DebuggedMachine } from '../debug/processes.js';
import type { Process } from '../debug/target.js';
import { Program } from '../debug/program.js';
import { TrapStops } from '../debug/traps/stops.js';
import { bootCommand, bootConfigured, type Attend } from './boot.js';
import { readTree, type SourceFlags } from '../launch/config.js';
import type { Attendant } from './console.js';
import { treeOf } from '../launch/identity.js';
import { UsageError } from '../launch/errors.js';
import { PromptAttendant } from './debug-prompt.js';
import { DapServer } from './dap-server.js';
import { GdbServer, type Place } from './gdb-server.js';
import type { Command, Keeper, RecordingHeader } from './keep.js';
import { readRecordingOf, type CompleteRecording } from './replay.js';
import { runCommand, runImage, type RunOptions } from './run.js';
import { statistics } from './statistics.js';
import { programFile } from './symbol-files.js';

/** Options of `hv440 debug`. */
export interface DebugOptions extends RunOptions, SourceFlags {
  readonly gdb?: string | true;
  readonly gdbUnix?: string;
  readonly gdbAddress?: string;
  readonly wait?: boolean;
  /** A port for clients of the Debug Adapter Protocol. */
  readonly dap?: string;
  /** `NAME=FILE` each. */
  readonly symbols?: readonly string[];
  /** A recording to go forwards and backwards in. */
  readonly replay?: string;
  /** Bytes of memory for the machine's past; 0 for none. */
  readonly history?: number;
  /** Items of GDB's protocol to do without, for tests. */
  readonly gdbWithout?: readonly string[];
}

const DEFAULT_PORT = 1234;
const DEFAULT_HISTORY = 256 * 2 ** 20;
/** Cycles: a few milliseconds also where every access is watched, so that Ctrl-C is heard soon. */
const LONGEST_SLICE = 100_000;

/** `hv440 debug CONFIG.dts|IMAGE`: what boot and run do, with a debugger. Gives the exit status. */
export function debug(what: string | undefined, options: DebugOptions): Promise<number> {
  const symbols = symbolFiles(options);
  const { program, recording } = subject(what, options);
  const { command, options: own } = program;
  const path = what ?? program.what;
  const attend: Attend = (machine, images, keeper) =>
    attendant(machine, new Map([...images, ...symbols]), options, keeper, recording);
  const expected = recording && { file: options.replay!, identity: (recording.header as RecordingHeader).identity };
  const all = { ...options, ...own, keeping: { again: program, ...(expected && { expected }) } };
  if (program.embedded)
    return bootConfigured({ tree: treeOf(expected!.identity, path), findings: [], checked: true }, all, attend);
  return command === 'boot' ? bootConfigured(readTree(path, all), all, attend) : runImage(path, all, attend);
}

interface Subject {
  readonly program: Command;
  readonly recording?: CompleteRecording;
}

/** What is to be debugged: a program, or a run of one that was recorded. */
function subject(what: string | undefined, options: DebugOptions): Subject {
  const { replay } = options;
  if (replay === undefined) {
    if (what === undefined) throw new UsageError('a configuration or an image is to be named, or --replay FILE');
    const again = /\.dtsi?$|\.dtb$/.test(what) ? bootCommand(what, options) : runCommand(what, options);
    return { program: again };
  }
  if (what !== undefined) throw new UsageError(`--replay ${replay}: it says itself what it is of; leave ${what} out`);
  const { record, from, input, expect, send, history } = options;
  const [other] = Object.entries({ record, from, input, expect, send }).find(([, value]) => value !== undefined) ?? [];
  if (other !== undefined) throw new UsageError(`--replay and --${other}: the run is the recorded one`);
  if (history === 0) throw new UsageError('--replay and --history 0: it is by the history that the run is had again');
  const recording = readRecordingOf(replay);
  return { program: (recording.header as RecordingHeader).again, recording };
}

function symbolFiles({ symbols = [] }: DebugOptions): ReadonlyMap<string, string> {
  return new Map(
    symbols.map((text): [string, string] => {
      const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      if (name === undefined || file === undefined)
        throw new UsageError(`--symbols ${text}: NAME=FILE, with the name of a partition, or board`);
      if (!programFile(file)) throw new UsageError(`--symbols ${text}: ${file} is no ELF that can be read`);
      return [name, file];
    }),
  );
}

/** Is it GDB that debugs, or a person at our own prompt? */
const wantsGdb = ({ gdb, gdbUnix, gdbAddress, dap, wait = false }: DebugOptions): boolean =>
  (wait && dap === undefined) || [gdb, gdbUnix, gdbAddress].some((option) => option !== undefined);

function dapPort(dap: string): number {
  const port = Number(dap);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new UsageError(`--dap ${dap}: a port number from 1 to 65535, or 0 for any that is free`);
  return port;
}

/** Where each GDB connects: all of the machine, and behind it each partition. */
function places({ gdb, gdbUnix, gdbAddress = '127.0.0.1' }: DebugOptions, processes: readonly Process[]): Place[] {
  const shown = [processes, ...processes.slice(1).map((process) => [process])];
  if (gdbUnix !== undefined) {
    if (gdb !== undefined) throw new UsageError('--gdb and --gdb-unix: one of them');
    return shown.map((own, i) => ({ processes: own, path: i === 0 ? gdbUnix : `${gdbUnix}.${own[0]!.name}` }));
  }
  const port = gdb === undefined || gdb === true ? DEFAULT_PORT : Number(gdb);
  if (!Number.isInteger(port) || port < 0 || port + shown.length > 65536)
    throw new UsageError(`--gdb ${gdb}: a port number from 1 to ${65536 - shown.length}, or 0 for any that are free`);
  return shown.map((own, i) => ({ processes: own, host: gdbAddress, port: port === 0 ? 0 : port + i }));
}

function attendant(
  machine: DebuggedMachine,
  images: ReadonlyMap<string, string>,
  options: DebugOptions,
  keeper: Keeper,
  recording: CompleteRecording | undefined,
): Attendant {
  const debug = new Debugger(machine);
  const unknown = [...images.keys()].find((name) => !debug.processes.some((process) => process.name === name));
  if (unknown !== undefined)
    throw new UsageError(
      `--symbols ${unknown}: ${debug.processes.map(({ name }) => name).join(', ')} can have symbols`,
    );
  const files = new Map<number, DebugFile>();
  for (const { name, number } of debug.processes) {
    const path = images.get(name);
    const file = path === undefined ? undefined : programFile(path);
    if (file) files.set(number, file);
  }
  let tell: (line: string) => void = () => {};
  const { history: limit = DEFAULT_HISTORY } = options;
  if (limit > 0) {
    const history = new MachineHistory(machine, debug, {
      limit,
      onDiverge: (inputs) => {
        keeper.forget(inputs);
        tell('what came after this moment is given up: the run goes another way from here');
      },
      onEnd: (same) => tell(endText(same)),
      ...(recording && { recording }),
    });
    debug.history = history;
    keeper.beforeEnd = () => history.toPresent();
  }
  const traps = new TrapStops(debug, programs(machine, debug.processes, files));
  if (!wantsGdb(options) && options.dap === undefined) {
    const prompt = new PromptAttendant({
      debug,
      traps,
      exits: () => statistics(machine),
      images: [...files.values()].map(({ path }) => path),
    });
    tell = (line) => prompt.say([line]);
    return prompt;
  }
  return servingAttendant({ debug, machine, traps, files }, options, (say) => (tell = say));
}

interface Served {
  readonly debug: Debugger;
  readonly machine: DebuggedMachine;
  readonly traps: TrapStops;
  /** By number of process. */
  readonly files: ReadonlyMap<number, DebugFile>;
}

/** Runs a machine for those who connect: GDBs, and editors. */
function servingAttendant(
  { debug, machine, traps, files }: Served,
  options: DebugOptions,
  tellBy: (say: (line: string) => void) => void,
): Attendant {
  if (options.wait) debug.stop(debug.targets);
  const port = options.dap === undefined ? undefined : dapPort(options.dap);
  let server: GdbServer | undefined;
  let editors: DapServer | undefined;
  return {
    longest: LONGEST_SLICE,
    run: (cycles) => debug.run(cycles),
    get lingers() {
      return (server?.connected ?? false) || (editors?.connected ?? false);
    },
    async open({ wake, say, leave }) {
      debug.onResume = wake;
      tellBy(say);
      const exits = (): readonly string[] => statistics(machine);
      const shared: Omit<GdbOptions, 'processes' | 'send'> = {
        debugger: debug,
        files,
        kill: leave,
        exits,
        traps,
        restart: () => restart(machine),
        stop: ({ name }) => stop(machine, name),
        ...(options.gdbWithout && { without: new Set(options.gdbWithout) }),
      };
      if (wantsGdb(options)) server = await GdbServer.open(places(options, debug.processes), shared, wake);
      for (const line of server?.lines ?? []) say(line);
      const named = debug.processes.map(({ name, number }) => [name, files.get(number)] as const);
      const known = new Map(named.flatMap(([name, file]) => (file ? [[name, file.bytes] as const] : [])));
      const images = [...files.values()].map(({ path }) => path);
      const attached = {
        machine,
        debug,
        traps,
        exits,
        images,
        files: known,
        wake,
        leave,
        restart: () => restart(machine),
      };
      if (port !== undefined) editors = await DapServer.open(port, attached);
      if (editors) say(editors.line);
      if (options.wait) say(`nothing runs until ${server ? 'a GDB' : 'an editor'} connects and continues`);
    },
    async close() {
      await server?.close();
      await editors?.close();
    },
  };
}

/** At the end of a recording. */
function endText(same: boolean | undefined): string {
  if (same === undefined) return 'the recording ends here, before its run did';
  return same ? 'the recording ends here: the same state, bit by bit' : 'the state is not the recorded one';
}

/** What is known of each process's program: by its file, or by what the image had that it was loaded from. */
function programs(
  machine: DebuggedMachine,
  processes: readonly Process[],
  files: ReadonlyMap<number, DebugFile>,
): ReadonlyMap<Process, Program> {
  const loaded = (name: string): Program | undefined => {
    const partition = machine instanceof Hypervisor && machine.partitions.find((each) => each.name === name);
    return partition ? new Program(partition.symbols) : undefined;
  };
  const known = processes.map((process): [Process, Program | undefined] => {
    const file = files.get(process.number);
    return [process, file ? Program.of(file.bytes) : loaded(process.name)];
  });
  return new Map(known.filter((each): each is [Process, Program] => each[1] !== undefined));
}

/** Start all programs again. */
export function restart(machine: DebuggedMachine): void {
  if (machine instanceof BareMachine) machine.restart();
  else for (const partition of machine.partitions) machine.ask('restart', partition);
}

function stop(machine: DebuggedMachine, name: string): void {
  const partition = machine instanceof Hypervisor && machine.partitions.find((each) => each.name === name);
  if (partition) machine.ask('stop', partition);
}
