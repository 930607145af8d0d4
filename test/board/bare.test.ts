import { describe, expect, test } from 'vitest';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import { MSR, TCR } from '../../src/isa/registers.js';
import { Code, size } from '../hypervisor/code.js';
import { bare, bareBoard, finished, hex, results, runToEnd } from '../hypervisor/guest.js';

const STREAM = 'board/serial@ef600300';

test('a trap is the hardware’s: its handler is entered and rfi comes back', () => {
  const code = new Code().vector(8, 'call').label('here').op('sc').stw(20, 0x100).finish();
  code.at(0x2000).label('call').report(0x104, 'SRR0', 'SRR1').li(20, 0x77).op('rfi');
  expect(results(bare(code), 3)).toEqual(['77', hex(code.address('here') + 4), '0']);
});

test('entering a handler takes a cycle, and nothing is retired for it', () => {
  const code = new Code().vector(8, 'call').op('sc').finish();
  code.at(0x2000).label('call').op('rfi');
  const { machine } = bare(code);
  expect(machine.clock.now - machine.retired).toBe(1);
});

test('on a bare board the level of sc is not looked at', () => {
  const code = new Code().vector(8, 'call').li(11, 0x10003).op('sc', { lev: 1 }).finish(1);
  code.at(0x2000).label('call').finish(0);
  expect(bare(code).progress).toEqual(finished(0));
});

test('a critical input may interrupt the handler of a base one, not the reverse', () => {
  const code = new Code().vector(0, 'critical').vector(4, 'external').li(3, -1).op('mtdcr', { rs: 3, dcr: 0xc4 });
  code.li(3, 0x40000000).op('mtdcr', { rs: 3, dcr: 0xc3 }).li(3, 0xc0000000).op('mtdcr', { rs: 3, dcr: 0xc2 });
  code
    .li(3, 0x80000000)
    .op('mtdcr', { rs: 3, dcr: 0xc1 })
    .setMsr(MSR.EE | MSR.CE)
    .finish(1);
  code.at(0x2000).label('external').li(3, 0x40000000).op('mtdcr', { rs: 3, dcr: 0xc1 }).label('next').finish(2);
  code
    .at(0x3000)
    .label('critical')
    .report(0x100, 'CSRR0', 'CSRR1', 'SRR1')
    .op('mfmsr', { rt: 4 })
    .stw(4, 0x10c)
    .finish();
  const left = results(bare(code), 4);
  expect(left).toEqual([hex(code.address('next')), hex(MSR.CE), hex(MSR.EE | MSR.CE), '0']);
});

test.each([
  ['what is privileged', (code: Code) => code.op('mfmsr', { rt: 4 })],
  ['a system call', (code: Code) => code.op('sc')],
])('whoever delivers a trap of %s, it counts among those since an instruction was retired', (_, trap) => {
  const code = new Code().tlb(0, { ea: 0, pa: 0, size: 9 }).setSpr('IVPR', 0x7f000000); // which nothing maps
  trap(code.rfi('user', MSR.PR).label('user').li(5, 1)).finish(1);
  const engines = [new Interpreter({ inline: false }), new Translator({ eager: true }), new Translator()];
  for (let slice = 1; slice < 40; slice++) {
    const lives = engines.map((engine) => {
      const { machine } = bareBoard(code, { engine });
      return Array.from({ length: 80 }, () => (machine.run(slice), machine.save().life.fruitless));
    });
    expect(lives[1]).toEqual(lives[0]);
    expect(lives[2]).toEqual(lives[0]);
  }
});

