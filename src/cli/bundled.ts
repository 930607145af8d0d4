import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
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

/**
 * What V8 is told before it compiles anything; code that it has kept is good under the same flags alone. Translated code need not
 * look at the stack's limit at each turn of a loop: from region to region it goes by tail calls, what it calls is JavaScript, which
 * looks for itself, and it comes back when its cycles are spent. A function is optimized after it has run through 600 kB of its byte
 * code, not 135: in a run of some tenths of a second V8 takes longer to optimize hundreds of them than they then gain.
 */
export function tellV8(): void {
  setFlagsFromString('--no-wasm-stack-checks');
  setFlagsFromString('--interrupt-budget=600000');
}

const inDist = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** V8's code is good for this Node alone; V8 refuses any other. */
export const codeFile = `hv440-${version}-${arch}.code`;

const read = (name: string): Buffer | undefined => {
  try {
    return readFileSync(inDist(name));
  } catch {
    return undefined;
  }
};

/** Has the compiler run since the bundle was made? */
function isStale(): boolean {
  const written = (name: string): number => statSync(inDist(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return written('.tsbuildinfo') > written('bundle/hv440.cjs');
}

/** The script of the bundle, which gives a function of what CommonJS modules are given; undefined where there is none. */
export function bundleScript(): Script | undefined {
  const source = isStale() ? undefined : read('bundle/hv440.cjs');
  if (!source) return undefined;
  const cachedData = read(`bundle/${codeFile}`);
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
