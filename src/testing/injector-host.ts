import type { Injection } from '../board/injection.js';
import type { InjectorHost } from './injector.js';
import { deviceAddress, interruptLine } from './places.js';
import type { TestBoard } from './test-board.js';

/** Faults of a board happen now, or when `defer` says so. */
export function injectorHost(
  board: TestBoard,
  apply: (injection: Injection) => void,
  defer: (act: () => void) => void = (act) => act(),
): InjectorHost {
  const partitionOf = (name: string) => {
    board.partition(name); // or say which there are
    return board.hypervisor.partitions.find((partition) => partition.name === name)!;
  };
  return {
    happen: (make) => defer(() => apply(make())),
    later: (time, make) => defer(() => board.after(time).do(() => apply(make()))),
    act: defer,
    streamOf: (console) => board.console(console).name,
    physicalOf: (partition, address) => board.partition(partition).physicalOf(address),
    deviceOf: (partition, device) => deviceAddress(partitionOf(partition), device),
    lineOf: (partition, interrupt) => interruptLine(partitionOf(partition), interrupt),
  };
}
