// Scores a GDB server: the real gdb-multiarch goes through every item of the list in gdb-score.py.
//
//   node test/debug/gdb-score.mjs            ours, each item on one line
//   node test/debug/gdb-score.mjs --qemu     and QEMU's, with the same script, beside it
//   node test/debug/gdb-score.mjs --without  and that each item fails when its packet is switched off

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '..', '..');
const elf = join(root, 'firmware/hello/hello.elf');
const main = join(root, 'dist/cli/main.cjs');

/** What our server runs in each scenario. */
const scenarios = {
  bare: ['--bare', elf],
  partitions: [join(root, 'devicetrees/two-partitions.dts')],
  attach: [join(root, 'devicetrees/two-partitions.dts')],
  'non-stop': ['--bare', elf],
  restart: ['--bare', elf],
};

/** What is to be switched off for an item, where that is called otherwise. */
const switches = {
  vMustReplyEmpty: 'empty',
  'qXfer:auxv': 'empty',
  qOffsets: 'empty',
  'idempotent Z': 'Z0',
  'per-process actions': 'multiprocess',
  'W and X': 'multiprocess',
  'reverse watchpoints': 'bc',
  replaylog: 'bc',
};

/** What no packet is for, and where GDB does not look at the answer. */
const ALWAYS = ['reconnect', 'load'];

/** A port that is free, with two more behind it. */
async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port, milliseconds = 10_000) {
  for (const end = Date.now() + milliseconds; Date.now() < end;) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise((done) => {
      socket.once('connect', () => done(true));
      socket.once('error', () => done(false));
    });
    socket.destroy();
    if (open) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`nothing listens at port ${port}`);
}

const ours = (scenario, port, without) => [
  process.execPath,
  [
    main,
    'debug',
    '--headless',
    '--wait',
    '--gdb',
    `${port}`,
    ...(without ? ['--gdb-without', without] : []),
    ...scenarios[scenario],
  ],
];
const qemus = (_, port) => [
  'qemu-system-ppc',
  [
    '-M',
    'bamboo',
    '-kernel',
    elf,
    '-nographic',
    '-monitor',
    'none',
    '-serial',
    'null',
    '-S',
    '-gdb',
    `tcp:127.0.0.1:${port}`,
  ],
];

/** One scenario against one server: a Map of what became of each item. */
async function play(server, scenario, { without, upTo = '', seconds = 100 } = {}) {
  let port, machine, said;
  for (let tries = 3; ; tries--) {
    port = await freePort();
    const [program, args] = server(scenario, port, without);
    machine = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    said = '';
    machine.stderr.on('data', (text) => (said += text));
    try {
      await listening(port);
      break;
    } catch (error) {
      machine.kill('SIGKILL');
      if (tries === 1) throw new Error(`${error.message}: ${said}`, { cause: error }); // else somebody had the port first
    }
  }
  try {
    const child = spawn('gdb-multiarch', ['-q', '-nx', '-batch', '-x', join(here, 'gdb-score.py')], {
      env: { ...process.env, SCORE_PORT: `${port}`, SCORE_ELF: elf, SCORE_SCENARIO: scenario, SCORE_UP_TO: upTo },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    child.stdout.on('data', (text) => (out += text));
    child.stderr.on('data', (text) => (out += text));
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    await once(child, 'exit');
    clearTimeout(timer);
    const lines = [...out.matchAll(/^ITEM (.*?): (ok|no: .*)$/gm)];
    const found = new Map(lines.map(([, name, result]) => [name, result]));
    if (process.env.SCORE_TALK) process.stderr.write(`${scenario}:\n${out}\n${said}\n`);
    return found;
  } finally {
    if (machine.exitCode === null && machine.signalCode === null) {
      machine.kill('SIGKILL');
      await once(machine, 'exit');
    }
  }
}

/** All scenarios: what became of each item. */
export async function score(server, options = {}) {
  const results = new Map();
  for (const scenario of Object.keys(scenarios))
    for (const [name, result] of await play(server, scenario, options)) results.set(name, { scenario, result });
  return results;
}

/** For each item that is there: whether it fails when it is switched off, as it must. */
export async function* withoutEach(results) {
  for (const [name, { scenario, result }] of results) {
    if (result !== 'ok' || ALWAYS.includes(name)) continue;
    const without = switches[name] ?? name;
    const after = (await play(ours, scenario, { without, upTo: name })).get(name);
    yield `${name}: ${after === 'ok' ? `STILL WORKS without ${without}` : `fails without ${without}`}`;
  }
}

export { ours, qemus };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const all = [['hv440', await score(ours)]];
  if (process.argv.includes('--qemu')) all.push(['QEMU', await score(qemus)]);
  const names = [...all[0][1].keys()];
  for (const name of names) {
    const columns = all.map(([who, results]) => `${who} ${results.get(name)?.result.slice(0, 60) ?? 'not reached'}`);
    console.log(`${name.padEnd(22)}${columns.join('   |   ')}`);
  }
  for (const [who, results] of all) {
    const good = names.filter((name) => results.get(name)?.result === 'ok').length;
    console.log(`${who}: ${good} of ${names.length}`);
  }
  if (process.argv.includes('--without')) for await (const line of withoutEach(all[0][1])) console.log(line);
}
