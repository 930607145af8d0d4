import { expect, test } from 'vitest';
import { MSR } from '../../src/isa/registers.js';
import { Code } from './code.js';
import { hypervisor, runToEnd, type Guest } from './guest.js';

const spin: Guest = { program: new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin') };

/** Does nothing but leave for the hypervisor. */
const busy = (write: (code: Code) => Code): Guest => ({ program: write(new Code().label('again')).b('again') });
const emulated = busy((code) => code.op('mfmsr', { rt: 3 }));
const calling = busy((code) => code.li(11, 0x10003).li(3, 1).op('sc', { lev: 1 }));
const device = busy((code) => code.li(3, 0xef600300).op('lbz', { rt: 4, ra: 3, d: 5 }));
const system = (): Guest => {
  const code = new Code().vector(8, 'call').label('again').op('sc').b('again');
  return { program: code.at(0x2000).label('call').op('rfi') };
};
const missing = (): Guest => {
  const code = new Code().vector(13, 'miss').tlb(4, { ea: 0, pa: 0, size: 0, valid: false }).li(3, 0x40000000);
  code.label('again').op('lwz', { rt: 4, ra: 3, d: 0 }).b('again');
  return { program: code.at(0x2000).label('miss').op('rfi') };
};

test.each([
  ['emulated instructions', 1, emulated],
  ['emulated instructions', 40, emulated],
  ['hypercalls', 40, calling],
  ['device accesses', 40, device],
  ['system calls', 40, system()],
  ['TLB misses', 40, missing()],
] as const)('a guest that does nothing but %s gets its half and no more, at %i cycles an exit', (_, cost, guilty) => {
  const quantum = 2000;
  const partitions = `quantum = <${quantum}>; exit-cycles = <${cost}>;`;
  const { hv, partition } = hypervisor({ spin, guilty }, { partitions });
  expect(runToEnd(hv, 200 * quantum)).toEqual({ kind: 'ran' });
  const share = (name: string): number => partition(name).vcpus[0]!.account.cycles / hv.clock.now;
  // A turn is longer than its quantum by at most the exit that it ends with
  for (const name of ['spin', 'guilty']) expect(Math.abs(share(name) - 0.5)).toBeLessThan(0.005 + cost / quantum / 2);
  expect(share('spin') + share('guilty')).toBeCloseTo(1, 6);
});

test('an exit is charged to its guest by its kind, at the price that the configuration names', () => {
  const partitions = `quantum = <5000>; exit-cycles = <40>; exit-cycles-hypercall = <300>; exit-cycles-emulate = <70>;
    exit-cycles-device = <500>; exit-cycles-preempted = <90>; run-ahead-cycles = <25>;`;
  const { hv, partition } = hypervisor({ spin, emulated, calling, device, calls: system() }, { partitions });
  hv.run(500_000);
  const price = (name: string, kind: string): number => {
    const entry = partition(name).vcpus[0]!.account.exits.find((e) => e.kind === kind)!;
    expect(entry.count).toBeGreaterThan(0);
    return entry.cycles / entry.count;
  };
  expect(price('calling', 'hypercall')).toBe(300);
  expect(price('emulated', 'emulate')).toBe(71); // and the instruction itself
  expect(price('device', 'device')).toBe(501);
  expect(price('calls', 'reflect')).toBe(41); // and entering the handler
  const { ahead } = partition('calls').vcpus[0]!.account; // the handler's first instruction, in the same exit
  expect(ahead.cycles / ahead.count).toBe(26);
  expect(price('spin', 'preempted')).toBe(90);
  expect(price('spin', 'shadow-miss')).toBe(40);
  // Everything that passed belongs to somebody
  expect(hv.partitions.reduce((sum, p) => sum + p.vcpus[0]!.account.cycles, 0)).toBe(hv.clock.now);
});

test('guests take turns in the order of the source, each for a quantum that ends inside a long run', () => {
  const turns: { name: string; cycle: number }[] = [];
  const { hv } = hypervisor(
    { a: spin, b: spin, c: spin },
    {
      partitions: 'quantum = <3000>; world-switch-cycles = <100>; exit-cycles-preempted = <10>;',
      observe: ({ vcpu, exit, cycle }) => {
        if (exit.kind === 'preempted') turns.push({ name: vcpu.partition.name, cycle });
      },
    },
  );
  hv.run(40_000);
  expect(turns.map((t) => t.name).join('')).toMatch(/^abcabcabcabc/);
  expect(turns.slice(0, 4).map((t) => t.cycle)).toEqual([3000, 6010, 9020, 12030]); // the switch is part of the quantum
});

test('giving the core to another costs what the configuration says, and going on costs nothing', () => {
  const alone = hypervisor({ spin }, { partitions: 'quantum = <1000>; world-switch-cycles = <700>;' });
  alone.hv.run(100_000);
  const two = hypervisor({ a: spin, b: spin }, { partitions: 'quantum = <1000>; world-switch-cycles = <700>;' });
  two.hv.run(100_000);
  expect(alone.hv.retired).toBeGreaterThan(99_000);
  expect(two.hv.retired).toBeGreaterThan(29_000);
  expect(two.hv.retired).toBeLessThan(31_000);
});

/** Waits by MSR[WE] for a decrementer interrupt every so many cycles; counts them in r20. */
const sleeper = (period: number): Guest => {
  const code = new Code()
    .vector(10, 'tick')
    .li(31, period)
    .mtspr('DEC', 31)
    .mtspr('DECAR', 31)
    .setSpr('TCR', 0x04400000);
  code
    .label('wait')
    .setMsr(MSR.WE | MSR.EE)
    .b('wait');
  return {
    program: code.at(0x2000).label('tick').setSpr('TSR', 0x08000000).op('addi', { rt: 20, ra: 20, si: 1 }).op('rfi'),
  };
};

test('a guest that waits costs nothing: the other has the core', () => {
  const { hv, partition } = hypervisor({ waits: sleeper(100_000), spin });
  hv.run(1_000_000);
  const { account, machine } = partition('waits').vcpus[0]!;
  expect(machine.regs.gpr[20]).toBe(9);
  expect(account.cycles).toBeLessThan(1000);
  expect(hv.retired).toBeGreaterThan(998_000);
});

test('when all wait the machine is idle until the next alarm, and skipping there is no work', () => {
  const { hv, partition } = hypervisor({ a: sleeper(100_000), b: sleeper(70_000) });
  const first = hv.run(1_000_000);
  expect(first).toMatchObject({ kind: 'idle' });
  expect(hv.programs.map((p) => p.state)).toEqual(Array(2).fill('waiting for an interrupt'));
  expect(hv.clock.now).toBeLessThan(1000);
  hv.skip(Infinity);
  expect(hv.clock.now).toBeGreaterThan(69_000);
  expect(hv.clock.now).toBeLessThan(71_000);
  runToEnd(hv, 7_000_000);
  expect(partition('a').vcpus[0]!.machine.regs.gpr[20]).toBe(70);
  expect(partition('b').vcpus[0]!.machine.regs.gpr[20]).toBe(100);
  expect(hv.retired).toBeLessThan(6000);
});

test('skipping never goes beyond the next alarm, nor back', () => {
  const { hv } = hypervisor({ a: sleeper(100_000) });
  const idle = hv.run(1_000_000);
  const now = hv.clock.now;
  hv.skip(now - 10);
  expect(hv.clock.now).toBe(now);
  hv.skip(now + 10);
  expect(hv.clock.now).toBe(now + 10);
  hv.skip(10_000_000);
  expect(idle).toEqual({ kind: 'idle', until: hv.clock.now });
});

test('an interrupt waits for its guest’s next turn, no longer than the quanta of the others', () => {
  const quantum = 2000;
  const { hv, partition } = hypervisor(
    { waits: sleeper(50_000), a: spin, b: spin },
    { partitions: `quantum = <${quantum}>;` },
  );
  hv.run(1_020_000);
  expect(partition('waits').vcpus[0]!.machine.regs.gpr[20]).toBe(20);
});
