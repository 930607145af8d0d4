import { placeOf } from '../bindings/index.js';
import type { Node, Property, Tree } from '../tree.js';

/** What dtc makes of a finding: nothing, a warning, or an error, without a blob. */
export type Level = 'off' | 'warning' | 'error';

/** What a check of dtc's has found on a node. */
export interface Complaint {
  readonly node: Node;
  readonly property?: Property | undefined;
  readonly message: string;
  /** Where the remedy of the check as such can be said more exactly. */
  readonly remedy?: string;
}

/** A check of dtc's, by its name there. */
export interface Warning {
  /** With underscores, as `dtc -W` takes it. */
  readonly name: string;
  /** What it is unless `-W` and `-E` say otherwise. */
  readonly level: Level;
  /** What must hold, as one sentence. */
  readonly summary: string;
  /** How it is mended, as the end of a message. */
  readonly remedy: string;
  /** The checks that must have found nothing in the whole tree, by name. */
  readonly after?: readonly string[];
  /** It finds nothing itself: it finds out what others want to know. */
  readonly silent?: true;
  run(node: Node, state: State): Iterable<Complaint> | void;
}

/** The kind of bus that a node is, as its addresses are written. */
export type Bus = 'PCI' | 'simple-bus' | 'i2c-bus' | 'spi-bus' | 'graph-port' | 'graph-ports';

/** `#address-cells` and `#size-cells`; -1 where the node does not say. */
export interface StatedCells {
  readonly address: number;
  readonly size: number;
}

/** What dtc's checks find out for those that come after them. */
export class State {
  readonly buses = new Map<Node, Bus>();
  /** Of the nodes that `addr_size_cells` has looked at. */
  readonly cells = new Map<Node, StatedCells>();
  readonly #phandles = new Map<number, Node>();

  constructor(readonly tree: Tree) {
    for (const node of tree.root.walk()) {
      const { phandle } = node;
      if (phandle !== undefined && !this.#phandles.has(phandle)) this.#phandles.set(phandle, node);
    }
  }

  byPhandle(phandle: number): Node | undefined {
    return this.#phandles.get(phandle);
  }

  /** What a node says of its children's addresses; nothing (0) before `addr_size_cells` has been there. */
  stated(node: Node): StatedCells {
    return this.cells.get(node) ?? { address: 0, size: 0 };
  }

  /** Cells of an address of the node's children, 2 where it does not say. */
  addressCells(node: Node): number {
    const { address } = this.stated(node);
    return address === -1 ? 2 : address;
  }

  /** Cells of a size of the node's children, 1 where it does not say. */
  sizeCells(node: Node): number {
    const { size } = this.stated(node);
    return size === -1 ? 1 : size;
  }

  /** Whether a node has children, or had some that were deleted: dtc does not look closer. */
  hasChildren(node: Node): boolean {
    return node.children.length > 0 || this.tree.emptied.has(node);
  }

  /** The bus that the node is on. */
  busAbove({ parent }: Node): Bus | undefined {
    return parent ? this.buses.get(parent) : undefined;
  }

  /**
   * The nodes that dtc's checks see, parents first: not what `-@` and `/plugin/` add to a source. Of hv440's own
   * `/partitions`, what is merged into a guest's tree is no part of this one.
   */
  *nodes(node: Node = this.tree.root): Generator<Node> {
    yield node;
    for (const child of node.children) {
      if (node === this.tree.root && this.tree.added.has(child.name)) continue;
      if (child.name === 'node-update' && placeOf(node) === 'partitions') continue;
      yield* this.nodes(child);
    }
  }
}

/** The unit address of a node, or the empty string. */
export const unit = (node: Node): string => node.unitAddress ?? '';

/** Whether bytes are one string: they end in their only NUL. */
export const isOneString = ({ value }: Property): boolean => value.length > 0 && value.indexOf(0) === value.length - 1;

/** Whether bytes are strings, each with its NUL; none at all are. */
export const areStrings = ({ value }: Property): boolean => value.length === 0 || value.at(-1) === 0;

/** Whether so many bytes are whole entries of a size; of entries of size 0, whether there are none. */
export const isMultiple = (bytes: number, entry: number): boolean => (entry === 0 ? bytes === 0 : bytes % entry === 0);

/** `4 bytes`. */
export const byteCount = ({ value: { length } }: Property): string => `${length} byte${length === 1 ? '' : 's'}`;
