import { expect, test } from 'vitest';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { inRoot, scratch } from '../cli/child.js';
import { cli, shared, testWith } from '../tools.js';
import { course, engines, guests } from './guests-agree.js';
import { linux, PROMPT, typing } from './linux.js';

test.each(guests)('%s: the same in a hundred million cycles, in slices of any length', (_, build) => {
  const expected = course(build, new Interpreter(), 1e8, Infinity);
  for (const slice of [1009, 1e8]) {
    for (const [name, make] of engines.filter(([n]) => n.startsWith('translator')))
      expect(course(build, make(), 1e8, slice), `${name}, ${slice} cycles at a time`).toEqual(expected);
  }
});

/** Options of the command line for each engine, the reference last. */
const ways = [
  ['--engine', 'translator'],
  ['--code-cache', '5000'],
  ['--engine', 'interpreter'],
  ['--engine', 'reference'],
];

const kernel = shared('guests/vmlinux-tiny');
const tree = shared('guests/ppc440-min1.dtb');

testWith(kernel, tree)('Linux on the board: the same console and the same counts on every engine', async () => {
  const commands = typing('seq 100 | md5sum', 'cat /proc/interrupts', 'sleep 1; cat /proc/uptime', 'poweroff -f');
  const runs = [];
  for (const way of ways)
    runs.push(await linux(['run', '--bare', kernel!, '--dtb', tree!, ...commands, ...way], 600_000));
  expect(runs[0]!.boot).toContain(PROMPT);
  expect(runs[0]!.answers).toHaveLength(4);
  for (const run of runs.slice(1)) expect(run).toEqual(runs[0]);
});

test.each(['linux.dts', 'two-linux.dts', 'two-partitions.dts'])(
  '%s: what one engine has recorded the others replay to the same state',
  async (name) => {
    const recording = scratch(`${name}.rec`);
    const options = ['--headless', '--max-instructions', '60000000', '--record', recording];
    const input = 'mem\nls /\nseq 30\n';
    const recorded = await cli(['boot', inRoot('devicetrees', name), ...options], { timeout: 600_000, input });
    expect(recorded.status).toBe(0);
    for (const engine of ['interpreter', 'reference', 'translator']) {
      const replayed = await cli(['replay', '--engine', engine, recording], { timeout: 1_200_000 });
      expect([engine, replayed.status]).toEqual([engine, 0]);
      expect(replayed.stderr).toContain('the same state, bit by bit');
    }
  },
);
