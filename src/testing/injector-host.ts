import type { Injection } from '../board/injection.js';
import type { InjectorHost } from './injector.js';
import { deviceAddress, interruptLine } from './places.js';
import type { TestBoard } from './test-board.js';

/** PARTITION/NODE of a byte channel that leads to another partition, which is no console but can fail like one. */
function connectedChannel({ partitions }: TestBoard['hypervisor'], name: string): string | undefined {
  const [partition, channel = ''] = name.split(/[:/](.*)/s);
  const found = partitions.find((one) => one.name === partition)?.channels.peerInput(channel);
  return found && `${partition}/${channel}`;
}

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
    streamOf: (console) => connectedChannel(board.hypervisor, console) ?? board.console(console).name,
    physicalOf: (partition, address) => board.partition(partition).physicalOf(address),
    deviceOf: (partition, device) => deviceAddress(partitionOf(partition), device),
    lineOf: (partition, interrupt) => interruptLine(partitionOf(partition), interrupt),
  };
}
