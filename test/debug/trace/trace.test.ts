import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DebuggedMachine } from '../../../src/debug/processes.js';
import { parseFilter, type TraceFilter } from '../../../src/debug/trace/filter.js';
import { Tracer } from '../../../src/debug/trace/tracer.js';
import { TraceWriter, type TraceEvent, type TraceLimit } from '../../../src/debug/trace/writer.js';
import { MSR } from '../../../src/isa/registers.js';
import { Code } from '../../hypervisor/code.js';
import { bareBoard, hypervisor } from '../../hypervisor/guest.js';
import { cli, root } from '../../tools.js';

const FREQUENCY = 400e6;
const WHOLE: TraceLimit = { bytes: 1e9, keeps: 'first' };

/** A decrementer interrupt every 200 cycles, for 300 rounds. */
function counter(): Code {
  const code = new Code().vector(10, 'tick').setSpr('DEC', 200).setSpr('DECAR', 200).setSpr('TCR', 0x04400000);
  code.setMsr(MSR.EE).li(20, 0);
  code.label('loop').op('mfmsr', { rt: 6 }).op('addi', { rt: 20, ra: 20, si: 1 });
  code.op('cmpi', { bf: 0, ra: 20, si: 300 }).bc(4, 2, 'loop').print('ok\n').finish(7);
  return code.at(0x2000).label('tick').setSpr('TSR', 0x08000000).op('rfi');
}

/** Waits in MSR[WE] for five decrementer interrupts. */
function sleeper(): Code {
  const code = new Code()
    .vector(10, 'tick')
    .setSpr('DEC', 5000)
    .setSpr('DECAR', 5000)
    .setSpr('TCR', 0x04400000)
    .li(20, 0);
  code
    .label('loop')
    .setMsr(MSR.EE | MSR.WE)
    .op('cmpi', { bf: 0, ra: 20, si: 5 })
    .bc(4, 2, 'loop')
    .finish(0);
  code.at(0x2000).label('tick').setSpr('TSR', 0x08000000).op('addi', { rt: 20, ra: 20, si: 1 });
  return code.li(3, MSR.EE).op('mtspr', { rs: 3, spr: 27 }).op('rfi');
}

const settings = 'quantum = <1777>; exit-cycles = <13>; world-switch-cycles = <29>;';
const two = () => hypervisor({ one: { program: counter() }, two: { program: sleeper() } }, { partitions: settings });

function traced(machine: DebuggedMachine, filter: TraceFilter = {}, limit = WHOLE, slice = 1e6) {
  const elements: string[] = [];
  const writer = new TraceWriter({ append: (text) => void elements.push(text), close: () => {} }, limit);
  const tracer = new Tracer(machine, { writer, filter, frequency: FREQUENCY, symbols: new Map() });
  for (;;) {
    const progress = machine.run(slice);
    if (progress.kind === 'ended') break;
    if (progress.kind === 'idle') machine.skip(progress.until);
  }
  tracer.close();
  const text = `[${elements.join(',\n')}]`;
  return { text, events: JSON.parse(text) as TraceEvent[] };
}

const slicesOf = (events: readonly TraceEvent[], pid: number) =>
  events
    .filter((event) => event.ph === 'X' && event.pid === pid && event.tid === 1)
    .map(({ name, ts = 0, dur = 0, args }) => {
      const { activity, cycle, cycles } = args as { activity: string; cycle: number; cycles: number };
      return { name, activity, cycle, cycles, ts, dur };
    })
    .toSorted((a, b) => a.cycle - b.cycle);

const sum = (slices: readonly { activity: string; cycles: number }[], ...activities: string[]): number =>
  slices
    .filter((s) => activities.length === 0 || activities.includes(s.activity))
    .reduce((all, s) => all + s.cycles, 0);

test('slices of every track follow one another without a gap and add up to the clock and to the accounts', () => {
  const { hv } = two();
  const { events } = traced(hv);
  for (const pid of [1, 2, 3]) {
    const slices = slicesOf(events, pid);
    let at = 0;
    let time = 0;
    for (const { cycle, cycles, ts, dur } of slices) {
      expect(cycle).toBe(at);
      expect(ts).toBeCloseTo(time, 6);
      at += cycles;
      time = ts + dur;
    }
    expect(at).toBe(hv.clock.now);
    expect(time).toBeCloseTo((hv.clock.now / FREQUENCY) * 1e6, 2);
  }
  hv.timeShares.settle();
  hv.partitions.forEach(({ vcpus }, i) => {
    const { account } = vcpus[0]!;
    const slices = slicesOf(events, i + 2);
    expect(sum(slices, 'guest')).toBe(account.guestCycles);
    expect(sum(slices, 'guest', 'hypervisor', 'world-switch')).toBe(account.cycles);
    expect(sum(slices, 'idle')).toBe(account.idleCycles);
    expect(sum(slices, 'ready')).toBe(account.readyCycles);
    expect(sum(slices, 'stopped')).toBe(account.stoppedCycles);
    expect(account.guestCycles).toBeGreaterThan(0);
  });
  const core = slicesOf(events, 1);
  expect(sum(core, 'idle')).toBe(hv.timeShares.idleCycles);
  expect(sum(core, 'idle')).toBeGreaterThan(0);
  expect(sum(core, 'world-switch')).toBeGreaterThan(0);
});

