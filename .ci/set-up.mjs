// Makes a clone ready to run: installs what package-lock.json says, compiles src/ into dist/. Every npm script starts
// here, so it does nothing, quickly, when nothing has changed. Plain Node, because it runs before anything is installed.
//
//   node .ci/set-up.mjs            what is missing or stale
//   node .ci/set-up.mjs --build    the same, and compiles from nothing whatever the state

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inRoot = (...parts) => join(root, ...parts);

const installedStamp = inRoot('node_modules', '.hv440-lock');
const builtStamp = inRoot('dist', '.built');
const entry = inRoot('dist', 'cli', 'main.js');
const bundler = inRoot('.ci', 'bundle.mjs');
const command = inRoot('dist', 'cli', 'main.cjs'); // which the bundler writes
const lock = inRoot('dist', '.set-up-lock');

const say = (text) => process.stderr.write(`hv440 set-up: ${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};

/** The text of a file, or undefined where there is none. */
const read = (file) => {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
};

const digest = (parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
};

/** What has to be installed: the lock file, for this kind of machine and this Node (node-pty is compiled for it). */
const wantedPackages = () =>
  digest([fs.readFileSync(inRoot('package-lock.json')), process.platform, process.arch, process.versions.modules]);

const exists = (name) => fs.existsSync(inRoot(name));

/** What has to be built, by content: touching a file builds nothing, deleting one does. */
const wantedBuild = () => {
  const files = fs
    .readdirSync(inRoot('src'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join('src', name));
  const all = [...files, 'tsconfig.json', 'package.json', 'package-lock.json', '.ci/bundle.mjs'].filter(exists);
  return digest(all.flatMap((name) => [name, fs.readFileSync(inRoot(name))]));
};

const isInstalled = () => read(installedStamp) === wantedPackages();
const isWhole = () => fs.existsSync(entry) && (fs.existsSync(command) || !fs.existsSync(bundler));
const isBuilt = () => isWhole() && read(builtStamp) === wantedBuild();

/**
 * Whether someone who ran npm by hand has already installed every package of the lock file. Optional ones may be
 * missing: those of other platforms are, and node-pty is where it cannot be compiled.
 */
const isInstalledByHand = () => {
  const wanted = JSON.parse(read(inRoot('package-lock.json'))).packages;
  const present = JSON.parse(read(inRoot('node_modules', '.package-lock.json')) ?? '{}').packages;
  if (!present) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    const found = present[path];
    return found ? found.version === version : optional === true;
  });
};

/** npm as it was started, or the one in the path. */
const npm = (args) => {
  const started = process.env.npm_execpath;
  const viaNode = started !== undefined && basename(started) === 'npm-cli.js';
  const [command, before] = viaNode ? [process.execPath, [started]] : ['npm', []];
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28, shell: !viaNode && process.platform === 'win32' };
  return spawnSync(command, [...before, ...args], options);
};

const install = () => {
  if (!isInstalledByHand()) {
    say('installing dependencies (npm ci), about half a minute');
    const { status, error, stdout, stderr } = npm(['ci', '--include=dev', '--include=optional']);
    if (error) fail(`npm could not be started: ${error.message}; it comes with Node, see https://nodejs.org`);
    if (status !== 0) {
      process.stderr.write(`${stdout}${stderr}`);
      fail('npm ci failed (its output is above); is there a network, and do package.json and package-lock.json agree?');
    }
  }
  if (!fs.existsSync(inRoot('node_modules', 'node-pty'))) {
    say('node-pty could not be compiled (it wants python3, make and a C++ compiler); all but ptys works without it');
  }
  fs.writeFileSync(installedStamp, wantedPackages());
};

const build = (fromNothing) => {
  say('building (tsc)');
  const wanted = wantedBuild(); // before the compiler reads the sources: an edit meanwhile means another build
  fs.rmSync(builtStamp, { force: true });
  if (fromNothing || !fs.existsSync(entry)) clearBuild(); // tsc trusts its notes on what it wrote last
  const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.json', '--pretty'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail('the build failed; what the compiler found is above');
  if (!fs.existsSync(entry)) fail('the build left no dist/cli/main.js; is src/cli/main.ts there?');
  removeOrphans();
  fs.chmodSync(entry, 0o755);
  if (fs.existsSync(bundler)) spawnSync(process.execPath, [bundler], { cwd: root, stdio: ['ignore', 2, 2] });
  fs.writeFileSync(builtStamp, wanted);
};

const clearBuild = () => {
  for (const name of fs.readdirSync(inRoot('dist'))) {
    if (name !== basename(lock)) fs.rmSync(inRoot('dist', name), { recursive: true, force: true });
  }
};

/** tsc leaves the output of a source that is gone; a test or an import could still find it. */
const removeOrphans = () => {
  for (const name of fs.readdirSync(inRoot('dist'), { recursive: true })) {
    const stem = /^(.*)\.(?:js|d\.ts)(?:\.map)?$/.exec(name)?.[1];
    if (stem !== undefined && !fs.existsSync(inRoot('src', `${stem}.ts`))) fs.rmSync(inRoot('dist', name));
  }
};

const sleep = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

const isRunning = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** Whether the holder of the lock, `age` milliseconds old, is gone; it signs with its process and host. */
const isStale = (owner, age) => {
  if (owner === undefined) return age > 10_000;
  const [pid, host] = owner.split(' ');
  return age > 30 * 60_000 || (host === hostname() && !isRunning(Number(pid)));
};

/** Run `work` while no other set-up of this folder runs. */
const exclusively = (work) => {
  fs.mkdirSync(dirname(lock), { recursive: true });
  const signature = join(lock, 'owner');
  let waiting = false;
  while (!tryToTake()) {
    if (!waiting) say(`waiting for another set-up of this folder (if there is none, remove ${lock})`);
    waiting = true;
    sleep(200);
  }
  process.on('exit', release);
  work();
  release();

  function tryToTake() {
    try {
      fs.mkdirSync(lock);
      fs.writeFileSync(signature, `${process.pid} ${hostname()}`);
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`cannot write ${lock}: ${error.message}`);
    }
    const age = Date.now() - (fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    const owner = read(signature);
    if (isStale(owner, age) && read(signature) === owner) setAside();
    return false;
  }

  /** Renaming is atomic, so of several that wait only one removes the lock. */
  function setAside() {
    const aside = `${lock}.${process.pid}`;
    try {
      fs.renameSync(lock, aside);
      fs.rmSync(aside, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }

  function release() {
    if (read(signature) === `${process.pid} ${hostname()}`) fs.rmSync(lock, { recursive: true, force: true });
  }
};

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  fail(`hv440 needs Node ${OLDEST_NODE} or newer, and this is ${process.version}; see https://nodejs.org`);
}
const force = process.argv.includes('--build');
if (force || !isInstalled() || !isBuilt()) {
  exclusively(() => {
    if (!isInstalled()) install();
    if (force || !isBuilt()) build(force);
  });
}
