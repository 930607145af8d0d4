import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Input } from '../../../src/board/inputs.js';
import { Debugger } from '../../../src/debug/debugger.js';
import { MachineHistory } from '../../../src/debug/machine-history.js';
import { frame, hexToText, textToHex } from '../../../src/debug/gdb/packet.js';
import { GdbSession } from '../../../src/debug/gdb/session.js';
import { TrapStops } from '../../../src/debug/traps/stops.js';
import type { DebuggedMachine } from '../../../src/debug/processes.js';
import { Code, size } from '../../hypervisor/code.js';
import { bareBoard, hypervisor } from '../../hypervisor/guest.js';

/** Counts in r3 and in a word at 0x100 for ever. */
function counter(): Code {
  const code = new Code().label('loop').op('addi', { rt: 3, ra: 3, si: 1 });
  return code.label('store').stw(3, 0x100).b('loop');
}

/** A connection whose answers are kept, without acknowledgements and framing. */
function connect(machine: DebuggedMachine) {
  const debug = new Debugger(machine);
  const said: string[] = [];
  let killed = 0;
  const session = new GdbSession({
    debugger: debug,
    processes: debug.processes,
    files: new Map([[2, { path: '/first.elf', bytes: Uint8Array.of(1, 2, 3) }]]),
    send: (bytes) => said.push(String.fromCharCode(...bytes)),
    kill: () => (killed += 1),
    stop: () => {},
    exits: () => ['no exits'],
    traps: new TrapStops(debug),
    without: new Set(['run-length']),
  });
  const ask = (...packets: readonly string[]): string[] => {
    said.length = 0;
    for (const packet of packets) session.receive(frame(packet, { runs: false }));
    return said.filter((text) => !/^[+-]$/.test(text)).map((text) => text.replace(/^[$%](.*)#..$/s, '$1'));
  };
  const run = (): string[] => {
    said.length = 0;
    for (let i = 0; i < 50; i++) debug.run(100);
    return said.map((text) => text.replace(/^[$%](.*)#..$/s, '$1'));
  };
  return { debug, session, ask, run, said, killed: () => killed };
}

const board = () => connect(bareBoard(counter()).machine);
const partitions = () =>
  connect(
    hypervisor({ first: { program: counter() }, second: { program: counter() } }, { partitions: 'quantum = <1000>;' })
      .hv,
  );

test('registers and memory are read and written', () => {
  const { ask } = board();
  expect(ask('p40')).toEqual(['00001000']);
  expect(ask('P3=00000007', 'p3')).toEqual(['OK', '00000007']);
  expect(ask('M200,4:cafe0001', 'm200,4', 'm1000,4')).toEqual(['OK', 'cafe0001', '38630001']);
  expect(ask('X200,2:}#', 'm200,4')).toEqual(['OK', '7d230001']);
  expect(ask('m80000000,4')).toEqual(['E14']);
});

test('memory that is only read is rom in the memory map, but where the TLB has something else at its addresses', () => {
  const window = (more: string): string =>
    `pool@90000000 { compatible = "hv440,shared-memory-window"; shared-memory = <&pool>; reg = <0x90000000 0x1000>; ${more} };`;
  const partitions = 'quantum = <1000>; pool: pool { compatible = "hv440,shared-memory"; size = <0x0 0x1000>; };';
  const mapOf = (second: Code): string[] => {
    const guests = {
      first: { program: counter(), node: window('') },
      second: { program: second, node: window('read-only;') },
    };
    const { ask, run } = connect(hypervisor(guests, { partitions }).hv);
    ask('qSupported:multiprocess+', 'vAttach;2', 'vAttach;3', 'vCont;c');
    run();
    return [2, 3].map((process) => {
      const [map = ''] = ask(`Hgp${process}.1`, 'qXfer:memory-map:read::0,2000').slice(-1);
      return [...map.matchAll(/type="(\w+)" start="0x90000000" length="0x1000"/g)].map(([, type]) => type).join();
    });
  };
  expect(mapOf(counter())).toEqual(['ram', 'rom']);
  const elsewhere = new Code().tlb(9, { ea: 0x90000000, pa: 0, size: size.m1 }).label('loop').b('loop');
  expect(mapOf(elsewhere)).toEqual(['ram', 'ram']);
});

test('a step, a breakpoint and a watchpoint are told with the place where it stands', () => {
  const { ask, run } = board();
  ask('qSupported:swbreak+;hwbreak+;multiprocess+');
  expect(ask('vCont;s:p1.1')).toEqual([]);
  expect(run()).toEqual([expect.stringMatching(/^T05thread:p1\.1;.*40:00001004;/)]);
  expect(ask('Z0,1008,4', 'vCont;c')).toEqual(['OK']);
  expect(run()).toEqual([expect.stringMatching(/^T05swbreak:;thread:p1\.1;.*40:00001008;/)]);
  expect(ask('z0,1008,4', 'Z2,100,4', 'vCont;c')).toEqual(['OK', 'OK']);
  expect(run()).toEqual([expect.stringMatching(/^T05watch:100;thread:p1\.1;.*40:00001008;/)]);
});

test('Ctrl-C stops what runs, and nothing that is stopped already', () => {
  const { ask, run, session, said } = board();
  ask('vCont;c');
  expect(run()).toEqual([]);
  session.receive(Uint8Array.of(3));
  expect(said.at(-1)).toMatch(/^\$T02/);
  said.length = 0;
  session.receive(Uint8Array.of(3));
  expect(said).toEqual([]);
});

test('partitions appear as forks of the hypervisor, and then execute their programs', () => {
  const { ask, run } = partitions();
  ask('qSupported:multiprocess+;fork-events+;exec-events+;swbreak+');
  expect(ask('vCont;c:p1.-1')).toEqual(['T05fork:p2.1;thread:p1.1;']);
  expect(ask('vCont;c')).toEqual(['T05fork:p3.1;thread:p1.1;']);
  expect(ask('vCont;c')).toEqual([`T05exec:${Buffer.from('/first.elf').toString('hex')};thread:p2.1;`]);
  expect(ask('Hgp3.1', 'Z0,1004,4', 'vCont;c')).toEqual(['OK', 'OK']);
  expect(run()).toEqual([expect.stringMatching(/^T05swbreak:;thread:p3\.1;/)]);
});

test('a partition whose action is not named stays where it is', () => {
  const { ask, run, debug } = partitions();
  ask('qSupported:multiprocess+');
  expect(ask('vAttach;2', 'vAttach;3')).toEqual(['T05thread:p2.1;', 'T05thread:p3.1;']);
  const [, second, third] = debug.processes;
  ask('vCont;c:p2.-1');
  run();
  expect(second!.targets[0]!.runs!.steps).toBeGreaterThan(500);
  expect(third!.targets[0]!.registers.get('pc')).toBe(0x1000);
});

test('a connection that goes leaves its breakpoints nowhere, and what is stopped stopped', () => {
  const { ask, session, debug } = board();
  ask('Z0,1004,4');
  session.close();
  expect(debug.run(100)).toEqual({ kind: 'stopped' });
  const again = new GdbSession({ ...session.options, send: () => {} });
  again.receive(frame('vCont;c'));
  debug.run(1000);
  expect(debug.isStopped(debug.targets[0]!)).toBe(false);
});

/** Packets that nearly mean something. */
const names =
  '? g G p P m M X H T qC qSupported: qAttached D k vKill vCont vCont? c s Z0 Z2 z0 qXfer:features:read: qXfer:osdata:read: qRcmd, qCRC: qSearch:memory: vFile:open: vFile:pread: vAttach vRun R QNonStop: vStopped Hg Hc qThreadExtraInfo, bs bc !'.split(
    ' ',
  );
const almost = fc
  .tuple(fc.constantFrom(...names), fc.array(fc.constantFrom(...'0123456789abcdef,;:=.-px*#}$X'), { maxLength: 24 }))
  .map(([name, rest]) => name + rest.join(''));

test('no packet stops the server or the machine, whatever it says', () => {
  for (const build of [board, partitions]) {
    fc.assert(
      fc.property(fc.array(fc.oneof(almost, fc.string()), { maxLength: 30 }), (packets) => {
        const { ask, debug } = build();
        for (const packet of packets) {
          ask(packet);
          debug.run(20);
        }
        expect(ask('vMustReplyEmpty').at(-1)).toBe('');
      }),
      { seed: 440, numRuns: 60 },
    );
  }
});

test('nor do any bytes', () => {
  const { session, debug, ask } = partitions();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      session.receive(bytes);
      debug.run(20);
    }),
    { seed: 440, numRuns: 500 },
  );
  ask('QNonStop:0');
  expect(ask('vMustReplyEmpty').at(-1)).toBe('');
});

/** What the monitor answers, as text. */
const monitor = ({ ask }: ReturnType<typeof board>, command: string): string =>
  ask(`qRcmd,${textToHex(command)}`)
    .filter((text) => text !== 'OK')
    .map((text) => hexToText(text.slice(1)))
    .join('');

function remembered() {
  const made = board();
  made.debug.history = new MachineHistory(made.debug.machine, made.debug, { distance: 1000 });
  return made;
}

test('a move that the monitor is asked for is made by the next continue, as GDB keeps what it knows of a stopped machine', () => {
  const made = remembered();
  const { ask, debug, run, said } = made;
  ask('vCont;c');
  run();
  expect(monitor(made, 'goto 17')).toMatch(/runs: stop it first/);
  made.session.receive(Uint8Array.of(3));
  expect(monitor(made, 'goto 100000')).toMatch(/^that is not between step 0, cycle 0 and step/);
  const { steps } = debug.machine;
  expect(monitor(made, 'goto 17')).toBe('continue, or reverse-continue, goes to step 17\n');
  expect(debug.machine.steps).toBe(steps);
  said.length = 0;
  ask('vCont;c');
  expect(debug.machine.steps).toBe(17);
  expect(said.join('')).toContain(`O${textToHex('step 17, cycle')}`);
  expect(said.at(-1)).toMatch(/^\$T00thread:1;.*40:00001008;/);
  monitor(made, 'goto 4');
  ask('bc');
  expect(debug.machine.steps).toBe(4);
});

test('what stops at a trap is not forgotten where GDB first steps away from a breakpoint', () => {
  const made = connect(
    bareBoard(new Code().label('loop').op('addi', { rt: 3, ra: 3, si: 1 }).op('sc', { lev: 0 }).b('loop')).machine,
  );
  expect(monitor(made, 'trap-step')).toBe('continue stops at the next trap\n');
  made.ask('vCont;s:1');
  expect(made.run()).toEqual([expect.stringMatching(/^T05thread/)]);
  made.ask('vCont;c');
  expect(made.run().at(-1)).toMatch(/^T00thread:1;.*40:00000[0-9a-f]{3};/);
});

test('GDB steps over the access of a watchpoint by itself: that is done already, and the place told is that of the access', () => {
  const made = remembered();
  const { ask, run, debug } = made;
  ask('Z2,100,4', 'vCont;c');
  expect(run()).toEqual([expect.stringMatching(/^T05watch:100;thread:1;.*40:00001008;/)]);
  const { steps } = debug.machine;
  expect(ask('z2,100,4', 'vCont;s:1').at(-1)).toMatch(/^T05thread:1;.*40:00001008;/);
  expect(debug.machine.steps).toBe(steps);
  ask('vCont;s:1'); // a person's
  run();
  expect(debug.machine.steps).toBe(steps + 1);
  ask('Z2,100,4', 'bc');
  expect(run()).toEqual([expect.stringMatching(/^T05watch:100;thread:1;.*40:00001004;/)]);
  expect(debug.machine.steps).toBe(steps - 1);
  expect(ask('z2,100,4', 'bs').at(-1)).toMatch(/^T05thread:1;.*40:00001004;/);
  expect(debug.machine.steps).toBe(steps - 1);
  ask('bs');
  expect(debug.machine.steps).toBe(steps - 2);
});

test('the monitor types at the program that GDB is at', () => {
  const made = partitions();
  const { machine } = made.debug;
  const typed: Input[] = [];
  machine.listeners.push((input) => typed.push(input));
  made.ask('qSupported:multiprocess+', 'vAttach;3', 'Hgp3.1');
  expect(monitor(made, 'type "ls -l\\n"')).toBe('');
  const stream = machine.streams.find((name) => name.startsWith('second'));
  expect(typed).toEqual([{ kind: 'typed', stream, bytes: [...new TextEncoder().encode('ls -l\n')] }]);
});

test('Ctrl-C stops a run backwards where it has got to, and others hear that the machine is on its way', () => {
  const made = remembered();
  const { ask, run, debug, session, said } = made;
  ask('vCont;c');
  for (let i = 0; i < 20; i++) debug.run(100_000);
  session.receive(Uint8Array.of(3));
  const { steps } = debug.machine;
  expect(steps).toBeGreaterThan(1_500_000);
  ask('Z2,400,4', 'bc'); // nobody writes there
  expect(debug.machine.steps).toBe(steps);
  debug.run(100);
  expect(monitor(made, 'goto 17')).toBe('it is on its way back: stop that first\n');
  said.length = 0;
  session.receive(Uint8Array.of(3));
  expect(said.at(-1)).toMatch(/^\$T02thread:1;/);
  expect(debug.machine.steps).toBeLessThan(steps);
  expect(debug.machine.steps).toBeGreaterThan(3);
  expect(run()).toEqual([]);
  ask('bc');
  expect(run()).toEqual([expect.stringMatching(/^T05replaylog:begin;thread:1;/)]);
  expect(debug.machine.steps).toBe(0);
});
