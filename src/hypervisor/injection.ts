import type { Injection } from '../board/injection.js';
import { hex } from '../bus/bus.js';
import { writeMemory } from './guest-memory.js';
import type { Partition } from './partition.js';

/** Do something to a partition that no program asked for; says why that cannot be, and nothing is changed then. */
export function suffer(injection: Injection, partitions: readonly Partition[]): string | undefined {
  const partition = partitions.find(({ name }) => name === injection.partition);
  if (!partition) return `there is no partition '${injection.partition}'`;
  switch (injection.kind) {
    case 'memory':
      return change(partition, injection.address, Uint8Array.from(injection.bytes));
    case 'crash':
      return crash(partition);
    default:
      return injection satisfies never;
  }
}

function change(partition: Partition, address: number, bytes: Uint8Array): string | undefined {
  if (writeMemory(partition, address, bytes)) return undefined;
  return `partition '${partition.name}' has no memory at ${hex(address)}, or not ${bytes.length} bytes of it`;
}

function crash(partition: Partition): string | undefined {
  if (!partition.running) return `partition '${partition.name}' is ${partition.lifecycle}, and does not run`;
  partition.end({ kind: 'checkstop' });
  return undefined;
}
