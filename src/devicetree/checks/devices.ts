import { hex, overlaps, physicalReg, regOf, span } from '../addresses.js';
import { bindingOf, placeOf } from '../bindings/index.js';
import { neighboursOf, PAGE, pagesOf } from '../pages.js';
import {
  consolesOf,
  devicesOf,
  isFinisher,
  memoryOf,
  portsOf,
  registersOf,
  consoleOf,
  streamPortsOf,
} from '../partitions.js';
import { memo } from '../memo.js';
import { RangeIndex } from '../range-index.js';
import { didYouMean } from '../suggest.js';
import type { Node } from '../tree.js';
import { at, bytes, count, nameOf, type Rule } from './rule.js';

const regSize: Rule = {
  name: 'reg-size',
  severity: 'error',
  over: 'node',
  reads: ['reg'],
  summary: 'A device has as many bytes of address as it has registers, and they begin where it can have them.',
  remedy: 'Write the size that the message names: a UART has 8 registers of a byte, a finisher one of 4 bytes.',
  *run(node) {
    const spec = bindingOf(node)?.properties['reg'];
    const [range] = regOf(node);
    if (!range || spec?.minSize === undefined) return;
    if (range.size < spec.minSize)
      yield {
        ...at(node, 'reg'),
        message: `${nameOf(node)} has ${count(range.size, 'byte')} of registers, and needs ${spec.minSize}`,
        remedy: `write reg = <${hex(range.base)} ${spec.minSize}>;`,
      };
    if (spec.alignment !== undefined && range.base % spec.alignment !== 0)
      yield {
        ...at(node, 'reg'),
        message: `the base ${hex(range.base)} of ${nameOf(node)} is not a multiple of ${spec.alignment}`,
        remedy: `begin it at ${hex(range.base - (range.base % spec.alignment))}`,
      };
  },
};

const regWraps: Rule = {
  name: 'reg-wraps',
  severity: 'error',
  over: 'port',
  reads: ['reg'],
  summary: 'The registers of a device end before the addresses do.',
  remedy: 'Choose a lower base, or a smaller size.',
  *run(port) {
    const range = regOf(port).find(({ base, size }) => base + size > 2 ** 32);
    if (!range) return;
    yield {
      ...at(port, 'reg'),
      message: `${nameOf(port)} begins at ${hex(range.base)} and has ${bytes(range.size)}, which ends beyond 32 bits`,
      remedy: 'choose a lower base, or a smaller size',
    };
  },
};

const unitAddress: Rule = {
  name: 'unit-address',
  severity: 'error',
  waivable: true,
  over: 'node',
  reads: ['reg'],
  summary: "The unit address in a device's name, which streams are called by, is the address in its `reg`.",
  remedy: 'Make the two the same: the name has the address in hexadecimal, without 0x.',
  *run(node) {
    const judged = placeOf(node) === 'partition' || node.isCompatible('ns16550', 'ns16550a');
    if (!judged || !bindingOf(node)) return;
    const [range] = regOf(node);
    const { unitAddress: unit, baseName } = node;
    const wanted = range ? `${baseName}@${range.base.toString(16)}` : baseName;
    const name = node.name.toLowerCase();
    if (name === wanted || (range && name === `${baseName}@${bankAddress(range.base)}`)) return;
    const says = unit === undefined ? 'has no unit address' : `has the unit address ${unit}`;
    const is = range ? `its reg is at ${hex(range.base)}` : 'it has no reg';
    yield {
      node,
      message: `${nameOf(node)} ${says}, and ${is}`,
      remedy: range ? `call it ${wanted}, or mend its reg` : `call it ${wanted}`,
    };
  },
};

/** An address on the external bus, bank and offset, as Linux's trees write it: `5,0`. */
const bankAddress = (address: number): string =>
  `${Math.floor(address / 2 ** 32).toString(16)},${(address % 2 ** 32).toString(16)}`;

const soundRegisters = ['reg-size', 'reg-wraps'];

