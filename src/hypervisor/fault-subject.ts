import type { Board } from '../board/board.js';
import type { Ending } from '../board/machine.js';
import type { BoardRange } from './address-path.js';
import { detailName, NO_DETAIL } from './exit-detail.js';
import type { FaultSubject } from './fault-report.js';
import type { Partition } from './partition.js';
import type { Vcpu } from './vcpu.js';

/** The real board and who has what of it. */
interface Whole {
  readonly board: Board;
  readonly partitions: readonly Partition[];
}

/** What a report on a partition's processor is made of. */
export function faultSubject(whole: Whole, vcpu: Vcpu, ending: Ending | undefined): FaultSubject {
  const { partition, machine, index, account, traps, repeats } = vcpu;
  return {
    name: partition.name,
    partition: partition.name,
    vcpu: index,
    core: machine,
    instructions: account.retired,
    ending,
    traps,
    repeats: repeats && ending?.kind !== 'finished',
    symbols: partition.symbols,
    exits: exitLines(vcpu),
    realAddress(physical) {
      const grant = partition.grant(physical);
      return grant && grant.physical + (physical - grant.base);
    },
    board: boardRanges(whole),
  };
}

/** Each partition's memory, what partitions share, the board's devices, and of its memory what is left. */
function boardRanges({ board, partitions }: Whole): BoardRange[] {
  const nameAt = (physical: number): string => board.bus.ram.find(physical)?.name ?? 'memory';
  const memories = partitions.flatMap(({ name, grants, config }) =>
    grants
      .filter(({ device }) => !device)
      .map(({ base, physical, size }): BoardRange => {
        const range = { name: nameAt(physical), base: physical, size };
        const window = config.windows.find((one) => one.base === base);
        return window ? { ...range, shared: window.memory } : { ...range, owner: name };
      }),
  );
  const devices = board.bus.devices.regions.map(({ name, base, size }) => {
    const owner = partitions.find(
      (p) => p.board.bus.devices.find(base)?.target === board.bus.devices.find(base)?.target,
    );
    return { name, base, size, ...(owner && { owner: owner.name }) };
  });
  return [...memories, ...devices, ...board.bus.ram.regions.map(({ name, base, size }) => ({ name, base, size }))];
}

/** `cycle 1234  device  write serial@ef600300+0  at 0x1000`. */
const exitLines = (vcpu: Vcpu): string[] =>
  vcpu.recent.recent.map(({ kind, detail, pc, cycle, times }) => {
    const about = detail === NO_DETAIL ? '' : ` (${detailName(detail, vcpu)})`;
    return `cycle ${cycle}: ${kind}${about} at 0x${pc.toString(16)}${times > 1 ? `, ${times} times` : ''}`;
  });
