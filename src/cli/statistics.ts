import type { Machine } from '../board/machine.js';
import type { Hypervisor } from '../hypervisor/hypervisor.js';

const number = (value: number): string => value.toLocaleString('en-US');

/** What `--stats` prints: nothing that depends on the machine hv440 runs on, so that two equal runs print the same. */
export function statistics(machine: Machine): string[] {
  const total = `${number(machine.retired)} instructions retired in ${number(machine.clock.now)} cycles`;
  return isHypervisor(machine) ? [total, ...machine.partitions.flatMap((p) => partitionLines(p))] : [total];
}

const isHypervisor = (machine: Machine): machine is Hypervisor => 'partitions' in machine;

function partitionLines(partition: Hypervisor['partitions'][number]): string[] {
  return partition.vcpus.flatMap(({ name, account }) => {
    const { exits } = account;
    const count = exits.reduce((sum, e) => sum + e.count, 0);
    const head = `${name}: ${number(account.retired)} instructions in ${number(account.cycles)} cycles, ${number(count)} exits`;
    const rows = exits.map(
      (e) => `  ${e.kind.padEnd(16)}${number(e.count).padStart(14)} exits${number(e.cycles).padStart(16)} cycles`,
    );
    return [head, ...rows];
  });
}

/** The same for programs that read it: JSON, in one line. */
export function statisticsJson(machine: Machine): string {
  const partitions = isHypervisor(machine)
    ? machine.partitions.map((p) => ({
        name: p.name,
        state: p.state,
        restarts: p.restarts,
        vcpus: p.vcpus.map(({ index, account }) => ({
          index,
          instructions: account.retired,
          cycles: account.cycles,
          exits: Object.fromEntries(account.exits.map(({ kind, count, cycles }) => [kind, { count, cycles }])),
        })),
      }))
    : [];
  return JSON.stringify({ instructions: machine.retired, cycles: machine.clock.now, partitions });
}
