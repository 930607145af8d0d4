import { Writable } from 'node:stream';
import { Debugger } from '../debug/debugger.js';
import { MachineHistory } from '../debug/machine-history.js';
import type { DebuggedMachine } from '../debug/processes.js';
import { TrapStops } from '../debug/traps/stops.js';
import { didYouMean } from '../devicetree/suggest.js';
import { bootConfigured, type Attend } from './boot.js';
import { readTree } from '../launch/config.js';
import { Programs } from './dap/programs.js';
import type { Launched, SessionArguments } from './dap/launched.js';
import { DapSession } from './dap/session.js';
import { restart } from './debug.js';
import { engineNames } from '../launch/engine-options.js';
import { UsageError } from '../launch/errors.js';
import { readContents } from '../launch/files.js';
import { runImage, type RunOptions } from './run.js';
import { parseSize } from './sizes.js';
import { statistics } from './statistics.js';

/** What launch.json says. */
export interface LaunchArguments extends SessionArguments {
  /** A configuration (.dts, .dtb) or an image. */
  readonly program?: string;
  readonly bare?: boolean;
  /** Bytes, or `64M`. */
  readonly memory?: number | string;
  readonly initrd?: string;
  readonly bootargs?: string;
  readonly dtb?: string;
  readonly engine?: string;
  /** ELFs with symbols, by partition, where the images have none. */
  readonly symbols?: Readonly<Record<string, string>>;
  /** MiB that are kept to go back by; 0: none. Default 256. */
  readonly history?: number;
}

/** Cycles: so that a request is heard soon. */
const LONGEST_SLICE = 100_000;
const DEFAULT_HISTORY = 256;
const MIB = 2 ** 20;

/** `hv440 dap`: the Debug Adapter Protocol on standard input and output. Gives the exit status. */
export function dap(): Promise<number> {
  return new Promise((resolve) => {
    const over = (): void => {
      process.stdin.destroy();
      resolve(0);
    };
    const session = new DapSession({
      request: 'launch',
      refusal:
        'hv440 dap runs what it debugs: a request "attach" is for `hv440 debug --dap PORT`, as "debugServer" names it',
      begin: (args, say) => launch(args, say, over),
      gone: over,
    });
    session.start(process.stdin, process.stdout);
  });
}

function launch(args: LaunchArguments, say: (text: string) => void, over: () => void): Promise<Launched> {
  return new Promise((resolve, reject) => {
    const { program, symbols = {} } = args;
    if (program === undefined) throw new UsageError('launch.json names no "program": a configuration or an image');
    const out = new Writable({
      write: (chunk: Buffer, _, done) => {
        say(chunk.toString('utf8'));
        done();
      },
    });
    const attend: Attend = (machine, images) =>
      attendant(machine, new Map([...images, ...Object.entries(symbols)]), args, resolve);
    const options = { ...optionsOf(args), out };
    const run = async (): Promise<number> =>
      /\.dtsi?$|\.dtb$/.test(program)
        ? bootConfigured(readTree(program), options, attend)
        : runImage(program, options, attend);
    run().then(over, reject);
  });
}

function optionsOf({ bare, memory, initrd, bootargs, dtb, engine }: LaunchArguments): RunOptions {
  return {
    headless: true,
    ...(bare !== undefined && { bare }),
    ...(memory !== undefined && { memory: typeof memory === 'number' ? memory : parseSize(memory) }),
    ...(initrd !== undefined && { initrd }),
    ...(bootargs !== undefined && { bootargs }),
    ...(dtb !== undefined && { dtb }),
    ...(engine !== undefined && { engine: engineOf(engine) }),
  };
}

function engineOf(name: string): (typeof engineNames)[number] {
  const known = engineNames.find((each) => each === name);
  if (known === undefined) throw new UsageError(`engine '${name}': ${didYouMean(name, engineNames)}`);
  return known;
}

function attendant(
  machine: DebuggedMachine,
  images: ReadonlyMap<string, string>,
  args: LaunchArguments,
  ready: (launched: Launched) => void,
) {
  const debug = new Debugger(machine);
  const files = new Map<string, Uint8Array>();
  for (const [name, path] of images) {
    const contents = readContents(path);
    if (contents.ok) files.set(name, contents.bytes);
  }
  const { history = DEFAULT_HISTORY, sourceMap = {} } = args;
  if (history > 0) debug.history = new MachineHistory(machine, debug, { limit: history * MIB });
  const programs = new Programs(files, sourceMap);
  const plain = debug.processes.map((process) => [process, programs.of(process).plain] as const);
  const traps = new TrapStops(debug, new Map(plain));
  debug.stop(debug.targets);
  let open = true;
  return {
    longest: LONGEST_SLICE,
    ownsInput: true,
    run: (cycles: number) => debug.run(cycles),
    get lingers() {
      return open;
    },
    open({ wake, leave }: { wake(): void; leave(): void }): Promise<void> {
      debug.onResume = wake;
      ready({
        machine,
        debug,
        programs,
        exits: () => statistics(machine),
        traps,
        images: [...images.values()],
        wake,
        leave: () => {
          open = false;
          leave();
        },
        restart: () => restart(machine),
      });
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
