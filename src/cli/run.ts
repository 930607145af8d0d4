import { basename, resolve } from 'node:path';
import type { Tree } from '../devicetree/tree.js';
import { bootConfigured, runBare, type Attend } from './boot.js';
import { checkBare, readTree } from '../launch/config.js';
import { bareSource, insist, parseGenerated, runSource } from './config.js';
import type { ConsoleOptions } from './console.js';
import { UsageError } from '../launch/errors.js';
import { Files, namedImage, namedInitrd } from '../launch/files.js';
import type { Command, KeepOptions } from './keep.js';

/** Options of `hv440 run`. */
export interface RunOptions extends ConsoleOptions, KeepOptions {
  readonly bare?: boolean;
  /** Bytes. */
  readonly memory?: number;
  readonly initrd?: string;
  readonly bootargs?: string;
  readonly dtb?: string;
  readonly reboot?: boolean;
}

const DEFAULT_MEMORY = 128 * 2 ** 20;

/** `hv440 run IMAGE`: one guest in a partition, or on the bare board. Gives the exit status. */
export function run(image: string, options: RunOptions): Promise<number> {
  return runImage(image, { keeping: { again: runCommand(image, options) }, ...options });
}

/** How to have the same machine again. */
export function runCommand(image: string, options: RunOptions): Command {
  const { bare, memory, initrd, bootargs, dtb, reboot } = options;
  const whole = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));
  const same = { bare, memory, initrd: whole(initrd), bootargs, dtb: whole(dtb), reboot };
  return { command: 'run', what: resolve(image), options: same };
}

/** The same with a debugger beside it. */
export async function runImage(image: string, options: RunOptions, attend?: Attend): Promise<number> {
  const { memory = DEFAULT_MEMORY, initrd, bootargs, reboot = false } = options;
  const label = basename(image)
    .replace(/\.gz$/, '')
    .replace(/\.(elf|bin|img)$/, '');
  if (options.bare) return runOnBoard(image, label, options, attend);
  if (options.dtb !== undefined)
    throw new UsageError(
      '--dtb: a partition’s tree is generated; it goes with --bare, and `node-update` in a configuration changes what is generated',
    );
  const files = new Files();
  namedImage(files, image);
  if (initrd !== undefined) namedInitrd(initrd);
  const given = { ...(initrd !== undefined && { initrd }), ...(bootargs !== undefined && { bootargs }) };
  const source = runSource({ image, label, memory, onReset: reboot ? 'restart' : 'stop', ...given });
  return bootConfigured(parseGenerated(source), options, attend, files);
}

async function runOnBoard(image: string, label: string, options: RunOptions, attend?: Attend): Promise<number> {
  const { memory = DEFAULT_MEMORY, initrd, bootargs, dtb, reboot = false } = options;
  const configured =
    dtb === undefined
      ? parseGenerated(bareSource({ label, memory, ...(bootargs !== undefined && { bootargs }) }))
      : readTree(dtb);
  const tree = insist(checkBare(configured));
  if (dtb !== undefined) overrideTree(tree, options);
  return runBare(tree, { image, reboot, ...(initrd !== undefined && { initrd }) }, options, attend);
}

/** What the command line says is stronger than a tree that was given. */
function overrideTree(tree: Tree, { memory, bootargs }: RunOptions): void {
  const node = tree.root.children.find((n) => n.get('device_type')?.string === 'memory');
  if (memory !== undefined)
    node?.setCells('reg', ...Array<number>(tree.root.addressCells + tree.root.sizeCells - 1).fill(0), memory);
  if (bootargs !== undefined) (tree.root.child('chosen') ?? tree.root.add('chosen')).setStrings('bootargs', bootargs);
}
