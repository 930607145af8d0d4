import { bindingOf, placeOf } from '../bindings/index.js';
import type { Binding } from '../bindings/binding.js';
import { partitionNodes, partitionsNode, portsOf } from '../partitions.js';
import { joinPath } from '../paths.js';
import { testNodeOf } from '../test-plan.js';
import type { Node, Property, Tree } from '../tree.js';
import type { Finding } from '../finding.js';

/** Where an image's bytes go, by guest-physical address; a raw image or an initial RAM disk has one segment. */
export interface Segment {
  readonly address: number;
  readonly size: number;
}

/** What is known of a file without starting it. */
export type Inspection =
  | {
      readonly ok: true;
      readonly segments: readonly Segment[];
      readonly entry: number;
      /** Whether it is a Linux; undefined where that cannot be told. */
      readonly isLinux?: boolean | undefined;
    }
  | { readonly ok: false; readonly missing: boolean; readonly reason: string };

/** Whoever can look into files; the checks themselves read none. */
export interface ImageInspector {
  inspect(path: string, kind: 'image' | 'initrd'): Inspection;
}

/** Something that a rule found: whose node is to blame, and of that which property. */
export interface Problem {
  readonly node: Node;
  readonly property?: Property | undefined;
  readonly message: string;
  readonly remedy: string;
}

/** The nodes that a rule is run on, one at a time. */
export type Subject =
  | ('tree' | 'node' | 'own' | 'partitions' | 'partition' | 'port' | 'board' | 'board-serial')
  | ('test' | 'step' | 'axis');

/** One thing that can be wrong with a configuration. */
export interface Rule {
  /** Kebab case; it stands in brackets behind the message. */
  readonly name: string;
  readonly severity: Finding['severity'];
  /** What must hold, as one sentence. */
  readonly summary: string;
  /** How such a mistake is mended, as one sentence. */
  readonly remedy: string;
  /** Rules that must have found nothing on the node. */
  readonly requires?: readonly string[];
  /** A matter of how a configuration is kept: `hv440 check` tells it, and what boots does not. */
  readonly style?: true;
  /** An error that a guest runs in spite of: a comment may ignore it like a warning. */
  readonly waivable?: true;
  /** Properties that, where the node has them, must be of the right shape. */
  readonly reads?: readonly string[];
  readonly over: Subject;
  run(node: Node, context: Context): Iterable<Problem>;
}

/** The tree under check, the files it names, and what the rules before have found. */
export class Context {
  readonly partitions: readonly Node[];
  /** The board's nodes: all but `/partitions`. */
  readonly board: readonly Node[];
  /** Where each of the board's nodes stands among them. */
  readonly boardOrder: ReadonlyMap<Node, number>;
  readonly #subjects = new Map<Subject, readonly Node[]>();
  readonly #failed = new Map<Node, Set<string>>();
  readonly #inspections = new Map<Property, Inspection>();

  constructor(
    readonly tree: Tree,
    readonly files: ImageInspector,
  ) {
    this.partitions = partitionNodes(tree);
    this.board = [...tree.root.walk()].filter((node) => placeOf(node) === 'board');
    this.boardOrder = new Map(this.board.map((node, i) => [node, i]));
  }

  /** The nodes of a kind, in the order of the source. Disabled partitions and ports are only in `node` and `own`. */
  subjects(over: Subject): readonly Node[] {
    const subjects = this.#subjects.get(over) ?? this.#find(over);
    this.#subjects.set(over, subjects);
    return subjects;
  }

  #find(over: Subject): Node[] {
    const { tree } = this;
    switch (over) {
      case 'tree':
        return [tree.root];
      case 'node':
        return [...tree.root.walk()].filter((node) => placeOf(node) !== undefined);
      case 'own':
        return [...tree.root.walk()].filter((node) => bindingOf(node)?.closed);
      case 'partitions':
        return [partitionsNode(tree) ?? []].flat();
      case 'partition':
        return [...this.partitions];
      case 'port':
        return this.partitions.flatMap(portsOf);
      case 'board':
        return [...this.board];
      case 'board-serial':
        return this.board.filter((node) => node.isCompatible('ns16550', 'ns16550a'));
      case 'test':
      case 'step':
      case 'axis':
        return [...(testNodeOf(tree)?.walk() ?? [])].filter((node) => placeOf(node) === over);
      default:
        return over satisfies never;
    }
  }

  /** What the file says that the property names; undefined where the node has no such property, or not a sound one. */
  inspect(node: Node, name: 'image' | 'initrd'): Inspection | undefined {
    const property = node.get(name);
    if (!property || !this.sound(node, name)) return undefined;
    const known = this.#inspections.get(property);
    if (known) return known;
    const inspection = this.files.inspect(joinPath(property.at.file, property.string), name);
    this.#inspections.set(property, inspection);
    return inspection;
  }

  /** Whether the property, if it is there, is of the right shape; of a `reg` also what its parent says of its cells. */
  sound(node: Node, property: string): boolean {
    if (this.#failed.size === 0) return true;
    if (this.#failed.get(node)?.has(`property ${property}`)) return false;
    const { parent } = node;
    if (property !== 'reg' || !parent) return true;
    return this.sound(parent, '#address-cells') && this.sound(parent, '#size-cells');
  }

  /** Whether no rule has found anything so far. */
  get spotless(): boolean {
    return this.#failed.size === 0;
  }

  /** Whether none of the rules found anything on the node. */
  passed(node: Node, ...rules: string[]): boolean {
    const failed = this.#failed.get(node);
    return failed === undefined || !rules.some((rule) => failed.has(rule));
  }

  /** Remembers that a rule found something on a node; of a rule about shape, also on which property. */
  fail(rule: string, { node, property }: Problem, shape: boolean): void {
    const failed = this.#failed.get(node) ?? new Set<string>();
    failed.add(rule);
    if (shape && property) failed.add(`property ${property.name}`);
    this.#failed.set(node, failed);
  }
}

/** A node as a sentence names it: `partition 'hello'`, `'serial@0' of partition 'hello'`, a path. */
export function nameOf(node: Node): string {
  const place = placeOf(node);
  if (place === 'partitions' && node.isCompatible('hv440,partition')) return `partition '${node.name}'`;
  if (place === 'partition') return `'${node.name}' of partition '${node.parent!.name}'`;
  return node.path;
}

/** The `compatible` strings that some bindings know. */
export const compatiblesOf = (bindings: readonly Binding[]): string[] => [
  ...new Set(bindings.flatMap((binding) => binding.compatible ?? [])),
];

/** The property of a node under this name, or undefined: for {@link Problem.property}. */
export const at = (node: Node, name: string): { node: Node; property: Property | undefined } => ({
  node,
  property: node.get(name),
});

/** `3 cells`, `1 cell`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** `16 MiB`, or bytes where it is no whole number of KiB. */
export function bytes(size: number): string {
  for (const [unit, name] of [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ] as const)
    if (size >= unit && size % unit === 0) return `${size / unit} ${name}`;
  return `${size} bytes`;
}
