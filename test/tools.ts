// What tests share: outside programs, reference files beside the project, and the built command line.

import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants as osConstants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';

/** The project's folder. */
export const root = resolve(fileURLToPath(import.meta.url), '..', '..');

/** Programs and optional packages that tests use, each with how to get it on Debian. */
const sources: Readonly<Record<string, string>> = {
  dtc: 'apt-get install device-tree-compiler',
  fdtoverlay: 'apt-get install device-tree-compiler',
  'gdb-multiarch': 'apt-get install gdb-multiarch',
  'node-pty': 'install python3, make and g++, remove node_modules, npm ci',
  'powerpc-linux-gnu-gcc': 'apt-get install gcc-powerpc-linux-gnu',
  'powerpc-linux-gnu-objdump': 'apt-get install binutils-powerpc-linux-gnu',
  'powerpc-linux-gnu-as': 'apt-get install binutils-powerpc-linux-gnu',
  'qemu-system-ppc': 'apt-get install qemu-system-ppc',
  script: 'apt-get install bsdutils',
  socat: 'apt-get install socat',
  tmux: 'apt-get install tmux',
};

/** Set by CI, which has everything: what is missing there is a failure, not a skipped test. */
const requireAll = process.env['HV440_REQUIRE_TOOLS'] === '1';

const found = new Map<string, string | undefined>();

/**
 * The full path of an outside program, or undefined where it is not installed, which is said aloud once a file. With
 * HV440_REQUIRE_TOOLS=1 a missing one throws instead.
 */
export function tool(name: string): string | undefined {
  return look(name, () => inPath(name));
}

/** The same for an optional npm package: its main file. */
export function nodePackage(name: string): string | undefined {
  return look(name, () => {
    try {
      return createRequire(import.meta.url).resolve(name);
    } catch {
      return undefined;
    }
  });
}

function look(name: string, find: () => string | undefined): string | undefined {
  if (found.has(name)) return found.get(name);
  const path = find();
  found.set(name, path);
  if (path === undefined) missing(`${name} is not installed${sources[name] ? ` (${sources[name]})` : ''}`);
  return path;
}

function inPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missing(what: string): void {
  if (requireAll) throw new Error(`${what}, and HV440_REQUIRE_TOOLS=1 wants every test to run`);
  process.stderr.write(`\nSKIPPED TESTS: ${what}\n`);
}

/** `test` where all these programs (or `shared` files, or packages) are there, `test.skip` where one is not. */
export const testWith = (...needs: readonly (string | undefined)[]) =>
  needs.every((path) => path !== undefined) ? test : test.skip;

/**
 * The full path of a reference file or folder in `../shared` (vectors made on real processors, guests too large for the
 * repository), or undefined where it is not there, which is said aloud once a file.
 */
export function shared(path: string): string | undefined {
  const full = resolve(root, '..', 'shared', path);
  if (existsSync(full)) return full;
  if (!found.has(full)) missing(`there is no ${full}`);
  found.set(full, undefined);
  return undefined;
}

export interface CliOptions {
  /** Bytes or text for its standard input, which then ends; without it, standard input is empty. */
  readonly input?: string | Uint8Array;
  /** Milliseconds after which it is killed and the call throws; default 50 000. */
  readonly timeout?: number;
  /** Default: the project's folder. */
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface CliResult {
  /** The exit status; 128 and the signal's number where a signal ended it, as a shell has it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run the built `hv440 ARGS…` as a child process, to its end. */
export const cli = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  run(process.execPath, [join(root, 'dist', 'cli', 'main.cjs'), ...args], options);

/** Run any program as a child process, to its end. Its output is read as UTF-8. */
export async function run(program: string, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { input = '', timeout = 50_000, cwd = root, env = {} } = options;
  const child = spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: '1', ...env } });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  child.stdin.on('error', () => undefined); // it may end without having read everything
  child.stdin.end(input);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeout);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((ended, failed) => {
    child.on('error', failed);
    child.on('close', (...how) => ended(how));
  }).finally(() => clearTimeout(timer));
  const result = { status: code ?? 128 + signalNumber(signal), stdout: stdout(), stderr: stderr() };
  if (late) {
    const said = `${result.stdout.slice(-2000)}\n${result.stderr.slice(-2000)}`;
    throw new Error(`${program} ${args.join(' ')} had not ended after ${timeout} ms; it had said:\n${said}`);
  }
  return result;
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

const signalNumber = (signal: NodeJS.Signals | null): number => (signal ? osConstants.signals[signal] : 0);
