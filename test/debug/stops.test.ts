import { expect, test } from 'vitest';
import type { Machine } from '../../src/board/machine.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import { MSR } from '../../src/isa/registers.js';
import type { Breakpoint } from '../../src/debug/breakpoints.js';
import { Debugger, type Client, type Resumption, type StopEvent } from '../../src/debug/debugger.js';
import type { DebuggedMachine } from '../../src/debug/processes.js';
import type { Target } from '../../src/debug/target.js';
import { Code, size } from '../hypervisor/code.js';
import { bareBoard, hypervisor } from '../hypervisor/guest.js';

/** A debugger with one client that keeps what it is told. */
function debug(machine: DebuggedMachine) {
  const debug = new Debugger(machine);
  const events: StopEvent[] = [];
  const client: Client = { scope: debug.targets, stopped: (own) => void events.push(...own) };
  debug.join(client);
  const target = (name: string): Target => debug.targets.find((t) => t.name === name)!;
  return { debug, events, client, target };
}

/** An event in one line: comparing targets as values would compare machines. */
function told(event: StopEvent | undefined): string {
  if (!event) return 'nothing';
  if (event.kind === 'ended') return `${event.process.name} ended`;
  const pc = event.target.registers.get('pc').toString(16);
  return `${event.kind} of ${event.target.name} at ${'hit' in event ? event.hit.pc.toString(16) : pc}`;
}

/** Run until something stops, or it is over, or so many cycles have passed; idle time is jumped over. */
function untilStop(made: ReturnType<typeof debug>, cycles = 1_000_000): StopEvent[] {
  const { machine } = made.debug;
  const end = machine.clock.now + cycles;
  made.events.length = 0;
  while (made.events.length === 0 && machine.clock.now < end) {
    const progress = made.debug.run(Math.min(1000, end - machine.clock.now));
    if (progress.kind === 'idle') machine.skip(Math.min(end, progress.until));
    if (progress.kind === 'ended') break;
  }
  return [...made.events];
}

const execute = (address: number, space: Breakpoint['space'] = 'effective'): Breakpoint => ({
  kind: 'execute',
  space,
  address,
  length: 4,
});

/** Counts in a word at 0x100, takes a decrementer interrupt every 200 cycles, and ends after 300 rounds. */
function counter(): Code {
  const code = new Code().vector(10, 'tick').setSpr('DEC', 200).setSpr('DECAR', 200).setSpr('TCR', 0x04400000);
  code.setMsr(MSR.EE).li(20, 0).li(5, 0x100);
  code.label('loop').op('lwz', { rt: 3, ra: 5, d: 0 }).op('addi', { rt: 3, ra: 3, si: 1 });
  code.label('store').op('stw', { rs: 3, ra: 5, d: 0 }).op('mfmsr', { rt: 6 }).op('addi', { rt: 20, ra: 20, si: 1 });
  code.op('cmpi', { bf: 0, ra: 20, si: 300 }).bc(4, 2, 'loop').print('ok').finish(7);
  return code.at(0x2000).label('tick').setSpr('TSR', 0x08000000).label('leave').op('rfi');
}

/** All that a run leaves, as far as a guest or its user could tell. */
function left(machine: Machine, name: string, text: string) {
  const { machine: core, steps } = machine.debuggables.find((d) => d.name === name)!;
  const { timers } = core;
  timers.update();
  return {
    now: machine.clock.now,
    retired: machine.retired,
    steps,
    words: Array.from(core.regs.words.subarray(0, 43)),
    system: [...core.system.words],
    tlb: [...core.system.tlb.words],
    timers: { ...timers.state },
    memory: core.bus.ram.regions.map(({ target }) => Buffer.from(target.slice(0, target.size)).toString('base64')),
    text,
    ending: machine.programs.find((p) => name.startsWith(p.name))!.ending,
  };
}

const onBoard =
  (engine: () => Engine) => (): { code: Code; machine: DebuggedMachine; name: string; text: () => string } => {
    const code = counter();
    const { machine, output } = bareBoard(code, { engine: engine() });
    return { code, machine, name: 'board/cpu0', text: () => output.text('board/serial@ef600300') };
  };

const inPartition =
  (engine: () => Engine) => (): { code: Code; machine: DebuggedMachine; name: string; text: () => string } => {
    const code = counter();
    const made = hypervisor(
      { other: { program: counter() }, guest: { program: code } },
      { partitions: 'quantum = <1777>; exit-cycles = <13>; world-switch-cycles = <29>;', engine: engine() },
    );
    return { code, machine: made.hv, name: 'guest/cpu0', text: () => made.output.text('guest/serial@ef600300') };
  };

const interpreter = (): Engine => new Interpreter();
const translator = (): Engine => new Translator({ hot: 1 });

const machines = {
  'on a bare board': onBoard(interpreter),
  'in a partition': inPartition(interpreter),
  'translated on a bare board': onBoard(translator),
  'translated in a partition': inPartition(translator),
};