describe('idle', () => {
  const sleeper = (): Code => {
    const code = new Code()
      .vector(10, 'tick')
      .setSpr('TCR', TCR.DIE)
      .setSpr('DEC', 50_000)
      .setMsr(MSR.WE | MSR.EE)
      .finish(1);
    return code.at(0x2000).label('tick').finish();
  };

  test('a waiting machine says until when, stays there, and goes on when it is skipped to it', () => {
    const { machine } = bareBoard(sleeper());
    const idle = machine.run(1000);
    const { now } = machine.clock;
    expect(idle).toEqual({ kind: 'idle', until: machine.clock.next });
    expect(now).toBeLessThan(100);
    expect(machine.programs[0]!.state).toBe('waiting for an interrupt');
    expect(machine.run(1000)).toEqual(idle);
    expect(machine.clock.now).toBe(now);
    machine.skip(now + 100);
    expect([machine.clock.now, machine.run(1000).kind]).toEqual([now + 100, 'idle']);
    machine.skip(Infinity);
    expect(machine.clock.now).toBe(machine.clock.next);
    expect(machine.run(1000)).toEqual(finished(0));
  });

  test('skipping never goes back', () => {
    const { machine } = bareBoard(sleeper());
    machine.run(10);
    machine.skip(0);
    expect(machine.clock.now).toBe(10);
  });

  test('a machine that only a character can wake is idle for ever, until one comes', () => {
    const code = new Code().vector(4, 'external').li(3, -1).op('mtdcr', { rs: 3, dcr: 0xc4 }).li(3, 0x80000000);
    code.op('mtdcr', { rs: 3, dcr: 0xc2 }).li(5, 0xef600300).li(3, 1).op('stb', { rs: 3, ra: 5, d: 1 });
    code
      .setMsr(MSR.WE | MSR.EE)
      .finish(1)
      .at(0x2000)
      .label('external')
      .op('lbz', { rt: 4, ra: 5, d: 0 })
      .finishWith(4);
    const { machine, inputs } = bareBoard(code);
    expect(runToEnd(machine)).toEqual({ kind: 'idle', until: Infinity });
    expect(machine.type(STREAM, Buffer.from('*'))).toBe(true);
    expect(machine.waitingInput).toBe(1);
    expect(runToEnd(machine)).toEqual(finished(0x2a));
    expect(machine.waitingInput).toBe(0);
    expect(inputs).toMatchObject([{ stream: STREAM, byte: 0x2a }]);
  });
});

