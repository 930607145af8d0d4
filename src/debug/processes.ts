import { BareMachine } from '../board/bare.js';
import { featuresOf, type Board } from '../board/board.js';
import { assert } from '../bus/assert.js';
import type { Hypervisor } from '../hypervisor/hypervisor.js';
import type { Partition } from '../hypervisor/partition.js';
import { targetOf, type Process, type Target } from './target.js';

/** A machine that can be debugged. */
export type DebuggedMachine = BareMachine | Hypervisor;

const hasFloats = ({ tree }: Board): boolean => featuresOf(tree).has('fpu');

/** Process 1 is the board, with its program or with the hypervisor; processes 2, 3 … are the partitions, in their order. */
export function processesOf(machine: DebuggedMachine): readonly Process[] {
  if (machine instanceof BareMachine) return [boardProcess(machine)];
  return [hypervisorProcess(machine), ...machine.partitions.map((partition, i) => partitionProcess(partition, i + 2))];
}

function boardProcess(machine: BareMachine): Process {
  const targets: Target[] = [];
  const process: Process = {
    number: 1,
    name: 'board',
    kind: 'board',
    targets,
    get ending() {
      return machine.programs[0]?.ending;
    },
  };
  const { name, machine: core } = machine;
  targets.push(targetOf({ name, process, thread: 1, core, runs: machine, hasFloats: hasFloats(machine.board) }));
  return process;
}

function hypervisorProcess(machine: Hypervisor): Process {
  const targets: Target[] = [];
  const process: Process = {
    number: 1,
    name: 'hypervisor',
    kind: 'hypervisor',
    targets,
    get ending() {
      return machine.partitions.every((p) => !p.running) ? machine.partitions[0]?.ending : undefined;
    },
  };
  for (const [i, core] of machine.board.cores.entries()) {
    const options = { process, thread: i + 1, core, flat: true, hasFloats: hasFloats(machine.board) };
    targets.push(targetOf({ name: `board/cpu${i}`, ...options }));
  }
  assert(targets.length > 0, 'a board has a core');
  return process;
}

function partitionProcess(partition: Partition, number: number): Process {
  const targets: Target[] = [];
  const process: Process = {
    number,
    name: partition.name,
    kind: 'partition',
    targets,
    get ending() {
      return partition.ending;
    },
  };
  for (const [i, vcpu] of partition.vcpus.entries()) {
    const { name, machine: core } = vcpu;
    targets.push(targetOf({ name, process, thread: i + 1, core, runs: vcpu, hasFloats: hasFloats(partition.board) }));
  }
  return process;
}
