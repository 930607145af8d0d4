import { expect, test } from 'vitest';
import { report, type VcpuReport } from '../../src/hypervisor/report.js';
import { MSR } from '../../src/isa/registers.js';
import { Code, size } from './code.js';
import { bareBoard, guest, hypervisor, oneByOne, runToEnd, type Guest } from './guest.js';

const IDLE = 0x10010;

/** What was counted of an exit's details: by name, how often. */
function detailsOf(vcpu: VcpuReport, kind: keyof VcpuReport['exits']): Record<string, number> {
  return Object.fromEntries(vcpu.exits[kind]!.details.map((d) => [d.name, d.count]));
}

const only = (hv: ReturnType<typeof guest>['hv']): VcpuReport => report(hv).partitions[0]!.vcpus[0]!;

test('emulated instructions are told apart by mnemonic, and moves by their register', () => {
  const code = new Code().setSpr('SPRG1', 5).setSpr('SPRG1', 6).mfspr(3, 'SPRG1').op('mfmsr', { rt: 4 });
  code.op('wrteei', { e: 0 }).op('wrteei', { e: 0 }).op('wrteei', { e: 0 });
  code.op('mfdcr', { rt: 5, dcr: 0xc2 }).op('mtdcr', { rs: 5, dcr: 0xc2 }).op('mfdcr', { rt: 5, dcr: 0x3ff });
  const vcpu = only(guest(code.finish(), oneByOne).hv);
  expect(detailsOf(vcpu, 'emulate')).toEqual({
    'mtspr SPRG1': 2,
    'mfspr SPRG1': 1,
    mfmsr: 1,
    wrteei: 3,
    'mfdcr interrupt-controller0+2': 1,
    'mtdcr interrupt-controller0+2': 1,
    'mfdcr 0x3ff': 1,
  });
});

test('what is emulated in an exit that another caused is counted beside the exits, by what it is', () => {
  const code = new Code().op('mfmsr', { rt: 4 }).setSpr('SPRG1', 5).op('mfmsr', { rt: 4 }).op('mfmsr', { rt: 4 });
  const vcpu = only(guest(code.finish(), { partitions: 'run-ahead-cycles = <10>;' }).hv);
  expect(vcpu.exitCount).toBe(2); // the first page, and the finisher
  const told = Object.fromEntries(vcpu.ahead.details.map((d) => [d.name, [d.count, d.cycles]]));
  expect(told).toEqual({ mfmsr: [3, 33], 'mtspr SPRG1': [1, 11], others: [2, 22] });
  expect(vcpu.ahead).toMatchObject({ count: 6, cycles: 66 });
});

test('device accesses are told apart by device, register and direction', () => {
  const code = new Code().li(3, 0xef600000).op('lbz', { rt: 4, ra: 3, d: 0x305 }).op('lbz', { rt: 4, ra: 3, d: 0x305 });
  code.op('stb', { rs: 4, ra: 3, d: 0x307 }).finish();
  const vcpu = only(guest(code).hv);
  expect(detailsOf(vcpu, 'device')).toEqual({
    'read serial@ef600300+5': 2,
    'write serial@ef600300+7': 1,
    'write finisher@ef601000+0': 1,
  });
});

test('hypercalls are told apart by name, and those that nobody knows by number', () => {
  const code = new Code();
  for (const token of [IDLE, 0x10002, 0x10002, 0x12345, 0xfffffff1, 0xfffffff2]) {
    code.li(31, 0).mtspr('DEC', 31).li(3, 1).li(4, 1).li(11, token);
    if (token !== IDLE) code.op('sc', { lev: 1 });
  }
  const vcpu = only(guest(code.finish()).hv);
  expect(detailsOf(vcpu, 'hypercall')).toEqual({
    EV_BYTE_CHANNEL_RECEIVE: 2,
    '0x12345': 1,
    'calls of other vendors': 2,
  });
});

