import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import type { main } from './program.js';

/**
 * The whole program as one file, with the code that V8 has made of it: `.ci/bundle.mjs` writes both behind the compiler's
 * output. Reading hundreds of modules, and compiling them, takes longer than all else that happens before a guest's first
 * instruction.
 */

/** What `program.ts` exports. */
export interface Program {
  readonly main: typeof main;
}

const inDist = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** V8's code is good for this Node alone; V8 refuses any other. */
export const codeFile = `hv440-${process.version}-${process.arch}.code`;

const read = (name: string): Buffer | undefined => {
  try {
    return readFileSync(inDist(name));
  } catch {
    return undefined;
  }
};

/** A file beside the bundle, where that is there and as new as the modules. */
export const besideBundle = (name: string): Buffer | undefined => (isStale() ? undefined : read(`bundle/${name}`));

/** Has the compiler run since the bundle was made? Or is there none? */
export function isStale(): boolean {
  const written = (name: string): number => statSync(inDist(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return written('.tsbuildinfo') > written('bundle/hv440.cjs');
}

/** The script of the bundle, which gives a function of what CommonJS modules are given; undefined where there is none. */
export function bundleScript(): Script | undefined {
  const source = besideBundle('hv440.cjs');
  if (!source) return undefined;
  const cachedData = besideBundle(codeFile);
  const filename = inDist('bundle/hv440.cjs');
  return new Script(source.toString('latin1'), { filename, ...(cachedData && { cachedData }) });
}

/** The program out of the bundle, or undefined where that is not there, or older than the modules. */
export function bundled(script = bundleScript()): Program | undefined {
  if (!script) return undefined;
  const filename = inDist('bundle/hv440.cjs');
  const module = { exports: {} as Program };
  const load = script.runInThisContext() as (...given: unknown[]) => void;
  load(module.exports, createRequire(filename), module, filename, inDist('bundle'));
  return module.exports;
}
