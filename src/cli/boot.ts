import { BareMachine } from '../board/bare.js';
import { Clock } from '../bus/clock.js';
import { SharedMemory } from '../bus/memory.js';
import { Mux } from '../console/mux.js';
import { Interpreter } from '../cpu/engine/interpreter.js';
import { physicalReg } from '../devicetree/addresses.js';
import { configure } from '../devicetree/configuration.js';
import { describe } from '../devicetree/finding.js';
import type { Tree } from '../devicetree/tree.js';
import { Hypervisor, type GuestFiles } from '../hypervisor/hypervisor.js';
import type { Image } from '../loader/image.js';
import { assert } from '../bus/assert.js';
import { checkConfig, insist, readTree, type Configured } from './config.js';
import { converse, Journal, type ConsoleOptions } from './console.js';
import { UsageError } from './errors.js';
import { Files, readFile } from './files.js';
import { Wiring } from './wiring.js';

/** Processor state, tables and slack beside the board's RAM. */
const STATE_BYTES = 0x400000;

const warn = (line: string): void => void process.stderr.write(`${line}\n`);

/** `hv440 boot CONFIG.dts`: check it, start its partitions, and talk to them until they end. Gives the exit status. */
export function boot(config: string, options: ConsoleOptions): Promise<number> {
  return bootConfigured(readTree(config), options);
}

/** The same for a tree that was read or made already. */
export async function bootConfigured(configured: Configured, options: ConsoleOptions): Promise<number> {
  const files = new Files();
  const tree = insist(checkConfig(configured, files), (finding) => warn(describe(finding)));
  const configuration = configure(tree);
  const wiring = new Wiring(new Mux());
  const journal = new Journal();
  const hypervisor = new Hypervisor({
    memory: new SharedMemory(memorySize(tree) + STATE_BYTES),
    clock: new Clock(),
    engine: new Interpreter(),
    tree,
    configuration,
    transmit: wiring.transmit,
    recordInput: () => {},
    log: journal.say,
  });
  const guests = new Map<string, GuestFiles>();
  for (const { name, image, initrd } of configuration.partitions) {
    guests.set(name, { image: loaded(files, image), ...(initrd !== undefined && { initrd: initrdOf(initrd) }) });
  }
  const problem = hypervisor.start(guests);
  if (problem) throw new UsageError(problem.problem);
  return converse(hypervisor, wiring, frequencyOf(tree), options, journal);
}

export interface BareOptions {
  readonly image: string;
  readonly initrd?: string;
  readonly reboot: boolean;
}

/** `hv440 run --bare IMAGE`: the program on the board itself. */
export async function runBare(tree: Tree, bare: BareOptions, options: ConsoleOptions): Promise<number> {
  const files = new Files();
  const image = files.image(bare.image);
  if (!image.ok) throw new UsageError(`${bare.image}: ${image.reason}`);
  const wiring = new Wiring(new Mux());
  const machine = new BareMachine({
    memory: new SharedMemory(memorySize(tree) + STATE_BYTES),
    clock: new Clock(),
    engine: new Interpreter(),
    tree,
    transmit: wiring.transmit,
    recordInput: () => {},
    restart: bare.reboot,
  });
  const problem = machine.start({ image, tree, ...(bare.initrd !== undefined && { initrd: initrdOf(bare.initrd) }) });
  if (problem) throw new UsageError(`${bare.image}: ${problem.problem}`);
  return converse(machine, wiring, frequencyOf(tree), options, new Journal());
}

function loaded(files: Files, path: string): Image {
  const image = files.image(path);
  assert(image.ok, `${path} passed the checks`);
  return image;
}

function initrdOf(path: string): Uint8Array {
  const bytes = readFile(path);
  if (!bytes) throw new UsageError(`${path}: there is no such file; name the initrd`);
  return bytes;
}

const ofType = (tree: Tree, type: string) => [...tree.root.walk()].filter((n) => n.get('device_type')?.string === type);

/** Bytes of RAM on the board. */
function memorySize(tree: Tree): number {
  const ranges = ofType(tree, 'memory').flatMap((n) => physicalReg(n));
  return ranges.reduce((sum, range) => sum + range.size, 0);
}

/** Cycles a second, from the first cpu node. */
const frequencyOf = (tree: Tree): number => ofType(tree, 'cpu')[0]?.cell('clock-frequency') ?? 1;
