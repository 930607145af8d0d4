import { expect, test } from 'vitest';
import { guestTree } from '../../src/hypervisor/guest-tree.js';
import { EV, KVM_SC_MAGIC } from '../../src/hypervisor/hypercall.js';
import { ESR, MSR, MSR_BITS } from '../../src/isa/registers.js';
import { Code, size } from './code.js';
import { guest, hex, hypervisor, results, runToEnd } from './guest.js';

const FEATURES = 0x2a0003;
const MAP = 0x2a0004;
const PAGE = 0xfffff000;
const SEND = 0x10001;

/** A guest begins with all addresses mapped to themselves; for entry 15, it then has nothing of its own around the page. */
const NONE = { ea: 0, pa: 0, size: 0, valid: false };

const kvm = { node: 'paravirtualization = "kvm";' };
const magic = { node: 'paravirtualization = "kvm", "magic-page";' };

/** Displacements of words in the page at the end of the address space, and what they show. */
// prettier-ignore
const at = {
  critical: 28, sprg0: 36, sprg1: 44, sprg2: 52, sprg3: 60, srr0: 68, srr1: 76, dear: 84, msr: 92, intPending: 100,
  esr: 200, pir: 204, sprg4: 212, sprg5: 220, sprg6: 228, sprg7: 236,
} as const;

const call = (code: Code, token: number, ...args: number[]): Code => {
  args.forEach((value, i) => code.li(3 + i, value));
  return code.li(11, token).op('sc', { lev: 1 });
};
const map = (code: Code, address = PAGE): Code => call(code, MAP, 0, address);
const load = (code: Code, rt: number, offset: number): Code => code.op('lwz', { rt, ra: 0, d: 0xf000 + offset });
const store = (code: Code, rs: number, offset: number): Code => code.op('stw', { rs, ra: 0, d: 0xf000 + offset });
/** Through r28: words of the page into words from an address on. */
const show = (code: Code, address: number, ...offsets: number[]): Code => {
  offsets.forEach((offset, i) => load(code, 28, offset).stw(28, address + 4 * i));
  return code;
};

test.each([
  ['a plain guest', '', [EV.UNIMPLEMENTED, -1, EV.UNIMPLEMENTED, -1]],
  ['a guest that is offered KVM’s interface alone', kvm.node, [EV.SUCCESS, 0, EV.UNIMPLEMENTED, -1]],
  ['a guest that is offered the magic page', magic.node, [EV.SUCCESS, 2, EV.SUCCESS, 2]],
])('%s is told what there is', (_, node, expected) => {
  const code = call(new Code(), FEATURES, 0, -1).stw(3, 0x100).stw(4, 0x104);
  call(code, MAP, 0, PAGE).stw(3, 0x108).stw(4, 0x10c).finish();
  const left = results(guest(code, { node }), 4);
  // A refused call leaves r4 as it was
  expect(left).toEqual(expected.map((v, i) => hex(v === -1 ? [0, -1, 0, PAGE][i]! : v)));
});

/** `lis r0; ori r0; sc; nop` for the features, in user or supervisor mode; the guest's own handlers note what came. */
function plainCall(r0: number, msr: number): Code {
  const code = new Code().tlb(0, { ea: 0, pa: 0, size: size.m256 }).vector(8, 'call').vector(6, 'program');
  code
    .li(3, 0)
    .li(4, 0)
    .li(11, FEATURES)
    .rfi('go', msr)
    .label('go')
    .li(0, r0)
    .op('sc')
    .op('ori', { ra: 0, rs: 0, ui: 0 });
  code.stw(3, 0x100).stw(4, 0x104).li(9, 0).stw(9, 0x108).b('end');
  code.at(0x3000).label('call').li(9, 8).stw(3, 0x100).stw(4, 0x104).stw(9, 0x108).b('end');
  code.at(0x3100).label('program').li(9, 6).stw(3, 0x100).stw(4, 0x104).stw(9, 0x108).label('end').finish();
  return code;
}

