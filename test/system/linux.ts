// A stock Linux as a guest, for the tests of a minute and those of many.

import { spawn } from 'node:child_process';
import { cli, type CliResult } from '../tools.js';

/** The shell's, whose first appearance ends the boot. */
export const PROMPT = 'ppc440# ';

/** What `poweroff -f` comes to: the kernel's last line is followed by a branch to itself with interrupts off. */
export const HALTED = 'halted: it waits, and no interrupt that it enabled can come';

/** Type commands, each at the next prompt. */
export const typing = (...commands: readonly string[]): string[] =>
  commands.flatMap((command) => ['--expect', PROMPT, '--send', `${command}\\n`]);

/** Once a text has appeared, type these keys (C escapes). */
export const when = (text: string, keys: string): string[] => ['--expect', text, '--send', keys];

export interface LinuxRun extends CliResult {
  /** What was printed up to the first prompt. */
  readonly boot: string;
  /** What was printed between one prompt and the next, without the line that was typed. */
  readonly answers: readonly string[];
  /** Instructions retired. */
  readonly instructions: number;
}

/** `hv440 ARGS…` with one guest, a Linux. Lines end in a newline alone. */
export async function linux(args: readonly string[], timeout = 55_000): Promise<LinuxRun> {
  const result = await cli([...args, '--headless', '--stats', 'json'], { timeout });
  const stdout = result.stdout.replaceAll('\r\n', '\n');
  const [before = '', ...pieces] = stdout.split(PROMPT);
  const answers = pieces.map((piece) => piece.slice(piece.indexOf('\n') + 1));
  const { instructions } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { instructions: number };
  return { ...result, stdout, boot: before + PROMPT, answers, instructions };
}

/** Something in a boot log that may differ between two machines, and why. */
export interface Difference {
  readonly reason: string;
  readonly pattern: RegExp;
  readonly replacement: string;
}

export const timings: Difference = {
  reason: 'the machines are not equally fast',
  pattern: /^\[ *\d+\.\d{6}\]/gm,
  replacement: '[time]',
};

export const treeInMemory: Difference = {
  reason:
    "the device tree's place: QEMU puts one of 23,182 bytes, most of it free space, in the middle of memory, where it costs six pages; " +
    'hv440 one of 1,6xx bytes at the end, where the kernel uses the rest of its page',
  pattern: /^(.*Memory: )\d+(K\/131072K available \(.*, )\d+(K reserved)/m,
  replacement: '$1…$2…$3',
};

export const secondPort: Difference = {
  reason:
    'QEMU without a second -serial leaves the second UART out, though the tree has it; the legacy probe then finds one port less',
  pattern: /^.*serial8250\.0: ttyS1 at MMIO 0xef600400 .* is a 16550A\n/m,
  replacement: '',
};

export const boardName: Difference = {
  reason: "a partition's tree has the model of hv440's board",
  pattern: /^(.*Hardware name: )\S+/m,
  replacement: '$1…',
};

/** A log without what may differ, lines ending in a newline alone. */
export const comparable = (log: string, differences: readonly Difference[]): string[] =>
  differences
    .reduce((text, { pattern, replacement }) => text.replace(pattern, replacement), log.replaceAll('\r\n', '\n'))
    .split('\n');

/** A program that boots Linux on its standard output, killed at the prompt; gives what it printed. */
export async function bootElsewhere(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => {
    printed += bytes.toString('latin1');
    if (printed.includes(PROMPT)) child.kill('SIGKILL');
  });
  await new Promise<void>((ended, failed) => {
    child.on('error', failed);
    child.on('close', () => ended());
  });
  return printed;
}

/** A file of an archive as Linux unpacks it from an initrd (Documentation/driver-api/early-userspace/buffer-format.rst). */
export function archive(name: string, contents: string): Buffer {
  const mode = 0o100644;
  const entry = (path: string, data: string, at: { mode: number; links: number }): Buffer => {
    const fields = [0, at.mode, 0, 0, at.links, 0, data.length, 0, 0, 0, 0, path.length + 1, 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${path}\0`;
    return Buffer.concat([padded(head), padded(data)]);
  };
  return Buffer.concat([entry(name, contents, { mode, links: 1 }), entry('TRAILER!!!', '', { mode: 0, links: 1 })]);
}

const padded = (text: string): Buffer => Buffer.from(text + '\0'.repeat(-text.length & 3));
