// What `--record` costs: the same runs with it and without, in turn, by the processor time of the whole process.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linuxGuest, ownGuests, root } from './guests.mjs';
import { spread, table } from './report.mjs';

const probe = fileURLToPath(new URL('cpu-probe.mjs', import.meta.url));
const hv440 = join(root, 'dist', 'cli', 'main.cjs');

/** The shell's. */
const PROMPT = 'linux:~# ';

/** Keeps somebody at the shell of Linux busy. */
const typed = ['cat /proc/cpuinfo', 'ls -l /', 'ps', 'cat /proc/interrupts', 'uname -a'];

/** The command lines that are measured, by what they are called. */
export function recordedRuns(folder, quick) {
  const bench = ownGuests(quick)
    .filter(({ name }) => ['mix', 'calls', 'misses'].includes(name))
    .map(({ name, iterations, with: given }) => {
      const { image, bootargs } = given(iterations);
      return [name, ['run', '--bootargs', bootargs, image]];
    });
  if (quick) return bench;
  const { config } = linuxGuest(folder).with();
  const dialogue = typed.flatMap((line) => ['--expect', PROMPT, '--send', `${line}\\n`]);
  return [...bench, ['linux, typed at', ['boot', config, ...dialogue, '--expect', PROMPT]]];
}

/** Processor time of one run, in seconds. */
export function cost(args, main = hv440) {
  const command = ['--import', probe, main, ...args, '--headless', '--no-ptys'];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const [errors, seconds] = ['', ''].map((start, i) => {
    const part = { text: start };
    child.stdio[i + 2].on('data', (bytes) => (part.text += bytes.toString('utf8')));
    return part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0 && seconds.text !== '') resolve(Number(seconds.text));
      else reject(new Error(`${args.join(' ')} ended with status ${status}: ${errors.text}`));
    });
  });
}

/** Measure each so many times, with and without a recording in turn. */
export async function recordingCost({ folder, rounds, quick, say }) {
  const runs = recordedRuns(folder, quick).map(([name, args]) => ({ name, args, plain: [], recorded: [] }));
  for (let i = 1; i <= rounds; i++) {
    say(`recordings, round ${i} of ${rounds}`);
    for (const { name, args, plain, recorded } of runs) {
      const file = join(folder, `${name.replaceAll(/\W/g, '')}.rec`);
      plain.push(await cost(args));
      recorded.push(await cost([...args, '--record', file]));
    }
  }
  return runs.map(({ name, plain, recorded }) => ({
    name,
    plain: spread(plain),
    recorded: spread(recorded),
    ratio: spread(plain.map((time, i) => recorded[i] / time)),
  }));
}

const seconds = ({ median }) => median.toFixed(2);
const percent = (ratio) => ((ratio - 1) * 100).toFixed(1);

export const recordingTable = (results, markdown = false) =>
  table(
    [
      ['guest', 'seconds', 'with `--record`', 'more, % (least-greatest)'],
      ...results.map(({ name, plain, recorded, ratio }) => [
        name,
        seconds(plain),
        seconds(recorded),
        `${percent(ratio.median)} (${percent(ratio.min)}-${percent(ratio.max)})`,
      ]),
    ],
    markdown,
  );
