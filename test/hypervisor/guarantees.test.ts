import { expect, test } from 'vitest';
import { Snapshots } from '../../src/board/snapshot.js';
import { MSR } from '../../src/isa/registers.js';
import { report } from '../../src/hypervisor/report.js';
import { Code } from './code.js';
import { hypervisor, runToEnd, type Guest } from './guest.js';

const QUANTUM = 2000;

const spin = (node = ''): Guest => ({
  program: new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin'),
  node,
});

/** Does nothing but leave for the hypervisor. */
const emulated = (node = ''): Guest => ({ program: new Code().label('again').op('mfmsr', { rt: 3 }).b('again'), node });

/** Waits by MSR[WE] for a decrementer interrupt every so many cycles; counts them in r20, the longest that one came late in r21. */
const sleeper = (period: number, node = ''): Guest => {
  const code = new Code().vector(10, 'tick').li(20, 0).li(21, 0).li(30, period).mtspr('DEC', 30).mtspr('DECAR', 30);
  code
    .setSpr('TCR', 0x04400000)
    .label('wait')
    .setMsr(MSR.WE | MSR.EE)
    .b('wait');
  code.at(0x2000).label('tick').mfspr(24, 'DEC').op('subf', { rt: 24, ra: 24, rb: 30 });
  code.op('cmpl', { bf: 0, ra: 24, rb: 21 }).bc(4, 1, 'done').op('or', { ra: 21, rs: 24, rb: 24 });
  code.label('done').setSpr('TSR', 0x08000000).op('addi', { rt: 20, ra: 20, si: 1 });
  return { program: code.op('rfi'), node };
};

const guaranteed = (percent: number): string => `guarantee = <${percent}>;`;

/** Per cent of the core that a partition had. */
const shareOf = ({ hv, partition }: ReturnType<typeof hypervisor>, name: string): number =>
  (100 * partition(name).vcpus[0]!.account.cycles) / (hv.clock.now - hv.timeShares.origin);

test.each([
  ['at a cycle an exit', ''],
  ['at the prices of a 440', 'exit-cost-model = "ppc440";'],
  ['with a dear world switch', 'world-switch-cycles = <400>;'],
])('guests have what is guaranteed to them, whatever they do, %s', (_, costs) => {
  const setting = { trusting: true, partitions: `quantum = <${QUANTUM}>; ${costs}` };
  const made = hypervisor({ a: spin(guaranteed(70)), b: emulated(guaranteed(20)), c: emulated(), d: spin() }, setting);
  expect(runToEnd(made.hv, 500 * QUANTUM)).toEqual({ kind: 'ran' });
  for (const [name, percent] of Object.entries({ a: 70, b: 20, c: 5, d: 5 }))
    expect(Math.abs(shareOf(made, name) - percent), name).toBeLessThan(0.5);
});

test('a guest that waits leaves its share to the others, and has its turn when it wakes', () => {
  const made = hypervisor(
    { waits: sleeper(49_999, guaranteed(40)), a: spin(guaranteed(50)), b: spin() },
    { trusting: true, partitions: `quantum = <${QUANTUM}>;` },
  );
  runToEnd(made.hv, 5_020_000);
  const { gpr } = made.partition('waits').vcpus[0]!.machine.regs;
  expect(gpr[20]).toBe(100);
  expect(shareOf(made, 'waits')).toBeLessThan(1);
  expect(Math.abs(shareOf(made, 'a') - 50)).toBeLessThan(0.5);
  expect(shareOf(made, 'b')).toBeGreaterThan(48);
  // Half a quantum by its share, half a quantum more, and the way into the handler
  expect(gpr[21]).toBeLessThan((QUANTUM / 2) * 2.5 + QUANTUM / 2 + 100);
  expect(gpr[21]).toBeGreaterThan(QUANTUM / 4);
});

test('a partition that is stopped leaves its share, and has it again when it is started', () => {
  const made = hypervisor(
    { a: spin(guaranteed(60)), b: spin() },
    { trusting: true, partitions: `quantum = <${QUANTUM}>;` },
  );
  const { hv, partition } = made;
  const during = (cycles: number): number => {
    hv.resetAccounts();
    runToEnd(hv, cycles);
    return shareOf(made, 'a');
  };
  expect(during(400_000)).toBeCloseTo(60, 0);
  expect(hv.ask('stop', partition('a'))).toBeUndefined();
  expect(during(400_000)).toBe(0);
  expect(hv.ask('start', partition('a'))).toBeUndefined();
  expect(Math.abs(during(400_000) - 60)).toBeLessThan(0.5);
  expect(hv.ask('pause', partition('b'))).toBeUndefined();
  expect(during(400_000)).toBeGreaterThan(99);
  expect(hv.ask('resume', partition('b'))).toBeUndefined();
  expect(Math.abs(during(400_000) - 60)).toBeLessThan(0.5);
});

test('a guest that only resets itself has its share and no more', () => {
  const resets: Guest = {
    program: new Code()
      .li(4, 1500)
      .mtspr('CTR', 4)
      .label('on')
      .bc(16, 0, 'on')
      .li(3, 0x3000_0000)
      .mtspr('DBCR0', 3)
      .label('off')
      .b('off'),
    node: `on-reset = "restart"; ${guaranteed(30)}`,
  };
  const made = hypervisor({ resets, a: spin() }, { trusting: true, partitions: `quantum = <${QUANTUM}>;` });
  runToEnd(made.hv, 400_000);
  expect(made.partition('resets').restarts).toBeGreaterThan(10);
  expect(Math.abs(shareOf(made, 'resets') - 30)).toBeLessThan(1);
});

const mixed = () =>
  hypervisor(
    { a: spin(guaranteed(50)), waits: sleeper(7001, guaranteed(20)), b: emulated(guaranteed(10)), c: spin() },
    { trusting: true, partitions: `quantum = <${QUANTUM}>; exit-cost-model = "ppc440";` },
  );

test('a run goes the same way in slices, and again from a snapshot', () => {
  const whole = mixed();
  while (whole.hv.clock.now < 600_000) whole.hv.run(600_000 - whole.hv.clock.now);
  const sliced = mixed();
  while (sliced.hv.clock.now < 600_000) sliced.hv.run(Math.min(777, 600_000 - sliced.hv.clock.now));
  expect(sliced.hv.clock.now).toBe(whole.hv.clock.now);
  expect(report(sliced.hv)).toEqual(report(whole.hv));

  const again = mixed();
  const snapshots = new Snapshots(again.hv);
  while (again.hv.clock.now < 211_111) again.hv.run(211_111 - again.hv.clock.now);
  const snapshot = snapshots.take();
  again.hv.run(100_000);
  snapshots.restore(snapshot);
  while (again.hv.clock.now < 600_000) again.hv.run(600_000 - again.hv.clock.now);
  expect(report(again.hv)).toEqual(report(whole.hv));
});

test('no guest is told of its guarantee', () => {
  const { partition } = hypervisor({ a: spin(`${guaranteed(50)} affinity = <0>;`) });
  const names = [...partition('a').tree!.root.walk()].flatMap((node) => [...node.properties.keys()]);
  expect(names.filter((name) => ['guarantee', 'affinity'].includes(name))).toEqual([]);
  expect(names.length).toBeGreaterThan(20);
});