test('run goes as many cycles as it is given, and not one more', () => {
  const { machine } = bareBoard(new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin'));
  for (const cycles of [1, 7, 1000]) {
    const { now } = machine.clock;
    expect(machine.run(cycles)).toEqual({ kind: 'ran' });
    expect(machine.clock.now - now).toBe(cycles);
  }
  expect(machine.retired).toBe(1008);
});

test('an ended machine stays ended, where it was', () => {
  const { machine } = bareBoard(new Code().finish(4));
  expect(runToEnd(machine)).toEqual(finished(4));
  const { now } = machine.clock;
  expect(machine.run(1000)).toEqual(finished(4));
  expect(machine.clock.now).toBe(now);
  expect(machine.programs).toMatchObject([{ name: 'board', state: 'ended with status 4', lastTrap: undefined }]);
});

test('typed characters arrive a character time apart once the program listens, and not before', () => {
  const code = new Code()
    .li(5, 0xef600300)
    .li(6, 20_000)
    .op('mtspr', { rs: 6, spr: 9 })
    .label('busy')
    .bc(16, 0, 'busy')
    .li(20, 3);
  code.label('poll').op('lbz', { rt: 3, ra: 5, d: 5 }).op('andi.', { ra: 3, rs: 3, ui: 1 }).bc(12, 2, 'poll');
  code
    .op('lbz', { rt: 3, ra: 5, d: 0 })
    .op('stb', { rs: 3, ra: 5, d: 0 })
    .op('addic.', { rt: 20, ra: 20, si: -1 })
    .bc(4, 2, 'poll')
    .finish();
  const { machine, inputs, output } = bareBoard(code);
  machine.type(STREAM, Buffer.from('abc'));
  expect(runToEnd(machine)).toEqual(finished(0));
  expect(output.text(STREAM)).toBe('abc');
  const cycles = inputs.map((i) => i.cycle);
  expect(cycles[0]).toBeGreaterThan(20_000);
  const { cyclesPerCharacter } = machine.board.ports[0]!.uart;
  expect(cyclesPerCharacter).toBe(Math.round((400_000_000 * 10) / 115_200));
  cycles.slice(1).forEach((cycle, i) => {
    expect(cycle - cycles[i]!).toBeGreaterThanOrEqual(cyclesPerCharacter);
    expect(cycle - cycles[i]!).toBeLessThan(cyclesPerCharacter + 100);
  });
});

test('a script that is still being read holds time where its next character could arrive', () => {
  const code = new Code()
    .li(5, 0xef600300)
    .label('poll')
    .op('lbz', { rt: 3, ra: 5, d: 5 })
    .op('andi.', { ra: 3, rs: 3, ui: 1 });
  code.bc(12, 2, 'poll').op('lbz', { rt: 3, ra: 5, d: 0 }).finishWith(3);
  const late = bareBoard(code);
  late.machine.scripted(STREAM, true);
  expect(late.machine.run(1_000_000)).toEqual({ kind: 'starved' });
  const held = late.machine.clock.now;
  expect(late.machine.run(1_000_000)).toEqual({ kind: 'starved' });
  expect(late.machine.clock.now).toBe(held);
  late.machine.type(STREAM, Buffer.from('7'));
  expect(runToEnd(late.machine)).toEqual(finished(0x37));
  // The same as when the character was there from the first
  const early = bareBoard(code);
  early.machine.scripted(STREAM, true);
  early.machine.type(STREAM, Buffer.from('7'));
  expect(runToEnd(early.machine)).toEqual(finished(0x37));
  expect([early.inputs, early.machine.clock.now, early.machine.retired]).toEqual([
    late.inputs,
    late.machine.clock.now,
    late.machine.retired,
  ]);
});

test('at the end of a script time goes on without it', () => {
  const code = new Code().li(5, 0xef600300).label('poll').op('lbz', { rt: 3, ra: 5, d: 5 }).b('poll');
  const { machine } = bareBoard(code);
  machine.scripted(STREAM, true);
  expect(machine.run(10_000).kind).toBe('starved');
  machine.scripted(STREAM, false);
  expect(machine.run(10_000).kind).toBe('ran');
});

test('streams are called by the board and the port, and there are no others', () => {
  const { machine } = bareBoard(new Code().finish());
  const ports = ['ef600300', 'ef600400', 'ef600500', 'ef600600', '9c000000'];
  expect(machine.streams).toEqual(ports.map((at) => `board/serial@${at}`));
  expect(machine.type('board/serial@1', Buffer.from('x'))).toBe(false);
});

test('a reset that restarts finds memory clean where it was written, and the program and its tree again', () => {
  const code = new Code().lwz(3, 0x4000).op('cmpi', { bf: 0, ra: 3, si: 0 }).bc(4, 2, 'dirty').li(4, 0x7000);
  code.op('stw', { rs: 4, ra: 4, d: 0 }).stw(4, 0x4000).op('stw', { rs: 4, ra: 3, d: 0x1000 }).print('r');
  code.setSpr('DBCR0', 0x30000000).label('dirty').finish(1);
  const { machine, output, progress, word } = bare(code, { restart: true, cycles: 900, initrd: Buffer.from('files') });
  expect(progress).toEqual({ kind: 'ran' });
  expect(output.text(STREAM).length).toBeGreaterThan(20);
  expect(word(0x1000)).toBe(code.image().segments[0]!.bytes[0]! * 2 ** 24 + 0x600000 + 0x4000); // lwz r3,0x4000(0)
  expect(machine.programs[0]!.state).toBe('running');
});

test('a device line that is active low is driven the other way round', () => {
  const board = '&memory0 { reg = <0x0 0x0 0x00100000>; }; &UART0 { interrupts = <0 8>; };';
  const { machine } = bareBoard(new Code().finish(), { board });
  const [uic] = machine.board.uics;
  const line = (): number => uic!.state.input >>> 31;
  const [port] = machine.board.ports;
  expect(line()).toBe(1);
  port!.uart.write(1, 1, 2); // the transmitter is empty
  expect(line()).toBe(0);
  port!.uart.read(2, 1);
  expect(line()).toBe(1);
});

test('what is switched off is not there', () => {
  const board = '&memory0 { reg = <0x0 0x0 0x00100000>; }; &UART1 { status = "disabled"; };';
  const { machine } = bareBoard(new Code().finish(), { board });
  expect(machine.board.bus.devices.find(0xef600400)).toBeUndefined();
  expect(machine.streams).not.toContain('board/serial@ef600400');
});

test('an image that does not fit is refused with the reason', () => {
  const tooFar = new Code(0x200000).finish();
  expect(() => bareBoard(tooFar)).toThrow(/at 0x200000, where there is no memory/);
});

test('a fault loop is noticed after a thousand deliveries, each of which took a cycle', () => {
  const code = new Code().tlb(15, { ea: 0, pa: 0, size: size.k1, valid: false }).setSpr('IVPR', 0xf0000000).op('sc');
  const { machine, progress } = bare(code);
  expect(progress).toEqual({ kind: 'ended', ending: { kind: 'fault-loop' } });
  expect(machine.clock.now - machine.retired).toBe(1000);
  expect(machine.programs[0]!.lastTrap).toBe('instruction-tlb-miss at 0xf0000000');
});
