import { resolve } from 'node:path';
import { BareMachine } from '../board/bare.js';
import { Clock } from '../bus/clock.js';
import { SharedMemory } from '../bus/memory.js';
import { Mux } from '../console/mux.js';
import type { DebuggedMachine } from '../debug/processes.js';
import { configure } from '../devicetree/configuration.js';
import { didYouMean } from '../devicetree/suggest.js';
import type { Tree } from '../devicetree/tree.js';
import type { FaultReport } from '../hypervisor/fault-report.js';
import { checkConfig, readTree, type Configured, type SourceFlags } from '../launch/config.js';
import { insist } from './config.js';
import { converse, type Attendant, type ConsoleOptions } from './console.js';
import { engineFor } from '../launch/engines.js';
import { UsageError } from '../launch/errors.js';
import { explainBare, Faults } from './faults.js';
import { Files, namedImage, namedInitrd } from '../launch/files.js';
import { filesOf, identityOf } from '../launch/identity.js';
import { Journal } from './journal.js';
import { Keeper, type Command, type KeepOptions } from './keep.js';
import { openTrace } from './trace.js';
import { frequencyOf, launch, memorySize, STATE_BYTES, type Launched } from '../launch/machine.js';
import { Wiring } from '../launch/wiring.js';

/** Makes whoever runs the machine in the console's place: a debugger. `images` are paths, by process. */
export type Attend = (machine: DebuggedMachine, images: ReadonlyMap<string, string>, keeper: Keeper) => Attendant;

export interface BootOptions extends ConsoleOptions, SourceFlags, KeepOptions {
  /** The partitions that `--no-start` names. */
  readonly start?: boolean | readonly string[];
}

/** `hv440 boot CONFIG.dts`: check it, start its partitions, and talk to them until they end. Gives the exit status. */
export function boot(config: string, options: BootOptions): Promise<number> {
  return bootConfigured(readTree(config, options), { keeping: { again: bootCommand(config, options) }, ...options });
}

/** How to have the same machine again. */
export function bootCommand(config: string, options: BootOptions): Command {
  const { start, include, define, withSymbols, set, variant } = options;
  const same = { start, include: include?.map((folder) => resolve(folder)), define, withSymbols, set, variant };
  return { command: 'boot', what: resolve(config), options: same };
}

/** The same for a tree that was read or made already, and perhaps `files` of what it names. */
export async function bootConfigured(
  configured: Configured,
  options: BootOptions,
  attend?: Attend,
  files = new Files(),
): Promise<number> {
  const tree = insist(checkConfig(configured, files));
  const wiring = new Wiring(new Mux());
  const journal = new Journal();
  const faults: Faults = new Faults(wiring.mux, (name) => hypervisor.explain(name));
  const ears = { transmit: wiring.transmit, log: journal.say, fault: faults.add };
  const heldBack = heldBackBy(options, tree);
  const { hypervisor, configuration, guests }: Launched = launch(tree, files, ears, { ...options, heldBack });
  const keeper = new Keeper(
    hypervisor,
    () =>
      identityOf(
        tree,
        filesOf(configuration.partitions),
        typeof options.start === 'object' ? { start: options.start } : {},
      ),
    options,
  );
  if (options.keeping?.replays) return options.keeping.replays(hypervisor, keeper.identity, wiring, journal);
  keeper.begin();
  const images = new Map(configuration.partitions.map(({ name, image }) => [name, image]));
  const attendant = attend?.(hypervisor, images, keeper);
  const frequency = frequencyOf(tree);
  const symbols = new Map([...guests].map(([name, { image }]) => [name, image.symbols ?? []]));
  const tracer = openTrace(options, { machine: hypervisor, wiring, frequency, symbols });
  const witnesses = { journal, faults, keep: keeper.write, ...(attendant && { attendant }) };
  const session = keeper.during(() => converse(hypervisor, wiring, frequency, options, witnesses));
  return session.finally(() => tracer?.close());
}

/** The partitions that are not to run until somebody starts them. */
function heldBackBy({ start }: BootOptions, tree: Tree): readonly string[] {
  if (typeof start !== 'object') return [];
  const names = configure(tree).partitions.map(({ name }) => name);
  const unknown = start.find((name) => !names.includes(name));
  if (unknown === undefined) return start;
  throw new UsageError(`--no-start ${unknown}: there is no such partition; ${didYouMean(unknown, names)}`);
}

export interface BareOptions {
  readonly image: string;
  readonly initrd?: string;
  readonly reboot: boolean;
}

/** `hv440 run --bare IMAGE`: the program on the board itself. */
export async function runBare(
  tree: Tree,
  bare: BareOptions,
  options: ConsoleOptions & KeepOptions,
  attend?: Attend,
): Promise<number> {
  const image = namedImage(new Files(), bare.image);
  const initrd = bare.initrd === undefined ? undefined : namedInitrd(bare.initrd);
  const wiring = new Wiring(new Mux());
  const machine = new BareMachine({
    memory: new SharedMemory(memorySize(tree) + STATE_BYTES),
    clock: new Clock(),
    engine: engineFor(tree, options),
    tree,
    transmit: wiring.transmit,
    recordInput: () => {},
    restart: bare.reboot,
  });
  const problem = machine.start({ image, tree, ...(initrd && { initrd }) });
  if (problem) throw new UsageError(`${bare.image}: ${problem.problem}; --memory SIZE gives the board more`);
  const names = [{ name: 'board', image: bare.image, initrd: bare.initrd }];
  const keeper = new Keeper(machine, () => identityOf(tree, filesOf(names), { reboot: bare.reboot }), options);
  const journal = new Journal();
  if (options.keeping?.replays) return options.keeping.replays(machine, keeper.identity, wiring, journal);
  keeper.begin();
  const explain = (): FaultReport | undefined => explainBare(machine, image.symbols ?? []);
  const faults = new Faults(wiring.mux, explain);
  const attendant = attend?.(machine, new Map([['board', bare.image]]), keeper);
  const witnesses = { journal, faults, keep: keeper.write, ...(attendant && { attendant }) };
  const frequency = frequencyOf(tree);
  const symbols = new Map([['board', image.symbols ?? []]]);
  const tracer = openTrace(options, { machine, wiring, frequency, symbols });
  const session = keeper.during(() => converse(machine, wiring, frequency, options, witnesses));
  return session.finally(() => tracer?.close());
}
