import { escape, isText } from './escape.js';
import type { Node, Property, Tree, ValueForm } from './tree.js';

const hex = (value: number): string => value.toString(16).padStart(2, '0');
const wide = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;

/**
 * Canonical `.dts` text of a tree, laid out as dtc lays it out; parsing it gives an equal tree. Values whose form is not
 * known are shown as dtc would guess: text, else cells, else bytes.
 */
export function printTree(tree: Tree): string {
  const lines = ['/dts-v1/;', ''];
  for (const { address, size } of tree.reservations) lines.push(`/memreserve/\t${wide(address)} ${wide(size)};`);
  printNode(tree.root, '', lines);
  return `${lines.join('\n')}\n`;
}

const labelled = (labels: readonly string[], name: string): string =>
  labels.map((label) => `${label}: `).join('') + name;

function printNode(node: Node, indent: string, lines: string[]): void {
  lines.push(`${indent}${labelled(node.parent ? node.labels : [], node.name || '/')} {`);
  for (const property of node.properties.values()) lines.push(`${indent}\t${printProperty(property)}`);
  for (const child of node.children) {
    lines.push('');
    printNode(child, `${indent}\t`, lines);
  }
  lines.push(`${indent}};`);
}

function printProperty(property: Property): string {
  const name = labelled(property.labels, property.name);
  return property.value.length === 0 ? `${name};` : `${name} = ${printValue(property)};`;
}

/** A value as it is written in source; not for an empty one, which has none. */
export function printValue(property: Property): string {
  switch (shownForm(property)) {
    case 'strings':
      return printStrings(property.value);
    case 'cells':
      return `<${property.cells.map((cell) => `0x${hex(cell)}`).join(' ')}>`;
    default:
      return `[${Array.from(property.value, hex).join(' ')}]`;
  }
}

function shownForm({ value, form }: Property): ValueForm {
  if (form === 'strings' && value.at(-1) === 0) return form;
  if (form === 'cells' && value.length % 4 === 0) return form;
  if (looksLikeText(value)) return 'strings';
  return value.length % 4 === 0 ? 'cells' : 'bytes';
}

/** dtc's guess: ends in a NUL, all printable, and no more NULs than letters. */
function looksLikeText(value: Uint8Array): boolean {
  const nuls = value.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  return value.at(-1) === 0 && value.every((byte) => byte === 0 || isText(byte)) && nuls <= value.length - nuls;
}

function printStrings(value: Uint8Array): string {
  const strings: string[] = [];
  let text = '';
  for (const byte of value) {
    if (byte !== 0) text += escape(byte);
    else {
      strings.push(`"${text}"`);
      text = '';
    }
  }
  return strings.join(', ');
}
