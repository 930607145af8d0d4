import { expect, test } from 'vitest';
import { backtrace } from '../../src/debug/backtrace.js';
import { Debugger, type Client, type StopEvent } from '../../src/debug/debugger.js';
import { monitor } from '../../src/debug/monitor.js';
import type { DebuggedMachine } from '../../src/debug/processes.js';
import { unknownProgram } from '../../src/debug/program.js';
import type { Target } from '../../src/debug/target.js';
import { TrapStops } from '../../src/debug/traps/stops.js';
import { MSR } from '../../src/isa/registers.js';
import { Code, size } from '../hypervisor/code.js';
import { bareBoard, hypervisor, oneByOne } from '../hypervisor/guest.js';

/** A debugger that follows traps, with one client that keeps what it is told. */
function follow(machine: DebuggedMachine) {
  const debug = new Debugger(machine);
  const traps = new TrapStops(debug);
  const events: StopEvent[] = [];
  const client: Client = { scope: debug.targets, stopped: (own) => void events.push(...own) };
  debug.join(client);
  const target = (name: string): Target => debug.targets.find((t) => t.name === name)!;
  /** Run on until something stops; gives the lines that are shown of a trap, or what stopped otherwise. */
  const next = (): readonly string[] => {
    events.length = 0;
    debug.resume(new Map(debug.targets.map((each) => [each, { kind: 'run' }])));
    const told = (): StopEvent | undefined => events.find(({ kind }) => kind === 'trap');
    for (let slices = 0; !told() && slices < 10_000; slices++) {
      const progress = debug.run(997);
      if (progress.kind === 'idle') machine.skip(progress.until);
      if (progress.kind === 'ended') break;
    }
    const event = told();
    debug.stop(debug.targets);
    return event?.kind === 'trap' ? event.stop.lines : ['ended'];
  };
  const ask = (line: string, at = 'guest/cpu0'): readonly string[] =>
    monitor({ debugger: debug, target: target(at), physical: false, exits: () => [], traps }, line);
  return { machine, debug, traps, target, next, ask };
}

/** Counts in a word, takes a decrementer interrupt every 200 cycles, and ends after 300 rounds. */
function counter(): Code {
  const code = new Code().vector(10, 'tick').setSpr('DEC', 200).setSpr('DECAR', 200).setSpr('TCR', 0x04400000);
  code.setMsr(MSR.EE).li(1, 0x800).li(20, 0).li(5, 0x100);
  code.label('loop').op('lwz', { rt: 3, ra: 5, d: 0 }).op('addi', { rt: 3, ra: 3, si: 1 });
  code.op('stw', { rs: 3, ra: 5, d: 0 }).op('mfmsr', { rt: 6 }).op('addi', { rt: 20, ra: 20, si: 1 });
  code.op('cmpi', { bf: 0, ra: 20, si: 300 }).bc(4, 2, 'loop').print('ok').finish(7);
  return code.at(0x2000).label('tick').setSpr('TSR', 0x08000000).label('leave').op('rfi');
}

const machines = {
  'on a bare board': () => {
    const { machine, output } = bareBoard(counter());
    return { machine, name: 'board/cpu0', text: () => output.text('board/serial@ef600300') };
  },
  'in a partition': (more = '') => {
    const { hv, output } = hypervisor(
      { other: { program: counter() }, guest: { program: counter() } },
      { partitions: `quantum = <1777>; exit-cycles = <13>; world-switch-cycles = <29>;${more}` },
    );
    return { machine: hv, name: 'guest/cpu0', text: () => output.text('guest/serial@ef600300') };
  },
};

test.each(Object.entries(machines))(
  '%s, following traps and stopping at them leaves no trace in the run',
  (_, build) => {
    const plain = build();
    while (plain.machine.run(5000).kind === 'ran');
    const { machine, name, text } = build();
    const made = follow(machine);
    let stops = 0;
    for (;;) {
      made.traps.arm(stops % 3 === 0 ? 'trap-step' : 'trap-into', stops % 5 === 0 ? undefined : made.target(name));
      if (made.next()[0] === 'ended') break;
      stops += 1;
    }
    const left = (of: DebuggedMachine) => {
      const { machine: core, steps } = of.debuggables.find((d) => d.name === name)!;
      return { now: of.clock.now, steps, words: [...core.regs.words.subarray(0, 43)], system: [...core.system.words] };
    };
    expect(left(machine)).toEqual(left(plain.machine));
    expect([text(), plain.text()]).toEqual(['ok', 'ok']);
    expect(stops).toBeGreaterThan(name === 'board/cpu0' ? 10 : 300);
  },
);

