// `npm run bench`: hv440 on the bare board, hv440 with the guest in a partition, and QEMU's bamboo run the same images in
// turn, round after round, and are timed from START to END on the console from outside.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { calibrate, hasProgram, linuxGuest, ownGuests, root, sharedGuests } from './guests.mjs';
import { measure } from './measure.mjs';
import { recordingCost, recordingTable } from './recording.mjs';
import { costTable, exitTable, readme, speedTable, spread } from './report.mjs';
import { concludeWhole, peakTable, watch, wholeRuns, wholeTable } from './whole.mjs';

const usage = `usage: npm run bench -- [options]
  --rounds N      how often each machine runs each guest (default 5)
  --quick         one round, a tenth of the iterations, only the project's own small guests
  --guest NAME    only this guest (may be given several times; integer, memory, … linux, shared/loop, …;
                  start: only start-up, Linux's boot and their memory)
  --recording     what --record costs, by processor time, and nothing else
  --readme        print Markdown for the README too
  --output FILE   where the figures go as JSON (default dist/bench.json)`;

/** No new round begins after so many seconds. */
const DEADLINE = 420;

/** A load for each processor above which times are not worth much. */
const BUSY = 0.5;

const hv440 = join(root, 'dist', 'cli', 'main.cjs');
const begun = performance.now();
const elapsed = () => (performance.now() - begun) / 1000;
const say = (text) => process.stderr.write(`${text}\n`);

/** What runs guests: a command for an image and its boot arguments. */
const machines = {
  bare: (given) => hv440Command(['run', '--bare', ...imageOptions(given)], given),
  partition: (given) => hv440Command(given.config ? ['boot', given.config] : ['run', ...imageOptions(given)], given),
  qemu: ({ image, plain = image, bootargs, memory, marks }) => ({
    program: 'qemu-system-ppc',
    // prettier-ignore
    args: ['-M', 'bamboo', '-nographic', '-nic', 'none', '-no-reboot', ...option('-append', bootargs), ...option('-m', memory), '-kernel', plain],
    marks,
    endless: marks !== undefined,
  }),
  /** QEMU when it counts instructions, so that a run repeats exactly. */
  icount: (given) => {
    const { args, ...rest } = machines.qemu(given);
    return { ...rest, args: [...args, '-icount', 'shift=0'] };
  },
};

const option = (name, value) => (value === undefined ? [] : [name, value]);

const imageOptions = ({ image, bootargs, memory }) => [
  ...option('--bootargs', bootargs),
  ...option('--memory', memory),
  image,
];

const hv440Command = (how, { marks }) => ({
  program: process.execPath,
  args: [hv440, ...how, '--headless', '--no-ptys', '--stats', 'json', ...option('--expect', marks?.last)],
  marks,
});

function options() {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '5' },
        quick: { type: 'boolean', default: false },
        guest: { type: 'string', multiple: true },
        recording: { type: 'boolean', default: false },
        readme: { type: 'boolean', default: false },
        output: { type: 'string', default: join(root, 'dist', 'bench.json') },
        help: { type: 'boolean', default: false },
      },
    });
    const rounds = values.quick ? 1 : Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new Error(`--rounds ${values.rounds}: give a whole number from 1 on`);
    return { ...values, rounds };
  } catch (error) {
    say(`${error.message}\n${usage}`);
    process.exit(2);
  }
}

/** What a guest is compared with that counts from reset on. */
const NOTHING = { instructions: 0, cycles: 0, exits: {}, ahead: 0 };

async function prepare(guests, present) {
  const runs = [];
  for (const guest of guests) {
    const iterations =
      guest.iterations ?? (await calibrate(guest, async (given) => (await measure(machines.partition(given))).stats));
    const baseline = {};
    for (const machine of ['bare', 'partition'])
      baseline[machine] = guest.whole ? NOTHING : (await measure(machines[machine](guest.with(0)))).stats;
    const samples = Object.fromEntries(present.map((machine) => [machine, []]));
    runs.push({ name: guest.name, iterations, given: guest.with(iterations), baseline, samples });
  }
  return runs;
}

/** One after the other on each machine, so that what else this computer does falls on all of them alike. */
async function round(runs, present) {
  for (const { given, samples } of runs) {
    for (const machine of present) samples[machine].push(await measure(machines[machine](given)));
  }
}