test.each([
  ['from the supervisor with KVM! in r0 is a hypercall', KVM_SC_MAGIC, 0, kvm, ['0', '0', '0']],
  ['from the supervisor with anything else in r0 is its own', 0x4b564d20, 0, kvm, ['0', '0', '8']],
  ['with KVM! in r0 is its own where KVM’s interface is not offered', KVM_SC_MAGIC, 0, {}, ['0', '0', '8']],
  ['from a user program with KVM! in r0 is a system call of that program', KVM_SC_MAGIC, MSR.PR, kvm, ['0', '0', '8']],
] as const)('a plain sc %s', (_, r0, msr, options, expected) => {
  // The first map of 256 MiB is the user's too, and the finisher's page the supervisor's: a user ends by its system call
  expect(results(guest(plainCall(r0, msr), options), 3)).toEqual(expected);
});

test('sc with LEV 1 from a user program is a privileged instruction, and SRR0 points at it', () => {
  const code = new Code().tlb(0, { ea: 0, pa: 0, size: size.m256 }).vector(6, 'program').rfi('go', MSR.PR);
  code.label('go').op('sc', { lev: 1 });
  const pc = code.address('go');
  code.at(0x3000).label('program').report(0x100, 'SRR0', 'ESR').finish();
  expect(results(guest(code, magic), 2)).toEqual([hex(pc), hex(ESR.PPR)]);
});

test('hcall-instructions and has-idle say what the partition’s properties say', () => {
  const node = 'paravirtualization = "kvm", "idle"; hcall-instructions = "kvm";';
  const code = new Code().finish();
  const made = hypervisor({ a: { program: code }, b: { program: code, node } });
  const [a, b] = made.hv.partitions.map((p) => guestTree(p.config, made.tree, 1).find('/hypervisor')!);
  expect(a!.get('hcall-instructions')!.cells).toEqual([0x44000022]);
  expect([a!.has('has-idle'), a!.isCompatible('linux,kvm')]).toEqual([false, false]);
  expect(b!.get('hcall-instructions')!.cells).toEqual([0x3c004b56, 0x60004d21, 0x44000002, 0x60000000]);
  expect([b!.has('has-idle'), b!.isCompatible('linux,kvm')]).toEqual([true, true]);
});

const registers = [
  'SPRG0',
  'SPRG1',
  'SPRG2',
  'SPRG3',
  'SRR0',
  'SRR1',
  'DEAR',
  'ESR',
  'SPRG4',
  'SPRG5',
  'SPRG6',
  'SPRG7',
];
const fields = [at.sprg0, at.sprg1, at.sprg2, at.sprg3, at.srr0, at.srr1, at.dear, at.esr, at.sprg4, at.sprg5, at.sprg6, at.sprg7]; // prettier-ignore

test('what is written to a register is in the page, before and after it is mapped', () => {
  const code = new Code();
  const value = (i: number): number => (i === 5 ? MSR.CE | MSR.DS : i === 7 ? ESR.ST : 0x1000 * (i + 1));
  registers.slice(0, 6).forEach((name, i) => code.setSpr(name, value(i)));
  map(code);
  registers.slice(6).forEach((name, i) => code.setSpr(name, value(i + 6)));
  show(code, 0x100, ...fields).finish();
  const run = guest(code, magic);
  expect(results(run, 12)).toEqual(registers.map((_, i) => hex(value(i))));
});

test('what is written to the page is in the register, as far as its bits exist, and costs no exit', () => {
  const code = map(new Code()).li(3, -1);
  const before = code.here;
  fields.forEach((offset) => store(code, 3, offset));
  code.report(0x100, ...registers).finish();
  const exits: number[] = [];
  const run = guest(code, { ...magic, observe: ({ vcpu }) => exits.push(vcpu.machine.regs.pc) });
  const all = hex(-1);
  expect(results(run, 12)).toEqual([
    all,
    all,
    all,
    all,
    hex(-4),
    hex(MSR_BITS),
    all,
    hex(0x8fbf001f),
    all,
    all,
    all,
    all,
  ]);
  expect(exits.filter((pc) => pc >= before && pc < before + 4 * fields.length)).toEqual([]);
});

test('a user program reads in SPRG4 to SPRG7 what its supervisor has put into the page', () => {
  const code = map(new Code()).tlb(0, { ea: 0, pa: 0, size: size.m256 }).vector(8, 'call');
  [at.sprg4, at.sprg5, at.sprg6, at.sprg7].forEach((offset, i) => store(code.li(3, 0x44 + i), 3, offset));
  code.rfi('user', MSR.PR).label('user');
  for (let i = 0; i < 4; i++) code.op('mfspr', { rt: 4, spr: 260 + i }).stw(4, 0x100 + 4 * i);
  code.op('sc').at(0x3000).label('call').finish();
  expect(results(guest(code, magic), 4)).toEqual(['44', '45', '46', '47']);
});

