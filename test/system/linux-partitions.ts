// The project's own Linux as a guest: what its tests share.

import { readFileSync } from 'node:fs';
import { loadImage, type Image } from '../../src/loader/image.js';
import { inRoot, put } from '../cli/child.js';
import { cli, type CliResult } from '../tools.js';

export const image = inRoot('firmware', 'linux', 'vmlinux.gz');

/** Milliseconds for what takes a few seconds, where the computer has much else to do. */
export const PATIENCE = 170_000;

/** The prompt of the Linux with this host name, in its home folder. */
export const promptOf = (name: string): string => `${name}:~# `;

/** The image, read. */
export function kernel(): Image {
  const read = loadImage(readFileSync(image), image);
  if (!read.ok) throw new Error(read.reason);
  return read;
}

/** The kernel as it lies in memory from 0 on, which is what a uImage holds. */
export function flatKernel(): Uint8Array {
  const { segments } = kernel();
  const flat = new Uint8Array(Math.max(...segments.map(({ address, bytes }) => address + bytes.length)));
  for (const { address, bytes } of segments) flat.set(bytes, address);
  return flat;
}

export interface Run extends CliResult {
  /** What each partition printed, its lines without the name before them. */
  readonly consoles: Readonly<Record<string, string>>;
  /** The line of `--stats json`. */
  readonly statistics: string;
}

/** `hv440 boot CONFIG` with several guests, each typed its script, to the end of the last. */
export async function boot(
  config: string,
  scripts: Readonly<Record<string, string>>,
  timeout = PATIENCE,
): Promise<Run> {
  const inputs = Object.entries(scripts).flatMap(([name, text]) => ['--input', `${name}=${put(`${name}.in`, text)}`]);
  const result = await cli(['boot', config, '--headless', '--stats', 'json', ...inputs], { timeout });
  const stdout = result.stdout.replaceAll('\r', '');
  const lines = stdout.split('\n').filter((line) => !line.startsWith('{'));
  const of = (name: string): string =>
    lines
      .filter((line) => line.startsWith(`${name}| `))
      .map((line) => line.slice(name.length + 2))
      .join('\n');
  const names = new Set(lines.flatMap((line) => /^([\w-]+)\| /.exec(line)?.[1] ?? []));
  const consoles = Object.fromEntries([...names].map((name) => [name, of(name)]));
  return { ...result, stdout, consoles, statistics: stdout.trimEnd().split('\n').at(-1)! };
}
