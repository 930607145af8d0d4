import { expect, test } from 'vitest';
import { EV, HCALL_INSTRUCTIONS, KVM_SC_MAGIC } from '../../src/hypervisor/hypercall.js';
import { hypercallName } from '../../src/hypervisor/hypercalls.js';
import { asm } from '../../src/isa/assemble.js';
import { MSR } from '../../src/isa/registers.js';
import { Code } from './code.js';
import { guest, hex, hypervisor, results, runToEnd } from './guest.js';

const SEND = 0x10001;
const RECEIVE = 0x10002;
const POLL = 0x10003;
const IDLE = 0x10010;

/** A console by hypercall, handle 1, with its receive interrupt on line 0 and its send interrupt on line 1; a finisher. */
const ports = `
  console { compatible = "epapr,hv-byte-channel"; };
  finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };`;

/** Cycles of a character of ten bits, at 400 MHz and 115,200 bits a second. */
const CHARACTER = 34_722;

/** r3 and up get the arguments, then `sc` with LEV 1. */
const call = (code: Code, token: number, ...args: number[]): Code => {
  args.forEach((value, i) => code.li(3 + i, value));
  return code.li(11, token).op('sc', { lev: 1 });
};

/** Store r3 and r4. */
const keep = (code: Code, at: number): Code => code.stw(3, at).stw(4, at + 4);

test('hcall-instructions is sc with LEV 1, or the four words that say KVM! to a plain sc', () => {
  expect(HCALL_INSTRUCTIONS.epapr).toEqual([asm('sc', { lev: 1 })]);
  expect(HCALL_INSTRUCTIONS.kvm).toEqual([
    asm('addis', { rt: 0, ra: 0, si: KVM_SC_MAGIC >>> 16 }),
    asm('ori', { ra: 0, rs: 0, ui: KVM_SC_MAGIC & 0xffff }),
    asm('sc'),
    asm('ori', { ra: 0, rs: 0, ui: 0 }),
  ]);
});

test('bytes that are sent come out in order, up to sixteen a call', () => {
  const code = keep(call(new Code(), SEND, 1, 16, 0x61626364, 0x65666768, 0x696a6b6c, 0x6d6e6f70), 0x100);
  keep(call(code, SEND, 1, 3, 0x31323334), 0x108).finish();
  const run = guest(code, { ports });
  expect(results(run, 4)).toEqual(['0', '10', '0', '3']);
  expect(run.output.text('guest/console')).toBe('abcdefghijklmnop123');
  expect(run.exits).toEqual(['shadow-miss', 'hypercall', 'hypercall', 'device']);
});

test('nothing of nothing is sent with success', () => {
  const run = guest(keep(call(new Code(), SEND, 1, 0, -1), 0x100).finish(), { ports });
  expect(results(run, 2)).toEqual(['0', '0']);
  expect(run.output.text('guest/console')).toBe('');
});

// prettier-ignore
test.each([
  ['send more than sixteen',            SEND,       [1, 17],         EV.EINVAL],
  ['send a negative count',             SEND,       [1, -1],         EV.EINVAL],
  ['send to handle 0',                  SEND,       [0, 1, 0x41],    EV.EINVAL],
  ['send to a handle nobody has',       SEND,       [2, 1, 0x41],    EV.EINVAL],
  ['send to handle -1',                 SEND,       [-1, 1, 0x41],   EV.EINVAL],
  ['receive from a handle nobody has',  RECEIVE,    [2, 16],         EV.EINVAL],
  ['poll a handle nobody has',          POLL,       [0x7fffffff],    EV.EINVAL],
  ['the number 0 of ePAPR',             0x10000,    [1, 1],          EV.UNIMPLEMENTED],
  ['the number 8, which was withdrawn', 0x10008,    [1, 1],          EV.UNIMPLEMENTED],
  ['a number ePAPR has not given',      0x1ffff,    [1, 1],          EV.UNIMPLEMENTED],
  ['vendor 0',                          0x00001,    [1, 1],          EV.UNIMPLEMENTED],
  ['Freescale’s SET_DTPROP of nobody',  0x20003,    [1, 1],          EV.EINVAL],
  ['KVM’s features',                    0x2a0003,   [1, 1],          EV.UNIMPLEMENTED],
  ['a token with bit 0 set',            0x80010001, [1, 1],          EV.UNIMPLEMENTED],
  ['the token -1',                      0xffffffff, [1, 1],          EV.UNIMPLEMENTED],
] as const)('%s is refused and sends nothing', (_, token, args, status) => {
  const run = guest(call(new Code(), token, ...args).stw(3, 0x100).finish(), { ports });
  expect(results(run, 1)).toEqual([hex(status)]);
  expect(run.output.text('guest/console')).toBe('');
  expect(run.hv.programs[0]!.state).toBe('ended with status 0');
});