test('an interrupt’s SRR0 and SRR1 are in the page for its handler, and rfi goes by what the handler puts there', () => {
  const code = map(new Code().vector(8, 'call')).setMsr(MSR.ME).op('sc');
  const behind = code.here;
  code.li(9, 1).stw(9, 0x10c).finish(1).label('there').op('mfmsr', { rt: 3 }).stw(3, 0x108).finish();
  code.at(0x3000).label('call');
  show(code, 0x100, at.srr0, at.srr1);
  store(code.la(3, 'there'), 3, at.srr0);
  store(code.li(3, MSR.ME | MSR.CE), 3, at.srr1).op('rfi');
  expect(results(guest(code, magic), 4)).toEqual([hex(behind), hex(MSR.ME), hex(MSR.ME | MSR.CE), '0']);
});

test('of the MSR the page changes EE alone; the rest it shows', () => {
  const code = map(new Code()).setMsr(MSR.CE);
  store(code.li(3, -1), 3, at.msr).op('mfmsr', { rt: 4 }).stw(4, 0x100);
  show(code, 0x104, at.msr);
  store(code.li(3, 0), 3, at.msr).op('mfmsr', { rt: 4 }).stw(4, 0x10c).stw(4, 0x108).finish();
  expect(results(guest(code, magic), 3)).toEqual([MSR.CE | MSR.EE, MSR.CE | MSR.EE, MSR.CE].map(hex));
});

test('PIR is shown, and not changed', () => {
  const code = map(new Code()).li(3, 9);
  show(store(code, 3, at.pir).mfspr(4, 'PIR').stw(4, 0x100), 0x104, at.pir).finish();
  expect(results(guest(code, magic), 2)).toEqual(['0', '0']);
});

/** The decrementer is to interrupt after so many ticks, as soon as it may. */
const decrementer = (code: Code, ticks: number): Code =>
  code.vector(10, 'decrementer').setSpr('TCR', 0x04000000).setSpr('DEC', ticks);

test('an interrupt that MSR[EE] holds back shows in int_pending; once EE is set the next exit delivers it', () => {
  const code = map(decrementer(new Code(), 300));
  code.label('wait').op('addi', { rt: 5, ra: 5, si: 1 });
  load(code, 4, at.intPending).op('cmpi', { bf: 0, ra: 4, si: 0 }).bc(12, 2, 'wait').stw(4, 0x100);
  store(code.li(3, MSR.EE), 3, at.msr).li(6, 0x77).stw(6, 0x104).op('wrteei', { e: 1 });
  const pc = code.here;
  code.finish(1).at(0x3000).label('decrementer').report(0x108, 'SRR0', 'SRR1');
  show(code, 0x110, at.msr, at.intPending).setSpr('TSR', 0x08000000);
  show(code, 0x118, at.intPending).finish();
  const run = guest(code, magic);
  // The handler runs with EE clear while the interrupt still waits, until it is acknowledged.
  expect(results(run, 7)).toEqual(['1', '77', hex(pc), hex(MSR.EE), '0', '1', '0']);
});

test('an interrupt comes by itself to a guest that has set MSR[EE] in the page', () => {
  const code = decrementer(map(new Code()), 300);
  store(code.li(3, MSR.EE), 3, at.msr).label('spin').b('spin');
  code.at(0x3000).label('decrementer').finish(7);
  expect(guest(code, magic).ending).toEqual({ kind: 'finished', status: 7 });
});

test('a branch to itself with MSR[EE] clear in the page and no other interrupt has halted', () => {
  const code = map(decrementer(new Code(), 300_000)).setMsr(MSR.EE);
  store(code.li(3, 0), 3, at.msr).label('spin').b('spin');
  code.at(0x3000).label('decrementer').finish(7);
  expect(guest(code, magic).ending).toEqual({ kind: 'halted' });
});

/** Counts in r5 up to `turns` amid a critical section, then leaves it and counts on; the handler notes the count. */
function critical(turns: number): Code {
  const code = map(new Code()).li(1, 0x8000).li(2, 0x123).li(5, 0);
  decrementer(code, 150);
  store(code, 1, at.critical).setMsr(MSR.EE).label('in').op('addi', { rt: 5, ra: 5, si: 1 });
  code.op('cmpi', { bf: 0, ra: 5, si: turns }).bc(4, 2, 'in');
  store(code, 2, at.critical).label('out').op('addi', { rt: 5, ra: 5, si: 1 }).b('out');
  code.at(0x3000).label('decrementer').stw(5, 0x100).finish();
  return code;
}

