import type { Machine } from '../board/machine.js';
import type { Hypervisor } from '../hypervisor/hypervisor.js';
import type { Ask } from '../hypervisor/lifecycle.js';
import { isHypervisor } from './statistics.js';

type Partition = Hypervisor['partitions'][number];

/** What each command does to a partition. */
export const askHelp: Readonly<Record<Ask, string>> = {
  start: 'load it and start it, from clean memory',
  stop: 'stop it; its memory can still be looked at',
  pause: 'take it from the core; its time stands still',
  resume: 'let it go on where it was paused',
  restart: 'stop it and start it, from clean memory',
};

/** The names of a machine's partitions; none on a bare board. */
export const partitionNames = (machine: Machine): string[] =>
  isHypervisor(machine) ? machine.partitions.map((p) => p.name) : [];

/** Do as asked to the partitions named, of which the only one need not be; gives what became of each. */
export function askPartitions(machine: Machine, ask: Ask, names: readonly string[]): string[] {
  if (!isHypervisor(machine)) return [`'${ask}' is for partitions, and this is a bare board`];
  const [only, ...more] = machine.partitions;
  const wanted = names.length === 0 && only && more.length === 0 ? [only.name] : names;
  if (wanted.length === 0) return [`${ask} which partition? There are ${partitionNames(machine).join(', ')}`];
  return wanted.map((name) => {
    const partition = machine.partitions.find((p) => p.name === name || p.config.label === name);
    if (!partition) return `there is no partition '${name}'; there are ${partitionNames(machine).join(', ')}`;
    return machine.ask(ask, partition) ?? `${partition.name}: ${partition.lifecycle}`;
  });
}

/** One line a partition: its state in Topaz's words, what it does, and how often it was restarted. */
export function partitionLines(machine: Machine): string[] {
  if (!isHypervisor(machine)) return ['this is a bare board, without partitions'];
  const width = Math.max(...machine.partitions.map((p) => p.name.length));
  return machine.partitions.map((p) => `${p.name.padEnd(width)}  ${p.lifecycle.padEnd(8)}  ${notes(p).join('; ')}`);
}

function notes(partition: Partition): string[] {
  const { state, lifecycle, restarts } = partition;
  return [...(state === lifecycle ? [] : [state]), `${restarts} restart${restarts === 1 ? '' : 's'}`];
}
