import { Hypervisor } from '../hypervisor/hypervisor.js';
import { BareMachine } from '../board/bare.js';
import { Debugger } from '../debug/debugger.js';
import type { DebugFile, GdbOptions } from '../debug/gdb/client.js';
import { MachineHistory } from '../debug/machine-history.js';
import type { DebuggedMachine } from '../debug/processes.js';
import type { Process } from '../debug/target.js';
import { Program } from '../debug/program.js';
import { TrapStops } from '../debug/traps/stops.js';
import { bootConfigured, type Attend } from './boot.js';
import { readTree, type SourceFlags } from '../launch/config.js';
import type { Attendant } from './console.js';
import { UsageError } from '../launch/errors.js';
import { PromptAttendant } from './debug-prompt.js';
import { GdbServer, type Place } from './gdb-server.js';
import { runImage, type RunOptions } from './run.js';
import { statistics } from './statistics.js';
import { programFile } from './symbol-files.js';

/** Options of `hv440 debug`. */
export interface DebugOptions extends RunOptions, SourceFlags {
  readonly gdb?: string | true;
  readonly gdbUnix?: string;
  readonly gdbAddress?: string;
  readonly wait?: boolean;
  /** `NAME=FILE` each. */
  readonly symbols?: readonly string[];
  /** Bytes of memory for the machine's past; 0 for none. */
  readonly history?: number;
  /** Items of GDB's protocol to do without, for tests. */
  readonly gdbWithout?: readonly string[];
}

const DEFAULT_PORT = 1234;
const DEFAULT_HISTORY = 256 * 2 ** 20;
/** Cycles: a few milliseconds also where every access is watched, so that Ctrl-C is heard soon. */
const LONGEST_SLICE = 100_000;

/** `hv440 debug CONFIG.dts|IMAGE`: what boot and run do, with a GDB server. Gives the exit status. */
export function debug(what: string, options: DebugOptions): Promise<number> {
  const symbols = symbolFiles(options);
  const attend: Attend = (machine, images) => attendant(machine, new Map([...images, ...symbols]), options);
  return /\.dtsi?$|\.dtb$/.test(what)
    ? bootConfigured(readTree(what, options), options, attend)
    : runImage(what, options, attend);
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
const wantsGdb = ({ gdb, gdbUnix, gdbAddress, wait = false }: DebugOptions): boolean =>
  wait || [gdb, gdbUnix, gdbAddress].some((option) => option !== undefined);

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

function attendant(machine: DebuggedMachine, images: ReadonlyMap<string, string>, options: DebugOptions): Attendant {
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
  const onDiverge = (): void => tell('what came after this moment is given up: the run goes another way from here');
  if (limit > 0) debug.history = new MachineHistory(machine, debug, { limit, onDiverge });
  const traps = new TrapStops(debug, programs(machine, debug.processes, files));
  if (!wantsGdb(options)) {
    const prompt = new PromptAttendant({
      debug,
      traps,
      exits: () => statistics(machine),
      images: [...files.values()].map(({ path }) => path),
    });
    tell = (line) => prompt.say([line]);
    return prompt;
  }
  if (options.wait) debug.stop(debug.targets);
  let server: GdbServer | undefined;
  return {
    longest: LONGEST_SLICE,
    run: (cycles) => debug.run(cycles),
    get lingers() {
      return server?.connected ?? false;
    },
    async open({ wake, say, leave }) {
      debug.onResume = wake;
      tell = say;
      const shared: Omit<GdbOptions, 'processes' | 'send'> = {
        debugger: debug,
        files,
        kill: leave,
        exits: () => statistics(machine),
        traps,
        restart: () => restart(machine),
        stop: ({ name }) => stop(machine, name),
        ...(options.gdbWithout && { without: new Set(options.gdbWithout) }),
      };
      server = await GdbServer.open(places(options, debug.processes), shared, wake);
      for (const line of server.lines) say(line);
      if (options.wait) say('nothing runs until a GDB connects and continues');
    },
    async close() {
      await server?.close();
    },
  };
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