test('no interrupt comes into a critical section, and soon after it those that waited', () => {
  const turns = 2000;
  const [count] = results(guest(critical(turns), magic), 1).map((text) => parseInt(text, 16));
  expect(count).toBeGreaterThanOrEqual(turns);
  expect(count).toBeLessThan(turns + 32); // two instructions a turn, looked at every 32
});

test('a critical section is none for a user program, whatever its r1', () => {
  const code = map(new Code()).tlb(0, { ea: 0, pa: 0, size: size.m256 }).li(1, 0x8000);
  decrementer(store(code, 1, at.critical), 300);
  code
    .rfi('spin', MSR.PR | MSR.EE)
    .label('spin')
    .b('spin');
  code.at(0x3000).label('decrementer').finish(5);
  expect(guest(code, magic).ending).toEqual({ kind: 'finished', status: 5 });
});

test.each([
  ['a real address amid a page', 0x800, PAGE],
  ['flags that nobody knows', 0, PAGE | 2],
  ['an address amid a page', 0, PAGE | 0x800],
])('%s is refused, and nothing is mapped', (_, real, address) => {
  const code = call(new Code().vector(13, 'miss').tlb(15, NONE), MAP, real, address);
  code.stw(3, 0x100).stw(4, 0x104);
  load(code, 5, 0).finish(1).at(0x3000).label('miss').finish();
  expect(results(guest(code, magic), 2)).toEqual([hex(EV.EINVAL), '0']);
});

test('the page moves where a second call says, with what is in it, and is no longer where it was', () => {
  const code = map(new Code()).vector(13, 'miss').setSpr('SPRG0', 0x55).li(3, 0x99);
  store(code, 3, 0x800);
  map(code, 0x7fff0000).li(9, 0x7fff0000).op('lwz', { rt: 4, ra: 9, d: at.sprg0 }).stw(4, 0x100);
  code.op('lwz', { rt: 4, ra: 9, d: 0x800 }).stw(4, 0x104).tlb(15, NONE);
  load(code, 4, 0).finish(1).at(0x3000).label('miss').report(0x108, 'DEAR').finish();
  expect(results(guest(code, magic), 3)).toEqual(['55', '99', hex(PAGE)]);
});

test('the page wins over what the guest’s TLB maps there, for its supervisor; a user program has the guest’s own', () => {
  const code = new Code().tlb(0, { ea: 0, pa: 0, size: size.m256 }).vector(8, 'call').li(3, 0x1111).stw(3, 0x6000);
  code.tlb(15, NONE).tlb(16, { ea: PAGE, pa: 0x6000, size: size.k4 });
  load(code, 4, 0).stw(4, 0x100);
  map(code).li(3, 0x2222);
  store(code, 3, 0).tlb(17, { ea: 0x50000000, pa: 0, size: size.m256 }); // any change of the TLB
  load(code, 4, 0).stw(4, 0x104).lwz(4, 0x6000).stw(4, 0x108).rfi('user', MSR.PR).label('user');
  load(code, 4, 0).stw(4, 0x10c).op('sc').at(0x3000).label('call');
  load(code, 4, 0).stw(4, 0x110).finish();
  expect(results(guest(code, magic), 5)).toEqual(['1111', '2222', '1111', '1111', '2222']);
});

test('a user program that has no page of its own there misses', () => {
  const code = map(new Code()).tlb(0, { ea: 0, pa: 0, size: size.m256 }).vector(13, 'miss');
  code.tlb(15, NONE).rfi('user', MSR.PR).label('user');
  load(code, 4, 0).at(0x3000).label('miss').report(0x100, 'DEAR').finish();
  expect(results(guest(code, magic), 1)).toEqual([hex(PAGE)]);
});

