import type { Finding } from './finding.js';
import type { Node, Property, Tree } from './tree.js';

/** The nodes of an overlay that are for whoever applies it, and do not become part of the tree. */
const orders = new Set(['__symbols__', '__fixups__', '__local_fixups__']);

/**
 * Applies an overlay to a tree, as libfdt's `fdt_overlay_apply` does: its phandles are moved above those of the tree, the
 * labels that it refers to are looked up in the tree's `/__symbols__`, and each `__overlay__` is merged into the node that
 * its fragment names. The overlay is used up by this. Gives what is wrong; with an error, the tree is of no use any more.
 */
export function applyOverlay(tree: Tree, overlay: Tree): Finding[] {
  return new Application(tree, overlay).run();
}

function setCell(property: Property, offset: number, cell: number): void {
  property.value = new Uint8Array(property.value);
  new DataView(property.value.buffer).setUint32(offset, cell);
}

const cellAt = ({ value }: Property, offset: number): number =>
  new DataView(value.buffer, value.byteOffset, value.length).getUint32(offset);

class Application {
  readonly #findings: Finding[] = [];
  /** Where each fragment's nodes have come to stand. */
  readonly #homes = new Map<string, string>();
  #shift = 0;

  constructor(
    readonly tree: Tree,
    readonly overlay: Tree,
  ) {}

  run(): Finding[] {
    for (const node of this.tree.root.walk()) this.#shift = Math.max(this.#shift, node.phandle ?? 0);
    for (const node of this.overlay.root.walk()) this.#movePhandle(node);
    const local = this.overlay.root.child('__local_fixups__');
    if (local) this.#moveLocal(local, this.overlay.root);
    for (const fixup of this.overlay.root.child('__fixups__')?.properties.values() ?? []) this.#fix(fixup);
    if (this.#findings.length > 0) return this.#findings;
    for (const fragment of this.overlay.root.children) if (!orders.has(fragment.name)) this.#merge(fragment);
    this.#addSymbols();
    return this.#findings;
  }

  #error(at: Finding['at'], message: string, remedy: string): void {
    this.#findings.push({ rule: 'overlay', severity: 'error', at, message, remedy });
  }

  #movePhandle(node: Node): void {
    for (const name of ['phandle', 'linux,phandle']) {
      const property = node.get(name);
      if (property?.value.length === 4) setCell(property, 0, cellAt(property, 0) + this.#shift);
    }
  }

  #moveLocal(fixups: Node, node: Node): void {
    for (const { name, cells, at } of fixups.properties.values()) {
      const property = node.get(name);
      for (const offset of cells) {
        if (property && offset + 4 <= property.value.length) {
          setCell(property, offset, cellAt(property, offset) + this.#shift);
        } else {
          const message = `'${name}' of '${node.path}' has no cell at ${offset}, which is to be moved`;
          this.#error(at, message, 'compile the overlay again');
        }
      }
    }
    for (const child of fixups.children) {
      const target = node.children.find(({ name }) => name === child.name);
      if (target) this.#moveLocal(child, target);
      else
        this.#error(
          child.at,
          `'${node.path}' has no child '${child.name}' to move phandles in`,
          'compile the overlay again',
        );
    }
  }

  /** Fills in one label that the tree has to have. */
  #fix({ name: label, strings, at }: Property): void {
    const path = this.tree.root.child('__symbols__')?.get(label)?.string ?? this.tree.byLabel(label)?.path;
    const node = path === undefined ? undefined : this.tree.find(path);
    if (!node) {
      const remedy = 'compile the tree with symbols (-@), or correct the label';
      return this.#error(at, `the tree has no label '${label}', which the overlay refers to`, remedy);
    }
    for (const place of strings) {
      const [where = '', name = '', offset = ''] = place.split(':');
      const property = this.overlay.find(where)?.get(name);
      if (property && /^\d+$/.test(offset) && Number(offset) + 4 <= property.value.length) {
        setCell(property, Number(offset), this.#phandle(node));
      } else this.#error(at, `there is no '${place}' to fill in '${label}' at`, 'compile the overlay again');
    }
  }

  #phandle(node: Node): number {
    if (node.phandle !== undefined) return node.phandle;
    let next = 1;
    for (const root of [this.tree.root, this.overlay.root]) {
      for (const { phandle } of root.walk()) next = Math.max(next, (phandle ?? 0) + 1);
    }
    node.setCells('phandle', next);
    return next;
  }

  #merge(fragment: Node): void {
    const content = fragment.child('__overlay__');
    if (!content) return;
    const path = fragment.get('target-path')?.string;
    const target = fragment.has('target')
      ? this.tree.byPhandle(fragment.cell('target') ?? 0)
      : this.tree.find(path ?? '');
    if (!target) {
      const named = path === undefined ? 'its target' : `'${path}'`;
      return this.#error(fragment.at, `'${fragment.name}' is for ${named}, which the tree does not have`, 'correct it');
    }
    this.#homes.set(content.path, target.path);
    mergeNode(target, content);
  }

  /** The overlay's labels, by the places that their nodes have now. */
  #addSymbols(): void {
    const symbols = this.overlay.root.child('__symbols__');
    const own = this.tree.root.child('__symbols__');
    if (!symbols || !own) return;
    for (const { name, string } of symbols.properties.values()) {
      for (const [from, to] of this.#homes) {
        if (string === from || string.startsWith(`${from}/`)) {
          own.setStrings(name, `${to === '/' ? '' : to}${string.slice(from.length)}` || '/');
        }
      }
    }
  }
}

function mergeNode(target: Node, from: Node): void {
  for (const { name, value, form, at, labels } of from.properties.values()) {
    const property = target.set(name, value.slice(), form, at);
    for (const label of labels) if (!property.labels.includes(label)) property.labels.push(label);
  }
  for (const label of from.labels) if (!target.labels.includes(label)) target.labels.push(label);
  for (const child of from.children) {
    const same = target.children.find(({ name }) => name === child.name);
    mergeNode(same ?? target.add(child.name, child.at), child);
  }
}
