// `node test/bench/memory.mjs [N...]`: what the process of hv440 needs for 1, 2, 4 and 8 idle Linux partitions beside the memory
// that the guests themselves touched. On Linux, since it reads /proc. Build first (`npm run build`).
//
// What Node holds back for its own heap differs between two equal runs by more than all partitions cost. So each number is run
// some times and the least counts, and what a partition adds is measured in live objects: the slope of a line through all.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './guests.mjs';
import { table } from './report.mjs';

const MIB = 2 ** 20;
const GUEST = 32 * MIB;
const ROUNDS = 3;
const numbers = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 2, 4, 8];
const probe = fileURLToPath(new URL('memory-probe.mjs', import.meta.url));

/** A configuration of so many Linuxes, and room for them. */
function configuration(count) {
  const partitions = Array.from(
    { length: count },
    (_, i) => `linux-${i + 1} { compatible = "hv440,partition"; image = "${join(root, 'firmware/linux/vmlinux.gz')}";
      memory = <0 0 0 ${GUEST}>; bootargs = "console=ttyS0,115200";
      serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; }; };`,
  );
  return `/dts-v1/;\n/include/ "${join(root, 'devicetrees/hv440-board.dtsi')}"
    &memory0 { reg = <0 0 ${count * GUEST}>; };\n&partitions { ${partitions.join('\n')} };\n`;
}

/** Boots so many, waits until all are at their prompts and idle, and asks the probe in the process. */
async function measure(folder, count) {
  const config = join(folder, `${count}.dts`);
  writeFileSync(config, configuration(count));
  const hv440 = join(root, 'dist', 'cli', 'main.cjs');
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--import', probe, hv440, 'boot', config, '--headless', '--no-ptys'],
    // Standard input stays open: somebody might type, so idle guests go on waiting.
    { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] },
  );
  let printed = '';
  child.stdout.on('data', (bytes) => {
    const before = printed.split('BOOT-OK').length;
    printed += bytes.toString('latin1');
    const now = printed.split('BOOT-OK').length;
    if (before <= count && now > count) setTimeout(() => child.send(count * GUEST), SETTLE);
  });
  try {
    return await new Promise((answered, failed) => {
      child.on('message', answered).on('error', failed);
      child.on('exit', (status) => failed(new Error(`hv440 ended with ${status}:\n${printed.slice(-2000)}`)));
    });
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
}

/** Milliseconds from the last guest's start message to its prompt, and for the others' timers to have gone by. */
const SETTLE = 5000;

/** The slope of the line that fits best (least squares). */
function slope(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map((p) => p.x)), mean(points.map((p) => p.y))];
  return mean(points.map((p) => (p.x - x) * (p.y - y))) / mean(points.map((p) => (p.x - x) ** 2));
}

const beside = ({ resident, guest }) => resident - guest;
const mib = (bytes) => (bytes / MIB).toFixed(1);

const folder = mkdtempSync(join(tmpdir(), 'hv440-memory-'));
try {
  const results = [];
  for (const count of numbers) {
    const runs = [];
    for (let i = 0; i < ROUNDS; i++) runs.push(await measure(folder, count));
    results.push({ count, ...runs.toSorted((a, b) => beside(a) - beside(b))[0] });
  }
  const head = ['partitions', 'resident', 'of it touched by guests', 'each guest', 'beside', 'JS heap', 'JS buffers'];
  const rows = results.map((result) => {
    const { count, resident, guest, heap, buffers } = result;
    return [String(count), ...[resident, guest, guest / count, beside(result), heap, buffers].map(mib)];
  });
  process.stdout.write(`MiB, of guests with ${GUEST / MIB} MiB each\n\n${table([head, ...rows], true)}\n`);
  if (results.length > 1) {
    const more = (of) => mib(slope(results.map((result) => ({ x: result.count, y: of(result) }))));
    const objects = more(({ heap, buffers }) => heap + buffers);
    process.stdout.write(`\nA partition adds ${objects} MiB of objects and buffers beside what its guest touches.\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
