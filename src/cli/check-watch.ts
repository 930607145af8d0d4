import { dirname, resolve } from 'node:path';
import type { Checked } from './check.js';
import { Folders } from './folders.js';

/** The lines around the findings of one look, by which an editor tells old findings from new ones (docs/checks.md). */
const BEGIN = 'hv440 check: begin';
const END = 'hv440 check: end';

const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/**
 * Looks at configurations, and again whenever a file changes that they are made of: sources, what they include, images;
 * until the process is told to end. Gives the exit status of the last look.
 */
export async function watchChecks(look: () => Checked): Promise<number> {
  const folders = new Folders();
  const leave = new Promise<'leave'>((done) => process.once('SIGINT', () => done('leave')));
  for (;;) {
    process.stdout.write(`${BEGIN}\n`);
    const { status, errors, others, files } = look();
    const all = new Set(files.map((file) => resolve(file)));
    folders.keep([...all].map((file) => dirname(file)));
    const found = `${counted(errors, 'error')}, ${counted(others, 'other')}`;
    process.stdout.write(`${END}: ${found}; ${counted(all.size, 'file')} watched\n`);
    const changed = await Promise.race([leave, folders.changed((file) => all.has(file))]);
    if (changed !== 'leave') continue;
    folders.keep([]);
    return status;
  }
}
