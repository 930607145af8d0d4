import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { boot, type BootOptions, type Config } from './boot.js';
import { cacheFolder, ownFingerprint } from './cache.js';
import type { TestBoard } from './test-board.js';
import { givenSeed } from './given-seed.js';
import { TestSnapshot } from './test-snapshot.js';

/** What a fixture is made of. */
export interface FixtureOptions extends BootOptions {
  readonly config: Config;
  /** Brings a board that was just switched on to where the tests begin: `(board) => board.console('linux').expect('# ')`. */
  readonly prepare: (board: TestBoard) => Promise<unknown>;
  /**
   * The folder in which the snapshot is kept for other test files and processes; false: it is not. Default
   * node_modules/.cache/hv440, or the system's folder for temporary files.
   */
  readonly cache?: string | false;
  /** What `prepare` depends on besides its own text, the configuration, its images and the options. */
  readonly key?: string;
}

/** Gives the board as it was when it had been prepared. */
export type SnapshotFixture = () => Promise<TestBoard>;

/**
 * A board that is booted once for many tests. The first call boots and prepares it, or takes the snapshot that another test file or
 * an earlier run has left in the cache; each call brings it back to that moment. It is one board: a test that has called
 * leaves it to the next.
 */
export function snapshotFixture(options: FixtureOptions): SnapshotFixture {
  let first: Promise<{ board: TestBoard; snapshot: TestSnapshot }> | undefined;
  return async () => {
    const { board, snapshot } = await (first ??= prepared(options));
    board.restore(snapshot);
    return board;
  };
}

async function prepared(options: FixtureOptions) {
  const { config, prepare, cache = cacheFolder() } = options;
  const board = await boot(config, options);
  const file = cache === false ? undefined : join(cache, 'snapshots', `${keyOf(board, options)}.hv440`);
  const kept = file === undefined ? undefined : fromFile(file);
  if (kept) return { board, snapshot: kept };
  await prepare(board);
  const snapshot = board.snapshot();
  if (file !== undefined) keep(snapshot, file);
  return { board, snapshot };
}

/** A name for all that decides on the snapshot. */
function keyOf(board: TestBoard, { prepare, key = '', within, seed = givenSeed(), from }: FixtureOptions): string {
  const origin = from === undefined || typeof from === 'string' ? from : from.cycle;
  const parts = [ownFingerprint(), board.identity, prepare.toString(), key, within, seed, origin];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** A file that cannot be read any more is as good as none. */
function fromFile(file: string): TestSnapshot | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return TestSnapshot.load(file);
  } catch {
    return undefined;
  }
}

/** In one go, for those who look at the same time. */
function keep(snapshot: TestSnapshot, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const folder = mkdtempSync(join(dirname(file), 'new-'));
  const made = join(folder, 'snapshot');
  snapshot.save(made);
  renameSync(made, file);
  rmSync(folder, { recursive: true });
}
