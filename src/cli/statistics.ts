import { BareMachine } from '../board/bare.js';
import type { Machine } from '../board/machine.js';
import { Hypervisor } from '../hypervisor/hypervisor.js';
import type { ShadowCounts } from '../hypervisor/accounting.js';
import {
  report,
  type KindReport,
  type MachineReport,
  type PartitionReport,
  type VcpuReport,
} from '../hypervisor/report.js';
import { columns, count, fixed } from './columns.js';

/** How many of an exit's details are printed; JSON has them all. */
const MOST_DETAILS = 12;

/** What `--stats` prints: nothing that depends on the machine hv440 runs on, so that two equal runs print the same. */
export function statistics(machine: Machine): string[] {
  return lines(machine, MOST_DETAILS);
}

/** The same without what each kind of exit was about: for a screen. */
export const briefStatistics = (machine: Machine): string[] => lines(machine, 0);

/** Whether it is partitions that it runs, and no bare board. */
export const isHypervisor = (machine: Machine): machine is Hypervisor => machine instanceof Hypervisor;

function lines(machine: Machine, details: number): string[] {
  const all = machineReport(machine);
  return [...headLines(machine, all), ...all.partitions.flatMap((p) => partitionLines(p, details))];
}

/** The part of it that tells of one partition; undefined where there is none of that name. */
export function partitionStatistics(machine: Machine, name: string): string[] | undefined {
  const partition = machineReport(machine).partitions.find((p) => p.name === name);
  return partition && partitionLines(partition, MOST_DETAILS);
}

const partitionLines = (partition: PartitionReport, details: number): string[] =>
  partition.vcpus.flatMap((vcpu) => vcpuLines(partition, vcpu, details));

/** The same for programs that read it: JSON, in one line (docs/overhead.md). */
export const statisticsJson = (machine: Machine): string => JSON.stringify(machineReport(machine));

/** A bare board has no partitions; the interrupts that it delivered are its program's own. */
function machineReport(machine: Machine): MachineReport & { interrupts?: Record<string, number> } {
  if (machine instanceof Hypervisor) return report(machine);
  const account = machine instanceof BareMachine ? machine.account : undefined;
  const cycles = machine.clock.now - (account?.since ?? 0);
  const idle = account?.idleCycles ?? 0;
  return {
    instructions: machine.retired - (account?.retiredBefore ?? 0),
    cycles,
    time: { guest: cycles - idle, hypervisor: 0, idle },
    interrupts: Object.fromEntries(account?.interrupts ?? []),
    partitions: [],
  };
}

function headLines(machine: Machine, { instructions, cycles, time }: MachineReport): string[] {
  const total = `${count(instructions)} instructions retired in ${count(cycles)} cycles`;
  if (!(machine instanceof Hypervisor)) return [time.idle > 0 ? `${total}, ${count(time.idle)} of them idle` : total];
  return [total, `  ${shares({ ...time }, cycles)}`];
}

/** `guest 19,831,122 (99.15 %), hypervisor …`: parts of so many cycles. */
const shares = (parts: Readonly<Record<string, number>>, cycles: number): string =>
  Object.entries(parts)
    .filter(([name, part]) => part > 0 || name === 'guest' || name === 'hypervisor')
    .map(([name, part]) => `${name} ${count(part)} (${fixed((100 * part) / Math.max(cycles, 1), 2)} %)`)
    .join(', ');

function vcpuLines({ name }: PartitionReport, vcpu: VcpuReport, details: number): string[] {
  const { instructions, cycles, time, exitCount, exitsPerMillion, exits } = vcpu;
  const all = Object.values(time).reduce((sum, part) => sum + part, 0);
  const per = `${count(Math.round(exitsPerMillion))} per million instructions`;
  return [
    `${name}/cpu${vcpu.index}: ${count(instructions)} instructions in ${count(cycles)} cycles, ${count(exitCount)} exits (${per})`,
    `  time      ${shares({ ...time }, all)}`,
    ...(vcpu.guarantee === undefined
      ? []
      : [`  core      guaranteed ${vcpu.guarantee} %, had ${fixed((100 * cycles) / Math.max(all, 1), 2)} %`]),
    ...(exitCount > 0 ? exitTable(exits, details).map((line) => `  ${line}`) : []),
    ...(details > 0 ? otherLines(vcpu) : []),
  ];
}

const shadowNames: Readonly<Record<keyof ShadowCounts, string>> = {
  fills: 'filled',
  foreseen: 'foreseen',
  evictions: 'evicted',
  invalidations: 'invalidated',
  pidsReclaimed: 'PIDs reclaimed',
};

function otherLines({ ahead, guestMisses, shadowMisses, shadow, injected, worldSwitches }: VcpuReport): string[] {
  const interrupts = Object.entries(injected).map(([kind, n]) => `${kind} ${count(n)}`);
  const emulated = `${count(ahead.count)} more instructions in the same exits, ${count(ahead.cycles)} cycles`;
  return [
    ...(ahead.count > 0 ? [`  emulated  ${emulated}`] : []),
    `  misses    guest ${count(guestMisses)}, shadow ${count(shadowMisses)}`,
    `  shadow    ${Object.entries(shadow)
      .map(([what, n]) => `${shadowNames[what as keyof ShadowCounts]} ${count(n)}`)
      .join(', ')}`,
    ...(interrupts.length > 0 ? [`  injected  ${interrupts.join(', ')}`] : []),
    `  switched  to it ${count(worldSwitches.count)} times, ${count(worldSwitches.cycles)} cycles`,
  ];
}

function exitTable(exits: VcpuReport['exits'], details: number): string[] {
  const rows = Object.entries(exits).flatMap(([kind, exit]) => [kindRow(kind, exit), ...detailRows(exit, details)]);
  return columns(['exit', 'count', 'per million', 'cycles', 'min', 'mean', 'max'], rows);
}

const kindRow = (kind: string, exit: KindReport): string[] => [
  kind,
  count(exit.count),
  fixed(exit.perMillion, 1),
  count(exit.cycles),
  count(exit.min),
  fixed(exit.mean, 1),
  count(exit.max),
];

function detailRows({ details }: KindReport, most: number): string[][] {
  if (most === 0) return [];
  const shown = details
    .slice(0, most)
    .map((d) => [`  ${d.name}`, count(d.count), fixed(d.perMillion, 1), count(d.cycles)]);
  const rest = details.slice(most);
  if (rest.length === 0) return shown;
  const sum = (of: 'count' | 'cycles' | 'perMillion'): number => rest.reduce((all, d) => all + d[of], 0);
  return [
    ...shown,
    [`  ${rest.length} others`, count(sum('count')), fixed(sum('perMillion'), 1), count(sum('cycles'))],
  ];
}
