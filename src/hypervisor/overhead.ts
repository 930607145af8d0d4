import type { CostModel } from '../devicetree/cost-models.js';
import { exitKinds, type ExitKind } from '../devicetree/bindings/partitions.js';
import { perMillion, type VcpuReport } from './report.js';

/** An image on a machine of its own: the same tree without the hypervisor. */
export interface BareCounts {
  readonly instructions: number;
  /** Interrupts delivered; each takes a cycle. */
  readonly interrupts: number;
  /** Cycles in which it waited. */
  readonly idle: number;
}

/** The same as a partition. */
export interface PartitionCounts {
  /** Retired by itself or emulated for it. */
  readonly instructions: number;
  /** Of these, those that the core ran. */
  readonly own: number;
  /** Of these, those that the hypervisor did for it. */
  readonly emulated: number;
  /** Interrupts sent to it; each takes a cycle. */
  readonly interrupts: number;
  readonly idle: number;
  readonly exits: Readonly<Partial<Record<ExitKind, number>>>;
  readonly worldSwitches: number;
  /** Of the emulated instructions, those that caused no exit of their own. */
  readonly ahead: number;
  /** Cycles that the core was its own in the run that was counted. */
  readonly cycles: number;
}

export function partitionCounts(vcpu: VcpuReport): PartitionCounts {
  const { instructions, cycles, time, exits, injected, worldSwitches, ahead } = vcpu;
  return {
    instructions,
    own: time.guest,
    emulated: instructions - time.guest,
    interrupts: Object.values(injected).reduce((sum, n) => sum + n, 0),
    idle: time.idle,
    exits: Object.fromEntries(exitKinds.flatMap((kind) => (exits[kind] ? [[kind, exits[kind].count]] : []))),
    worldSwitches: worldSwitches.count,
    ahead: ahead.count,
    cycles,
  };
}

/** What one kind of exit adds. */
export interface PricedKind {
  readonly kind: ExitKind | 'world-switch' | 'run-ahead';
  readonly count: number;
  readonly perMillion: number;
  readonly cost: number;
  readonly cycles: number;
  /** Per cent of the cycles that the same work takes without a hypervisor. */
  readonly percent: number;
}

/** A cost model applied to counts. */
export interface Priced {
  readonly kinds: readonly PricedKind[];
  readonly exits: number;
  readonly exitsPerMillion: number;
  /** Instructions and interrupts, a cycle each: what the guest's work takes without a hypervisor. */
  readonly work: number;
  /** What the hypervisor adds. */
  readonly overhead: number;
  readonly percent: number;
}

/** The kinds in order of what they add, the most expensive first. */
export function price(counts: PartitionCounts, model: CostModel): Priced {
  const work = counts.instructions + counts.interrupts;
  const row = (kind: PricedKind['kind'], count: number, cost: number): PricedKind => ({
    kind,
    count,
    perMillion: perMillion(count, counts.instructions),
    cost,
    cycles: count * cost,
    percent: percentOf(count * cost, work),
  });
  const kinds = exitKinds.map((kind) => row(kind, counts.exits[kind] ?? 0, model.exits[kind]));
  const exits = kinds.reduce((sum, k) => sum + k.count, 0);
  const others = [
    row('run-ahead', counts.ahead, model.runAhead),
    row('world-switch', counts.worldSwitches, model.worldSwitch),
  ];
  const rows = [...kinds, ...others].filter((k) => k.count > 0);
  const overhead = rows.reduce((sum, k) => sum + k.cycles, 0);
  return {
    kinds: rows.toSorted((a, b) => b.cycles - a.cycles),
    exits,
    exitsPerMillion: perMillion(exits, counts.instructions),
    work,
    overhead,
    percent: percentOf(overhead, work),
  };
}

export const percentOf = (part: number, whole: number): number => (whole === 0 ? 0 : (100 * part) / whole);

/** What an exit may cost on average if all of them together are to add so many per cent. */
export const affordable = ({ work, exits }: Priced, percent: number): number =>
  exits === 0 ? Infinity : (work * percent) / 100 / exits;
