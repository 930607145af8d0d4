#!/usr/bin/env node
import { basename } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { decodeBlob, encodeBlob } from '../devicetree/blob.js';
import { configure } from '../devicetree/configuration.js';
import { ConfigError, describe, type Finding } from '../devicetree/finding.js';
import { printTree } from '../devicetree/print.js';
import type { Tree } from '../devicetree/tree.js';
import { guestTree } from '../hypervisor/guest-tree.js';
import { boot, bootConfigured, runBare } from './boot.js';
import {
  bareSource,
  checkBare,
  checkConfig,
  insist,
  parseGenerated,
  readTree,
  runSource,
  type Configured,
} from './config.js';
import type { ConsoleOptions } from './console.js';
import { UsageError } from './errors.js';
import { Files } from './files.js';
import { parseCount, parseSeconds, parseSize } from './sizes.js';

/** Exit status: 0 good, 1 the guest failed (or its own), 2 the usage or the configuration is wrong. */
const USAGE = 2;

const collect = (value: string, before: string[]): string[] => [...before, value];
const print = (text: string): void => void process.stdout.write(text);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

/** What boot and run share. */
function consoleOptions(command: Command): Command {
  return command
    .option(
      '--headless',
      'no terminal: output as `name| line`, a single guest’s output bare; standard input feeds the first stream',
    )
    .option(
      '--input <NAME=FILE>',
      'type a file at a stream, in simulated time (may be given several times; - is standard input)',
      collect,
      [],
    )
    .option(
      '--expect <TEXT>',
      'wait until the console prints this, then --send (C escapes; pairs in order); a last --expect alone ends the run',
      collect,
      [],
    )
    .option('--send <TEXT>', 'what to type once its --expect has appeared', collect, [])
    .option('--log <DIR>', 'write what each stream prints to a file of its own')
    .addOption(new Option('--ptys [DIR]', 'a pty for each stream, linked to by name in DIR (default on a terminal)'))
    .option('--no-ptys', 'no ptys')
    .option('--escape <KEY>', 'the multiplexer’s key: ctrl-a (default), ctrl-b …, or none')
    .option('--max-instructions <N>', 'stop after so many instructions', (text) =>
      parseCount('--max-instructions', text),
    )
    .option('--timeout <SECONDS>', 'stop after so much wall time, with status 1', parseSeconds)
    .addOption(
      new Option('--stats [FORMAT]', 'at the end: instructions, cycles, and exits by kind for each partition').choices([
        'text',
        'json',
      ]),
    );
}

interface RunOptions extends ConsoleOptions {
  readonly bare?: boolean;
  readonly memory?: number;
  readonly initrd?: string;
  readonly bootargs?: string;
  readonly dtb?: string;
  readonly reboot?: boolean;
}

const DEFAULT_MEMORY = 128 * 2 ** 20;

async function run(image: string, options: RunOptions): Promise<number> {
  const { memory = DEFAULT_MEMORY, initrd, bootargs, dtb, reboot = false } = options;
  const label = basename(image).replace(/\.(elf|bin|img|gz)$/, '');
  if (!options.bare) {
    if (dtb !== undefined)
      throw new UsageError(
        '--dtb: a partition’s tree is generated; it goes with --bare, and `node-update` in a configuration changes what is generated',
      );
    const files = { ...(initrd !== undefined && { initrd }), ...(bootargs !== undefined && { bootargs }) };
    const source = runSource({ image, label, memory, onReset: reboot ? 'restart' : 'stop', ...files });
    return bootConfigured(parseGenerated(source), options);
  }
  const configured =
    dtb === undefined
      ? parseGenerated(bareSource({ label, memory, ...(bootargs !== undefined && { bootargs }) }))
      : readTree(dtb);
  const tree = insist(checkBare(configured), (finding) => complain(describe(finding)));
  if (dtb !== undefined) overrideTree(tree, options);
  return runBare(tree, { image, reboot, ...(initrd !== undefined && { initrd }) }, options);
}

/** What the command line says is stronger than a tree that was given. */
function overrideTree(tree: Tree, { memory, bootargs }: RunOptions): void {
  const node = tree.root.children.find((n) => n.get('device_type')?.string === 'memory');
  if (memory !== undefined)
    node?.setCells('reg', ...Array<number>(tree.root.addressCells + tree.root.sizeCells - 1).fill(0), memory);
  if (bootargs !== undefined) (tree.root.child('chosen') ?? tree.root.add('chosen')).setStrings('bootargs', bootargs);
}