test.each(Object.entries(machines))('%s, stops leave no trace in the run', (_, build) => {
  const plain = build();
  while (plain.machine.run(5000).kind === 'ran');
  const { code, machine, name, text } = build();
  code.image();
  const made = debug(machine);
  const target = made.target(name);
  const places: Breakpoint[] = [
    execute(code.address('loop')),
    execute(0x2000, 'physical'),
    { kind: 'access', space: 'effective', address: 0x102, length: 1 },
    { kind: 'write', space: 'physical', address: 0xef600300, length: 1 },
  ];
  made.debug.setBreakpoints(
    made.client,
    places.map((breakpoint) => ({ breakpoint, targets: new Set(made.debug.targets) })),
  );
  const kinds = new Map<string, number>();
  let stops = 0;
  for (;;) {
    const events = untilStop(made);
    for (const { kind } of events) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (events.length === 0) break;
    stops += 1;
    made.debug.stop(made.debug.targets);
    expect(made.debug.run(100)).toEqual(target.process.ending ? expect.anything() : { kind: 'stopped' });
    // Every third time some single steps
    const all = new Map<Target, Resumption>(made.debug.targets.map((t) => [t, { kind: 'run' }]));
    if (stops % 3 === 0) {
      made.debug.resume(new Map([...all, [target, { kind: 'step', count: (stops % 5) + 1 }]]));
      untilStop(made);
      made.debug.stop(made.debug.targets);
    }
    made.debug.resume(all);
  }
  expect(left(machine, name, text())).toEqual(left(plain.machine, name, plain.text()));
  expect(kinds.get('breakpoint')).toBeGreaterThan(250);
  expect(kinds.get('watchpoint')).toBeGreaterThan(250);
});

test.each(Object.entries(machines))('%s, a breakpoint stops before its instruction, each time once', (_, build) => {
  const { code, machine, name } = build();
  code.image();
  const made = debug(machine);
  const target = made.target(name);
  made.debug.setBreakpoints(made.client, [{ breakpoint: execute(code.address('store')), targets: new Set([target]) }]);
  for (let round = 1; round <= 20; round++) {
    const [event] = untilStop(made);
    expect(told(event)).toBe(`breakpoint of ${name} at ${code.address('store').toString(16)}`);
    expect(target.registers.get('r3')).toBe(round);
    expect([...target.effective.read(0x100, 4)]).toEqual([0, 0, 0, round - 1]);
    made.debug.resume(new Map([[target, { kind: 'run' }]]));
  }
});

test.each(Object.entries(machines))('%s, a watchpoint tells the instruction and the bytes before', (_, build) => {
  const { code, machine, name } = build();
  code.image();
  const made = debug(machine);
  const target = made.target(name);
  const watch = (kind: 'read' | 'write' | 'access'): void =>
    made.debug.setBreakpoints(made.client, [
      { breakpoint: { kind, space: 'effective', address: 0x100, length: 4 }, targets: new Set([target]) },
    ]);
  const next = (): string => {
    const [event] = untilStop(made);
    if (event?.kind !== 'watchpoint') throw new Error(`it stopped otherwise: ${event?.kind}`);
    const { access, pc, before } = event.hit;
    made.debug.resume(new Map([[target, { kind: 'run' }]]));
    return `${access} by ${pc === code.address('store') ? 'store' : pc === code.address('loop') ? 'loop' : pc} of ${before[3]}, now ${target.effective.read(0x103, 1)[0]}`;
  };
  watch('write');
  expect([next(), next()]).toEqual(['write by store of 0, now 1', 'write by store of 1, now 2']);
  watch('read');
  expect([next(), next()]).toEqual(['read by loop of 2, now 2', 'read by loop of 3, now 3']);
  watch('access');
  expect([next(), next()]).toEqual(['write by store of 3, now 4', 'read by loop of 4, now 4']);
});

test.each(Object.entries(machines))(
  '%s, a step goes over an instruction or into a handler, and no further',
  (_, build) => {
    const { code, machine, name } = build();
    code.image();
    const made = debug(machine);
    const target = made.target(name);
    const { registers } = target;
    const step = (): void => {
      made.debug.resume(new Map([[target, { kind: 'step', count: 1 }]]));
      expect(untilStop(made).map(({ kind }) => kind)).toEqual(['step']);
    };
    made.debug.stop([target]);
    let handlers = 0;
    for (let i = 0; i < 600; i++) {
      const [pc, steps, r3] = [registers.get('pc'), target.runs!.steps, registers.get('r3')];
      step();
      expect(target.runs!.steps).toBe(steps + 1);
      if (registers.get('pc') === 0x2000) {
        handlers += 1;
        expect(registers.get('srr0')).toBe(pc);
      } else if (pc !== 0x1000 && registers.get('pc') === code.address('store')) {
        expect(registers.get('r3')).toBe(r3 + 1);
      }
    }
    expect(handlers).toBeGreaterThan(1);
  },
);