test('a handle is the guest’s own: it names nothing of its neighbour', () => {
  const mine = { program: call(new Code(), SEND, 2, 1, 0x41000000).finishWith(3), ports };
  const two = `${ports} second { compatible = "epapr,hv-byte-channel"; };`;
  const { hv, output } = hypervisor({ a: mine, b: { program: mine.program, ports: two } });
  runToEnd(hv);
  expect(hv.partitions.map((p) => p.ending)).toEqual([EV.EINVAL, 0].map((status) => ({ kind: 'finished', status })));
  expect(output.text('b/second')).toBe('A');
});

test('what a call does not return is preserved, and a refused call keeps even r4', () => {
  const code = new Code();
  for (let r = 12; r < 32; r++) code.li(r, 0x1000 + r);
  code.li(0, 0xaa).li(1, 0xbb).li(2, 0xcc).op('mtcrf', { fxm: 0xff, rs: 12 });
  [4, 5, 6, 7, 8, 9, 10].forEach((r) => code.li(r, 0x2000 + r));
  code.li(3, 1).li(11, 0x20011).op('sc', { lev: 1 }).b('stop').label('stop').b('stop');
  const run = guest(code, { ports });
  expect(run.ending).toEqual({ kind: 'halted' });
  const expected = Array.from({ length: 32 }, (_, r) => (r >= 12 ? 0x1000 + r : 0x2000 + r));
  Object.assign(expected, { 0: 0xaa, 1: 0xbb, 2: 0xcc, 3: EV.UNIMPLEMENTED, 11: 0x20011 });
  expect(expected.map((_, r) => run.gpr(r))).toEqual(expected);
  expect(run.vcpu.machine.regs.cr).toBe(0x100c);
});

test('the supervisor’s state is what it was: a call is no interrupt', () => {
  const code = new Code()
    .setSpr('SRR0', 0x1230)
    .setSpr('SRR1', 0x5630)
    .setMsr(MSR.ME | MSR.CE);
  call(code, POLL, 1).report(0x100, 'SRR0', 'SRR1').op('mfmsr', { rt: 3 }).stw(3, 0x108).finish();
  expect(results(guest(code, { ports }), 3)).toEqual(['1230', '5630', hex(MSR.ME | MSR.CE)]);
});

test('typed characters arrive one by one, are polled and received from the left', () => {
  const code = new Code().label('wait');
  call(code, POLL, 1).op('cmpi', { bf: 0, ra: 4, si: 5 }).bc(4, 2, 'wait').stw(5, 0x100);
  keep(call(code, RECEIVE, 1, 2), 0x104).stw(5, 0x10c);
  keep(call(code, RECEIVE, 1, 99), 0x110).stw(5, 0x118);
  keep(call(code, RECEIVE, 1, 16), 0x11c)
    .stw(5, 0x124)
    .finish();
  const made = hypervisor({ guest: { program: code, ports } });
  expect(made.hv.type('guest/console', Buffer.from('hello'))).toBe(true);
  expect(made.hv.waitingInput).toBe(5);
  expect(runToEnd(made.hv)).toMatchObject({ kind: 'ended' });
  const ram = made.partition('guest').board.bus.ram.regions[0]!.target;
  const left = Array.from({ length: 10 }, (_, i) => hex(ram.read(0x100 + 4 * i, 4)));
  expect(left).toEqual(['1000', '0', '2', hex(0x68650000), '0', '3', hex(0x6c6c6f00), '0', '0', '0']);
  const cycles = made.inputs.map((i) => i.cycle);
  expect(made.inputs.map((i) => String.fromCharCode(i.byte)).join('')).toBe('hello');
  // A character time apart, and as late as an exit lasts
  const late = cycles.slice(1).map((cycle, i) => cycle - cycles[i]! - CHARACTER);
  expect(late.every((l) => l >= 0 && l < 5)).toBe(true);
});

