import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Where files go that can be made again: the cache of the project that the working directory is in, else the system's folder. */
export function cacheFolder(): string {
  for (let at = resolve('.'); ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules'))) return join(at, 'node_modules', '.cache', 'hv440');
    if (at === dirname(at)) return join(tmpdir(), 'hv440');
  }
}
