// One run of a guest on one machine: a process whose standard output is watched with a stop watch.

import { spawn } from 'node:child_process';

/** After so long without END something is wrong. Milliseconds. */
const PATIENCE = 180_000;

/** How long a machine may take to end by itself once the guest is done. Milliseconds. */
const GRACE = 10_000;

/** The line that ends the measured time: `END` and a checksum, perhaps of several words. */
const PROGRAM = { start: 'START', end: /END ([0-9a-f ]*[0-9a-f]) *\r?\n/ };

/**
 * Run a command until the guest on it has printed END and the process has ended, or was ended where it is `endless`. Gives
 * the seconds from START to END, the checksum, and what `--stats json` printed, where it did. Throws an Error that shows the
 * output where there is no END. `marks` are a text and a pattern to look for instead.
 */
export async function measure({ program, args, marks: { start, end } = PROGRAM, endless = false }) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  let started, ended, grace;
  child.stdout.on('data', (bytes) => {
    const now = performance.now();
    output += bytes.toString('latin1');
    if (started === undefined && output.includes(start)) started = now;
    if (ended !== undefined || !end.test(output)) return;
    ended = now;
    grace = setTimeout(() => child.kill('SIGKILL'), endless ? 0 : GRACE);
  });
  child.stderr.on('data', (bytes) => (errors += bytes.toString('utf8')));
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  try {
    await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  } finally {
    clearTimeout(patience);
    clearTimeout(grace);
  }
  const sum = end.exec(output)?.[1];
  if (started === undefined || sum === undefined)
    throw new Error(
      `${program} ${args.join(' ')} never printed ${start} and ${end}:\n${output.slice(-800)}${errors.slice(-800)}`,
    );
  return { seconds: (ended - started) / 1000, sum, stats: statisticsOf(output.slice(end.exec(output).index)) };
}

/** What hv440 prints behind the guest's output, of which the last line may lack its end. */
function statisticsOf(rest) {
  const json = /\{\s*"instructions"[^]*\}/.exec(rest)?.[0];
  if (json === undefined) return undefined;
  const { instructions, cycles, partitions } = JSON.parse(json);
  const { exits = {}, ahead = { count: 0 } } = partitions[0]?.vcpus[0] ?? {};
  return { instructions, cycles, exits, ahead: ahead.count };
}
