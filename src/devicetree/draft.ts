import type { Position, ValueForm } from './tree.js';

/** A place in a value that is filled in when the whole tree is known, or that has a label. */
export interface Marker {
  readonly kind: 'phandle' | 'path' | 'label';
  /** The label (without `&`) or path that is meant. */
  readonly name: string;
  readonly at: Position;
  offset: number;
}

/** A property of a tree that is still being read. */
export interface DraftProperty {
  readonly name: string;
  at: Position;
  value: Uint8Array;
  form: ValueForm;
  markers: Marker[];
  labels: string[];
  /** A property that was deleted keeps its place, and has it again when it is given anew. */
  deleted: boolean;
}

/** A node of a tree that is still being read. */
export interface DraftNode {
  name: string;
  readonly at: Position;
  properties: DraftProperty[];
  children: DraftNode[];
  labels: string[];
  /** As of a property. */
  deleted: boolean;
  /** `/omit-if-no-ref/`: left out unless something refers to it. */
  omit: boolean;
}

export const draftNode = (name: string, at: Position): DraftNode => ({
  name,
  at,
  properties: [],
  children: [],
  labels: [],
  deleted: false,
  omit: false,
});

export const draftProperty = (name: string, at: Position): DraftProperty => ({
  name,
  at,
  value: new Uint8Array(0),
  form: 'empty',
  markers: [],
  labels: [],
  deleted: false,
});

export const live = <T extends { deleted: boolean }>(items: readonly T[]): T[] => items.filter((i) => !i.deleted);

export function addLabels(labels: string[], added: readonly string[]): void {
  for (const label of added) if (!labels.includes(label)) labels.push(label);
}

/** Adds labels of a later body: dtc lists the last one first. */
export function addLabelsBefore(labels: string[], added: readonly string[]): void {
  for (const label of added) if (!labels.includes(label)) labels.unshift(label);
}

function deleteProperty(property: DraftProperty): void {
  property.deleted = true;
  property.labels = [];
}

/** Deletes a node with all that is in it. */
export function deleteNode(node: DraftNode): void {
  node.deleted = true;
  node.labels = [];
  for (const child of node.children) deleteNode(child);
  for (const property of node.properties) deleteProperty(property);
}

const byName = <T extends { name: string }>(items: readonly T[]): Map<string, T> => {
  const found = new Map<string, T>();
  for (const item of items) if (!found.has(item.name)) found.set(item.name, item);
  return found;
};

/** Merges another body for the same node into it: what it names anew takes the place of the old, as dtc does it. */
export function mergeDraft(into: DraftNode, from: DraftNode): void {
  into.deleted = false;
  addLabelsBefore(into.labels, from.labels);
  const properties = byName(into.properties);
  for (const property of from.properties) {
    const old = properties.get(property.name);
    if (property.deleted) {
      if (old) deleteProperty(old);
    } else if (old) {
      addLabelsBefore(old.labels, property.labels);
      const { value, form, markers, at } = property;
      Object.assign(old, { value, form, markers, at, deleted: false });
    } else {
      into.properties.push(property);
      properties.set(property.name, property);
    }
  }
  mergeChildren(into, from);
}

function mergeChildren(into: DraftNode, from: DraftNode): void {
  const children = byName(into.children);
  for (const child of from.children) {
    const old = children.get(child.name);
    if (child.deleted) {
      if (old) deleteNode(old);
    } else if (old) {
      mergeDraft(old, child);
    } else {
      into.children.push(child);
      children.set(child.name, child);
    }
  }
}

/** The node a reference means: a full path if it begins with `/`, a label otherwise. */
export function findDraft(root: DraftNode, reference: string): DraftNode | undefined {
  return reference.startsWith('/') ? byPath(root, reference) : byLabel(root, reference);
}

function byPath(root: DraftNode, path: string): DraftNode | undefined {
  let node: DraftNode | undefined = root;
  for (const part of path.split('/')) {
    if (part !== '') node = node?.children.find((child) => !child.deleted && child.name === part);
  }
  return node;
}

function byLabel(node: DraftNode, label: string): DraftNode | undefined {
  if (node.labels.includes(label)) return node;
  for (const child of node.children) {
    const found = child.deleted ? undefined : byLabel(child, label);
    if (found) return found;
  }
  return undefined;
}

/** All nodes that are not deleted, parents first, with their full paths. */
export function* walkDraft(node: DraftNode, path = '/'): Generator<{ node: DraftNode; path: string }> {
  yield { node, path };
  for (const child of node.children) {
    if (!child.deleted) yield* walkDraft(child, path === '/' ? `/${child.name}` : `${path}/${child.name}`);
  }
}