function checkFiles(configs: readonly string[], { json = false }: { json?: boolean }): number {
  const findings = configs.flatMap((config) => findingsOf(config));
  if (json) print(`${JSON.stringify(findings, null, 2)}\n`);
  else findings.forEach((finding) => print(`${describe(finding)}\n`));
  const errors = findings.filter((f) => f.severity === 'error').length;
  if (!json && errors === 0) print(`${configs.join(', ')}: no errors\n`);
  return errors > 0 ? USAGE : 0;
}

/** Everything that is wrong with a file; a broken blob is a finding like others. */
function findingsOf(config: string): readonly Finding[] {
  try {
    return checkConfig(readTree(config), new Files()).findings;
  } catch (error) {
    if (error instanceof ConfigError) return error.findings;
    throw error;
  }
}

function showTree(config: string, options: { partition?: string; blob?: boolean }): number {
  const configured = readTree(config);
  const tree = options.partition === undefined ? plainTree(configured) : partitionTree(configured, options.partition);
  if (options.blob) process.stdout.write(encodeBlob(tree));
  else print(printTree(tree));
  return 0;
}

/** A tree as it is, whatever the rules say of it: only its syntax has to be right. */
const plainTree = (configured: Configured): Tree => insist(configured, (finding) => complain(describe(finding)));

/** The tree that a partition's guest gets. */
function partitionTree(configured: Configured, name: string): Tree {
  const tree = insist(checkConfig(configured, new Files()), (finding) => complain(describe(finding)));
  const { partitions } = configure(tree);
  const at = partitions.findIndex((p) => p.name === name || p.label === name);
  const partition = partitions[at];
  if (!partition)
    throw new UsageError(
      `--partition ${name}: there is no such partition; there are ${partitions.map((p) => p.name).join(', ')}`,
    );
  return decodeBlob(encodeBlob(guestTree(partition, tree, at + 1)), `${name}.dtb`);
}

/** Runs an action and makes its result the exit status. */
const action =
  <Args extends unknown[]>(perform: (...args: Args) => number | Promise<number>) =>
  async (...args: Args): Promise<void> => {
    process.exitCode = await perform(...args);
  };

function program(): Command {
  const hv440 = new Command('hv440')
    .description('A PowerPC 440 board, and the thin hypervisor that partitions it by device tree')
    .version('0.1.0')
    .showHelpAfterError()
    .exitOverride();
  consoleOptions(hv440.command('boot <CONFIG.dts>').description('boot the partitions of a device tree'))
    .addHelpText(
      'after',
      examples(
        'hv440 boot devicetrees/two-partitions.dts',
        'hv440 boot devicetrees/hostile.dts --headless --max-instructions 1e8 --stats',
      ),
    )
    .action(action((config: string, options: ConsoleOptions) => boot(config, options)));
  consoleOptions(
    hv440
      .command('run <IMAGE>')
      .description('boot one image, as a partition or on the bare board; exits with its status'),
  )
    .option('--bare', 'on the board itself, without the hypervisor')
    .option('--memory <SIZE>', 'its memory (default 128M)', parseSize)
    .option('--initrd <FILE>', 'an initial RAM disk')
    .option('--bootargs <TEXT>', 'its command line (/chosen bootargs)')
    .option('--dtb <FILE>', 'with --bare: the board’s device tree, source or blob')
    .option('--reboot', 'start again after a reset instead of ending')
    .addHelpText(
      'after',
      examples(
        'hv440 run firmware/hello/hello.elf',
        "printf 'mem\\nexit 3\\n' | hv440 run --bare firmware/hello/hello.elf; echo $?",
      ),
    )
    .action(action(run));
  hv440
    .command('check <CONFIG.dts...>')
    .description('report everything that is wrong with configurations; exit status 2 if anything is')
    .option('--json', 'as JSON')
    .addHelpText('after', examples('hv440 check devicetrees/*.dts'))
    .action(action(checkFiles));
  hv440
    .command('dts <CONFIG.dts>')
    .description('print a device tree, source or blob, as source')
    .option('--partition <NAME>', 'the tree that this partition’s guest gets')
    .option('--blob', 'as a blob (.dtb)')
    .addHelpText(
      'after',
      examples('hv440 dts devicetrees/two-partitions.dts --partition hello', 'hv440 dts board.dts --blob > board.dtb'),
    )
    .action(action(showTree));
  return hv440;
}

const examples = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;

/** Messages for the user's trouble; ours keeps its stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  if (error instanceof ConfigError) error.findings.forEach((finding) => complain(describe(finding)));
  else if (error instanceof UsageError) complain(`hv440: ${error.message}`);
  else throw error;
  return USAGE;
}

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
