import { dirname, resolve } from 'node:path';
import { Folders } from '../folders.js';
import { UsageError } from '../../launch/errors.js';
import type { RunOfAll } from '../test.js';

/** A file that may be a new test. */
const TEST = /\.test\.(dts|m?ts|m?js)$/;

/**
 * Runs all tests, and whenever files change that tests are made of, those tests again, until the process is told to end.
 */
export async function watch(
  paths: readonly string[],
  run: (changed: (file: string) => boolean) => Promise<RunOfAll>,
): Promise<number> {
  const folders = new Folders();
  const leave = new Promise<'leave'>((done) => process.once('SIGINT', () => done('leave')));
  let files = new Map<string, readonly string[]>();
  let wanted: ((file: string) => boolean) | undefined;
  for (;;) {
    const trouble = wanted ? complain : undefined; // the first time it ends the program
    const used = await run(wanted ?? (() => true)).then((done) => done.files, trouble);
    files = new Map([...files, ...used]);
    const all = [...files.values()].flat().map((file) => resolve(file));
    folders.keep([...all.map((file) => dirname(file)), ...paths.map((path) => resolve(path))]);
    process.stdout.write(`\nwaiting for changes of ${new Set(all).size} files; Ctrl-C ends it\n`);
    const matters = (file: string): boolean => all.includes(file) || TEST.test(file);
    const changed = await Promise.race([leave, folders.changed(matters)]);
    if (changed === 'leave') break;
    process.stdout.write('\n');
    wanted = (file) => {
      const parts = files.get(file);
      return parts === undefined || [file, ...parts].some((part) => changed.has(resolve(part)));
    };
  }
  folders.keep([]);
  return 0;
}

/** What is wrong with the usage now may be right after the next change. */
function complain(error: unknown): ReadonlyMap<string, readonly string[]> {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`hv440: ${error.message}\n`);
  return new Map();
}
