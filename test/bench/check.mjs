// `node test/bench/check.mjs`: how long a configuration takes to be read and checked, by its number of partitions, in
// processor time, the best of several rounds in one process. What docs/checks.md shows.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { manyPartitions } from '../devicetree/many-partitions.mjs';
import { root } from './guests.mjs';

const load = (name) => import(join(root, 'dist', 'devicetree', name));
const { parse } = await load('source.js');
const { check } = await load('checks/index.js');
const { checkAsDtc } = await load('warnings/index.js');
const { imagesByName } = await load('examples/index.js');

const ROUNDS = 7;
const WIDTH = 40;
const board = join(root, 'devicetrees', 'hv440-board.dtsi');
const counts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Processor time of some work, in milliseconds, and what it gives. */
function timed(work) {
  const begun = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(begun);
  return { result, time: (user + system) / 1000 };
}

function round(text) {
  const read = timed(() => parse(text, 'many.dts', (path) => readFileSync(path)));
  const { tree } = read.result;
  const own = timed(() => check(tree, imagesByName));
  const asDtc = timed(() => checkAsDtc(tree));
  const wrong = own.result.find(({ severity }) => severity === 'error');
  if (wrong) throw new Error(wrong.message);
  return { read: read.time, check: own.time, dtc: asDtc.time };
}

const rows = [];
for (const count of counts) {
  const text = manyPartitions(count, board);
  const rounds = Array.from({ length: ROUNDS }, () => round(text));
  const best = (key) => Math.min(...rounds.map((one) => one[key]));
  rows.push({ count, read: best('read'), check: best('check'), dtc: best('dtc') });
}
const longest = Math.max(...rows.map((row) => row.check + row.dtc));
console.log('partitions  read ms  check ms  dtc ms  µs/partition');
for (const { count, read, check: own, dtc } of rows) {
  const bar = '#'.repeat(Math.max(1, Math.round(((own + dtc) / longest) * WIDTH)));
  const columns = [String(count).padStart(10), read.toFixed(1).padStart(7), own.toFixed(1).padStart(8)];
  console.log(
    `${columns.join('  ')}  ${dtc.toFixed(1).padStart(6)}  ${(((own + dtc) * 1000) / count).toFixed(0).padStart(12)}  ${bar}`,
  );
}
