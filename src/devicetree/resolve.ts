import { checkDraft } from './draft-checks.js';
import { concat } from './bytes.js';
import {
  deleteNode,
  type DraftNode,
  type DraftProperty,
  draftProperty,
  findDraft,
  live,
  type Marker,
  walkDraft,
} from './draft.js';
import { nearest } from './nearest.js';
import { addFixups, append, childNamed } from './overlay.js';
import type { Report } from './report.js';
import { Node, Property, type Reservation, Tree } from './tree.js';

/** All that a source says. */
export interface Draft {
  readonly root: DraftNode;
  readonly reservations: readonly Reservation[];
  /** An overlay: what it refers to may be elsewhere. */
  readonly plugin: boolean;
  /** Name every label in `/__symbols__`, as overlays need it (`dtc -@`). */
  readonly symbols: boolean;
  /** Labels that may stand in text that could not be read. */
  readonly lostLabels: ReadonlySet<string>;
}

/** Checks a source as a whole, gives phandles, fills in its references, and makes the tree of it. */
export function resolve(draft: Draft, report: Report): Tree {
  const { root } = draft;
  const bootCpu = guessBootCpu(root);
  checkDraft(root, report);
  const references = new References(draft, report);
  references.fill();
  const written = new Set(live(root.children).map(({ name }) => name));
  if (draft.symbols) references.addSymbols();
  if (draft.plugin) addFixups(root);
  const emptied: Node[] = [];
  const tree = new Tree(finished(root, null, emptied));
  tree.bootCpu = bootCpu;
  tree.plugin = draft.plugin;
  for (const node of emptied) tree.emptied.add(node);
  for (const { name } of tree.root.children) if (!written.has(name)) tree.added.add(name);
  tree.reservations.push(...draft.reservations);
  return tree;
}

const cell = (bytes: Uint8Array, offset = 0): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(offset);

/** As dtc: the `reg` of the first node in `/cpus`, as far as it can be known before references are filled in. */
function guessBootCpu(root: DraftNode): number {
  const reg = findDraft(root, '/cpus')?.children[0]?.properties.find((p) => p.name === 'reg' && !p.deleted);
  return reg?.value.length === 4 ? cell(reg.value) : 0;
}

/** The references of a tree, and the phandles they need. */
class References {
  readonly #byLabel = new Map<string, DraftNode>();
  readonly #paths = new Map<DraftNode, string>();
  readonly #phandles = new Map<DraftNode, number>();
  readonly #used = new Map<number, string>();
  readonly #referenced = new Set<DraftNode>();
  #next = 1;

