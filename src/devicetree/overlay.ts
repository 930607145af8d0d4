import { concat } from './bytes.js';
import {
  type DraftNode,
  draftNode,
  type DraftProperty,
  draftProperty,
  findDraft,
  live,
  type Marker,
  walkDraft,
} from './draft.js';
import type { Token } from './tokens.js';
import type { Position, ValueForm } from './tree.js';

const utf8 = new TextEncoder();

/** Adds what an overlay changes in a node that it does not have itself, as dtc does: `fragment@N { target; __overlay__ }`. */
export function addFragment(root: DraftNode, { name, at }: Token, body: DraftNode, number: number): void {
  const fragment = draftNode(`fragment@${number}`, at);
  const path = name.startsWith('/');
  const target = draftProperty(path ? 'target-path' : 'target', at);
  target.form = path ? 'strings' : 'cells';
  target.value = path ? utf8.encode(`${name}\0`) : new Uint8Array(4).fill(0xff);
  if (!path) target.markers.push({ kind: 'phandle', name, at, offset: 0 });
  fragment.properties.push(target);
  body.name = '__overlay__';
  fragment.children.push(body);
  root.children.push(fragment);
}

interface Place {
  readonly path: string;
  readonly property: string;
  readonly marker: Marker;
}

/**
 * Adds the two nodes that tell whoever applies an overlay which cells to fill in, as dtc does: `__fixups__` has the places
 * of each label the overlay does not define, `__local_fixups__` repeats its nodes with the offsets of its own phandles.
 */
export function addFixups(root: DraftNode): void {
  const places = phandlePlaces(root);
  const unknown = places.filter(({ marker }) => !findDraft(root, marker.name));
  if (unknown.length > 0) {
    const fixups = childNamed(root, '__fixups__');
    for (const { path, property, marker } of unknown) {
      append(fixups, marker.name, utf8.encode(`${path}:${property}:${marker.offset}\0`), 'strings');
    }
  }
  const known = places.filter(({ marker }) => findDraft(root, marker.name));
  if (known.length === 0) return;
  const local = childNamed(root, '__local_fixups__');
  for (const { path, property, marker } of known) {
    const names = path.split('/').filter((name) => name !== '');
    const node = names.reduce(childNamed, local);
    const cell = new DataView(new ArrayBuffer(4));
    cell.setUint32(0, marker.offset);
    append(node, property, new Uint8Array(cell.buffer), 'cells');
  }
}

function phandlePlaces(root: DraftNode): Place[] {
  const places: Place[] = [];
  for (const { node, path } of walkDraft(root)) {
    for (const property of live(node.properties)) {
      for (const marker of property.markers) {
        if (marker.kind === 'phandle') places.push({ path, property: property.name, marker });
      }
    }
  }
  return places;
}

/** The child of that name, new if there is none. */
export function childNamed(node: DraftNode, name: string): DraftNode {
  const old = node.children.find((child) => !child.deleted && child.name === name);
  if (old) return old;
  const child = draftNode(name, node.at);
  node.children.push(child);
  return child;
}

/** Puts bytes behind those that a property has, or gives the node that property. */
export function append(node: DraftNode, name: string, bytes: Uint8Array, form: ValueForm): void {
  const old = live(node.properties).find((property) => property.name === name);
  const property = old ?? newProperty(node, name, node.at);
  property.form = form;
  property.value = concat([property.value, bytes]);
}

function newProperty(node: DraftNode, name: string, at: Position): DraftProperty {
  const property = draftProperty(name, at);
  node.properties.push(property);
  return property;
}
