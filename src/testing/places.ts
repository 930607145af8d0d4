import { interruptsOf } from '../devicetree/addresses.js';
import { didYouMean } from '../devicetree/suggest.js';
import type { Partition } from '../hypervisor/partition.js';
import { UsageError } from '../launch/errors.js';

const withoutAddress = (name: string): string => name.replace(/@[^@]*$/, '');

/** The one of these with a name, or with it before its unit address. Throws where there is none, or more than one. */
function named<T extends { readonly name: string }>(all: readonly T[], name: string, what: string): T {
  const exact = all.find((each) => each.name === name);
  if (exact) return exact;
  const [found, ...more] = all.filter((each) => withoutAddress(each.name) === name);
  if (!found)
    throw new UsageError(
      `${what} '${name}': there is none; ${didYouMean(
        name,
        all.map((each) => each.name),
      )}`,
    );
  if (more.length === 0) return found;
  throw new UsageError(`${what} '${name}' could be any of ${[found, ...more].map((each) => each.name).join(', ')}`);
}

/** The guest-physical address of a partition's device, by its node's name or by itself. */
export function deviceAddress({ name, board }: Partition, device: number | string): number {
  if (typeof device === 'number') return device;
  return named(board.bus.devices.regions, device, `device of partition '${name}'`).base;
}

/** The input of a partition's interrupt controller that a node's first interrupt comes in by; or that number itself. */
export function interruptLine({ name, board }: Partition, interrupt: number | string): number {
  if (typeof interrupt === 'number') return interrupt;
  const nodes = [...board.tree.root.walk()].filter((node) => interruptsOf(node).length > 0);
  return interruptsOf(named(nodes, interrupt, `device with an interrupt of partition '${name}'`))[0]!.line;
}