const regOverlap: Rule = {
  name: 'reg-overlap',
  severity: 'error',
  over: 'partition',
  reads: ['devices'],
  requires: ['device-not-on-board', 'device-given-twice'],
  summary: 'No two devices of a partition, provided or passed through, have an address in common.',
  remedy: 'Move one of the two.',
  *run(partition, context) {
    const all = registersOf(context.tree, partition).filter(
      ({ node }) => context.sound(node, 'reg') && context.passed(node, ...soundRegisters),
    );
    const index = new RangeIndex(all.map((one, order) => ({ ...one, order })));
    for (const [i, { node, range }] of all.entries()) {
      const before = index.overlapping(range).find((other) => other.order < i && other.node !== node);
      if (!before) continue;
      const own = placeOf(node) === 'partition';
      yield {
        ...(own ? at(node, 'reg') : at(partition, 'devices')),
        message: `${nameOf(node)} is at ${span(range)}, where ${nameOf(before.node)} already is`,
        remedy: own ? 'give it another address' : `take one of them out of ${nameOf(partition)}`,
      };
    }
  },
};

const regInMemory: Rule = {
  name: 'reg-in-memory',
  severity: 'error',
  over: 'partition',
  reads: ['devices', 'memory'],
  requires: ['memory-empty', 'memory-too-wide', 'memory-not-page-aligned', 'device-not-on-board'],
  summary: 'No device of a partition is where the partition has memory.',
  remedy: 'Move the device, or end the memory before it.',
  *run(partition, context) {
    for (const { node, range } of registersOf(context.tree, partition)) {
      if (!context.sound(node, 'reg') || !context.passed(node, ...soundRegisters)) continue;
      const memory = memoryOf(partition).find((r) => overlaps(r, range));
      if (!memory) continue;
      const own = placeOf(node) === 'partition';
      yield {
        ...(own ? at(node, 'reg') : at(partition, 'devices')),
        message: `${nameOf(node)} is at ${span(range)}, within the memory ${span(memory)} of ${nameOf(partition)}`,
        remedy: own ? 'move it out of the memory' : 'end the memory before it',
      };
    }
  },
};

const twoFinishers: Rule = {
  name: 'two-finishers',
  severity: 'error',
  over: 'partition',
  summary: 'A partition has at most one finisher.',
  remedy: 'Take out all but one.',
  *run(partition) {
    const [first, ...more] = portsOf(partition).filter(isFinisher);
    for (const node of more)
      yield {
        node,
        message: `${nameOf(node)} is a second finisher, beside '${first!.name}'`,
        remedy: 'take one of them out',
      };
  },
};

/** Why a node cannot be given to a partition, or undefined where it can. */
function notADevice(node: Node): string | undefined {
  if (placeOf(node) !== 'board') return 'not a device of the board';
  const type = node.get('device_type')?.string;
  if (type === 'cpu') return "the board's processor";
  if (type === 'memory') return "the board's memory";
  if (node.has('interrupt-controller')) return "the board's interrupt controller, of which every partition has its own";
  if (node.get('status')?.string === 'disabled') return 'disabled on this board';
  if (physicalReg(node).length === 0) return 'not a device with registers';
  return undefined;
}

const deviceNotOnBoard: Rule = {
  name: 'device-not-on-board',
  severity: 'error',
  over: 'partition',
  reads: ['devices'],
  summary:
    '`devices` names devices of the board: not its processor, memory or interrupt controller, and nothing of a partition.',
  remedy:
    'Refer to a device of the board by its label; devices that the hypervisor provides are nodes of the partition.',
  *run(partition, { tree, board }) {
    for (const node of devicesOf(tree, partition)) {
      const reason = notADevice(node);
      if (reason === undefined) continue;
      const devices = board.filter((one) => notADevice(one) === undefined);
      const labels = devices.flatMap((one) => one.labels.slice(0, 1));
      const remedy =
        labels.length === 0
          ? 'take it out'
          : `take it out; what can be given: ${labels.map((l) => `&${l}`).join(', ')}`;
      yield {
        ...at(partition, 'devices'),
        message: `${nameOf(partition)} is given ${node.path}, which is ${reason}`,
        remedy,
      };
    }
  },
};

