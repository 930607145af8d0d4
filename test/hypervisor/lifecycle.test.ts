import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Ask } from '../../src/hypervisor/lifecycle.js';
import { MSR, TCR } from '../../src/isa/registers.js';
import { Code } from './code.js';
import { hypervisor, runToEnd } from './guest.js';

/** Counts in r3 for ever. */
const spin = () => new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin');

/** Prints `s`, and then a `.` at every tick of its decrementer, every 10,000 cycles. */
function ticker(): Code {
  const code = new Code().vector(10, 'tick').print('s').setSpr('DECAR', 10_000).setSpr('DEC', 10_000);
  code
    .setSpr('TCR', TCR.DIE | TCR.ARE)
    .label('wait')
    .setMsr(MSR.WE | MSR.EE)
    .b('wait');
  code
    .at(0x2000)
    .label('tick')
    .print('.')
    .setSpr('TSR', 0x08000000)
    .mfspr(31, 'SRR1')
    .op('andi.', { ra: 31, rs: 31, ui: 0x8000 });
  return code.mtspr('SRR1', 31).op('rfi');
}

const SHORT = { partitions: 'quantum = <1000>;' };

const two = (node = '') => {
  const made = hypervisor({ ticker: { program: ticker(), node }, spin: { program: spin() } }, SHORT);
  const text = (): string => made.output.text('ticker/serial@ef600300');
  return { ...made, text, ask: (ask: Ask) => made.hv.ask(ask, made.partition('ticker')) };
};

const counted = ({ partition }: ReturnType<typeof two>): number =>
  partition('spin').vcpus[0]!.machine.regs.gpr[3]! >>> 0;

test('a partition that is stopped prints no more while the other goes on, and starts anew from clean memory', () => {
  const made = two();
  made.hv.run(100_000);
  expect(made.text()).toMatch(/^s\.{2,}$/);
  const [before, count] = [made.text(), counted(made)];
  expect(made.ask('stop')).toBeUndefined();
  made.hv.run(300_000);
  expect(made.text()).toBe(before);
  expect(counted(made)).toBeGreaterThan(count + 100_000);
  expect(made.partition('ticker')).toMatchObject({ lifecycle: 'stopped', ending: { kind: 'stopped', by: 'shell' } });

  made.partition('ticker').board.bus.ram.find(0x8000)!.target.write(0x8000, 4, 0xdead);
  expect(made.ask('start')).toBeUndefined();
  expect(made.partition('ticker').lifecycle).toBe('starting');
  expect(made.partition('ticker').board.bus.ram.find(0x8000)!.target.read(0x8000, 4)).toBe(0);
  made.hv.run(300_000);
  expect(made.partition('ticker').lifecycle).toBe('running');
  expect(made.text().slice(before.length)).toMatch(/^s\.{2,}$/);
  expect(made.log).toEqual(["partition 'ticker' was stopped from the command line", "partition 'ticker' was started"]);
});

test('a paused partition is paused in time as well: its decrementer has as far to go as before', () => {
  const made = two();
  made.hv.run(50_000);
  const vcpu = made.partition('ticker').vcpus[0]!;
  const [before, dec, base] = [made.text(), vcpu.machine.timers.decrementer, vcpu.machine.timers.timeBase];
  expect(made.ask('pause')).toBeUndefined();
  expect(made.partition('ticker').state).toBe('paused');
  made.hv.run(1_000_000);
  expect(made.text()).toBe(before);
  expect([vcpu.machine.timers.decrementer, vcpu.machine.timers.timeBase]).toEqual([dec, base]);
  expect(vcpu.machine.timers.due).toBe(Infinity);
  made.ask('resume');
  expect(made.partition('ticker').lifecycle).toBe('running');
  expect(vcpu.machine.timers.timeBase).toBe(base);
  made.hv.run(100_000);
  expect(made.text().length).toBeGreaterThan(before.length);
  expect(made.text()).toMatch(/^s\.+$/);
});

test('a paused partition runs on to the same end, to the instruction, as one that was not', () => {
  const count = new Code()
    .li(3, 20_000)
    .op('mtspr', { rs: 3, spr: 9 })
    .label('loop')
    .op('addi', { rt: 4, ra: 4, si: 1 });
  count.bc(16, 0, 'loop').mfspr(5, 'TBL').stw(5, 0x100).finishWith(5);
  const lengths = [0, 1].map((pauses) => {
    const made = hypervisor({ guest: { program: count } });
    for (let i = 0; i < 20 * pauses; i++) {
      made.hv.run(1000);
      made.hv.ask('pause', made.partition('guest'));
      expect(made.hv.run(7777)).toMatchObject({ kind: 'ended', startable: true });
      made.hv.skip(made.hv.clock.now + 7777);
      made.hv.ask('resume', made.partition('guest'));
    }
    runToEnd(made.hv);
    return made.partition('guest').board.bus.ram.find(0)!.target.read(0x100, 4);
  });
  expect(lengths[1]).toBe(lengths[0]);
});

// prettier-ignore
const states = {
  stopped:  [],
  running:  ['start'],
  starting: ['start'],
  paused:   ['start', 'pause'],
} as const satisfies Record<string, readonly Ask[]>;

// prettier-ignore
const refused: readonly (readonly [keyof typeof states, readonly Ask[]])[] = [
  ['stopped',  ['stop', 'pause', 'resume']],
  ['running',  ['start', 'resume']],
  ['starting', ['start', 'pause', 'resume']],
  ['paused',   ['start', 'pause']],
];