test('a breakpoint at a guest-physical address stops before the MMU maps it elsewhere, and after', () => {
  const code = new Code().op('addi', { rt: 3, ra: 0, si: 1 }).tlb(5, { ea: 0x50000000, pa: 0x2000, size: size.k4 });
  code.la(4, 'far').mtspr('SRR0', 4).b('far').at(0x2000).label('far').op('addi', { rt: 3, ra: 3, si: 1 });
  code.li(5, 0x50000020).op('mtspr', { rs: 5, spr: 9 }).op('bcctr', { bo: 20, bi: 0 });
  code.at(0x2020).label('high').finish(5);
  const { hv } = hypervisor({ guest: { program: code } });
  const made = debug(hv);
  const target = made.target('guest/cpu0');
  made.debug.setBreakpoints(made.client, [
    { breakpoint: execute(0x2000, 'physical'), targets: new Set([target]) },
    { breakpoint: execute(0x2020, 'physical'), targets: new Set([target]) },
    { breakpoint: execute(0x50000024), targets: new Set([target]) },
  ]);
  const at = [0, 1, 2].map(() => {
    untilStop(made);
    made.debug.resume(new Map([[target, { kind: 'run' }]]));
    return target.registers.get('pc');
  });
  expect(at).toEqual([0x2000, 0x50000020, 0x50000024]);
});

test('a guest that reads its code, and one that has debug events on, sees nothing of a breakpoint', () => {
  const build = (): Code => {
    const code = new Code().setSpr('DBCR0', 0x40800000).setSpr('IAC1', 0x1ffc).la(4, 'here').li(5, 0);
    code.label('here').op('lwz', { rt: 3, ra: 4, d: 0 }).stw(3, 0x100).mfspr(6, 'DBSR').stw(6, 0x104);
    return code.finish(0);
  };
  for (const space of ['effective', 'physical'] as const) {
    const code = build();
    const { hv, partition } = hypervisor({ guest: { program: code } });
    const made = debug(hv);
    const target = made.target('guest/cpu0');
    made.debug.setBreakpoints(made.client, [
      { breakpoint: execute(code.address('here'), space), targets: new Set([target]) },
    ]);
    expect(untilStop(made).map(told)).toEqual([`breakpoint of guest/cpu0 at ${code.address('here').toString(16)}`]);
    made.debug.resume(new Map([[target, { kind: 'run' }]]));
    expect(untilStop(made).map(told)).toEqual(['hypervisor ended', 'guest ended']);
    const ram = partition('guest').board.bus.ram.regions[0]!.target;
    expect(ram.read(0x100, 4)).toBe(ram.read(code.address('here'), 4));
    expect(ram.read(0x104, 4)).toBe(0x30000000);
  }
});

test('a condition is asked once for each time its instruction comes to run', () => {
  const { code, machine, name } = machines['in a partition']();
  code.image();
  const made = debug(machine);
  const target = made.target(name);
  const seen: number[] = [];
  const condition = ({ registers }: Target): boolean => seen.push(registers.get('r3')) % 10 === 0;
  made.debug.setBreakpoints(made.client, [
    { breakpoint: { ...execute(code.address('store')), condition }, targets: new Set([target]) },
  ]);
  untilStop(made);
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(target.registers.get('r3')).toBe(10);
});

test('while one partition is stopped the other runs on, and looking at either changes nothing', () => {
  const { machine } = machines['in a partition']();
  const made = debug(machine);
  const [guest, other] = [made.target('guest/cpu0'), made.target('other/cpu0')];
  made.debug.run(1000);
  made.debug.stop([guest]);
  const before = guest.runs!.steps;
  for (const { registers } of made.debug.targets) for (const register of registers.all) registers.read(register);
  untilStop(made);
  expect(guest.runs!.steps).toBe(before);
  expect(other.process.ending).toEqual({ kind: 'finished', status: 7 });
  made.debug.resume(new Map([[guest, { kind: 'run' }]]));
  expect(untilStop(made).map(told)).toEqual(['hypervisor ended', 'guest ended']);
  expect(guest.process.ending).toEqual({ kind: 'finished', status: 7 });
});

test('registers that a guest changed in its magic page are seen, and a debugger can change them there', () => {
  const PAGE = 0xfffff000;
  const code = new Code().li(3, 0).li(4, PAGE).li(11, 0x2a0004).op('sc', { lev: 1 }).li(5, 0x1234);
  code
    .op('stw', { rs: 5, ra: 0, d: 0xf000 + 36 })
    .label('here')
    .op('lwz', { rt: 6, ra: 0, d: 0xf000 + 44 });
  code.stw(6, 0x100).finish(0);
  const { hv, partition } = hypervisor({
    guest: { program: code, node: 'paravirtualization = "kvm", "magic-page";' },
  });
  const made = debug(hv);
  const target = made.target('guest/cpu0');
  made.debug.setBreakpoints(made.client, [{ breakpoint: execute(code.address('here')), targets: new Set([target]) }]);
  expect(untilStop(made).map(({ kind }) => kind)).toEqual(['breakpoint']);
  expect(target.registers.get('sprg0')).toBe(0x1234);
  expect([...target.effective.read(PAGE + 36, 4)]).toEqual([0, 0, 0x12, 0x34]);
  target.registers.set('sprg1', 0x5678);
  made.debug.resume(new Map([[target, { kind: 'run' }]]));
  untilStop(made);
  expect(partition('guest').board.bus.ram.regions[0]!.target.read(0x100, 4)).toBe(0x5678);
});
