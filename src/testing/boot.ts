import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from '../devicetree/finding.js';
import { joinPath } from '../devicetree/paths.js';
import { withoutTest } from '../devicetree/test-plan.js';
import type { Tree } from '../devicetree/tree.js';
import { checkConfig, deviceTrees, hasErrors, readSource, readTree, type Configured } from '../launch/config.js';
import type { EngineOptions } from '../launch/engine-options.js';
import { Files } from '../launch/files.js';
import { filesOf, identityOf } from '../launch/identity.js';
import { frequencyOf, launch } from '../launch/machine.js';
import { configure } from '../devicetree/configuration.js';
import { cacheFolder } from './cache.js';
import type { Duration } from './duration.js';
import { givenSeed } from './given-seed.js';
import { TestBoard } from './test-board.js';
import { TestSnapshot } from './test-snapshot.js';

/** A configuration: the path of a `.dts` or `.dtb`, or source text. */
export type Config =
  | string
  | {
      readonly source: string;
      /** The folder that paths in it are relative to. Default the working directory. */
      readonly directory?: string;
    };

export interface BootOptions {
  /** Properties that are to be others, by `PATH/NAME` or `&label/NAME`, with their values as source text; empty: a flag. */
  readonly set?: Readonly<Record<string, string>>;
  /** Of axes of the test's matrix in the configuration, the variant to have. */
  readonly variant?: Readonly<Record<string, string>>;
  /** What `random` begins with. Default what `hv440 test --seed` says, or 1. */
  readonly seed?: number;
  /** What runs the instructions; all give the same results. */
  readonly engine?: NonNullable<EngineOptions['engine']>;
  /** How long things are waited for unless they say otherwise, in virtual time. Default 10 s. */
  readonly within?: Duration;
  /** No run goes on beyond this virtual time. */
  readonly limit?: Duration;
  /** Partitions that do not start by themselves, though the configuration has them do so. */
  readonly heldBack?: readonly string[];
  /** Begin at this moment: a snapshot, or the file of one. */
  readonly from?: TestSnapshot | string;
  /** Where recordings of failures are written; false: nowhere. Default node_modules/.cache/hv440, or the system's folder for such. */
  readonly artifacts?: string | false;
}

const WITHIN = '10 s';

/** What the source of a test is called in findings. */
const SOURCE = 'test.dts';

/**
 * A board with this configuration, switched on, its partitions loaded. Its time goes on while something of it is awaited. Throws
 * a ConfigError, whose message is what `hv440 check` prints, where the configuration has errors.
 */
export function boot(config: Config, options: BootOptions = {}): Promise<TestBoard> {
  return Promise.resolve().then(() => bootNow(config, options));
}

function bootNow(config: Config, options: BootOptions): TestBoard {
  const files = new Files();
  return bootTree(checkConfig(read(config, options), files), nameOf(config), files, options);
}

/** The same of a tree that was read and checked already; `file` is where its paths begin, absolute. */
export function bootTree(
  { tree, findings }: Configured,
  file: string,
  files: Files,
  options: Omit<BootOptions, 'set' | 'variant'> & EngineOptions,
): TestBoard {
  if (hasErrors(findings)) throw new ConfigError(findings);
  const { heldBack = [], within = WITHIN, limit, from, seed = givenSeed() } = options;
  const start = heldBack.length > 0 ? { start: heldBack } : {};
  const whole = withWholePaths(withoutTest(tree));
  const configuration = configure(whole);
  const board = new TestBoard({
    frequency: frequencyOf(tree),
    identity: identityOf(whole, filesOf(configuration.partitions), { ...start }),
    again: { command: 'boot', what: file, options: { ...start }, embedded: true },
    findings,
    seed,
    within,
    ...(limit !== undefined && { limit }),
    artifacts: artifactsOf(options),
    launch: (ears) => launch(whole, files, ears, { ...options, heldBack }).hypervisor,
  });
  if (from !== undefined) board.restore(typeof from === 'string' ? TestSnapshot.load(from) : from);
  return board;
}

const nameOf = (config: Config): string =>
  resolve(typeof config === 'string' ? config : join(config.directory ?? '.', SOURCE));

function read(config: Config, { set = {}, variant }: BootOptions): Configured {
  const pairs = (record: Readonly<Record<string, string>>): string[] =>
    Object.entries(record).map(([name, value]) => `${name}=${value}`);
  const flags = { set: pairs(set), ...(variant && { variant: pairs(variant) }) };
  if (typeof config === 'string') return readTree(config, flags);
  return readSource(config.source, nameOf(config), { include: [deviceTrees], ...flags });
}

/** The paths of files that partitions are loaded from as they are from anywhere. */
function withWholePaths(tree: Tree): Tree {
  for (const node of tree.find('/partitions')?.children ?? [])
    for (const name of ['image', 'initrd']) {
      const property = node.get(name);
      if (!property) continue;
      const path = resolve(joinPath(property.at.file, property.string));
      node.set(name, new TextEncoder().encode(`${path}\0`), 'strings', property.at);
    }
  return tree;
}

function artifactsOf({ artifacts }: BootOptions): string | undefined {
  if (artifacts === false) return undefined;
  const folder = artifacts ?? cacheFolder();
  mkdirSync(folder, { recursive: true });
  return folder;
}
