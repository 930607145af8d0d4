import { deviceName } from './addresses.js';
import { placeOf } from './bindings/index.js';
import { exitKinds, type ExitKind } from './bindings/partitions.js';
import { askWords, testNode, testScript, type faultWords, type stateWords } from './bindings/test.js';
import type { InjectionWord } from './bindings/test-injections.js';
import { parseDuration, type Duration } from './duration.js';
import { mergeInto } from './merge.js';
import { consoleOf, streamPortsOf, devicesOf, disabled, isSerial, partitionNodes } from './partitions.js';
import { didYouMean } from './suggest.js';
import type { Node, Position, Property, Tree } from './tree.js';

/** Something that a stream may print: a text, each character a byte, or a regular expression within a line. */
export type Pattern = { readonly at: Position } & ({ readonly text: string } | { readonly regex: string });

/** What a step waits for. */
export type Wait = { readonly at: Position } & (
  | { readonly kind: 'output'; readonly pattern: Pattern }
  | { readonly kind: 'time'; readonly duration: Duration; readonly random: boolean }
  | { readonly kind: 'instructions'; readonly count: number }
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'fault'; readonly fault: (typeof faultWords)[number] }
  | { readonly kind: 'reset' }
  | { readonly kind: 'state'; readonly state: (typeof stateWords)[number] }
);

/** What is said about a fault; each kind has its own (`injections`). */
export interface FaultDetails {
  readonly address?: number;
  readonly bit?: number;
  readonly device?: string;
  readonly count?: number;
  readonly during?: Duration;
  readonly text?: Uint8Array;
}

/** What a step does, or sees to, at once. */
export type Act = { readonly at: Position } & (
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'ask'; readonly ask: (typeof askWords)[number] }
  | { readonly kind: 'recount' }
  | ({ readonly kind: 'inject'; readonly fault: InjectionWord } & FaultDetails)
  /** Of one kind, or of all. */
  | { readonly kind: 'max-exits'; readonly exit?: ExitKind; readonly most: number }
  /** Of the core, in per cent. */
  | { readonly kind: 'min-share' | 'max-share'; readonly percent: number }
);

export interface TestStep {
  readonly name: string;
  readonly at: Position;
  readonly partition?: string;
  readonly wait?: Wait;
  readonly within?: Duration;
  readonly never: readonly Pattern[];
  readonly acts: readonly Act[];
}

export interface TestScript {
  readonly name: string;
  readonly at: Position;
  /** The partition that steps are about where they do not name one; undefined: that is an error in the tree. */
  readonly partition?: string;
  /** The stream's full name; undefined where there is none. */
  readonly stream?: string;
  readonly repeat: number;
  readonly never: readonly Pattern[];
  readonly steps: readonly TestStep[];
}

/** One axis of a matrix: the names of its variants, in the order of the source. */
export interface Axis {
  readonly name: string;
  readonly variants: readonly string[];
}

/** What `/test` says, with every default filled in. */
export interface TestPlan {
  readonly at: Position;
  readonly description?: string;
  readonly limit: Duration;
  readonly seed: number;
  /** The test is not to be run. */
  readonly disabled: boolean;
  readonly mayFault: readonly string[];
  /** Of all streams. */
  readonly never: readonly Pattern[];
  readonly scripts: readonly TestScript[];
}

/** The stream that reports what becomes of partitions. */
export const HYPERVISOR_STREAM = 'hypervisor';

/** `/test`, or undefined. */
export const testNodeOf = (tree: Tree): Node | undefined => tree.root.children.find((node) => placeOf(node) === 'test');

const enabled = (nodes: readonly Node[]): Node[] => nodes.filter((node) => !disabled(node));

/** The scripts of a test, without those that are disabled. */
export const scriptNodes = (test: Node): Node[] => enabled(test.children).filter((node) => placeOf(node) === 'script');