test('a record tells what the hypervisor did: an instruction, a register with its fields, and an interrupt that came then', () => {
  const code = new Code().vector(10, 'tick').setSpr('DEC', 50).setSpr('TCR', 0x04000000).li(9, 200);
  code
    .op('mtspr', { rs: 9, spr: 9 })
    .label('wait')
    .bc(16, 0, 'wait')
    .setMsr(MSR.CE | MSR.EE);
  code.at(0x2000).label('tick').finish(0);
  const made = follow(hypervisor({ guest: { program: code } }, oneByOne).hv);
  const all: (readonly string[])[] = [];
  do {
    made.traps.arm('trap-step', undefined);
    all.push(made.next());
  } while (all.at(-1)![0] !== 'ended');
  const told = all.find(([head]) => head?.includes('mtmsr'))!;
  expect(told.map((line) => line.replace(/#\d+| {2}at [\d,]+ \(\+[\d,]+\)/g, ''))).toEqual([
    '  guest/cpu0  0000103c  mtmsr r31',
    '  guest    supervisor, MSR 00000000, PID 0',
    '  exit     emulate         program (privileged), ESR[PPR]',
    '  emulate  mtmsr r31            MSR 00000000 -> 00028000 (+CE +EE)',
    '  inject   decrementer; SRR0 00001040 SRR1 00028000; to IVOR10 00002000',
    '  resume   00002000  supervisor',
  ]);
});

test('TLB entries, shadow entries, devices, hypercalls and reflected traps are told with what they are about', () => {
  const code = new Code().vector(13, 'miss').tlb(1, { ea: 0x50000000, pa: 0x2000, size: size.k4, rights: 0x07 });
  code
    .li(4, 0x50000000)
    .op('lwz', { rt: 3, ra: 4, d: 8 })
    .li(6, 0xef600300)
    .li(7, 0x41)
    .op('stb', { rs: 7, ra: 6, d: 0 });
  code.op('lbz', { rt: 8, ra: 6, d: 5 }).li(11, 0x10003).li(3, 77).word(0x44000022);
  code.li(4, 0x10000000).op('stw', { rs: 3, ra: 4, d: 4 }).at(0x2000).label('miss').finish(3);
  const made = follow(hypervisor({ guest: { program: code } }, oneByOne).hv);
  const lines: string[] = [];
  for (;;) {
    made.traps.arm('trap-step', undefined);
    const told = made.next();
    if (told[0] === 'ended') break;
    lines.push(...told.filter((line) => !line.startsWith('#') && !line.startsWith('  guest')));
  }
  const wanted = [
    '  emulate  tlbwe r31,r29,1      TLB[1] 50000000 4K -> 010000000 TS 0 TID 0 SX SW SR => 50000000 4K -> 000002000 TS 0 TID 0 SX SW SR',
    '  exit     shadow-miss     data-tlb-miss reading 50000008',
    "  fill     for 50000008, from the guest's entry 1",
    "  device   write serial@ef600300+0 <- 41 'A'",
    '  device   read serial@ef600300+5 -> 60 r8 00000000 -> 00000060',
    '  call     EV_BYTE_CHANNEL_POLL(handle 77) = EINVAL, received 0, room 0',
    "  exit     reflect         data-tlb-miss writing 10000004, ESR[ST]: the guest's own",
  ];
  for (const line of wanted) expect(lines).toContain(line);
  expect(lines.find((line) => line.startsWith('  inject   data-tlb-miss'))).toMatch(
    /writing 10000004, ESR\[ST\]; SRR0 000010[0-9a-f]{2} SRR1 00000000 ESR 00800000 DEAR 10000004; to IVOR13 00002000$/,
  );
});

test('trap-into stops at each stage, and shows each once', () => {
  const made = follow(hypervisor({ guest: { program: counter() } }, oneByOne).hv);
  made.ask('catch trap emulate if $trap_pc == 0x1060');
  expect(made.next()[0]).toContain('mfmsr r6');
  made.ask('uncatch');
  const shown = [1, 2, 3].map(() => {
    made.ask('trap-into');
    return made.next().map((line) => line.slice(0, 40));
  });
  expect(shown.map((lines) => lines.length)).toEqual([3, 1, 1]);
  expect([shown[1]![0]!.trim(), shown[2]![0]!.trim()]).toEqual(['emulate  mfmsr r6', 'resume   00001064  supervisor']);
});

test('traps are caught by kind, partition and condition', () => {
  const build = () => ({ program: counter() });
  const made = follow(hypervisor({ other: build(), guest: build() }, oneByOne).hv);
  expect(made.ask('catch trap decrementer guest if $r20 > 100')).toEqual([
    'catch 1: decrementer of guest if $r20 > 100',
  ]);
  expect(made.next()[0]).toMatch(/^#\d+ {2}guest\/cpu0 /);
  expect(made.target('guest/cpu0').registers.get('r20')).toBeGreaterThan(100);
  expect(made.target('guest/cpu0').registers.get('pc')).toBe(0x2000);
  expect(made.ask('catch trap decrementr')[0]).toContain("'decrementr' is neither a kind of trap nor a partition");
  expect(made.ask('catch trap any if 1 +')[0]).toContain('something is missing');
  const list = made.ask('traps 2 decrementer guest');
  expect(list).toHaveLength(2);
  for (const line of list) expect(line).toMatch(/guest\/cpu0 .*inject decrementer/);
  expect(made.ask('traps 1 decrementer').join('\n')).toContain('  resume   00002000  supervisor');
});

test.each(Object.entries(machines))('%s, trap-finish goes to the return from the handler', (_, build) => {
  const { machine, name } = build('run-ahead = <0>;');
  const made = follow(machine);
  made.ask(`catch trap decrementer ${name.replace('/cpu0', '')}`, name);
  expect(made.next()[0]).toContain(name);
  made.ask('uncatch', name);
  const target = made.target(name);
  const [interrupted] = made.traps.handlers(target);
  expect(
    backtrace(target, unknownProgram, made.traps.handlers(target))
      .map(({ pc }) => pc)
      .slice(0, 2),
  ).toEqual([0x2000, interrupted!.pc]);
  if (name === 'board/cpu0') return; // a bare board returns without a trap
  expect(made.ask('trap-finish', name)).toEqual(['continue stops when it returns']);
  made.next();
  expect(target.registers.get('pc')).toBe(interrupted!.pc);
  expect(made.traps.handlers(target)).toEqual([]);
  expect(made.ask('trap-finish', name)).toEqual([`${name} is in no handler`]);
});