test("the guest's own TLB misses are reflected and told apart from those of its shadow", () => {
  const page = { ea: 0x40000000, pa: 0, size: size.m1 };
  const code = new Code()
    .vector(13, 'miss')
    .tlb(4, { ...page, valid: false })
    .li(3, 0x40000000);
  code.op('lwz', { rt: 4, ra: 3, d: 0 }).op('lwz', { rt: 4, ra: 3, d: 4 }).finish();
  code.at(0x2000).label('miss').tlb(4, page).op('rfi');
  const { hv, exits } = guest(code);
  const vcpu = only(hv);
  expect(vcpu.guestMisses).toBe(1);
  expect(detailsOf(vcpu, 'reflect')).toEqual({ 'data-tlb-miss': 1 });
  expect(vcpu.injected).toEqual({ 'data-tlb-miss': 1 });
  expect(vcpu.shadowMisses).toBe(exits.filter((kind) => kind === 'shadow-miss').length);
  expect(vcpu.shadowMisses).toBe(1); // where it lies at first
  expect(vcpu.shadow).toMatchObject({ fills: 2, foreseen: 1 }); // and the page that the handler mapped
});

test('cycles of an exit: least, mean and most, and the sum of all details', () => {
  const code = new Code().op('mfmsr', { rt: 4 }).li(3, 0xef600300).op('lbz', { rt: 4, ra: 3, d: 5 }).finish();
  const { hv } = guest(code, { partitions: 'exit-cycles = <10>; exit-cycles-device = <100>; run-ahead = <0>;' });
  const { exits } = only(hv);
  expect(exits.emulate).toMatchObject({ count: 1, cycles: 11, min: 11, mean: 11, max: 11 });
  // The write that ends the guest is retired as well
  expect(exits.device).toMatchObject({ count: 2, cycles: 202, min: 101, mean: 101, max: 101 });
  expect(exits.emulate!.details).toEqual([{ name: 'mfmsr', count: 1, cycles: 11, perMillion: expect.any(Number) }]);
});

test('a user program’s privileged instruction counts as emulated and as a program interrupt injected', () => {
  const code = new Code().vector(6, 'refused').tlb(4, { ea: 0x40000000, pa: 0, size: size.m1 });
  code.setSpr('SRR1', MSR.PR).setSpr('SRR0', 0x40001800).op('rfi');
  code.at(0x1800).op('mfmsr', { rt: 3 });
  code.at(0x2000).label('refused').finish();
  const vcpu = only(guest(code, oneByOne).hv);
  expect(detailsOf(vcpu, 'emulate')['mfmsr']).toBe(1);
  expect(vcpu.injected).toEqual({ program: 1 });
});

/** Waits for a decrementer interrupt every so many cycles, so many times. */
function sleeper(period: number, times: number): Guest {
  const code = new Code().vector(10, 'tick').li(20, times).li(31, period).mtspr('DEC', 31).mtspr('DECAR', 31);
  code
    .setSpr('TCR', 0x04400000)
    .label('wait')
    .setMsr(MSR.WE | MSR.EE)
    .b('wait');
  code.at(0x2000).label('tick').setSpr('TSR', 0x08000000).op('addic.', { rt: 20, ra: 20, si: -1 });
  return { program: code.bc(4, 2, 'return').finish().at(0x2100).label('return').op('rfi') };
}

const spin: Guest = { program: new Code().label('spin').op('mfmsr', { rt: 3 }).b('spin') };

