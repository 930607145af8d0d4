import type { DebuggedMachine } from './processes.js';
import type { Process } from './target.js';

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };

/**
 * Characters for the first stream of a program (the machine's first, for the board and the hypervisor), as if somebody typed them;
 * `\n`, `\r`, `\t` and `\\` are what they are in C, and quotes around the text are left out. False if it has none that can be
 * typed at.
 */
export function typeAt(machine: DebuggedMachine, { name, kind }: Process, text: string): boolean {
  const own = machine.streams.find((each) => each === name || each.startsWith(`${name}/`));
  const stream = kind === 'partition' ? own : machine.streams[0];
  const typed = text.replace(/^"(.*)"$/, '$1').replace(/\\([nrt\\])/g, (_, letter: string) => escapes[letter]!);
  return stream !== undefined && machine.type(stream, new TextEncoder().encode(typed));
}
