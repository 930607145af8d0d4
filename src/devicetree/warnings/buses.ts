import { hex } from '../addresses.js';
import type { Node } from '../tree.js';
import { unit, type Complaint, type State, type Warning } from './warning.js';

const unitAddressVsReg: Warning = {
  name: 'unit_address_vs_reg',
  level: 'warning',
  summary: 'A node has a unit address in its name if, and only if, it has a `reg`, or `ranges` with entries.',
  remedy: 'write both, or neither: NAME@ADDRESS with the first address in hexadecimal, without 0x',
  *run(node) {
    if (node.children.some(({ name }) => name === '__overlay__')) return;
    const ranges = node.get('ranges');
    const placed = node.has('reg') || (ranges !== undefined && ranges.value.length > 0);
    if (placed && unit(node) === '') yield { node, message: `${node.path} has a reg or ranges, and no unit address` };
    if (!placed && unit(node) !== '')
      yield { node, message: `${node.path} has a unit address, and neither reg nor ranges` };
  },
};

const unitAddressFormat: Warning = {
  name: 'unit_address_format',
  level: 'warning',
  after: ['node_name_format', 'pci_bridge', 'simple_bus_bridge'],
  summary: 'A unit address has neither `0x` nor zeros before it.',
  remedy: 'write the address in hexadecimal, without 0x and leading zeros',
  *run(node, state) {
    if (state.busAbove(node)) return;
    const prefixed = unit(node).startsWith('0x');
    const digits = prefixed ? unit(node).slice(2) : unit(node);
    if (prefixed) yield { node, message: `the unit address of ${node.path} begins with 0x` };
    if (/^0[0-9a-fA-F]/.test(digits)) yield { node, message: `the unit address of ${node.path} has leading zeros` };
  },
};

const pciBridge: Warning = {
  name: 'pci_bridge',
  level: 'warning',
  after: ['device_type_is_string', 'addr_size_cells'],
  summary:
    'A node with `device_type = "pci"` is called `pci` or `pcie`, has `ranges`, 3 cells of address, 2 of size, and a sound `bus-range`.',
  remedy: 'pcie@… { device_type = "pci"; #address-cells = <3>; #size-cells = <2>; ranges = …; bus-range = <0 255>; }',
  *run(node, state) {
    if (node.get('device_type')?.string !== 'pci') return;
    state.buses.set(node, 'PCI');
    if (node.baseName !== 'pci' && node.baseName !== 'pcie')
      yield { node, message: `${node.path} is a PCI bridge, and is not called 'pci' or 'pcie'` };
    if (!node.has('ranges')) yield { node, message: `the PCI bridge ${node.path} has no ranges, or is none` };
    if (state.addressCells(node) !== 3) yield { node, message: `the PCI bridge ${node.path} has not 3 #address-cells` };
    if (state.sizeCells(node) !== 2) yield { node, message: `the PCI bridge ${node.path} has not 2 #size-cells` };
    const property = node.get('bus-range');
    if (!property) return;
    if (property.value.length !== 8)
      return void (yield { node, property, message: `'bus-range' of ${node.path} is not two cells` });
    const [first, last] = property.cells as [number, number];
    if (first > last)
      yield { node, property, message: `'bus-range' of ${node.path} begins with ${first}, and ends before that` };
    if (last > 0xff) yield { node, property, message: `'bus-range' of ${node.path} ends with ${last}, beyond 255` };
  },
};

const pciDeviceReg: Warning = {
  name: 'pci_device_reg',
  level: 'warning',
  after: ['reg_format', 'pci_bridge'],
  summary:
    "A PCI device's `reg` is its address in configuration space, and its unit address DEVICE or DEVICE,FUNCTION.",
  remedy: 'write reg = <(bus << 16 | device << 11 | function << 8) 0 0 0 0>; and call the node by DEVICE,FUNCTION',
  *run(node, state) {
    const property = node.get('reg');
    if (state.busAbove(node) !== 'PCI' || !property) return;
    const [reg = 0, middle = 0, low = 0] = property.cells;
    const [device, fn] = [(reg & 0xf800) >> 11, (reg & 0x700) >> 8];
    const tell = (what: string): Complaint => ({ node, property, message: `the 'reg' of ${node.path} ${what}` });
    if (middle !== 0 || low !== 0) yield tell('has other than 0 in the second and third cells of its address');
    if ((reg & 0xff000000) !== 0) yield tell('is not in configuration space');
    if ((reg & 0xff) !== 0) yield tell('names a register within the configuration space');
    const both = `${device.toString(16)},${fn.toString(16)}`;
    if (unit(node) === both || (fn === 0 && unit(node) === device.toString(16))) return;
    yield {
      node,
      message: `the unit address of ${node.path} is not that of its 'reg'`,
      remedy: `call it ${node.baseName}@${both}`,
    };
  },
};