test('no more than sixteen characters are received at once, however many wait and are asked for', () => {
  const code = new Code().label('wait');
  call(code, POLL, 1).op('cmpi', { bf: 0, ra: 4, si: 20 }).bc(4, 2, 'wait').li(9, 0x99);
  keep(call(code, RECEIVE, 1, 99), 0x100)
    .stw(8, 0x108)
    .stw(9, 0x10c);
  keep(call(code, RECEIVE, 1, -1), 0x110).finish();
  const { hv, partition } = hypervisor({ guest: { program: code, ports } });
  hv.type('guest/console', Buffer.from('abcdefghijklmnopqrst'));
  expect(runToEnd(hv, 2_000_000)).toMatchObject({ kind: 'ended' });
  const ram = partition('guest').board.bus.ram.regions[0]!.target;
  const left = Array.from({ length: 6 }, (_, i) => hex(ram.read(0x100 + 4 * i, 4)));
  expect(left).toEqual(['0', '10', hex(0x6d6e6f70), '99', '0', '4']);
});

/** Enable both lines of the channel at the guest's controller, level and active high. */
const enable = (code: Code, lines: number): Code => {
  code.li(3, -1).op('mtdcr', { rs: 3, dcr: 0xc4 }).li(3, 0).op('mtdcr', { rs: 3, dcr: 0xc5 });
  return code.li(3, lines).op('mtdcr', { rs: 3, dcr: 0xc2 });
};

test('a character that has arrived interrupts through the guest’s controller until it is taken', () => {
  const code = enable(new Code(), 0x80000000).vector(4, 'external').setMsr(MSR.EE).label('spin').b('spin');
  code.at(0x2000).label('external').op('mfdcr', { rt: 3, dcr: 0xc6 }).stw(3, 0x100);
  keep(call(code, RECEIVE, 1, 16), 0x104)
    .stw(5, 0x10c)
    .op('mfdcr', { rt: 3, dcr: 0xc6 })
    .stw(3, 0x110)
    .finish();
  const made = hypervisor({ guest: { program: code, ports } });
  made.hv.type('guest/console', Buffer.from('k'));
  expect(runToEnd(made.hv)).toMatchObject({ kind: 'ended', ending: { kind: 'finished' } });
  const ram = made.partition('guest').board.bus.ram.regions[0]!.target;
  const left = Array.from({ length: 5 }, (_, i) => hex(ram.read(0x100 + 4 * i, 4)));
  expect(left).toEqual(['80000000', '0', '1', hex(0x6b000000), '0']);
});

test('there is always room to send: its interrupt comes as soon as it is enabled', () => {
  const code = enable(new Code().vector(4, 'external'), 0x40000000).setMsr(MSR.EE).finish(1);
  code.at(0x2000).label('external').op('mfdcr', { rt: 3, dcr: 0xc6 }).stw(3, 0x100).finish();
  expect(results(guest(code, { ports }), 1)).toEqual([hex(0x40000000)]);
});

test('EV_IDLE waits for an interrupt, takes it, and comes back with success', () => {
  const code = new Code().vector(10, 'decrementer').setSpr('TCR', 0x04000000).setMsr(MSR.EE).setSpr('DEC', 500_000);
  keep(call(code, IDLE), 0x100).stw(20, 0x104).finish();
  code.at(0x2000).label('decrementer').li(20, 0x77).setSpr('TSR', 0x08000000).op('rfi');
  const run = guest(code, { ports });
  expect(results(run, 2)).toEqual(['0', '77']);
  expect(run.hv.clock.now).toBeGreaterThan(500_000);
  expect(run.hv.retired).toBeLessThan(100);
});

test('EV_IDLE goes on at once where an interrupt waits, even one that MSR[EE] holds back', () => {
  const code = enable(new Code(), 0x40000000);
  keep(call(code, IDLE), 0x100).finish();
  const run = guest(code, { ports });
  expect(results(run, 1)).toEqual(['0']);
  expect(run.hv.clock.now).toBeLessThan(1000);
});

test('EV_IDLE is woken by a typed character', () => {
  const code = enable(new Code(), 0x80000000).vector(4, 'external').setMsr(MSR.EE);
  keep(call(code, IDLE), 0x100).finishWith(21);
  code.at(0x2000).label('external');
  call(code, RECEIVE, 1, 16).op('addi', { rt: 21, ra: 4, si: 40 }).li(3, 0).op('rfi');
  const { hv } = hypervisor({ guest: { program: code, ports } });
  expect(runToEnd(hv)).toEqual({ kind: 'idle', until: Infinity });
  hv.type('guest/console', Buffer.from('xy'));
  const end = runToEnd(hv);
  expect(end).toEqual({ kind: 'ended', ending: { kind: 'finished', status: 41 } });
});

test('calls have names for people', () => {
  expect([SEND, IDLE, 0x20003, 0x20063, -1].map(hypercallName)).toEqual([
    'EV_BYTE_CHANNEL_SEND',
    'EV_IDLE',
    'FH_PARTITION_SET_DTPROP',
    '0x20063',
    '0xffffffff',
  ]);
});