/** The streams of a partition, its console first: its ports and channels, and the serial ports of the board that it has. */
export function streamsOf(tree: Tree, partition: Node): string[] {
  const console = consoleOf(tree, partition);
  const ports = streamPortsOf(partition).toSorted((a, b) => Number(b === console) - Number(a === console));
  const devices = devicesOf(tree, partition).filter(isSerial).map(deviceName);
  return [...ports.map(({ name }) => name), ...devices].map((name) => `${partition.name}/${name}`);
}

/** The partition that a script is about, by its name, or why there is none. */
export function scriptPartition(tree: Tree, script: Node): Node | undefined {
  const stream = script.get('stream')?.string.split('/')[0];
  const name = script.get('partition')?.string ?? stream ?? script.name;
  return partitionNodes(tree).find((partition) => partition.name === name);
}

/** The stream that a script reads. */
export function scriptStream(tree: Tree, script: Node): string | undefined {
  const partition = scriptPartition(tree, script);
  return script.get('stream')?.string ?? (partition && streamsOf(tree, partition)[0]);
}

/** The test of a tree in which `check` has found no errors; undefined where it has none. */
export function testPlan(tree: Tree): TestPlan | undefined {
  const node = testNodeOf(tree);
  if (!node) return undefined;
  const { limit, seed } = testNode.properties;
  const description = node.get('description')?.string;
  return {
    at: node.at,
    ...(description !== undefined && { description }),
    limit: durationOf(node.get('limit')) ?? parseDuration(limit.default)!,
    seed: node.cell('seed') ?? seed.default,
    disabled: disabled(node),
    mayFault: node.get('may-fault')?.strings ?? [],
    never: forbidden(node),
    scripts: scriptNodes(node).map((script) => scriptOf(tree, script)),
  };
}

function scriptOf(tree: Tree, node: Node): TestScript {
  const partition = scriptPartition(tree, node)?.name;
  const stream = scriptStream(tree, node);
  return {
    name: node.name,
    at: node.at,
    ...(partition !== undefined && { partition }),
    ...(stream !== undefined && { stream }),
    repeat: node.cell('repeat') ?? testScript.properties.repeat.default,
    never: forbidden(node),
    steps: enabled(node.children).map(stepOf),
  };
}

function stepOf(node: Node): TestStep {
  const properties = [...node.properties.values()];
  const wait = properties.map(waitOf).find((found) => found !== undefined);
  const within = durationOf(node.get('within'));
  const partition = node.get('partition')?.string;
  return {
    name: node.name,
    at: node.at,
    ...(partition !== undefined && { partition }),
    ...(wait && { wait }),
    ...(within && { within }),
    never: forbidden(node),
    acts: properties.flatMap((property) => actOf(property, node) ?? []),
  };
}

const durationOf = (property: Property | undefined): Duration | undefined => property && parseDuration(property.string);

function forbidden(node: Node): Pattern[] {
  const [texts, regexes] = [node.get('never'), node.get('never-regex')];
  return [
    ...(texts?.strings ?? []).map((text) => ({ at: texts!.at, text })),
    ...(regexes?.strings ?? []).map((regex) => ({ at: regexes!.at, regex })),
  ];
}

function waitOf(property: Property): Wait | undefined {
  const { name, at, string } = property;
  switch (name) {
    case 'expect':
      return { kind: 'output', at, pattern: { at, text: textOf(property) } };
    case 'expect-regex':
      return { kind: 'output', at, pattern: { at, regex: string } };
    case 'wait':
    case 'wait-up-to':
      return { kind: 'time', at, duration: durationOf(property) ?? { cycles: 0 }, random: name === 'wait-up-to' };
    case 'wait-instructions':
      return { kind: 'instructions', at, count: property.cells[0] ?? 0 };
    case 'expect-exit':
      return { kind: 'exit', at, status: property.cells[0] ?? 0 };
    case 'expect-fault':
      return { kind: 'fault', at, fault: string as (typeof faultWords)[number] };
    case 'expect-reset':
      return { kind: 'reset', at };
    case 'expect-state':
      return { kind: 'state', at, state: string as (typeof stateWords)[number] };
    default:
      return undefined;
  }
}