const pciDeviceBus: Warning = {
  name: 'pci_device_bus_num',
  level: 'warning',
  after: ['reg_format', 'pci_bridge'],
  summary: "A PCI device's `reg` has the number of its bridge's first bus.",
  remedy: "write the first number of the bridge's bus-range (0 without one) into bits 16 to 23 of reg",
  *run(node, state) {
    const reg = node.get('reg');
    if (state.busAbove(node) !== 'PCI' || !reg) return;
    const bus = ((reg.cells[0] ?? 0) & 0xff0000) >> 16;
    const first = node.parent!.cell('bus-range') ?? 0;
    if (bus !== first)
      yield { node, property: reg, message: `${node.path} is on PCI bus ${bus}, and its bridge's is ${first}` };
  },
};

const simpleBusBridge: Warning = {
  name: 'simple_bus_bridge',
  silent: true,
  level: 'warning',
  after: ['addr_size_cells', 'compatible_is_string_list'],
  summary: 'A node that is compatible with `simple-bus` is one.',
  remedy: 'mend what it comes after',
  run(node, { buses }) {
    if (node.isCompatible('simple-bus')) buses.set(node, 'simple-bus');
  },
};

/** An address of so many cells, as dtc reads it: the last 64 bits; a cell that is missing counts as 0. */
const address = (cells: readonly number[], count: number): bigint =>
  (BigInt(cells[count - 2] ?? 0) << 32n) | BigInt(cells[count - 1] ?? 0);

const simpleBusReg: Warning = {
  name: 'simple_bus_reg',
  level: 'warning',
  after: ['reg_format', 'simple_bus_bridge'],
  summary: 'A child of a `simple-bus` has a `reg` or `ranges`, and their first address as its unit address.',
  remedy: 'give it its reg, or move it out of the bus, to the root',
  *run(node, state) {
    const { parent } = node;
    if (!parent || state.busAbove(node) !== 'simple-bus') return;
    const [reg, ranges] = [node.get('reg'), node.get('ranges')];
    const cells = reg ? reg.cells : ranges?.cells.slice(state.addressCells(node));
    if ((reg ?? ranges)?.value.length) {
      const wanted = address(cells ?? [], state.addressCells(parent)).toString(16);
      if (unit(node) !== wanted)
        yield {
          node,
          message: `the unit address of ${node.path} is not that of its ${reg ? 'reg' : 'ranges'}`,
          remedy: `call it ${node.baseName}@${wanted}`,
        };
    } else if (parent.parent && state.buses.get(node) !== 'simple-bus') {
      yield { node, message: `${node.path} is on a simple-bus, and has no reg or ranges` };
    }
  },
};

/** A bus's node has these cells. */
function* cellsOfBus(node: Node, state: State, bus: string, addressCells: number): Iterable<Complaint> {
  const remedy = `write #address-cells = <${addressCells}>; #size-cells = <0>;`;
  if (state.addressCells(node) !== addressCells)
    yield { node, message: `the ${bus} bus ${node.path} has not ${addressCells} #address-cells`, remedy };
  if (state.sizeCells(node) !== 0) yield { node, message: `the ${bus} bus ${node.path} has not 0 #size-cells`, remedy };
}

const i2cBridge: Warning = {
  name: 'i2c_bus_bridge',
  level: 'warning',
  after: ['addr_size_cells'],
  summary: 'A node `i2c`, `i2c-bus` or `i2c-arb` with children has 1 cell of address and none of size.',
  remedy: 'write #address-cells = <1>; #size-cells = <0>;',
  *run(node, state) {
    if (!['i2c', 'i2c-bus', 'i2c-arb'].includes(node.baseName)) return;
    state.buses.set(node, 'i2c-bus');
    if (state.hasChildren(node)) yield* cellsOfBus(node, state, 'I2C', 1);
  },
};

const OWN_SLAVE = 0x40000000;
const TEN_BIT = 0x80000000;

const i2cReg: Warning = {
  name: 'i2c_bus_reg',
  level: 'warning',
  after: ['reg_format', 'i2c_bus_bridge'],
  summary: 'A device on an I2C bus has a `reg` of 7 bits, and that as its unit address.',
  remedy: 'write the 7-bit address, without the read bit: NAME@50 { reg = <0x50>; }',
  *run(node, state) {
    if (state.busAbove(node) !== 'i2c-bus') return;
    const property = node.get('reg');
    if (!property || property.value.length === 0)
      return void (yield { node, message: `${node.path} is on an I2C bus, and has no reg` });
    const addresses = property.cells.map((cell) => (cell & ~OWN_SLAVE) >>> 0);
    const wanted = (addresses[0] ?? 0).toString(16);
    if (unit(node) !== wanted)
      yield {
        node,
        message: `the unit address of ${node.path} is not that of its reg`,
        remedy: `call it ${node.baseName}@${wanted}`,
      };
    for (const one of addresses)
      if (one > 0x7f)
        yield {
          node,
          property,
          message: `${node.path} has the I2C address ${hex(one)}, of more than ${one >= TEN_BIT && one - TEN_BIT > 0x3ff ? 10 : 7} bits`,
        };
  },
};

