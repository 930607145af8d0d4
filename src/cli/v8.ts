import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { besideBundle } from './bundled.js';

/**
 * What V8 is told before it compiles anything; code that it has kept is good under the same flags alone. Translated code need not
 * look at the stack's limit at each turn of a loop: from region to region it goes by tail calls, what it calls is JavaScript, which
 * looks for itself, and it comes back when its cycles are spent.
 */
export function tellV8(): void {
  setFlagsFromString('--no-wasm-stack-checks');
}

/** Commands that run guests in this process. */
const running: ReadonlySet<string | undefined> = new Set([
  'boot',
  'run',
  'debug',
  'replay',
  'profile',
  'overhead',
  'dap',
]);
let early: WebAssembly.Instance | undefined;

/**
 * Has V8 compile the interpreter for cold code as well as it can, on a thread of its own, while the program is loaded and the guest
 * too; it would do so when that has run for some time. V8 knows a module by its bytes: who wants one of the same bytes gets this one.
 */
export function compileEarly(command: string | undefined): void {
  const bytes = running.has(command) ? besideBundle('cold.wasm') : undefined;
  if (!bytes) return;
  setFlagsFromString('--no-wasm-dynamic-tiering');
  const module = new WebAssembly.Module(new Uint8Array(bytes));
  early = new WebAssembly.Instance(module, { env: nothingOf(module) });
  for (const run of Object.values(early.exports)) run(0, 0, 0); // nothing left: it comes back at once
  setFlagsFromString('--wasm-dynamic-tiering');
}

/** Commands that are over in tenths of a second. */
const short: ReadonlySet<string | undefined> = new Set(['check', 'dts', 'map', 'disasm']);

/**
 * In a short run V8 takes longer to optimize hundreds of functions than they then gain, so it does so after 500 kB of a function's byte
 * code, not 135: with two processors that is a tenth less for a check of 64 partitions, and a twentieth for Linux's boot on the bare
 * board. Exits of partitions want it soon. To be told behind the loading: code that was kept is good under the same flags alone.
 */
export function optimizeLater([command, ...options]: readonly string[]): void {
  const isShort = short.has(command) || (command === 'run' && options.includes('--bare'));
  if (isShort) setFlagsFromString('--interrupt-budget=500000');
}

/** What a module imports, with nothing behind it. */
function nothingOf(
  module: WebAssembly.Module,
): Record<string, WebAssembly.Memory | WebAssembly.Table | WebAssembly.Callable> {
  const made = {
    memory: () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
    table: () => new WebAssembly.Table({ element: 'anyfunc', initial: 1 }),
    function: () => () => 0,
  };
  return Object.fromEntries(WebAssembly.Module.imports(module).map(({ name, kind }) => [name, made[kind]()]));
}

/** So much nicer than the main thread: more, and they would starve where others want the processors too. */
const LESS = 5;

/**
 * V8's threads, which compile and collect garbage meanwhile, give way to the one that is waited for: where there are two processors
 * they took a twentieth of a boot from it. Only Linux gives each thread a priority of its own.
 */
export function giveWay(command: string | undefined): void {
  if (!running.has(command) || process.platform !== 'linux') return;
  try {
    for (const thread of readdirSync('/proc/self/task').map(Number))
      if (thread !== process.pid) setPriority(thread, Math.min(getPriority() + LESS, 19));
  } catch {
    // then they are as they were
  }
}
