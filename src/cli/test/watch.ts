import { watch as watchFolder, type FSWatcher } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { RunOfAll } from '../test.js';

/** Milliseconds of wall time in which changes are taken together: editors write a file in several steps. */
const TOGETHER = 100;

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
  let wanted: (file: string) => boolean = () => true;
  for (;;) {
    const { files: used } = await run(wanted);
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

/** Folders in which changes are looked for. */
class Folders {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #changed = new Set<string>();
  #wake: (() => void) | undefined;

  /** Look into these, and no others. */
  keep(folders: readonly string[]): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.includes(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of new Set(folders)) {
      if (this.#watchers.has(folder)) continue;
      try {
        const note = (_: string, name: string | null): void => this.#note(join(folder, name ?? ''));
        this.#watchers.set(
          folder,
          watchFolder(folder, note).on('error', () => {}),
        );
      } catch {
        // What is not there cannot change; it is looked for again after the next run.
      }
    }
  }

  #note(file: string): void {
    this.#changed.add(file);
    this.#wake?.();
  }

  /** The files that matter and have changed since the last time. */
  async changed(matters: (file: string) => boolean): Promise<ReadonlySet<string>> {
    while (![...this.#changed].some(matters)) {
      this.#changed.clear();
      await new Promise<void>((done) => (this.#wake = done));
    }
    await new Promise((done) => setTimeout(done, TOGETHER));
    const all = new Set([...this.#changed].filter(matters));
    this.#changed.clear();
    return all;
  }
}
