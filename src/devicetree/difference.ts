import { printValue } from './print.js';
import type { Node, Property, Tree } from './tree.js';

/** What one tree says and the other does not, at a place that both may have. */
export interface Difference {
  /** The path of a node, with the name of a property behind it: `/soc/serial@0: reg`; or `/memreserve/`. */
  readonly place: string;
  /** What the first says, as source; undefined where it says nothing. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Properties that begin with a phandle, by what bindings have made of it. */
const references =
  /^(?:interrupt-parent|interrupts-extended|clocks|cooling-device|dmas|hwlocks|io-channels|iommus|mboxes|msi-parent|mux-controls|phys|power-domains|pwms|resets|sound-dai|thermal-sensors|.*-handle|.*-supply|(?:.*-)?gpios?)$/;

/** Properties whose cells are numbers, and never phandles. */
const numbers = /^(?:#.*|reg|ranges|dma-ranges|interrupts|.*-frequency|.*-size|.*-count|cell-index)$/;

/**
 * What two trees mean differently. Order does not count, nor do the numbers of phandles: cells that refer to the same
 * node in both are the same.
 */
export function differences(before: Tree, after: Tree): Difference[] {
  const found: Difference[] = [];
  const reserved = ({ reservations }: Tree): string[] =>
    reservations.map(({ address, size }) => `0x${address.toString(16)} 0x${size.toString(16)}`).sort();
  const [old, now] = [reserved(before), reserved(after)];
  for (const range of old)
    if (!now.includes(range)) found.push({ place: '/memreserve/', before: range, after: undefined });
  for (const range of now)
    if (!old.includes(range)) found.push({ place: '/memreserve/', before: undefined, after: range });
  if (before.bootCpu !== after.bootCpu) {
    found.push({ place: 'boot CPU', before: `${before.bootCpu}`, after: `${after.bootCpu}` });
  }
  new Comparison(before, after, found).nodes(before.root, after.root);
  return found;
}

function phandlePaths(tree: Tree): Map<number, string> {
  const paths = new Map<number, string>();
  for (const node of tree.root.walk()) {
    const { phandle } = node;
    if (phandle !== undefined) paths.set(phandle, node.path);
  }
  return paths;
}

const isPhandle = (name: string): boolean => name === 'phandle' || name === 'linux,phandle';

const shown = (property: Property): string => (property.value.length === 0 ? 'present' : printValue(property));

const summary = (node: Node): string => {
  const all = [...node.walk()];
  const properties = all.reduce((sum, { properties: own }) => sum + own.size, 0);
  return `{ ${properties} propert${properties === 1 ? 'y' : 'ies'}, ${all.length - 1} node${all.length === 2 ? '' : 's'} below }`;
};

class Comparison {
  readonly #before: Map<number, string>;
  readonly #after: Map<number, string>;

  constructor(
    before: Tree,
    after: Tree,
    readonly found: Difference[],
  ) {
    this.#before = phandlePaths(before);
    this.#after = phandlePaths(after);
  }

  nodes(before: Node, after: Node): void {
    const { path } = before;
    for (const name of new Set([...before.properties.keys(), ...after.properties.keys()])) {
      if (isPhandle(name)) continue;
      const [old, now] = [before.get(name), after.get(name)];
      if (old && now && this.#same(old, now)) continue;
      this.found.push({ place: `${path}: ${name}`, before: old && shown(old), after: now && shown(now) });
    }
    const remaining = new Map(after.children.map((child) => [child.name, child]));
    for (const child of before.children) {
      const other = remaining.get(child.name);
      remaining.delete(child.name);
      if (other) this.nodes(child, other);
      else this.found.push({ place: child.path, before: summary(child), after: undefined });
    }
    for (const child of remaining.values()) {
      this.found.push({ place: child.path, before: undefined, after: summary(child) });
    }
  }

  #same(old: Property, now: Property): boolean {
    if (old.value.length !== now.value.length) return false;
    const equal = old.value.every((byte, i) => byte === now.value[i]);
    if (old.value.length % 4 !== 0 || numbers.test(old.name)) return equal;
    const cells = now.cells;
    if (equal) return !references.test(old.name) || this.#alike(old.cells[0] ?? 0, cells[0] ?? 0);
    return old.cells.every((cell, i) => {
      const target = this.#before.get(cell);
      return cell === cells[i] || (target !== undefined && target === this.#after.get(cells[i]!));
    });
  }

  /** Whether two equal cells of properties that refer to nodes refer to the same. */
  #alike(old: number, now: number): boolean {
    return this.#before.get(old) === this.#after.get(now);
  }
}
