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

/** What V8 has made of the interpreter for cold code: good for this Node on this kind of processor. V8 refuses any other. */
export const interpreterFile = `cold-${process.version}-${process.arch}.code`;

/** A function of V8's own that only code sees which is compiled while it is allowed to. Throws where this V8 does not have it. */
function native(call: string, ...parameters: string[]): (...given: unknown[]) => unknown {
  setFlagsFromString('--allow-natives-syntax');
  try {
    return new Function(...parameters, `return %${call}(${parameters.join()})`) as ReturnType<typeof native>;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

/** Bytes of the word that tells how long a module is, before the module and its code. */
const WORD = 4;

/**
 * A module, and behind it what V8 has made of it, all functions compiled as well as it can: for `takeInterpreter`, in a process that is
 * told the same. V8 does not see whether the two belong together, so they are one file.
 */
export function compiled(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module, { env: nothingOf(module) });
  const optimize = native('WasmTierUpFunction', 'run');
  Object.values(exports).forEach((run) => optimize(run));
  const length = Buffer.alloc(WORD);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes, new Uint8Array(native('SerializeWasmModule', 'module')(module) as ArrayBuffer)]);
}

/** The two parts of such a file. */
export function partsOf(file: Buffer): {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly code: Uint8Array<ArrayBuffer>;
} {
  const end = WORD + file.readUInt32LE(0);
  return { module: Uint8Array.from(file.subarray(WORD, end)), code: Uint8Array.from(file.subarray(end)) };
}

let taken: unknown;

/**
 * Gives V8 what it made of the interpreter for cold code when the program was built: optimizing it takes a twentieth of a second, in
 * which a guest would run at half the speed. V8 knows a module by its bytes: who wants one of the same bytes gets this one. Whether
 * V8 has taken it.
 */
export function takeInterpreter(command: string | undefined): boolean {
  const file = running.has(command) ? besideBundle(interpreterFile) : undefined;
  if (!file) return false;
  const { module, code } = partsOf(file);
  try {
    taken = native('DeserializeWasmModule', 'code', 'module')(code.buffer, module);
  } catch {
    // then V8 compiles it itself
  }
  return taken instanceof WebAssembly.Module;
}

/** Commands that are over in tenths of a second. */
const short: ReadonlySet<string | undefined> = new Set(['check', 'dts', 'map', 'disasm']);

/**
 * In a short run V8 takes longer to optimize hundreds of functions than they then gain, so it does so after 500 kB of a function's byte
 * code, not 66: with two processors that is a tenth less for a check of 64 partitions. For the bare board, where little is hot that is
 * JavaScript, it is 132 kB. To be told behind the loading: code that was kept is good under the same flags alone.
 */
export function optimizeLater([command, ...options]: readonly string[]): void {
  if (short.has(command)) setFlagsFromString('--interrupt-budget=500000');
  if (command !== 'run' && command !== 'boot') return;
  const isBare = command === 'run' && options.includes('--bare');
  if (isBare) setFlagsFromString('--interrupt-budget=135168');
  for (const { after, bytes, anew } of isBare ? inlined.bare : inlined.partitions) {
    const tell = (): void => {
      setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${bytes}`);
      if (anew) void optimizeAnew();
    };
    if (after === 0) tell();
    else setTimeout(tell, after).unref();
  }
}

/** How many bytes of byte code a function may take in from those that it calls, and from when on, in milliseconds. */
interface Inlining {
  readonly after: number;
  readonly bytes: number;
  /** Whether all that was optimized before is optimized anew. */
  readonly anew?: boolean;
}

/**
 * While a guest boots V8 lets a function take in less than by its own limit, 920: each function of a long chain would otherwise be
 * compiled with all that is behind it, and the boot be over before it gained by that. What runs for longer has V8's limit. On the bare
 * board what is hottest, and optimized first, has it too, and that is nearly all; with partitions what handles exits is optimized anew
 * then: an exit takes a fifth less.
 */
const inlined: Readonly<Record<'bare' | 'partitions', readonly Inlining[]>> = {
  bare: [
    { after: 30, bytes: 100 },
    { after: 1000, bytes: 920 },
  ],
  partitions: [
    { after: 0, bytes: 100 },
    { after: 700, bytes: 920, anew: true },
  ],
};

/**
 * Have V8 forget how it has optimized JavaScript, all of it, and begin to count anew how often each function runs. That is what it does
 * where the calls of functions are to be counted exactly; whoever counts them by Node's own variable is left alone. Takes some 15 ms.
 */
export async function optimizeAnew(): Promise<void> {
  if (process.env['NODE_V8_COVERAGE']) return;
  try {
    const { Session } = await import('node:inspector');
    const session = new Session();
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.startPreciseCoverage', { callCount: true });
    session.post('Profiler.stopPreciseCoverage');
    session.disconnect();
  } catch {
    // Node was built without it
  }
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
const LESS = 10;

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
