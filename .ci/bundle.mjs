// Makes one file of the compiled program, and has V8 compile it: hv440 starts in a fraction of the time that its modules take.
// Where the bundler is not installed, or anything else goes wrong, there is no bundle, and the modules are what runs.
//
//   node .ci/bundle.mjs            behind the compiler, by set-up.mjs
//   node .ci/bundle.mjs --code     the second half, in a process of its own: what running it compiles is kept

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'dist', 'bundle');
const modules = (name) => import(pathToFileURL(join(root, 'dist', name)).href);

/** ASCII is read fastest: V8 takes it as it is. Everything else is in strings and regular expressions. */
const escaped = (text) =>
  text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * The command: what `main.js` and its imports are, but no ECMAScript module, so that Node need not load what it has for those. Where the
 * compiler has run since, `main.js` is what is run.
 */
async function command() {
  const { rolldown } = await import('rolldown');
  const file = (name) => JSON.stringify(join(root, 'dist', 'cli', name));
  const code = `import { isStale } from ${file('bundled.js')}; import { start } from ${file('start.js')};
    if (isStale()) void import('./main.js'); else void start(process.argv.slice(2));`;
  const besideIt = ['./main.js', './program.js']; // modules, as they are
  const virtual = {
    name: 'command',
    resolveId: (id) => (besideIt.includes(id) ? { id, external: true } : id === 'command' ? id : undefined),
    load: (id) => (id === 'command' ? code : undefined),
  };
  const build = await rolldown({ input: 'command', platform: 'node', logLevel: 'silent', plugins: [virtual] });
  const { output } = await build.generate({ format: 'cjs', codeSplitting: false, comments: false });
  await build.close();
  return output[0].code;
}

/** Beside `main.js`, and in every build: it is what package.json calls `hv440`. */
const commandFile = join(root, 'dist', 'cli', 'main.cjs');

function putCommand(code) {
  const made = `${commandFile}.${process.pid}`;
  writeFileSync(made, `#!/usr/bin/env node\n${code}`, { mode: 0o755 });
  renameSync(made, commandFile);
}