const spiBridge: Warning = {
  name: 'spi_bus_bridge',
  level: 'warning',
  after: ['addr_size_cells'],
  summary: 'An SPI bus is called `spi`, and with children has 1 cell of address (as a slave none), and none of size.',
  remedy: 'write spi@… { #address-cells = <1>; #size-cells = <0>; }',
  *run(node, state) {
    if (node.baseName === 'spi') state.buses.set(node, 'spi-bus');
    else {
      if (state.addressCells(node) !== 1 || state.sizeCells(node) !== 0) return;
      // A bus by another name is told by what its children say.
      const devices = node.children.flatMap((child) => [...child.properties.keys()]);
      if (devices.some((name) => name.startsWith('spi-'))) state.buses.set(node, 'spi-bus');
      if (state.buses.get(node) === 'spi-bus' && node.has('reg'))
        yield { node, message: `${node.path} is an SPI bus, and is not called 'spi'` };
    }
    if (state.buses.get(node) !== 'spi-bus' || !state.hasChildren(node)) return;
    yield* cellsOfBus(node, state, 'SPI', node.has('spi-slave') ? 0 : 1);
  },
};

const spiReg: Warning = {
  name: 'spi_bus_reg',
  level: 'warning',
  after: ['reg_format', 'spi_bus_bridge'],
  summary: 'A device on an SPI bus has its chip select as its `reg`, and that as its unit address.',
  remedy: 'write NAME@0 { reg = <0>; }, with the number of its chip select',
  *run(node, state) {
    if (state.busAbove(node) !== 'spi-bus' || node.parent?.has('spi-slave')) return;
    const reg = node.get('reg');
    if (!reg || reg.value.length === 0)
      return void (yield { node, message: `${node.path} is on an SPI bus, and has no reg` });
    const wanted = (reg.cells[0] ?? 0).toString(16);
    if (unit(node) !== wanted)
      yield {
        node,
        message: `the unit address of ${node.path} is not that of its reg`,
        remedy: `call it ${node.baseName}@${wanted}`,
      };
  },
};

const defaultCells: Warning = {
  name: 'avoid_default_addr_size',
  level: 'warning',
  after: ['addr_size_cells'],
  summary: 'The parent of a node with `reg` or `ranges` says how many cells an address and a size have.',
  remedy: "write the parent's #address-cells and #size-cells out",
  *run(node, state) {
    const { parent } = node;
    if (!parent || !(node.has('reg') || node.has('ranges'))) return;
    const { address: addressCells, size } = state.stated(parent);
    if (addressCells === -1)
      yield { node, message: `${node.path} relies on #address-cells, which ${parent.path} does not have` };
    if (size === -1) yield { node, message: `${node.path} relies on #size-cells, which ${parent.path} does not have` };
  },
};

const unnecessaryCells: Warning = {
  name: 'avoid_unnecessary_addr_size',
  level: 'warning',
  after: ['avoid_default_addr_size'],
  summary: 'A node whose children have no `reg`, and that has no `ranges`, has no `#address-cells` and `#size-cells`.',
  remedy: 'take #address-cells and #size-cells out',
  *run(node, state) {
    const stated = node.has('#address-cells') && node.has('#size-cells');
    const { address: addressCells, size } = state.stated(node);
    if (!node.parent || !stated || addressCells > 0x7fffffff || size > 0x7fffffff) return;
    if (node.has('ranges') || !state.hasChildren(node) || node.children.some((child) => child.has('reg'))) return;
    yield { node, message: `${node.path} says how many cells addresses have, and no child has one` };
  },
};

const isDisabled = (node: Node): boolean => node.get('status')?.string === 'disabled';

/** Nodes with a brother behind them that has the same unit address. */
function* shared(node: Node, state: State, counts: (node: Node) => boolean): Iterable<Complaint> {
  const { address: addressCells, size } = state.stated(node);
  if (addressCells === -1 || size === -1) return;
  const last = new Map<string, Node>();
  for (const child of node.children.toReversed()) {
    if (unit(child) === '' || !counts(child)) continue;
    const other = last.get(unit(child));
    if (other) yield { node: child, message: `${child.path} has the unit address of ${other.path}` };
    else last.set(unit(child), child);
  }
}

const uniqueUnit: Warning = {
  name: 'unique_unit_address',
  level: 'warning',
  after: ['avoid_default_addr_size'],
  summary: 'No two children of a node have the same unit address.',
  remedy: 'give one of them its own address',
  run: (node, state) => shared(node, state, () => true),
};

const uniqueEnabledUnit: Warning = {
  name: 'unique_unit_address_if_enabled',
  level: 'off',
  after: ['avoid_default_addr_size'],
  summary: 'No two children of a node that are not disabled have the same unit address.',
  remedy: 'give one of them its own address, or status = "disabled"',
  run: (node, state) => shared(node, state, (child) => !isDisabled(child)),
};

/** Unit addresses, and the buses that have their own. */
export const busWarnings: readonly Warning[] = [
  unitAddressVsReg,
  unitAddressFormat,
  pciBridge,
  pciDeviceReg,
  pciDeviceBus,
  simpleBusBridge,
  simpleBusReg,
  i2cBridge,
  i2cReg,
  spiBridge,
  spiReg,
  defaultCells,
  unnecessaryCells,
  uniqueUnit,
  uniqueEnabledUnit,
];