test('the page is there under every PID and in both address spaces', () => {
  const code = map(new Code()).tlb(20, { ea: 0, pa: 0, size: size.m256, space: 1 });
  for (let pid = 0; pid < 300; pid++) {
    code
      .op('addi', { rt: 9, ra: 0, si: pid & 0xff })
      .mtspr('PID', 9)
      .op('addi', { rt: 3, ra: 3, si: 1 });
    store(code, 3, 0x900);
    load(code, 3, 0x900);
  }
  code.stw(3, 0x100).setMsr(MSR.DS);
  load(code, 4, 0x900).stw(4, 0x104).setMsr(0).finish();
  const run = guest(code, magic);
  expect(results(run, 2)).toEqual([hex(300), hex(300)]); // the call left its status, 0, in r3
  expect(run.vcpu.shadowTlb.withinGrants).toBe(true);
});

test.each([
  ['is executable', 0, { kind: 'finished', status: 9 }],
  ['is not executable where the guest says so', 1, { kind: 'finished', status: 3 }],
])('the page %s', (_, flags, ending) => {
  const code = map(new Code().vector(3, 'storage'), PAGE | flags).tlb(0, { ea: 0, pa: 0, size: size.m256 });
  const made = new Code(0).finish(9).image();
  const bytes = 'segments' in made ? made.segments[0]!.bytes : new Uint8Array();
  for (let i = 0; i < bytes.length; i += 4) {
    store(code.li(3, new DataView(bytes.buffer).getInt32(i)), 3, 0x400 + i);
  }
  code
    .li(3, PAGE + 0x400)
    .op('mtspr', { rs: 3, spr: 9 })
    .op('bcctr', { bo: 20, bi: 0 });
  code.at(0x3000).label('storage').finish(3);
  expect(guest(code, magic).ending).toEqual(ending);
});

test('the page is the guest’s with debug events enabled too, when its instructions run one by one', () => {
  const code = map(new Code()).setSpr('DBCR0', 0x48000000).setSpr('SPRG2', 0x31); // IDM, ICMP
  load(code, 3, at.sprg2).stw(3, 0x100).op('addi', { rt: 3, ra: 3, si: 1 });
  store(code, 3, at.sprg2).mfspr(4, 'SPRG2').stw(4, 0x104).finish();
  expect(results(guest(code, magic), 2)).toEqual(['31', '32']);
});

test('a guest that starts again has no page until it asks, and finds nothing in it', () => {
  const code = new Code().vector(13, 'miss').tlb(15, NONE);
  load(code, 4, 0x800).finish(1).at(0x3000).label('miss');
  map(code);
  load(code, 4, 0x800).op('cmpi', { bf: 0, ra: 4, si: 0 }).bc(4, 2, 'bad').li(3, 0x77);
  store(code, 3, 0x800).setSpr('DBCR0', 0x30000000).label('bad').finish(2);
  const made = hypervisor({ guest: { program: code, node: `${magic.node} on-reset = "restart";` } });
  const [partition] = made.hv.partitions;
  for (let i = 0; i < 100 && partition!.restarts < 5 && partition!.running; i++) made.hv.run(20_000);
  expect(partition!.restarts).toBeGreaterThanOrEqual(5);
  expect(partition!.ending).toBeUndefined();
});

test('where a run is cut into slices leaves no trace', () => {
  const code = critical(700);
  const whole = hypervisor({ guest: { program: code, ...magic } });
  const cut = hypervisor({ guest: { program: code, ...magic } });
  let n = 0;
  expect(runToEnd(cut.hv, 100_000, () => 1 + (n++ % 7))).toEqual(runToEnd(whole.hv));
  const state = ({ hv, partition }: typeof whole) => {
    const { ram } = partition('guest').board.bus;
    return [
      hv.clock.now,
      hv.retired,
      ...ram.regions.map(({ target, size: bytes }) => Buffer.from(target.slice(0, bytes))),
    ];
  };
  expect(state(cut)).toEqual(state(whole));
  expect(cut.exits).toEqual(whole.exits);
});

test('each of two guests has a page of its own', () => {
  const program = map(new Code()).setSpr('SPRG0', 0x42);
  store(program.li(3, 0x99), 3, 0x700);
  call(program, SEND, 1, 0).label('end').b('end');
  const other = map(new Code());
  for (let i = 0; i < 50; i++) call(other, FEATURES);
  load(other, 4, 0x700).finishWith(4);
  const { hv, partition } = hypervisor({ a: { program, ...magic }, b: { program: other, ...magic } });
  runToEnd(hv);
  expect(partition('b').ending).toEqual({ kind: 'finished', status: 0 });
});