async function bundle() {
  const { rolldown } = await import('rolldown');
  const input = join(root, 'dist', 'cli', 'program.js');
  const resolve = { alias: { fflate: 'fflate/browser' } }; // for Node it loads worker_threads, which nothing here needs
  const plugins = [await prepared(), evaluatedWhenCalled()];
  const build = await rolldown({ input, platform: 'node', resolve, logLevel: 'silent', plugins });
  const { output } = await build.generate({ format: 'cjs', codeSplitting: false, comments: false });
  await build.close();
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${whenUsed(output[0].code)}\n})`;
  mkdirSync(folder, { recursive: true });
  put('hv440.cjs', escaped(wrapped));
}

/** Modules of Node's own that most runs do without, and that take some milliseconds to load, are loaded when they are used. */
function whenUsed(code) {
  const seldom =
    /^(\s*)(?:let|const) (\w+) = require\("(node:(?:child_process|net|os|readline|stream|timers\/promises|tty|zlib))"\);$/gm;
  let lazy = code;
  for (const [line, indent, name, module] of code.matchAll(seldom)) {
    const uses = new RegExp(`\\b${name}\\b`, 'g');
    const members = new RegExp(`\\b${name}\\.`, 'g');
    const isPlain = code.match(uses).length === (code.match(members) ?? []).length + 1; // but for the line itself
    if (!isPlain) continue;
    lazy = lazy
      .replaceAll(members, `${name}().`)
      .replace(line, `${indent}function ${name}() { return require("${module}"); }`);
  }
  return lazy;
}

/**
 * Modules that make tables when they are evaluated, and that most runs do without, with those of their functions that are used: each is evaluated
 * when one of them is first called.
 */
const seldomCalled = [
  [/\/fflate\/[^?]*browser\.js$/, ['Inflate', 'unzlibSync', 'zlibSync']],
  [/\/dist\/loader\/crc32\.js$/, ['crc32']],
  [/\/dist\/isa\/disassemble\.js$/, ['disassemble', 'assemblyText']],
];

function evaluatedWhenCalled() {
  const facade = (id, names) => {
    const entry = (name) => `export function ${name}(...given) {
      whole ??= require(${JSON.stringify(`${id}?whole`)});
      return new.target ? new whole.${name}(...given) : whole.${name}(...given);
    }`;
    return ['let whole;', ...names.map(entry)].join('\n');
  };
  return {
    name: 'evaluated-when-called',
    resolveId: (id) => (id.endsWith('?whole') ? id : undefined),
    load(id) {
      if (id.endsWith('?whole')) return readFileSync(id.slice(0, -'?whole'.length), 'utf8');
      const names = seldomCalled.find(([file]) => file.test(id))?.[1];
      return names && facade(id, names);
    },
  };
}

/** Puts what is ready made in the places of the modules that have nothing. */
async function prepared() {
  const made = {
    [join('cpu', 'engine', 'prepared.js')]: `export const preparedTemplate = () => (${await template()});`,
    [join('cli', 'prepared-board.js')]: `export const preparedBoard = () => (${await board()});`,
  };
  return { name: 'prepared', load: (id) => made[relative(join(root, 'dist'), id)] };
}

async function template() {
  const [{ makeTemplate }, { listVariants }, { instructionsOf }, { DEFAULT_HOT }] = await Promise.all(
    ['cold-template', 'printed', '../../isa/instructions', 'translator'].map((name) =>
      modules(`cpu/engine/${name}.js`),
    ),
  );
  const { bytes, lookaside, tables } = makeTemplate(listVariants(instructionsOf(new Set())), DEFAULT_HOT);
  const sites = `lookaside: ${JSON.stringify(lookaside)}, tables: ${JSON.stringify(tables)}`;
  return `{ bytes: Buffer.from('${Buffer.from(bytes).toString('base64')}', 'base64'), ${sites} }`;
}

async function board() {
  const { packBoard } = await modules('cli/config.js');
  const packed = packBoard();
  return packed && `JSON.parse(${JSON.stringify(JSON.stringify(packed))})`;
}

/** The interpreter for cold code as the first core of any board has it: whose compiled code V8 is given at the start (src/cli/v8.ts). */
async function interpreter() {
  const [{ Translator }, { Core }, { SharedMemory }, { Bus }, { Clock }] = await Promise.all(
    ['cpu/engine/translator', 'cpu/core', 'bus/memory', 'bus/bus', 'bus/clock'].map((name) => modules(`${name}.js`)),
  );
  const engine = new Translator();
  const model = { pvr: 0, number: 0, rate: { ticks: 1, cycles: 1 } };
  return engine.interpreterOf(new Core(new SharedMemory(2 ** 21), new Bus(), new Clock(), engine, model));
}

/** Whole or not at all: somebody may be starting it. */
function put(name, content) {
  const made = join(folder, `${name}.${process.pid}`);
  writeFileSync(made, content);
  renameSync(made, join(folder, name));
}

/** What is run for V8 to have compiled it. */
const hello = join(root, 'firmware', 'hello', 'hello.elf');
const linux = join(root, 'firmware', 'linux', 'vmlinux.gz');
const spin = join(root, 'firmware', 'spin', 'spin.elf');
const runs = [
  ['run', hello, '--headless', '--stats', '--expect', 'hello> '],
  ['run', '--bare', hello, '--headless', '--expect', 'hello> '],
  ['run', '--bare', linux, '--headless', '--expect', 'BOOT-OK', '--max-instructions', '3e7'],
  ['run', linux, '--headless', '--expect', 'BOOT-OK', '--max-instructions', '3e7'],
  ['run', '--bare', spin, '--headless', '--max-instructions', '1e7'], // long enough to be translated
  ...readdirSync(join(root, 'devicetrees'))
    .filter((name) => name.endsWith('.dts'))
    .map((name) => ['check', join(root, 'devicetrees', name)]),
];

async function compile() {
  const { bundled, bundleScript, codeFile } = await modules('cli/bundled.js');
  const { tellV8, compiled, interpreterFile } = await modules('cli/v8.js');
  tellV8();
  const module = await interpreter();
  try {
    put(interpreterFile, compiled(module));
  } catch {
    // this V8 does not hand out what it has compiled
  }
  const script = bundleScript();
  const { main } = bundled(script);
  for (const run of runs) await main(run);
  put(codeFile, script.createCachedData());
  process.exitCode = 0;
}

if (process.argv.includes('--code')) await compile();
else {
  try {
    rmSync(folder, { recursive: true, force: true });
    await bundle();
    putCommand(escaped(await command()));
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--code'], { stdio: 'ignore' });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    putCommand("void import('./main.js');\n");
    process.stderr.write(`hv440 set-up: no bundle, so it starts slowly: ${error.message}\n`);
  }
}
