import type { Ignore } from './ignores.js';
import { memo } from './memo.js';
import type { Origin } from './origin.js';

/** Where something stands in a source text; lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly col: number;
  /** The includes and macros by which it came to stand there. */
  readonly via?: Origin;
}

/** How a value was written, for printing it back: `<…>`, `"…"`, `[…]`, several of them, or nothing at all. */
export type ValueForm = 'cells' | 'strings' | 'bytes' | 'mixed' | 'empty';

/** A named value. The bytes are what a blob holds: big-endian cells, NUL-terminated strings. */
export class Property {
  constructor(
    readonly name: string,
    public value: Uint8Array,
    /** Where its name stands. */
    readonly at: Position,
    readonly form: ValueForm = 'bytes',
    readonly labels: string[] = [],
    /** The offsets of cells that a source wrote as references; undefined where nobody knows, as in a blob. */
    readonly references?: readonly number[],
  ) {}

  /** The value as 32-bit big-endian cells, unsigned; bytes behind the last whole cell are left out. */
  get cells(): number[] {
    const view = new DataView(this.value.buffer, this.value.byteOffset, this.value.length);
    return Array.from({ length: this.value.length >> 2 }, (_, i) => view.getUint32(i * 4));
  }

  /** The strings of a value, which is not written in place once they have been asked for. */
  #read: { readonly of: Uint8Array; readonly strings: readonly string[] } | undefined;

  /** The value as NUL-terminated strings (Latin-1); a last one without its NUL counts too. */
  get strings(): readonly string[] {
    if (this.#read?.of === this.value) return this.#read.strings;
    const strings = latin1(this.value).split('\0');
    if (strings.at(-1) === '') strings.pop();
    this.#read = { of: this.value, strings };
    return strings;
  }

  get string(): string {
    return this.strings[0] ?? '';
  }
}

/** What `String.fromCharCode` takes at once. */
const AT_ONCE = 4096;

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += AT_ONCE) text += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  return text;
}

/** A node of a device tree. Properties and children keep the order of the source. */
export class Node {
  readonly properties = new Map<string, Property>();
  readonly children: Node[] = [];
  readonly labels: string[] = [];

  constructor(
    /** With its unit address: `serial@ef600300`; empty for the root. */
    readonly name: string,
    readonly at: Position,
    public parent: Node | null = null,
  ) {}

  /** The name without its unit address. */
  get baseName(): string {
    return this.name.split('@')[0]!;
  }

  /** What follows the `@`, or undefined. */
  get unitAddress(): string | undefined {
    const at = this.name.indexOf('@');
    return at < 0 ? undefined : this.name.slice(at + 1);
  }

  /** The full path, `/` for the root. */
  get path(): string {
    if (!this.parent) return '/';
    return this.parent.parent ? `${this.parent.path}/${this.name}` : `/${this.name}`;
  }

  get(name: string): Property | undefined {
    return this.properties.get(name);
  }

  has(name: string): boolean {
    return this.properties.has(name);
  }

  /** The value's first cell, unsigned, or undefined where the property is missing or shorter than a cell. */
  cell(name: string): number | undefined {
    const value = this.get(name)?.value;
    if (value === undefined || value.length < 4) return undefined;
    return ((value[0]! << 24) | (value[1]! << 16) | (value[2]! << 8) | value[3]!) >>> 0;
  }

  /** A child by its name with unit address, or, where only one has it, by its base name. */
  child(name: string): Node | undefined {
    const exact = this.children.find((c) => c.name === name);
    if (exact) return exact;
    const alike = this.children.filter((c) => c.baseName === name);
    return alike.length === 1 ? alike[0] : undefined;
  }

  get phandle(): number | undefined {
    return this.cell('phandle') ?? this.cell('linux,phandle');
  }

  get compatible(): readonly string[] {
    return this.get('compatible')?.strings ?? [];
  }

  isCompatible(...names: string[]): boolean {
    return this.compatible.some((c) => names.includes(c));
  }

  /** `#address-cells` and `#size-cells` that this node sets for its children (device-tree specification, defaults 2 and 1). */
  get addressCells(): number {
    return this.cell('#address-cells') ?? 2;
  }

  get sizeCells(): number {
    return this.cell('#size-cells') ?? 1;
  }

  /** This node and all below it, in source order. */
  *walk(): Generator<Node> {
    yield this;
    for (const child of this.children) yield* child.walk();
  }

  set(name: string, value: Uint8Array, form: ValueForm = 'bytes', at: Position = this.at): Property {
    const property = new Property(name, value, at, form, this.get(name)?.labels ?? []);
    this.properties.set(name, property);
    return property;
  }

  setCells(name: string, ...cells: number[]): Property {
    const view = new DataView(new ArrayBuffer(cells.length * 4));
    cells.forEach((cell, i) => view.setUint32(i * 4, cell));
    return this.set(name, new Uint8Array(view.buffer), 'cells');
  }

  setStrings(name: string, ...strings: string[]): Property {
    const text = strings.map((s) => `${s}\0`).join('');
    return this.set(
      name,
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
      'strings',
    );
  }

  setFlag(name: string): Property {
    return this.set(name, new Uint8Array(0), 'empty');
  }

  add(name: string, at: Position = this.at): Node {
    const child = new Node(name, at, this);
    this.children.push(child);
    return child;
  }
}

/** A memory reservation (`/memreserve/`). */
export interface Reservation {
  readonly address: bigint;
  readonly size: bigint;
}

export class Tree {
  readonly reservations: Reservation[] = [];
  /** The header's boot_cpuid_phys. */
  bootCpu = 0;
  /** An overlay (`/plugin/`): what it refers to may be elsewhere. */
  plugin = false;
  /** Names of the root's children that no source wrote: `__symbols__` and what an overlay's references become. */
  readonly added = new Set<string>();
  /** Nodes that a source left without children by deleting them all: to dtc's checks they have some still. */
  readonly emptied = new Set<Node>();
  /** Comments in the source that ignore findings. */
  readonly ignores: Ignore[] = [];

  constructor(readonly root: Node) {}

  /** A node by full path (`/soc/serial@0`), by alias, or by `&label`. */
  find(path: string): Node | undefined {
    if (path.startsWith('&')) return this.byLabel(path.slice(1));
    if (!path.startsWith('/')) {
      const [alias = '', ...rest] = path.split('/');
      const target = this.root.child('aliases')?.get(alias)?.string;
      return target?.startsWith('/') ? this.find([target, ...rest].join('/')) : undefined;
    }
    let node: Node | undefined = this.root;
    for (const part of path.split('/')) if (part !== '') node = node?.child(part);
    return node;
  }

  byLabel(label: string): Node | undefined {
    for (const node of this.root.walk()) if (node.labels.includes(label)) return node;
    return undefined;
  }

  /** The first node of every phandle. */
  #phandles(): Map<number, Node> {
    const nodes = new Map<number, Node>();
    for (const node of this.root.walk()) {
      const { phandle } = node;
      if (phandle !== undefined && !nodes.has(phandle)) nodes.set(phandle, node);
    }
    return nodes;
  }

  byPhandle(phandle: number): Node | undefined {
    return memo(this.root, 'phandles', () => this.#phandles()).get(phandle);
  }
}
