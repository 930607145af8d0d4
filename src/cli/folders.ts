import { watch as watchFolder, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds of wall time in which changes are taken together: editors write a file in several steps. */
const TOGETHER = 100;

/** Folders in which changes are looked for. */
export class Folders {
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