test('the parts of every vcpu’s time add up to the clock, and so do those of the core', () => {
  const guests = { early: sleeper(7000, 3), late: sleeper(30_000, 9), spin };
  const { hv } = hypervisor(guests, { partitions: 'quantum = <1777>; exit-cycles = <7>; world-switch-cycles = <31>;' });
  for (const cycles of [1, 1000, 1776, 1, 50_000, 123_457, 300_000]) {
    runToEnd(hv, cycles, () => 997);
    const { time, cycles: all, partitions } = report(hv);
    expect(all).toBe(hv.clock.now);
    expect(time.guest + time.hypervisor + time.idle).toBe(all);
    const sums = partitions.map((p) => Object.values(p.vcpus[0]!.time).reduce((sum, part) => sum + part, 0));
    expect(sums).toEqual([all, all, all]);
    for (const { vcpus } of partitions) {
      const [{ exits, ahead, time: parts, worldSwitches, injected }] = vcpus as [VcpuReport];
      const inExits = Object.values(exits).reduce((sum, e) => sum + e.cycles, 0);
      const besides = parts.hypervisor - inExits - ahead.cycles - worldSwitches.cycles;
      // Whatever else the hypervisor does is to send a waiting guest an interrupt, which takes a cycle
      expect(besides).toBe(injected['decrementer'] ?? 0);
    }
  }
  const [early, late] = report(hv).partitions.map((p) => p.vcpus[0]!.time);
  expect(early!.stopped).toBeGreaterThan(300_000);
  expect(late!.idle).toBeGreaterThan(200_000);
  expect(late!.stopped).toBeGreaterThan(0);
});

test('where all wait the core is idle, and so is each of them', () => {
  const { hv } = hypervisor({ one: sleeper(20_000, 100), other: sleeper(30_000, 100) });
  runToEnd(hv, 600_000);
  const { time, partitions } = report(hv);
  expect(time.guest + time.hypervisor + time.idle).toBe(hv.clock.now);
  expect(time.idle).toBeGreaterThan(570_000);
  for (const p of partitions) expect(p.vcpus[0]!.time.idle).toBeGreaterThanOrEqual(time.idle);
});

test('counting can start anew, and what follows still adds up', () => {
  const { hv } = hypervisor({ sleeps: sleeper(5000, 1000), spin });
  runToEnd(hv, 123_456);
  const before = hv.retired;
  hv.resetAccounts();
  expect(report(hv)).toMatchObject({ instructions: 0, cycles: 0, time: { guest: 0, hypervisor: 0, idle: 0 } });
  const from = hv.clock.now;
  runToEnd(hv, 50_000);
  const passed = hv.clock.now - from; // what costs several cycles may end a little later
  expect(passed).toBeGreaterThanOrEqual(50_000);
  const { instructions, cycles, time, partitions } = report(hv);
  expect(cycles).toBe(passed);
  expect(instructions).toBe(hv.retired - before);
  expect(time.guest + time.hypervisor + time.idle).toBe(passed);
  for (const p of partitions) expect(Object.values(p.vcpus[0]!.time).reduce((a, b) => a + b, 0)).toBe(passed);
});

test('exits of more kinds than can be told apart are still all counted', () => {
  const code = new Code();
  for (let dcr = 0; dcr < 1024; dcr++)
    code
      .op('mfdcr', { rt: 5, dcr })
      .op('mtdcr', { rs: 5, dcr })
      .li(11, 0x20000 + dcr)
      .op('sc', { lev: 1 });
  const { hv, exits } = guest(code.finish(), { cycles: 10_000_000, ...oneByOne });
  const vcpu = only(hv);
  expect(vcpu.exitCount).toBe(exits.length);
  const told = Object.values(vcpu.exits).reduce((sum, e) => sum + e.details.length, 0);
  expect(told).toBeLessThanOrEqual(2048);
  expect(vcpu.exits.emulate!.count).toBe(2048);
});

test('a bare board counts the interrupts that it delivered, and its idle time', () => {
  const { machine } = bareBoard(sleeper(5000, 10).program);
  runToEnd(machine, 100_000);
  const { idleCycles, interrupts } = machine.account;
  expect(Object.fromEntries(interrupts)).toEqual({ decrementer: 10 });
  expect(machine.retired + 10 + idleCycles).toBe(machine.clock.now);
});