const deviceGivenTwice: Rule = {
  name: 'device-given-twice',
  severity: 'error',
  over: 'partition',
  reads: ['devices'],
  requires: ['device-not-on-board'],
  summary: 'A device of the board is given at most once.',
  remedy: "Take it out of all but one partition's `devices`.",
  *run(partition, context) {
    const { tree, partitions } = context;
    const holders = memo(tree.root, 'holders of devices', () => {
      const first = new Map<Node, Node>();
      for (const one of partitions.filter((other) => context.sound(other, 'devices')))
        for (const node of devicesOf(tree, one)) if (!first.has(node)) first.set(node, one);
      return first;
    });
    const seen = new Set<Node>();
    for (const node of devicesOf(tree, partition)) {
      const first = holders.get(node);
      const holder = first === partition ? undefined : first;
      const twice = seen.has(node);
      seen.add(node);
      if (!holder && !twice) continue;
      const message = holder
        ? `${nameOf(partition)} is given ${node.path}, which ${nameOf(holder)} already has`
        : `${nameOf(partition)} is given ${node.path} twice`;
      yield {
        ...at(partition, 'devices'),
        message,
        remedy: holder ? 'take it out of one of the two' : 'write it once',
      };
    }
  },
};

const deviceSharesPage: Rule = {
  name: 'device-shares-page',
  severity: 'note',
  over: 'partition',
  reads: ['devices'],
  requires: ['device-not-on-board', 'device-given-twice', 'reg-overlap'],
  summary:
    'A device that is given to a partition has its pages of 4 KiB to itself: then its registers are reached without an exit.',
  remedy: 'Give a device on a page of its own, such as UART4, or accept an exit for every access.',
  *run(partition, context) {
    const { tree } = context;
    for (const device of devicesOf(tree, partition)) {
      const [page] = pagesOf(device);
      const neighbours = neighboursOf(tree, partition, device);
      if (!page || neighbours.length === 0) continue;
      const names = neighbours.map(({ node, range }) => `${nameOf(node)} (${span(range)})`).join(', ');
      const others = neighbours.map(({ node }) => node);
      const movable = others.length === 1 && placeOf(others[0]!) === 'partition';
      yield {
        ...at(partition, 'devices'),
        message: `every access of ${nameOf(partition)} to ${device.path} is an exit, since the page at ${hex(page.base)} is also that of ${names}`,
        remedy: movable
          ? `move ${nameOf(others[0]!)} to another page`
          : `give it a device that has its ${count(PAGE, 'byte')} to itself, such as UART4`,
      };
    }
  },
};

const stdoutNotAConsole: Rule = {
  name: 'stdout-not-a-console',
  severity: 'error',
  over: 'partition',
  reads: ['stdout'],
  summary: '`stdout` names a serial port or a byte channel of the same partition.',
  remedy: 'Write the name of one of them with its unit address, or leave `stdout` out for the first.',
  *run(partition, { tree }) {
    const stdout = partition.get('stdout');
    if (!stdout || consoleOf(tree, partition)) return;
    const names = consolesOf(partition).map((port) => port.name);
    const wanted = stdout.form === 'cells' ? (tree.byPhandle(stdout.cells[0]!)?.path ?? '') : stdout.string;
    yield {
      node: partition,
      property: stdout,
      message: `'${wanted}' is no serial port or byte channel of ${nameOf(partition)}`,
      remedy: names.length === 0 ? 'add one, or take stdout out' : didYouMean(wanted, names),
    };
  },
};

const noConsole: Rule = {
  name: 'no-console',
  severity: 'warning',
  over: 'partition',
  reads: ['devices', 'stdout'],
  requires: ['stdout-not-a-console'],
  summary:
    'A partition has something to speak by: a serial port, a byte channel without `endpoint`, or a UART of the board.',
  remedy: 'Add a serial port to the partition.',
  *run(partition, { tree }) {
    // A child of unknown kind may have been meant as the console: it has its own finding.
    const others = partition.children.some((child) => child.name !== 'node-update' && !bindingOf(child));
    const uart = devicesOf(tree, partition).some((node) => node.isCompatible('ns16550', 'ns16550a'));
    if (others || uart || streamPortsOf(partition).length > 0) return;
    yield {
      node: partition,
      message: `${nameOf(partition)} has no console: nothing that it prints can be seen`,
      remedy: 'add serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };',
    };
  },
};

/** What can be wrong with the registers of devices. */
export const registerRules: readonly Rule[] = [regSize, regWraps, unitAddress];

/** What can be wrong with the devices of a partition. */
export const deviceRules: readonly Rule[] = [
  deviceNotOnBoard,
  deviceGivenTwice,
  regOverlap,
  regInMemory,
  deviceSharesPage,
  twoFinishers,
  stdoutNotAConsole,
  noConsole,
];
