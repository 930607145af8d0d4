// The built command line as a child process that a test talks to while it runs.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { root, type CliResult } from '../tools.js';

/** The built command line's entry. */
export const main = join(root, 'dist', 'cli', 'main.cjs');

/** A path in the project's folder. */
export const inRoot = (...parts: string[]): string => join(root, ...parts);

export const hello = inRoot('firmware', 'hello', 'hello.elf');
export const traps = inRoot('firmware', 'traps', 'traps.elf');
export const paravirt = inRoot('firmware', 'paravirt', 'paravirt.elf');
export const spin = inRoot('firmware', 'spin', 'spin.elf');
export const rogue = inRoot('firmware', 'rogue', 'rogue.elf');
export const twoPartitions = inRoot('devicetrees', 'two-partitions.dts');
export const onePartition = inRoot('devicetrees', 'one-partition.dts');

const running = new Set<Child>();
afterEach(async () => {
  for (const child of running) await child.kill();
});

/** A running `hv440`; what a test leaves running is killed after it. */
export class Child {
  stdout = '';
  stderr = '';
  readonly ended: Promise<CliResult>;
  readonly process: ChildProcessWithoutNullStreams;
  #isOver = false;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(process.execPath, [main, ...args], {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    this.process.stdout.on('data', (bytes: Buffer) => (this.stdout += bytes.toString('latin1')));
    this.process.stderr.on('data', (bytes: Buffer) => (this.stderr += bytes.toString()));
    this.process.stdin.on('error', () => {}); // it may end without having read everything
    running.add(this);
    this.ended = new Promise((resolve) =>
      this.process.on('close', (code, signal) => {
        this.#isOver = true;
        running.delete(this);
        const status = code ?? 128 + (signal ? constants.signals[signal] : 0);
        resolve({ status, stdout: this.stdout, stderr: this.stderr });
      }),
    );
  }

  /** Write to its standard input, which stays open. */
  type(text: string): void {
    this.process.stdin.write(text);
  }

  /** Wait until one of its outputs has the text. */
  async shows(text: string, where: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    while (!this[where].includes(text)) {
      if (this.#isOver)
        throw new Error(`it ended without '${text}' on ${where}; it said:\n${this.stdout}\n${this.stderr}`);
      await sleep(10);
    }
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

let folder: string | undefined;
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
});

/** This file's own folder for temporary things, gone after its tests. */
export function scratch(...parts: string[]): string {
  folder ??= mkdtempSync(join(tmpdir(), 'hv440-test-'));
  return join(folder, ...parts);
}

/** Write a file there; gives its path. */
export function put(name: string, contents: string | Uint8Array): string {
  const path = scratch(name);
  writeFileSync(path, contents);
  return path;
}

/** A guest of a configuration that a test makes. */
export interface Guest {
  readonly name: string;
  readonly image: string;
  readonly bootargs?: string;
  /** More properties, as source text. */
  readonly more?: string;
}

/** A configuration's source: the project's board, and guests with 16 MiB, a UART and a finisher each. */
export function configuration(guests: readonly Guest[], settings = ''): string {
  const nodes = guests.map(
    ({ name, image, bootargs, more = '' }) => `
	${name} {
		compatible = "hv440,partition";
		image = "${image}";
		memory = <0 0 0 0x01000000>;
		${bootargs === undefined ? '' : `bootargs = "${bootargs}";`} ${more}
		serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
		finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };
	};`,
  );
  return `/dts-v1/;
/include/ "${inRoot('devicetrees', 'hv440-board.dtsi')}"
&partitions {
	${settings}${nodes.join('')}
};
`;
}

/** Write such a configuration; gives its path. */
export const putConfiguration = (name: string, guests: readonly Guest[], settings?: string): string =>
  put(name, configuration(guests, settings));
