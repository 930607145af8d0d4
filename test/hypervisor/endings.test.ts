import { describe, expect, test } from 'vitest';
import type { Ending } from '../../src/board/machine.js';
import { MSR, TCR } from '../../src/isa/registers.js';
import { Code, size } from './code.js';
import { bare, guest, hypervisor, runToEnd } from './guest.js';

const spin = { program: new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin') };
const reset = (code: Code): Code => code.setSpr('DBCR0', 0x30000000);

/** Lets the machine wait at MSR[WE], with these MSR bits and timers. */
const wait = (msr: number, tcr: number): Code =>
  new Code()
    .setSpr('TCR', tcr)
    .setMsr(MSR.WE | msr)
    .finish(9);

// prettier-ignore
const endings: readonly (readonly [string, Code, Ending])[] = [
  ['writes a status to its finisher',             new Code().finish(7),                                       { kind: 'finished', status: 7 }],
  ['writes a status above 255',                   new Code().finish(0x1234),                                  { kind: 'finished', status: 0x34 }],
  ['goes on after its finisher',                  new Code().finish(7).label('on').op('mfmsr').b('on'),       { kind: 'finished', status: 7 }],
  ['resets by DBCR0',                             reset(new Code()).finish(9),                                { kind: 'reset' }],
  ['branches to itself with interrupts off',      new Code().label('end').b('end'),                           { kind: 'halted' }],
  ['branches to itself and nobody is enabled',    new Code().setMsr(MSR.EE | MSR.CE).label('end').b('end'),   { kind: 'halted' }],
  ['branches to itself and calls it a loop',      new Code().li(3, -1).op('mtspr', { rs: 3, spr: 9 }).label('end').bc(20, 0, 'end'), { kind: 'halted' }],
  ['waits with interrupts off',                   wait(0, TCR.DIE),                                           { kind: 'halted' }],
  ['waits and nobody is enabled',                 wait(MSR.EE | MSR.CE, 0),                                   { kind: 'halted' }],
  ['has a machine check while ME is clear',       new Code().li(3, 0xe0000000).op('mtspr', { rs: 3, spr: 9 }).op('bcctr', { bo: 20, bi: 0 }), { kind: 'checkstop' }],
  ['has no page where its handlers are',          new Code().tlb(15, { ea: 0, pa: 0, size: 0, valid: false }).setSpr('IVPR', 0xf0000000).op('sc'), { kind: 'fault-loop' }],
  ['has a handler that is no instruction',        new Code().vector(6, 'bad').word(0).at(0x2000).label('bad').word(0), { kind: 'fault-loop' }],
];

describe.each(endings)('a program that %s', (_, code, ending) => {
  test('ends so on a bare board', () => {
    const run = bare(code);
    expect(run.progress).toEqual({ kind: 'ended', ending });
    expect(run.machine.programs[0]!.state).not.toBe('running');
  });

  test('ends so in a partition, says so, and leaves the other running', () => {
    const { hv, partition, log } = hypervisor({ guest: { program: code }, spin });
    expect(runToEnd(hv, 300_000)).toEqual({ kind: 'ran' });
    expect(partition('guest').ending).toEqual(ending);
    expect(log).toEqual([`partition 'guest' ${partition('guest').state}`]);
    expect(partition('spin').running).toBe(true);
    expect(partition('spin').vcpus[0]!.account.cycles).toBeGreaterThan(250_000);
  });
});

test('a bare program retires nothing behind its finisher, in whatever slices it is run', () => {
  const code = new Code().finish(7).label('on').op('addi', { rt: 9, ra: 9, si: 1 }).b('on');
  for (const cycles of [1, 3, 1000, Infinity]) {
    const run = bare(code, { cycles: 100_000 });
    expect([cycles, run.gpr(9), run.machine.retired]).toEqual([cycles, 0, 5]);
  }
});

test.each([
  ['the decrementer', MSR.EE, TCR.DIE],
  ['the fixed interval timer', MSR.EE, TCR.FIE],
  ['the watchdog', MSR.CE, TCR.WIE],
])('a program that waits for %s has not halted', (_, msr, tcr) => {
  for (const run of [guest(wait(msr, tcr), { cycles: 5000 }), bare(wait(msr, tcr), { cycles: 5000 })])
    expect(run.progress.kind).not.toBe('ended');
});

test('a loop that counts down is no branch to itself for ever', () => {
  const code = new Code().li(3, 5000).op('mtspr', { rs: 3, spr: 9 }).label('loop').bc(16, 0, 'loop').finish(1);
  expect(guest(code).ending).toEqual({ kind: 'finished', status: 1 });
  expect(bare(code).progress).toEqual({ kind: 'ended', ending: { kind: 'finished', status: 1 } });
});

test('a branch to itself ends at the interrupt that was enabled', () => {
  const code = new Code()
    .vector(10, 'tick')
    .setSpr('TCR', TCR.DIE)
    .setSpr('DEC', 20_000)
    .setMsr(MSR.EE)
    .label('spin')
    .b('spin');
  code.at(0x2000).label('tick').finish(5);
  expect(guest(code, { partitions: 'quantum = <1000>;' }).ending).toEqual({ kind: 'finished', status: 5 });
  expect(bare(code).progress).toMatchObject({ ending: { status: 5 } });
});

test.each([
  ['running', new Code().setSpr('TCR', 0x30000000).label('on').op('addi', { rt: 3, ra: 3, si: 1 }).b('on')],
  ['waiting', new Code().setSpr('TCR', 0x30000000).setMsr(MSR.WE)],
])('the watchdog resets a program that is %s', (_, code) => {
  const cycles = 20_000_000;
  expect(bare(code, { cycles }).progress).toEqual({ kind: 'ended', ending: { kind: 'reset' } });
  expect(guest(code, { cycles }).ending).toEqual({ kind: 'reset' });
});

test('the machine ends when all have ended, with the worst of their endings', () => {
  const { hv, log } = hypervisor({
    good: { program: new Code().finish(0) },
    bad: { program: new Code().finish(3) },
    stuck: { program: new Code().label('end').b('end') },
  });
  expect(runToEnd(hv)).toEqual({ kind: 'ended', ending: { kind: 'finished', status: 3 } });
  expect(log.map((line) => line.split(' ', 2)[1])).toEqual(["'good'", "'bad'", "'stuck'"]);
  expect(hv.run(1000)).toMatchObject({ kind: 'ended' });
});

/** Prints whether it finds everything clean, spoils what it can, and resets. */
function spoiler(): Code {
  const code = new Code().lwz(3, 0x4000).op('mfdcr', { rt: 4, dcr: 0xc2 }).op('or', { ra: 3, rs: 3, rb: 4 });
  code.li(30, 0xef600300);
  [1, 3, 7].forEach((d) => code.op('lbz', { rt: 4, ra: 30, d }).op('or', { ra: 3, rs: 3, rb: 4 }));
  ['TCR', 'TSR', 'DEC', 'SPRG0', 'IVPR', 'USPRG0', 'PID', 'TBU'].forEach((name) =>
    code.mfspr(4, name).op('or', { ra: 3, rs: 3, rb: 4 }),
  );
  [9, 20, 31].forEach((r) => code.op('or', { ra: 3, rs: 3, rb: r === 31 ? 9 : r }));
  code
    .li(29, 40)
    .op('tlbre', { rt: 4, ra: 29, ws: 0 })
    .op('or', { ra: 3, rs: 3, rb: 4, rc: 1 })
    .bc(4, 2, 'dirty')
    .print('.');
  code.li(9, -1).li(20, -1).stw(9, 0x4000).op('mtdcr', { rs: 9, dcr: 0xc2 });
  [1, 7].forEach((d) => code.op('stb', { rs: 9, ra: 30, d }));
  code.setSpr('SPRG0', 1).setSpr('USPRG0', 1).setSpr('TBU', 5).setSpr('DEC', 100_000).setSpr('IVPR', 0x10000);
  code.tlb(40, { ea: 0x40000000, pa: 0, size: size.k4 });
  reset(code);
  return code.label('dirty').stw(3, 0x100).finish(1);
}

test('twenty restarts are alike to the exit and the cycle: memory, devices and registers are clean', () => {
  const lives: string[][] = [[]];
  let began = 0;
  const made = hypervisor(
    { guest: { program: spoiler(), node: 'on-reset = "restart";' } },
    {
      observe: ({ vcpu, exit, cycle }) => {
        const { restarts } = vcpu.partition;
        if (!lives[restarts]) began = cycle;
        (lives[restarts] ??= []).push(`${exit.kind} ${cycle - began} ${vcpu.machine.regs.pc.toString(16)}`);
      },
    },
  );
  while (made.partition('guest').restarts < 20 && made.partition('guest').running) made.hv.run(100);
  expect(made.partition('guest').ending).toBeUndefined();
  expect(made.output.text('guest/serial@ef600300').slice(0, 20)).toBe('.'.repeat(20));
  for (const life of lives.slice(2, 20)) expect(life).toEqual(lives[1]);
  expect(lives[1]!.length).toBeGreaterThan(5);
});

test('twenty restarts of a bare board are alike', () => {
  const run = bare(spoiler(), { restart: true, cycles: 10_000 });
  expect(run.progress).toEqual({ kind: 'ran' });
  expect(run.output.text('board/serial@ef600300')).toMatch(/^\.{20,}$/);
});

test('what was typed and has not arrived survives a restart', () => {
  const code = new Code()
    .li(30, 0xef600300)
    .label('poll')
    .op('lbz', { rt: 3, ra: 30, d: 5 })
    .op('andi.', { ra: 3, rs: 3, ui: 1 });
  code.bc(12, 2, 'poll').op('lbz', { rt: 3, ra: 30, d: 0 }).op('stb', { rs: 3, ra: 30, d: 0 });
  reset(code).finish(1);
  const { hv, output } = hypervisor({ guest: { program: code, node: 'on-reset = "restart";' } });
  hv.type('guest/serial@ef600300', Buffer.from('abc'));
  runToEnd(hv, 500_000);
  expect(output.text('guest/serial@ef600300')).toBe('abc');
});