  constructor(
    readonly draft: Draft,
    readonly report: Report,
  ) {
    for (const { node, path } of walkDraft(draft.root)) {
      this.#paths.set(node, path);
      for (const label of node.labels) if (!this.#byLabel.has(label)) this.#byLabel.set(label, node);
    }
  }

  /** In dtc's order, on which the numbers of the phandles depend. */
  fill(): void {
    for (const [node, path] of this.#paths) this.#explicitPhandle(node, path);
    for (const node of this.#paths.keys()) {
      for (const property of live(node.properties)) this.#fillPhandles(property);
    }
    for (const node of this.#paths.keys()) {
      for (const property of live(node.properties)) this.#fillPaths(property);
    }
    for (const node of this.#paths.keys()) {
      const named = this.draft.symbols && node.labels.length > 0;
      if (node.omit && !named && !node.deleted && !this.#referenced.has(node)) deleteNode(node);
    }
  }

  /** Adds `/__symbols__` with the path of every label, and gives their nodes phandles. */
  addSymbols(): void {
    const labelled = [...walkDraft(this.draft.root)].filter(({ node }) => node.labels.length > 0);
    if (labelled.length === 0) return;
    const symbols = childNamed(this.draft.root, '__symbols__');
    for (const { node, path } of labelled) {
      for (const label of node.labels) {
        if (!live(symbols.properties).some(({ name }) => name === label)) {
          append(symbols, label, new TextEncoder().encode(`${path}\0`), 'strings');
        }
      }
      this.#phandle(node);
    }
  }

  #find(name: string): DraftNode | undefined {
    return name.startsWith('/') ? findDraft(this.draft.root, name) : this.#byLabel.get(name);
  }

  /** Takes note of the phandle that a node says it has. */
  #explicitPhandle(node: DraftNode, path: string): void {
    const given = ['phandle', 'linux,phandle'].flatMap((name) => this.#givenPhandle(node, name) ?? []);
    const [first, second] = given;
    if (!first) return;
    if (second && second.value !== first.value) {
      const message = `'linux,phandle' is ${second.value}, but 'phandle' is ${first.value}`;
      this.report.error('dts-phandle', second.at, message, 'take it out');
    }
    const other = this.#used.get(first.value);
    if (other !== undefined) {
      const message = `phandle ${first.value} of '${path}' is that of '${other}' already`;
      this.report.error('dts-phandle', first.at, message, 'take it out and refer to the node by a label');
      return;
    }
    this.#used.set(first.value, path);
    this.#phandles.set(node, first.value);
  }

  #givenPhandle(node: DraftNode, name: string): { value: number; at: DraftProperty['at'] } | undefined {
    const property = live(node.properties).find((p) => p.name === name);
    if (!property) return undefined;
    const { value, at, markers } = property;
    const reference = markers.find(({ kind }) => kind === 'phandle');
    const remedy = 'take it out: nodes that are referred to by label get their phandle';
    if (value.length !== 4) {
      this.report.error('dts-phandle', at, `'${name}' has ${value.length} bytes instead of 4`, remedy);
    } else if (reference) {
      // A reference to the node itself asks for a phandle.
      if (this.#find(reference.name) === node) return undefined;
      this.report.error('dts-phandle', reference.at, `'${name}' refers to another node, '${reference.name}'`, remedy);
    } else if (cell(value) === 0 || cell(value) === 0xffffffff) {
      this.report.error('dts-phandle', at, `'${name}' cannot be 0x${cell(value).toString(16)}`, remedy);
    } else {
      return { value: cell(value), at };
    }
    return undefined;
  }

  #fillPhandles(property: DraftProperty): void {
    for (const marker of property.markers) {
      if (marker.kind !== 'phandle') continue;
      const target = this.#find(marker.name);
      if (target) {
        this.#referenced.add(target);
        const { value } = property;
        new DataView(value.buffer, value.byteOffset).setUint32(marker.offset, this.#phandle(target));
      } else if (!this.draft.plugin) this.#unknown(marker);
    }
  }

  /** A node's phandle; one that has none gets the lowest free one. */
  #phandle(node: DraftNode): number {
    const given = this.#phandles.get(node);
    if (given !== undefined) return given;
    while (this.#used.has(this.#next)) this.#next++;
    const value = new DataView(new ArrayBuffer(4));
    value.setUint32(0, this.#next);
    this.#used.set(this.#next, this.#paths.get(node)!);
    this.#phandles.set(node, this.#next);
    if (!live(node.properties).some(({ name }) => name === 'phandle')) {
      const property = draftProperty('phandle', node.at);
      node.properties.push(Object.assign(property, { value: new Uint8Array(value.buffer), form: 'cells' }));
    }
    return this.#next;
  }

  #fillPaths(property: DraftProperty): void {
    property.markers.forEach((marker, i) => {
      if (marker.kind !== 'path') return;
      const target = this.#find(marker.name);
      if (!target) return this.#unknown(marker);
      this.#referenced.add(target);
      const text = new TextEncoder().encode(`${this.#paths.get(target)!}\0`);
      const { value } = property;
      const { offset } = marker;
      property.value = concat([value.subarray(0, offset), text, value.subarray(offset)]);
      for (const later of property.markers.slice(i + 1)) later.offset += text.length;
    });
  }

  #unknown({ name, at }: Marker): void {
    if (this.draft.lostLabels.has(name)) return;
    if (name.startsWith('/')) {
      this.report.error('dts-unknown-path', at, `no node is at '${name}'`, 'correct the path, with all unit addresses');
      return;
    }
    const like = nearest(name, this.#byLabel.keys());
    const remedy = like ? `did you mean '&${like}'?` : `put '${name}:' before the node that is meant`;
    this.report.error('dts-unknown-label', at, `no node has the label '${name}'`, remedy);
  }
}

/** The tree without all that was deleted, and the nodes that it leaves without children. */
function finished(draft: DraftNode, parent: Node | null, emptied: Node[]): Node {
  const node = new Node(draft.name, draft.at, parent);
  node.labels.push(...draft.labels);
  for (const { name, at, value, form, labels, markers } of live(draft.properties)) {
    const references = markers.flatMap(({ kind, offset }) => (kind === 'phandle' ? offset : []));
    node.properties.set(name, new Property(name, value, at, value.length === 0 ? 'empty' : form, labels, references));
  }
  for (const child of live(draft.children)) node.children.push(finished(child, node, emptied));
  if (draft.children.length > 0 && node.children.length === 0) emptied.push(node);
  return node;
}