function actOf(property: Property, step: Node): Act | undefined {
  const { name, at } = property;
  const ask = askWords.find((word) => word === name);
  if (ask) return { kind: 'ask', at, ask };
  if (name === 'send') return { kind: 'send', at, bytes: bytesOf(property) };
  if (name === 'inject') return { kind: 'inject', at, fault: property.string as InjectionWord, ...detailsOf(step) };
  if (name === 'recount') return { kind: 'recount', at };
  if (name === 'min-share' || name === 'max-share') return { kind: name, at, percent: property.cells[0] ?? 0 };
  const most = property.cells[0] ?? 0;
  if (name === 'max-exits') return { kind: 'max-exits', at, most };
  const exit = exitKinds.find((kind) => name === `max-exits-${kind}`);
  return exit && { kind: 'max-exits', at, exit, most };
}

function detailsOf(step: Node): FaultDetails {
  const [address, bit, count] = [step.cell('address'), step.cell('bit'), step.cell('count')];
  const [device, text] = [step.get('device')?.string, step.get('text')];
  const during = durationOf(step.get('during'));
  return {
    ...(address !== undefined && { address }),
    ...(bit !== undefined && { bit }),
    ...(count !== undefined && { count }),
    ...(device !== undefined && { device }),
    ...(during && { during }),
    ...(text && { text: bytesOf(text) }),
  };
}

/** The bytes of a string, which may hold NULs of its own. */
const bytesOf = ({ value }: Property): Uint8Array => (value.at(-1) === 0 ? value.slice(0, -1) : value.slice());

const textOf = (property: Property): string => String.fromCharCode(...bytesOf(property));

/** The axes of a tree's matrix; none where it has none. */
export function axesOf(tree: Tree): Axis[] {
  return axisNodes(tree).map((axis) => ({ name: axis.name, variants: axis.children.map(({ name }) => name) }));
}

function axisNodes(tree: Tree): Node[] {
  const matrix = testNodeOf(tree)?.children.find((node) => placeOf(node) === 'matrix' && !disabled(node));
  return enabled(matrix?.children ?? []);
}

/** One combination of variants: the name of one, by its axis. */
export type Combination = Readonly<Record<string, string>>;

/** Every combination of one variant of each axis, the last axis changing fastest; one, of nothing, where there are no axes. */
export function combinations(axes: readonly Axis[]): Combination[] {
  return axes.reduce<Combination[]>(
    (all, { name, variants }) => all.flatMap((one) => variants.map((variant) => ({ ...one, [name]: variant }))),
    [{}],
  );
}

/** Which axis or variant of a combination there is not, as a sentence; undefined where there are all. */
export function unknownVariant(axes: readonly Axis[], combination: Combination): string | undefined {
  for (const [name, variant] of Object.entries(combination)) {
    if (axes.length === 0) return `${name}=${variant}: there is no /test/matrix, so there are no variants`;
    const axis = axes.find((one) => one.name === name);
    const known = axes.map((one) => one.name);
    if (!axis) return `${name}=${variant}: the matrix has no axis '${name}'; ${didYouMean(name, known)}`;
    if (!axis.variants.includes(variant))
      return `${name}=${variant}: the axis has no variant '${variant}'; ${didYouMean(variant, axis.variants)}`;
  }
  return undefined;
}

/** Merge the variants of a combination over a tree; what has no axis or variant of that name is left out. */
export function applyVariants(tree: Tree, combination: Combination): void {
  for (const axis of axisNodes(tree)) {
    const variant = axis.children.find(({ name }) => name === combination[axis.name]);
    if (variant) mergeInto(tree.root, variant);
  }
}

/** Take the test out of a tree: what is booted does not have it. */
export function withoutTest(tree: Tree): Tree {
  const node = testNodeOf(tree);
  if (node) tree.root.children.splice(tree.root.children.indexOf(node), 1);
  return tree;
}
