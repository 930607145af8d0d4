// A stock Linux as a guest, for the tests of a minute and those of many.

import { spawn } from 'node:child_process';
import { inRoot, put } from '../cli/child.js';
import { cli, type CliResult } from '../tools.js';

/** The shell's, whose first appearance ends the boot. */
export const PROMPT = 'ppc440# ';

/** What `poweroff -f` comes to: the kernel's last line is followed by a branch to itself with interrupts off. */
export const HALTED = 'halted: it waits, and no interrupt that it enabled can come';

/** All that hv440 says of it then. */
export const halted = (who: string): RegExp =>
  new RegExp(`^hv440: ${who} ${HALTED}\nhv440: [^:]+: branches-forever: at 0x[0-9a-f]+ .*\n$`);

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

/** `hv440 ARGS…` with one guest, a Linux with this prompt. Lines end in a newline alone. */
export async function linux(args: readonly string[], timeout = 55_000, prompt = PROMPT): Promise<LinuxRun> {
  const result = await cli([...args, '--headless', '--stats', 'json'], { timeout });
  const stdout = result.stdout.replaceAll('\r\n', '\n');
  const [before = '', ...pieces] = stdout.split(prompt);
  const answers = pieces.map((piece) => piece.slice(piece.indexOf('\n') + 1));
  const statistics = stdout.trimEnd().split('\n').at(-1)!;
  if (!statistics.startsWith('{')) throw new Error(`it ran nothing:\n${result.stderr}`);
  const { instructions } = JSON.parse(statistics) as { instructions: number };
  return { ...result, stdout, boot: before + prompt, answers, instructions };
}

/** A guest of a configuration, with a finisher for those that know of it. */
export interface LinuxPartition {
  readonly name: string;
  readonly image: string;
  readonly initrd?: string;
  readonly bootargs?: string;
  /** One UART where it is not said. */
  readonly console?: 'two UARTs' | 'four UARTs' | 'byte channel';
  /** Further properties of the partition. */
  readonly properties?: string;
  /** Bytes; 64 MiB where it is not said. */
  readonly memory?: number;
}

const uart = (address: string): string => `serial@${address} { compatible = "ns16550"; reg = <0x${address} 8>; };`;

/** Write a configuration with these guests; gives its path. */
export function partitions(file: string, guests: readonly LinuxPartition[]): string {
  const nodes = guests.map(
    ({ name, image, initrd, bootargs, console = 'UART', properties = '', memory = 0x0400_0000 }) => `
	${name} {
		compatible = "hv440,partition";
		image = "${image}";
		memory = <0 0 0 ${memory}>;
		${properties}
		${initrd === undefined ? '' : `initrd = "${initrd}";`}
		${bootargs === undefined ? '' : `bootargs = "${bootargs}";`}
		${console === 'byte channel' ? 'console { compatible = "epapr,hv-byte-channel"; };' : uart('ef600300')}
		${console === 'two UARTs' ? uart('ef600400') : ''}
		${console === 'four UARTs' ? ['ef600400', 'ef600500', 'ef600600'].map(uart).join(' ') : ''}
		finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };
	};`,
  );
  const board = inRoot('devicetrees', 'hv440-board.dtsi');
  return put(file, `/dts-v1/;\n/include/ "${board}"\n&partitions {${nodes.join('')}\n};\n`);
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
    'QEMU puts the tree, 23,182 bytes with its free space, in the middle of memory, where it costs six pages; ' +
    'hv440 puts its 1,591 bytes at the end, where the kernel uses the rest of their page',
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