test.each(refused)('one that is %s refuses to %j, and nothing else', (state, asks) => {
  for (const ask of ['start', 'stop', 'pause', 'resume', 'restart'] as const) {
    const { hv, partition } = hypervisor({
      guest: { program: spin(), node: 'no-auto-start;' },
      spin: { program: spin() },
    });
    for (const step of states[state]) {
      hv.ask(step, partition('guest'));
      if (state !== 'starting') hv.run(1_000_000);
    }
    expect(partition('guest').lifecycle).toBe(state);
    const answer = hv.ask(ask, partition('guest'));
    expect([ask, answer === undefined]).toEqual([ask, !asks.includes(ask)]);
    if (answer !== undefined)
      expect(answer).toContain(`partition 'guest' is ${state}, and '${ask}' is for one that is `);
  }
});

test('one with no-auto-start is loaded and waits, and the run is over where nobody can start it', () => {
  const made = hypervisor({ guest: { program: new Code().print('x').finish(3), node: 'no-auto-start;' } });
  expect(made.hv.run(1000)).toMatchObject({ kind: 'ended', startable: true });
  expect(made.hv.programs[0]).toMatchObject({ state: 'waits to be started', down: 'waits to be started' });
  expect(made.partition('guest').board.bus.ram.find(0)!.target.read(0x1000, 4)).not.toBe(0);
  expect(made.log).toEqual(["partition 'guest' waits to be started"]);
  made.hv.ask('start', made.partition('guest'));
  expect(runToEnd(made.hv)).toEqual({ kind: 'ended', ending: { kind: 'finished', status: 3 } });
  expect(made.output.text('guest/serial@ef600300')).toBe('x');
});

test('what was typed and had not arrived is lost with the one it was meant for', () => {
  const made = two();
  made.hv.run(10_000);
  made.hv.type('ticker/serial@ef600300', Buffer.from('abc'));
  expect(made.hv.waitingInput).toBe(3);
  made.ask('restart');
  expect(made.hv.waitingInput).toBe(0);
  expect(made.partition('ticker').restarts).toBe(1);
});

test('a stopped partition’s watchdog does not go off, nor does a paused one’s', () => {
  const dog = new Code()
    .setSpr('TCR', 0x30000000)
    .b('spin')
    .label('spin')
    .op('addi', { rt: 3, ra: 3, si: 1 })
    .b('spin');
  for (const ask of ['stop', 'pause'] as const) {
    const made = hypervisor({ guest: { program: dog }, spin: { program: spin() } });
    made.hv.run(100_000);
    made.hv.ask(ask, made.partition('guest'));
    made.hv.run(20_000_000);
    expect(made.log.filter((line) => line.includes('reset'))).toEqual([]);
    expect(made.partition('guest').vcpus[0]!.machine.resetRequest).toBeUndefined();
  }
});

test('the guest is told who stopped it, and why, at its next start', () => {
  const made = two();
  const tree = () => made.partition('ticker').tree!.find('/hypervisor')!;
  expect(tree().has('fsl,hv-stopped-by')).toBe(false);
  made.ask('stop');
  expect(tree().get('fsl,hv-stopped-by')!.string).toBe('shell');
  expect(tree().get('fsl,hv-reason-stopped')!.string).toBe('stop');
  made.ask('start');
  made.ask('restart');
  expect(tree().get('fsl,hv-reason-stopped')!.string).toBe('restart');
});

test('a hundred restarts leave nothing behind: memory, alarms, and what the other has', () => {
  const code = ticker();
  const node = 'devices = <&UART3>; channel { compatible = "epapr,hv-byte-channel"; };';
  const made = hypervisor({ guest: { program: code, node }, spin: { program: spin() } }, SHORT);
  const guest = made.partition('guest');
  const { target } = guest.board.bus.ram.regions[0]!;
  const { buffer } = target.memory;
  const hash = (size: number): string =>
    createHash('sha1')
      .update(new Uint8Array(buffer, target.offset, size).slice())
      .digest('hex');
  const snapshot = () => ({
    memory: hash(0x80000), // the tree lies above: it says who stopped the last one
    uic: structuredClone(guest.board.uics[0]!.state),
    ports: guest.board.ports.map(({ uart }) => ({ ...uart.state, settledAt: 0 })),
    real: made.hv.board.ports.map(({ uart }) => ({ ...uart.state, settledAt: 0 })),
    waiting: made.hv.waitingInput,
    tlb: Array.from({ length: 64 }, (_, i) => guest.vcpus[0]!.machine.system.tlb.read(i, 0)),
  });
  const first = snapshot();
  const wholes = new Set<string>();
  const alarms = made.hv.clock.alarms;
  const listeners = made.hv.observers.length;
  for (let i = 0; i < 100; i++) {
    made.hv.type('guest/channel', Buffer.from(`garbage ${i}`));
    made.hv.type('guest/serial@ef600600', Buffer.from('x'));
    made.hv.run(40_000);
    target.write(0x4000 + 0x1000 * (i % 50), 4, i + 1);
    expect(made.hv.ask('restart', guest)).toBeUndefined();
    expect(snapshot()).toEqual(first);
    wholes.add(hash(target.size));
    made.hv.run(20_000);
    expect(guest.lifecycle).toBe('running');
  }
  expect(made.hv.clock.alarms).toBe(alarms);
  expect(made.hv.observers.length).toBe(listeners);
  expect(Object.values(guest.doorbells).map((bell) => bell.receivers)).toEqual([0, 0, 0, 0]);
  expect(guest.restarts).toBe(100);
  expect(wholes.size).toBe(1);
  expect(made.partition('spin').ending).toBeUndefined();
});
