// The transcripts of docs/debugging.md with our own prompt: read from the document, and had again.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Child, inRoot } from './child.js';
import { folderAsCommitted } from './gdb-tour.js';

const PROMPT = '(hv440) ';

/** Give a script to `hv440 debug`. */
export async function debug(args: readonly string[], script: readonly string[]) {
  const child = new Child(['debug', ...args]);
  child.process.stdin.end(script.map((line) => `${line}\n`).join(''));
  return child.ended;
}

/** Each: the arguments of `hv440 debug`, and all that is seen. Those with Linux take longer. */
export const transcripts = [
  ...readFileSync(inRoot('docs/debugging.md'), 'utf8').matchAll(/^```console\n\$ hv440 debug (.*)\n([^]*?)^```$/gm),
].map(([, args, text]) => ({ args: args!, text: text!, long: args!.includes('linux') }));

/** Without spaces at the ends of lines, which an editor may take from a document. */
const bare = (text: string): string => text.replace(/ +$/gm, '');

/** What guests print: a transcript may leave it out. */
const GUESTS = /^[\w-]+\| .*\n/gm;

export async function checkTranscript({ args, text }: { args: string; text: string }): Promise<void> {
  const script = text
    .split('\n')
    .filter((line) => line.startsWith(PROMPT))
    .map((line) => line.slice(PROMPT.length));
  const folder = folderAsCommitted();
  const here = (word: string): string => (existsSync(join(folder, word)) ? join(folder, word) : word);
  const { stdout, stderr } = await debug(args.split(' ').map(here), script);
  expect(stderr).toBe('');
  expect(bare(text.search(GUESTS) < 0 ? stdout.replace(GUESTS, '') : stdout)).toBe(bare(text));
}
