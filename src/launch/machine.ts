import { Clock } from '../bus/clock.js';
import { SharedMemory } from '../bus/memory.js';
import { physicalReg } from '../devicetree/addresses.js';
import { configure, type Configuration, type PartitionConfiguration } from '../devicetree/configuration.js';
import { withoutTest } from '../devicetree/test-plan.js';
import type { Tree } from '../devicetree/tree.js';
import type { FaultReport } from '../hypervisor/fault-report.js';
import { Hypervisor, type GuestFiles } from '../hypervisor/hypervisor.js';
import type { EngineOptions } from './engine-options.js';
import { engineFor } from './engines.js';
import { UsageError } from './errors.js';
import { namedImage, namedInitrd, type Files } from './files.js';

/** Processor state, tables, translations and slack beside the board's RAM, in bytes. */
export const STATE_BYTES = 0x1800000;

/** Where what a machine says goes. */
export interface Ears {
  /** Where a port's bytes go, by stream name. */
  transmit(stream: string): (byte: number) => void;
  /** What the hypervisor has to tell: a line without its end. */
  log(line: string): void;
  /** A partition died, or faults in a loop. */
  fault(report: FaultReport): void;
}

/** A hypervisor whose partitions are loaded, at cycle 0, and what it was made of. */
export interface Launched {
  readonly hypervisor: Hypervisor;
  readonly configuration: Configuration;
  /** What each partition was loaded with, by its name. */
  readonly guests: ReadonlyMap<string, GuestFiles>;
}

/**
 * A checked configuration made into a machine that is switched on; its test is taken out of the tree. Partitions that are held back wait to be started. Throws
 * a UsageError where a file cannot be used.
 */
export function launch(
  tree: Tree,
  files: Files,
  ears: Ears,
  options: EngineOptions & { readonly heldBack?: readonly string[] } = {},
): Launched {
  const configuration = configure(withoutTest(tree));
  const hypervisor = new Hypervisor({
    memory: new SharedMemory(memorySize(tree) + STATE_BYTES),
    clock: new Clock(),
    engine: engineFor(tree, options),
    tree,
    configuration,
    recordInput: () => {},
    transmit: (stream) => ears.transmit(stream),
    log: (line) => ears.log(line),
    fault: (report) => ears.fault(report),
  });
  const guests = new Map(configuration.partitions.map((config) => [config.name, guestFiles(config, files)]));
  const problem = hypervisor.start(guests, options.heldBack);
  if (problem) throw new UsageError(problem.problem);
  return { hypervisor, configuration, guests };
}

/** What a partition is loaded with. Throws a UsageError where that cannot be had. */
export const guestFiles = ({ image, initrd }: PartitionConfiguration, files: Files): GuestFiles => ({
  image: namedImage(files, image),
  ...(initrd !== undefined && { initrd: namedInitrd(initrd) }),
});

const ofType = (tree: Tree, type: string) => [...tree.root.walk()].filter((n) => n.get('device_type')?.string === type);

/** Bytes of RAM on the board. */
export function memorySize(tree: Tree): number {
  const ranges = ofType(tree, 'memory').flatMap((n) => physicalReg(n));
  return ranges.reduce((sum, range) => sum + range.size, 0);
}

/** Cycles a second, from the first cpu node. */
export const frequencyOf = (tree: Tree): number => ofType(tree, 'cpu')[0]?.cell('clock-frequency') ?? 1;
