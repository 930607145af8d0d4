import { resolve } from 'node:path';
import { configure } from '../devicetree/configuration.js';
import { ConfigError } from '../devicetree/finding.js';
import { testPlan } from '../devicetree/test-plan.js';
import type { Tree } from '../devicetree/tree.js';
import { checkConfig, hasErrors, readTree, type SourceFlags } from '../launch/config.js';
import type { EngineOptions } from '../launch/engine-options.js';
import { UsageError } from '../launch/errors.js';
import { Files } from '../launch/files.js';
import { bootTree } from './boot.js';
import { Scenario, type ScenarioFailure } from './scenario.js';

/** What a test in a tree was and came to. */
export interface TreeTest {
  readonly failure?: ScenarioFailure;
  readonly run: {
    readonly cycles: number;
    readonly frequency: number;
    readonly instructions: number;
    readonly exits: number;
  };
  /** Sources, images and initial RAM disks, absolute. */
  readonly files: readonly string[];
  /** The whole run, for `hv440 replay`. */
  recording(): string;
  /** What is known of the board where it failed, a line each. */
  describeFailure(): readonly string[];
}

/** What a test is run with. */
export interface TreeTestOptions extends EngineOptions {
  /** In place of the test's own. */
  readonly seed?: number;
}

/**
 * Runs the test of a tree, `/test`. Throws a ConfigError where the configuration has errors, a UsageError where it has no test or
 * cannot be booted.
 */
export async function testTree(file: string, flags: SourceFlags, options: TreeTestOptions = {}): Promise<TreeTest> {
  const files = new Files();
  const read = readTree(file, flags);
  const { tree, findings } = checkConfig(read, files);
  if (hasErrors(findings)) throw new ConfigError(findings);
  const plan = testPlan(tree);
  if (!plan) throw new UsageError(`${file}: there is no /test node, so there is nothing to test`);
  const used = [file, ...(read.sources ?? []), ...imagesOf(tree)];
  const board = bootTree({ tree, findings }, resolve(file), files, { ...options, artifacts: false });
  const failure = await new Scenario(board, plan, options.seed).run();
  const { instructions, partitions } = board.stats();
  const exits = partitions.flatMap(({ vcpus }) => vcpus).reduce((sum, { exitCount }) => sum + exitCount, 0);
  return {
    ...(failure && { failure }),
    run: { cycles: board.cycle, frequency: board.frequency, instructions, exits },
    files: [...new Set(used.map((path) => resolve(path)))],
    recording: () => board.recording(),
    describeFailure: () => failure?.error.details ?? [],
  };
}

const imagesOf = (tree: Tree): string[] =>
  configure(tree).partitions.flatMap(({ image, initrd }) => [image, ...(initrd === undefined ? [] : [initrd])]);
