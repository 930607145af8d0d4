// What the hypervisor costs: counts that add up, and prices that follow from them.

import { expect, test } from 'vitest';
import { costModels } from '../../src/devicetree/cost-models.js';
import { cli } from '../tools.js';
import { hello, inRoot, putConfiguration, spin } from './child.js';

const bench = inRoot('firmware', 'bench', 'bench.elf');
const calls = [bench, '--bootargs', 'bench=calls rounds=3'];
const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0);

interface Kind {
  readonly kind: string;
  readonly count: number;
  readonly cost: number;
  readonly cycles: number;
}

interface Variant {
  readonly variant: string;
  readonly complete: boolean;
  readonly counts: Record<
    'instructions' | 'own' | 'emulated' | 'interrupts' | 'ahead' | 'worldSwitches' | 'cycles',
    number
  > & {
    readonly exits: Record<string, number>;
  };
  readonly exits: Record<string, { readonly count: number; readonly details: readonly { readonly count: number }[] }>;
  readonly priced: {
    readonly kinds: readonly Kind[];
    readonly work: number;
    readonly overhead: number;
    readonly percent: number;
  };
  readonly simulated: { readonly cycles: number; readonly instructions: number };
}

interface Comparison {
  readonly partition: string;
  readonly bare: { readonly instructions: number; readonly interrupts: number; readonly reached: string };
  readonly variants: readonly Variant[];
  readonly leftOut: readonly { readonly variant: string; readonly reason: string }[];
}

async function overhead(...args: readonly string[]) {
  const { status, stdout, stderr } = await cli(['overhead', ...args, '--json'], { timeout: 50_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { comparisons } = JSON.parse(stdout) as { comparisons: Comparison[] };
  return comparisons;
}

test('bare and partition do the same work, and every cycle between them is an exit’s', async () => {
  const [comparison] = await overhead(...calls, '--variant', 'plain');
  const { bare, variants } = comparison!;
  const [{ counts, exits, priced, simulated }] = variants as [Variant];
  expect(bare.reached).toBe('ended with status 0');
  // It reads in its tree, once, that there is somebody to call; all else is the same, however much it is
  const [more] = await overhead(bench, '--bootargs', 'bench=calls rounds=9', '--variant', 'plain');
  expect(more!.variants[0]!.counts.instructions - more!.bare.instructions).toBe(
    counts.instructions - bare.instructions,
  );
  expect(counts.interrupts).toBe(bare.interrupts);
  expect(counts.own + counts.emulated).toBe(counts.instructions);
  // At a cycle an exit, an instruction emulated along and a world switch
  const events = sum(Object.values(counts.exits)) + counts.ahead + counts.worldSwitches;
  expect(counts.cycles).toBe(counts.instructions + counts.interrupts + events);
  // Priced, by the counts and by a run in which the costs are charged
  expect(priced.work).toBe(counts.instructions + counts.interrupts);
  expect(priced.overhead).toBe(sum(priced.kinds.map((k) => k.cycles)));
  for (const kind of priced.kinds) expect(kind.cycles).toBe(kind.count * kind.cost);
  const preemptions = priced.kinds.find((k) => k.kind === 'preempted')!.cost;
  expect(simulated.instructions).toBe(counts.instructions);
  // Other times, so a quantum more or less: all else is the same to the cycle
  expect(Math.abs(simulated.cycles - priced.work - priced.overhead) % preemptions).toBe(0);
  // What an exit was about adds up to how often it happened
  for (const kind of ['emulate', 'device', 'reflect'])
    expect(sum(exits[kind]!.details.map((d) => d.count))).toBe(counts.exits[kind]);
});

test('a guest that calls no hypervisor is compared plain only, and the others are said to be left out', async () => {
  const [comparison] = await overhead(bench, '--bootargs', 'bench=nothing', '--variant', 'plain', 'magic-page');
  expect(comparison!.variants.map((v) => v.variant)).toEqual(['plain']);
  expect(comparison!.leftOut).toEqual([{ variant: 'magic-page', reason: 'the image makes no such hypercall' }]);
});

test('with its console a byte channel, a guest sends by hypercall and leaves its port alone', async () => {
  const [comparison] = await overhead(hello, '--expect', 'hello> ', '--variant', 'plain', 'byte-channel');
  const [plain, channel] = comparison!.variants as [Variant, Variant];
  expect(channel.variant).toBe('byte-channel');
  expect(channel.counts.exits['hypercall']).toBeGreaterThan(3);
  expect(plain.counts.exits['device']!).toBeGreaterThan(20);
  expect(channel.counts.exits['device'] ?? 0).toBe(0);
});

test('--exit-cost prices one kind or all', async () => {
  const args = [...calls, '--variant', 'plain', '--exit-cost', '10', '--exit-cost', 'reflect=1000'];
  const [comparison] = await overhead(...args);
  const { kinds } = comparison!.variants[0]!.priced;
  const costs = Object.fromEntries(kinds.map(({ kind, cost }) => [kind, cost]));
  expect(costs).toMatchObject({ emulate: 10, device: 10, 'shadow-miss': 10, reflect: 1000 });
  expect(costs['world-switch']).toBe(costModels.ppc440.worldSwitch);
});

test('each partition of a configuration is compared with its own machine', async () => {
  const config = putConfiguration('two.dts', [
    { name: 'one', image: bench, bootargs: 'bench=calls rounds=1' },
    { name: 'two', image: bench, bootargs: 'bench=misses rounds=1' },
  ]);
  const [one, two] = await overhead(config, '--variant', 'plain');
  expect([one!.partition, two!.partition]).toEqual(['one', 'two']);
  for (const { bare, variants } of [one!, two!]) {
    expect(variants[0]!.counts.interrupts).toBe(bare.interrupts);
    expect(variants[0]!.counts.instructions - bare.instructions).toBeLessThan(1000);
  }
});

test('a guest that does not get to where it should is told of, with status 1', async () => {
  const { status, stdout } = await cli(['overhead', spin, '--expect', 'never', '--max-instructions', '100000']);
  expect(status).toBe(1);
  expect(stdout).toContain('until it retired 100,000 instructions');
});

test('the text answers with shares at several costs, and says what an exit may cost', async () => {
  const { stdout } = await cli(['overhead', ...calls, '--variant', 'plain']);
  expect(stdout).toMatch(/^ {2}instructions +[\d,]+ +[\d,]+$/m);
  expect(stdout).toMatch(/at other costs: x0 0 %, x0\.25 [\d.,]+ %, x0\.5 .*, x8 [\d.,]+ %/);
  expect(stdout).toMatch(/adds 2 % with [\d.]+, 20 % with [\d.]+ cycles an exit on average/);
  expect(stdout).toMatch(/^cost model \(cycles an exit; docs\/overhead\.md .*\): preempted \d+, /m);
});

test('an unknown kind of exit is refused with those that there are', async () => {
  const { status, stderr } = await cli(['overhead', hello, '--exit-cost', 'trap=5']);
  expect(status).toBe(2);
  expect(stderr).toContain("there is no kind 'trap'; there are preempted, host-interrupt, hypercall,");
});
