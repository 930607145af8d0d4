import { draftNode, type DraftNode, type DraftProperty, type Marker } from './draft.js';
import type { Ignore } from './ignores.js';
import type { Begun } from './source.js';
import type { Position, ValueForm } from './tree.js';

/** A source that was read before, as JSON: all that is said of places are lines and columns, as it is one file. */
export interface PackedDraft {
  /** The whole file, for whoever wants to know whether it is still the same. */
  readonly text: string;
  readonly root: PackedNode;
  readonly ignores: readonly PackedIgnore[];
}

type Place = readonly [line: number, column: number];
type PackedNode = readonly [
  name: string,
  at: Place,
  labels: readonly string[],
  properties: readonly PackedProperty[],
  children: readonly PackedNode[],
];
/** A value's bytes are the characters of a text. */
type PackedProperty = readonly [
  name: string,
  at: Place,
  labels: readonly string[],
  form: ValueForm,
  value: string,
  markers: readonly PackedMarker[],
];
type PackedMarker = readonly [kind: Marker['kind'], name: string, at: Place, offset: number];
interface PackedIgnore extends Omit<Ignore, 'at' | 'about'> {
  readonly at: Place;
  readonly about: number;
}

/** Undefined where there is something that only a source can say: what is deleted, or left out. */
export function pack(text: string, { root, ignores }: Begun): PackedDraft | undefined {
  const place = ({ line, col }: Position): Place => [line, col];
  let plain = true;
  const node = ({ name, at, labels, properties, children, deleted, omit }: DraftNode): PackedNode => {
    plain &&= !deleted && !omit;
    return [name, place(at), labels, properties.map(property), children.map(node)];
  };
  const property = ({ name, at, labels, form, value, markers, deleted }: DraftProperty): PackedProperty => {
    plain &&= !deleted;
    const packed = markers.map((m): PackedMarker => [m.kind, m.name, place(m.at), m.offset]);
    return [name, place(at), labels, form, String.fromCharCode(...value), packed];
  };
  const packed = {
    text,
    root: node(root),
    ignores: ignores.map(({ at, about, ...said }) => ({ ...said, at: place(at), about: about.line })),
  };
  return plain ? packed : undefined;
}

/** As if it had just been read from this file, that stands at `via`. */
export function unpack({ root, ignores }: PackedDraft, { file, via }: Pick<Position, 'file' | 'via'>): Begun {
  const place = ([line, col]: Place): Position => (via ? { file, line, col, via } : { file, line, col });
  const node = ([name, at, labels, properties, children]: PackedNode): DraftNode => ({
    ...draftNode(name, place(at)),
    labels: [...labels],
    properties: properties.map(property),
    children: children.map(node),
  });
  const property = ([name, at, labels, form, text, markers]: PackedProperty): DraftProperty => {
    const value = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) value[i] = text.charCodeAt(i);
    const unpacked = markers.map((m): Marker => ({ kind: m[0], name: m[1], at: place(m[2]), offset: m[3] }));
    return { name, at: place(at), value, form, markers: unpacked, labels: [...labels], deleted: false };
  };
  return {
    root: node(root),
    ignores: ignores.map(({ at, about, ...said }) => ({ ...said, at: place(at), about: { file, line: about } })),
  };
}
