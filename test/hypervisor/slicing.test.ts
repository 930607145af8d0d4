import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MSR } from '../../src/isa/registers.js';
import { Code } from './code.js';
import { bareBoard, hypervisor, runToEnd, type Slicing } from './guest.js';

/** Prints a letter at each decrementer interrupt, and ends at the thirtieth. */
function ticker(period: number): Code {
  const code = new Code()
    .vector(10, 'tick')
    .li(31, period)
    .mtspr('DEC', 31)
    .mtspr('DECAR', 31)
    .setSpr('TCR', 0x04400000);
  code.setMsr(MSR.EE).li(20, 0).label('spin').op('mfmsr', { rt: 3 }).op('addi', { rt: 4, ra: 4, si: 1 }).b('spin');
  code.at(0x2000).label('tick').setSpr('TSR', 0x08000000).op('addi', { rt: 20, ra: 20, si: 1 });
  return code.print('t').op('cmpi', { bf: 0, ra: 20, si: 30 }).bc(12, 2, 'done').op('rfi').label('done').finish(3);
}

/** Sends back three characters, asking the UART over and over. */
function echo(): Code {
  const code = new Code().li(30, 0xef600300).li(20, 3).label('poll').op('lbz', { rt: 3, ra: 30, d: 5 });
  code.op('andi.', { ra: 3, rs: 3, ui: 1 }).bc(12, 2, 'poll').op('lbz', { rt: 3, ra: 30, d: 0 });
  code.op('stb', { rs: 3, ra: 30, d: 0 }).op('addic.', { rt: 20, ra: 20, si: -1 }).bc(4, 2, 'poll');
  return code.finish(4);
}

/** Sleeps by MSR[WE], wakes at the decrementer, prints, five times; then branches to itself. */
function sleeper(): Code {
  const code = new Code().vector(10, 'tick').setSpr('TCR', 0x04000000).li(20, 5);
  code
    .label('again')
    .setSpr('DEC', 9000)
    .setMsr(MSR.WE | MSR.EE)
    .print('z')
    .op('addic.', { rt: 20, ra: 20, si: -1 })
    .bc(4, 2, 'again');
  code.setSpr('TCR', 0).label('end').b('end');
  // WE goes with the interrupt, and is not wanted back
  return code.at(0x2000).label('tick').setSpr('TSR', 0x08000000).setSpr('SRR1', 0).op('rfi');
}

/** Everything that a run is, as it must come out however it is cut up. */
function story(slice: Slicing) {
  const cycles: number[] = [];
  const { hv, output, exits, inputs, log } = hypervisor(
    { ticker: { program: ticker(700) }, echo: { program: echo() }, sleeper: { program: sleeper() } },
    {
      partitions: 'quantum = <1777>; exit-cycles = <13>; run-ahead-cycles = <5>; world-switch-cycles = <29>;',
      observe: ({ cycle }) => cycles.push(cycle),
    },
  );
  hv.type('echo/serial@ef600300', Buffer.from('abc'));
  const progress = runToEnd(hv, 2_000_000, slice);
  hv.timeShares.settle();
  const accounts = hv.partitions.map((p) => {
    const { account } = p.vcpus[0]!;
    return { ...account, exits: account.exits, ending: p.ending };
  });
  const texts = [...output.streams.keys()].map((name) => `${name}: ${output.text(name)}`);
  return { progress, accounts, texts, exits, cycles, inputs, log, now: hv.clock.now, retired: hv.retired };
}

const whole = story(() => Infinity);

test('the run that is cut up below does what it is for', () => {
  expect(whole.progress).toMatchObject({ kind: 'ended' });
  expect(whole.texts.filter((t) => !t.startsWith('board'))).toEqual([
    `ticker/serial@ef600300: ${'t'.repeat(30)}`,
    'echo/serial@ef600300: abc',
    'sleeper/serial@ef600300: zzzzz',
  ]);
  expect(whole.accounts.map((a) => a.ending)).toEqual([
    { kind: 'finished', status: 3 },
    { kind: 'finished', status: 4 },
    { kind: 'halted' },
  ]);
  expect(new Set(whole.exits)).toEqual(new Set(['shadow-miss', 'emulate', 'device', 'preempted', 'host-interrupt']));
});

test.each([1, 2, 7, 1000, 1776, 1777, 1778, 1_000_000])('slices of %i cycles leave no trace', (cycles) => {
  expect(story(() => cycles)).toEqual(whole);
});

test('slices of any length leave no trace', () => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20_000 })), {
    minLength: 1,
    maxLength: 50,
  });
  fc.assert(
    fc.property(lengths, (list) => {
      let i = 0;
      expect(story(() => list[i++ % list.length]!)).toEqual(whole);
    }),
    { numRuns: 10, seed: 440, endOnFailure: true },
  );
});

test('slices leave no trace on a bare board either', () => {
  for (const code of [ticker(300), echo(), sleeper()]) {
    const run = (slice: Slicing) => {
      const { machine, output, inputs, core } = bareBoard(code);
      machine.type('board/serial@ef600300', Buffer.from('abc'));
      const progress = runToEnd(machine, 2_000_000, slice);
      return {
        progress,
        text: output.text('board/serial@ef600300'),
        inputs,
        retired: machine.retired,
        now: machine.clock.now,
        pc: core.regs.pc,
      };
    };
    const once = run(() => Infinity);
    expect(once.progress.kind).toBe('ended');
    expect(once.text.length).toBeGreaterThan(2);
    for (const cycles of [1, 3, 1000]) expect(run(() => cycles)).toEqual(once);
  }
});