test('every exit is an instant with its reason and place, and every interrupt is one where it is taken', () => {
  const { hv, exits } = two();
  const { events } = traced(hv);
  const told = events.filter(({ cat }) => cat === 'exit');
  expect(told).toHaveLength(exits.length);
  expect(told.map(({ args }) => args!['kind'])).toEqual(exits);
  expect(told[1]!.args).toMatchObject({
    kind: 'emulate',
    about: expect.any(String),
    pc: expect.stringMatching(/^[0-9a-f]{8}$/),
  });
  const taken = events.filter(({ cat, pid }) => cat === 'interrupt' && pid === 3);
  expect(taken.map(({ name }) => name)).toEqual(Array(5).fill('take decrementer'));
});

test('how a run is cut into pieces leaves no trace in the trace', () => {
  const whole = traced(two().hv).text;
  expect(traced(two().hv, {}, WHOLE, 77).text).toBe(whole);
  expect(traced(two().hv, {}, WHOLE, 1000).text).toBe(whole);
});

test('a bare board’s trace has its program, its waiting, and its interrupts', () => {
  const { machine } = bareBoard(sleeper());
  const { events } = traced(machine);
  const slices = slicesOf(events, 1);
  expect(sum(slices)).toBe(machine.clock.now);
  expect(sum(slices, 'idle')).toBe(machine.account.idleCycles);
  expect(slices.find(({ activity }) => activity === 'guest')?.name).toBe('board/cpu0');
  expect(events.filter(({ name }) => name === 'take decrementer')).toHaveLength(5);
});

test('a filter lets through what its keys say', () => {
  const names = ['one', 'two'];
  const filtered = (text: string) =>
    traced(two().hv, parseFilter(text, names) as TraceFilter).events.filter(({ ph }) => ph !== 'M');
  const ticks = filtered('event=interrupt,partition=two');
  expect(ticks).toHaveLength(5);
  const kinds = filtered('event=exit,kind=emulate,kind=device');
  expect(new Set(kinds.map(({ args }) => args!['kind']))).toEqual(new Set(['emulate', 'device']));
  expect(new Set(filtered('partition=one').map(({ pid }) => pid))).toEqual(new Set([1, 2]));
  expect(parseFilter('kind=emulat', names)).toEqual({ problem: "there is no kind 'emulat'; did you mean 'emulate'?" });
  expect(parseFilter('pid=1', names)).toEqual({ problem: "there is no 'pid'; filter by event=, kind=, partition=" });
  expect(parseFilter('partition=three', names)).toMatchObject({
    problem: expect.stringContaining("no partition 'three'"),
  });
});

test.each(['first', 'last'] as const)('a trace that becomes too long keeps its %s part, and says so', (keeps) => {
  const all = traced(two().hv).events.filter(({ ph }) => ph !== 'M');
  const { events, text } = traced(two().hv, {}, { bytes: 20_000, keeps });
  expect(text.length).toBeLessThan(20_000);
  expect(text.length).toBeGreaterThan(17_000);
  const kept = events.filter(({ ph, s }) => ph !== 'M' && s !== 'g');
  const note = events.at(-1)!;
  expect(note.args).toMatchObject({ dropped: all.length - kept.length, kept: keeps });
  expect(kept).toEqual(keeps === 'first' ? all.slice(0, kept.length) : all.slice(-kept.length));
});

const config = join(root, 'devicetrees/two-partitions.dts');

test('a trace on the command line is the same twice, and has what the consoles printed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-trace-'));
  const texts: string[] = [];
  for (const name of ['a.json', 'b.json']) {
    const file = join(folder, name);
    const options = ['--headless', '--max-instructions', '400000', '--trace', file];
    expect(await cli(['boot', config, ...options])).toMatchObject({ status: 0 });
    texts.push(readFileSync(file, 'utf8'));
  }
  expect(texts[0]).toBe(texts[1]);
  const events = JSON.parse(texts[0]!) as TraceEvent[];
  const printed = events.filter(({ cat }) => cat === 'console').map(({ name }) => name);
  expect(printed).toContain('name hello');
  const wrong = await cli(['boot', config, '--trace', join(folder, 'c.json'), '--trace-filter', 'kind=nothing']);
  expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining("no kind 'nothing'") });
  rmSync(folder, { recursive: true });
});

test.each(['SIGINT', 'SIGKILL'] as const)('a trace that %s ends is whole JSON', async (signal) => {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-trace-'));
  const file = join(folder, 'trace.json');
  const main = join(root, 'dist/cli/main.cjs');
  const child = spawn(process.execPath, [main, 'boot', config, '--headless', '--trace', file], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  for (let size = 0; size < 100_000;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    try {
      size = readFileSync(file).length;
    } catch {
      // not there yet
    }
  }
  child.kill(signal);
  await ended;
  expect((JSON.parse(readFileSync(file, 'utf8')) as TraceEvent[]).length).toBeGreaterThan(100);
  rmSync(folder, { recursive: true });
});
