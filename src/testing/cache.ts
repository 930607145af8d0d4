import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where files go that can be made again: the cache of the project that the working directory is in, else the system's folder. */
export function cacheFolder(): string {
  for (let at = resolve('.'); ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules'))) return join(at, 'node_modules', '.cache', 'hv440');
    if (at === dirname(at)) return join(tmpdir(), 'hv440');
  }
}

/** A hash of hv440 itself: another version may go another way. */
export function ownFingerprint(): string {
  const folder = dirname(dirname(fileURLToPath(import.meta.url)));
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
    if (/\.[jt]s$/.test(name) && !name.endsWith('.d.ts')) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest('hex');
}
