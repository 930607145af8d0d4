import { exitStatus, type Ending, type ProgramState } from '../board/machine.js';
import type { Partition } from './partition.js';

/** What a partition's program is doing, for a person who wonders. */
export function programState(partition: Partition): ProgramState {
  const [vcpu] = partition.vcpus;
  const last = vcpu?.traps.last;
  return {
    name: partition.name,
    state: partition.state,
    ending: partition.ending,
    down: partition.lifecycle === 'stopped' ? partition.state : undefined,
    pc: vcpu?.machine.regs.pc ?? 0,
    lastTrap: last && `${last.trap.kind} at 0x${last.pc.toString(16)}`,
  };
}

/** The worst of the partitions' endings. */
export function worstEnding(partitions: readonly Partition[]): Ending {
  const endings = partitions.map((p): Ending => p.ending ?? { kind: 'stopped', by: 'shell' });
  return endings.toSorted((a, b) => exitStatus(b) - exitStatus(a))[0] ?? { kind: 'halted' };
}