/** What a guest's runs say. Counts are less what starting and ending takes. */
function conclude({ name, iterations, baseline, samples }) {
  const sums = new Set(Object.values(samples).flatMap((list) => list.map(({ sum }) => sum)));
  const counted = (machine) => {
    const list = samples[machine].map(({ stats }) => stats);
    if (new Set(list.map((stats) => JSON.stringify(stats))).size !== 1)
      throw new Error(`${name}: two equal runs differ`);
    return list[0];
  };
  const [bare, partition] = [counted('bare'), counted('partition')];
  const instructions = bare.instructions - baseline.bare.instructions;
  const seconds = (machine) => samples[machine]?.map((sample) => sample.seconds) ?? [];
  const ratio = (one, other) => spread(seconds(other).map((time, i) => seconds(one)[i] / time));
  const exits = Object.entries(partition.exits)
    .map(([kind, { count, cycles }]) => {
      const before = baseline.partition.exits[kind] ?? { count: 0, cycles: 0 };
      return { kind, count: count - before.count, cycles: cycles - before.cycles };
    })
    .filter(({ count }) => count > 0);
  return {
    name,
    iterations,
    checksum: [...sums].join(' or '),
    agree: sums.size === 1,
    instructions,
    cycles: { bare: bare.cycles - baseline.bare.cycles, partition: partition.cycles - baseline.partition.cycles },
    exits,
    ahead: partition.ahead - baseline.partition.ahead,
    seconds: Object.fromEntries(Object.keys(samples).map((machine) => [machine, seconds(machine)])),
    mips: Object.fromEntries(
      Object.keys(samples).map((machine) => [
        machine,
        spread(seconds(machine).map((time) => instructions / time / 1e6)),
      ]),
    ),
    ratios: {
      bareToIcount: ratio('bare', 'icount'),
      partitionToIcount: ratio('partition', 'icount'),
      bareToQemu: ratio('bare', 'qemu'),
      partitionToQemu: ratio('partition', 'qemu'),
      partitionToBare: ratio('partition', 'bare'),
    },
  };
}

const qemuVersion = () =>
  /version (\S+)/.exec(spawnSync('qemu-system-ppc', ['--version'], { encoding: 'utf8' }).stdout)?.[1];

async function main() {
  const { rounds, quick, guest: wanted, readme: wantsReadme, recording, output, help } = options();
  if (help) return void process.stdout.write(`${usage}\n`);
  const skip = (what) => {
    say(`skipped: ${what}`);
    return [];
  };
  const loadBefore = Number((loadavg()[0] ?? 0).toFixed(1));
  if (loadBefore > BUSY * cpus().length)
    say(`this computer is busy (load ${loadBefore} on ${cpus().length} processors): the times will say little`);
  const folder = mkdtempSync(join(tmpdir(), 'hv440-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  if (recording) {
    const results = await recordingCost({ folder, rounds, quick, say });
    return void process.stdout.write(`${recordingTable(results, wantsReadme)}\n`);
  }
  const isWanted = ({ name }) => !wanted || wanted.includes(name);
  const ours = ownGuests(quick).filter(isWanted);
  const wantsShared = wanted ? wanted.some((name) => name.startsWith('shared/')) : !quick;
  const others = wantsShared ? sharedGuests(folder, skip).filter(isWanted) : [];
  const wantsLinux = wanted ? wanted.includes('linux') : !quick;
  const guests = [...ours, ...(wantsLinux ? [linuxGuest(folder)] : []), ...others];
  if (guests.length === 0 && !wanted.includes('start')) throw new Error(`there is no such guest: ${wanted.join(', ')}`);
  const hasQemu = hasProgram('qemu-system-ppc');
  if (!hasQemu) skip('the comparison with QEMU: qemu-system-ppc is not installed (apt-get install qemu-system-ppc)');
  const present = ['bare', 'partition', ...(hasQemu ? ['qemu', 'icount'] : [])];

  const runs = await prepare(guests, present);
  const whole = (
    wanted ? wholeRuns(linuxGuest(folder)).filter(() => wanted.includes('start')) : wholeRuns(linuxGuest(folder))
  )
    .slice(0, quick ? 1 : undefined)
    .map((one) => ({ ...one, samples: Object.fromEntries(present.filter((m) => m !== 'icount').map((m) => [m, []])) }));
  for (let i = 1; i <= rounds && (i === 1 || elapsed() < DEADLINE); i++) {
    say(`round ${i} of ${rounds} (${elapsed().toFixed(0)} s)`);
    await round(runs, present);
    for (const { given, mark, samples } of whole)
      for (const machine of Object.keys(samples)) samples[machine].push(await watch(machines[machine](given), mark));
  }
  const results = runs.map(conclude);
  const machine = {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: cpus().length,
    loadBefore,
    node: process.versions.node,
    qemu: hasQemu ? qemuVersion() : undefined,
  };
  const count = (runs[0] ?? whole[0]).samples.bare.length;
  const wholes = whole.map(concludeWhole);
  const print = (title, text) => text && process.stdout.write(`${title}\n${text}\n\n`);
  if (results.length > 0) {
    print(
      `Instructions a second, and time as a multiple of QEMU's: median (least-greatest) of ${count} rounds`,
      speedTable(results),
    );
    print(
      "What virtualisation costs: simulated cycles, exactly; wall time as a multiple of the bare board's",
      costTable(results),
    );
    print('Round trips to the hypervisor: simulated cycles, and wall time', exitTable(results));
  }
  if (wholes.length > 0) {
    print(`Whole processes: median (least-greatest) of ${count} rounds`, wholeTable(wholes));
    print('The most memory that they had', peakTable(wholes));
  }
  if (wantsReadme && results.length > 0) process.stdout.write(`${readme({ machine, results })}\n`);
  mkdirSync(dirname(resolve(output)), { recursive: true });
  writeFileSync(output, `${JSON.stringify({ machine, rounds: count, results, whole: wholes }, null, 2)}\n`);
  for (const { name, checksum } of results.filter(({ agree }) => !agree)) {
    say(`${name}: the machines disagree about the checksum: ${checksum}`);
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
