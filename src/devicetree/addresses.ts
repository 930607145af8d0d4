import { placeOf } from './bindings/index.js';
import { partition as partitionBinding } from './bindings/partition.js';
import { memoOf, rootOf } from './memo.js';
import { Tree, type Node } from './tree.js';

/** Bytes from `base` on, `size` of them. Plain numbers: physical addresses of a 440 have 36 bits. */
export interface Range {
  readonly base: number;
  readonly size: number;
}

/** An interrupt as the device tree names it: a line of a controller, and how it is sensed. */
export interface Interrupt {
  readonly controller: Node;
  readonly line: number;
  /** 1 rising edge, 2 falling edge, 4 level high, 8 level low (Linux bindings, interrupt-controller/interrupts.txt). */
  readonly type: number;
}

/** The sense of an interrupt that names none: level high, as all on-chip sources of the 440EP are. */
export const LEVEL_HIGH = 4;

/** `0x1f`. */
export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** A 64-bit value of two cells; exact up to 53 bits, which is more than a 440 can address. */
export const join64 = (high: number, low: number): number => high * 2 ** 32 + low;

/** Whether two ranges share a byte. */
export const overlaps = (a: Range, b: Range): boolean => a.base < b.base + b.size && b.base < a.base + a.size;

/** `0x1000–0x1fff`. */
export const span = ({ base, size }: Range): string =>
  size === 0 ? hex(base) : `${hex(base)}–${hex(base + size - 1)}`;

/** How many cells an address and a size of this node's children have; a partition's are 1 and 1 where it says nothing. */
export function childCells(parent: Node): { address: number; size: number } {
  if (placeOf(parent) !== 'partitions') return { address: parent.addressCells, size: parent.sizeCells };
  const { '#address-cells': address, '#size-cells': size } = partitionBinding.properties;
  return {
    address: parent.cell('#address-cells') ?? address.default,
    size: parent.cell('#size-cells') ?? size.default,
  };
}

/**
 * The node's `reg` in its parent's address space. Of an address wider than 64 bits the cells above, which say
 * what kind of address it is (PCI), are left out; what does not fill a whole entry too.
 */
export const regOf: (node: Node) => Range[] = memoOf((node) => {
  const cells = node.get('reg')?.cells ?? [];
  if (!node.parent) return [];
  const { address, size } = childCells(node.parent);
  const entry = address + size;
  if (entry === 0) return [];
  return Array.from({ length: Math.floor(cells.length / entry) }, (_, i) => ({
    base: numberOf(cells.slice(i * entry, i * entry + address)),
    size: numberOf(cells.slice(i * entry + address, (i + 1) * entry)),
  }));
});

const numberOf = (cells: readonly number[]): number => join64(cells.at(-2) ?? 0, cells.at(-1) ?? 0);

/**
 * The node's `reg` as the processor sees it, translated through the `ranges` of every bus above (device-tree
 * specification 2.3.8). An entry that some bus above does not pass on is left out: the processor cannot reach it.
 */
export const physicalReg: (node: Node) => Range[] = memoOf((node) => {
  const reached: Range[] = [];
  for (const range of regOf(node)) {
    const physical = translate(range, node.parent);
    if (physical) reached.push(physical);
  }
  return reached;
});

/** The device control registers of a node, from `dcr-reg`: runs of register numbers, not of bytes. */
export function dcrsOf(node: Node): Range[] {
  const cells = node.get('dcr-reg')?.cells ?? [];
  return Array.from({ length: Math.floor(cells.length / 2) }, (_, i) => ({
    base: cells[2 * i]!,
    size: cells[2 * i + 1]!,
  }));
}

function translate(range: Range, bus: Node | null): Range | undefined {
  if (!bus?.parent) return range;
  const ranges = bus.get('ranges');
  if (!ranges) return undefined;
  if (ranges.value.length === 0) return translate(range, bus.parent);
  for (const { from, to, size } of windowsOf(bus)) {
    const inside = range.base >= from && range.base + range.size <= from + size;
    if (inside) return translate({ base: range.base - from + to, size: range.size }, bus.parent);
  }
  return undefined;
}

/** The entries of a bus's `ranges`: `size` bytes of its own addresses from `from` on are its parent's from `to` on. */
function windowsOf(bus: Node): { from: number; to: number; size: number }[] {
  const cells = bus.get('ranges')?.cells ?? [];
  if (!bus.parent) return [];
  const child = childCells(bus);
  const parent = childCells(bus.parent);
  const entry = child.address + parent.address + child.size;
  if (entry === 0) return [];
  return Array.from({ length: Math.floor(cells.length / entry) }, (_, n) => {
    const i = n * entry;
    return {
      from: numberOf(cells.slice(i, i + child.address)),
      to: numberOf(cells.slice(i + child.address, i + child.address + parent.address)),
      size: numberOf(cells.slice(i + child.address + parent.address, i + entry)),
    };
  });
}

/** What a bus passes on, as the processor sees it: `child` is where a range begins among the bus's own addresses. */
export const busRanges = (bus: Node): (Range & { readonly child: number })[] =>
  windowsOf(bus).flatMap(({ from, to, size }) => {
    const physical = translate({ base: to, size }, bus.parent);
    return physical ? [{ child: from, ...physical }] : [];
  });

/** The whole tree that a node stands in. */
export const treeOf = (node: Node): Tree => new Tree(rootOf(node));

/** The controller that the node's interrupts go to: `interrupt-parent`, its own or the nearest above (specification 2.4.1). */
export const interruptParent: (node: Node) => Node | undefined = memoOf((node) => {
  const tree = treeOf(node);
  for (let at: Node | null = node; at; at = at.parent) {
    const phandle = at.cell('interrupt-parent');
    if (phandle !== undefined) return tree.byPhandle(phandle);
    if (at !== node && at.has('interrupt-controller')) return at;
  }
  return undefined;
});

/** The node's interrupts, from `interrupts-extended` or else `interrupts`; none where their controller is not to be found. */
export const interruptsOf: (node: Node) => Interrupt[] = memoOf((node) => {
  const extended = node.get('interrupts-extended');
  if (extended) return extendedInterrupts(extended.cells, treeOf(node));
  const cells = node.get('interrupts')?.cells ?? [];
  const controller = cells.length > 0 ? interruptParent(node) : undefined;
  if (!controller) return [];
  const entry = Math.max(1, controller.cell('#interrupt-cells') ?? 1);
  return Array.from({ length: Math.floor(cells.length / entry) }, (_, i) =>
    interrupt(controller, cells.slice(i * entry, (i + 1) * entry)),
  );
});

function extendedInterrupts(cells: readonly number[], tree: Tree): Interrupt[] {
  const found: Interrupt[] = [];
  for (let i = 0; i < cells.length;) {
    const controller = tree.byPhandle(cells[i]!);
    if (!controller) return found;
    const entry = Math.max(1, controller.cell('#interrupt-cells') ?? 1);
    found.push(interrupt(controller, cells.slice(i + 1, i + 1 + entry)));
    i += 1 + entry;
  }
  return found;
}

const interrupt = (controller: Node, cells: readonly number[]): Interrupt => ({
  controller,
  line: cells[0] ?? 0,
  type: cells[1] ?? LEVEL_HIGH,
});

/** A device's name with the address where the processor finds it: on different buses, two may have the same name. */
export function deviceName(node: Node): string {
  const [reg] = physicalReg(node);
  return reg && node.unitAddress !== undefined ? `${node.baseName}@${reg.base.toString(16)}` : node.name;
}
