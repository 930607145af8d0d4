import { type DraftNode, type DraftProperty, live, walkDraft } from './draft.js';
import type { Report } from './report.js';
import type { Position } from './tree.js';

const place = ({ file, line, col }: Position): string => `${file}:${line}:${col}`;

/** The faults of a whole tree for which dtc refuses it, but those of phandles. */
export function checkDraft(root: DraftNode, report: Report): void {
  const labels = new Map<string, { what: string; at: Position }>();
  for (const { node, path } of walkDraft(root)) {
    checkDuplicates(live(node.children), 'dts-duplicate-node', `node '${path}' has a child`, report);
    checkDuplicates(live(node.properties), 'dts-duplicate-property', `node '${path}' has a property`, report);
    checkNodeName(node, report);
    for (const property of live(node.properties)) checkPropertyName(property, report);
    checkNameProperty(node, path, report);
    checkLabels(node, path, labels, report);
  }
}

function checkDuplicates(
  items: readonly { name: string; at: Position }[],
  rule: 'dts-duplicate-node' | 'dts-duplicate-property',
  what: string,
  report: Report,
): void {
  const seen = new Map<string, Position>();
  for (const { name, at } of items) {
    const first = seen.get(name);
    const message = first ? `${what} '${name}' already, from ${place(first)}` : '';
    if (first) report.error(rule, at, message, 'take one of the two out, or give it another name');
    else seen.set(name, at);
  }
}

function checkNodeName({ name, at }: DraftNode, report: Report): void {
  const bad = /[^a-zA-Z0-9,._+@-]/u.exec(name);
  const remedy = 'use letters, digits and , . _ + - with one @ before a unit address';
  if (bad) report.error('dts-node-name', at, `the name of node '${name}' has the character '${bad[0]}'`, remedy);
  const more = name.split('@').length > 2;
  if (more) report.error('dts-node-name', at, `the name of node '${name}' has more than one '@'`, remedy);
}

function checkPropertyName({ name, at }: DraftProperty, report: Report): void {
  const bad = /[^a-zA-Z0-9,._+*#?-]/u.exec(name);
  const remedy = 'use letters, digits and , . _ + * # ? -';
  if (bad)
    report.error('dts-property-name', at, `the name of property '${name}' has the character '${bad[0]}'`, remedy);
}

/** A property `name` is a relic of Open Firmware: dtc takes it out where it is right, and refuses it where it is not. */
function checkNameProperty(node: DraftNode, path: string, report: Report): void {
  const property = live(node.properties).find(({ name }) => name === 'name');
  if (!property) return;
  const baseName = node.name.split('@')[0]!;
  const text = String.fromCharCode(...property.value.subarray(0, 64));
  if (text === `${baseName}\0`) {
    property.deleted = true;
    return;
  }
  const message = `the property 'name' of '${path}' is not the name of its node, '${baseName}'`;
  report.error('dts-name-property', property.at, message, 'take it out');
}

function checkLabels(
  node: DraftNode,
  path: string,
  seen: Map<string, { what: string; at: Position }>,
  report: Report,
): void {
  const claim = (label: string, what: string, at: Position): void => {
    const other = seen.get(label);
    const message = other ? `label '${label}' of ${what} is that of ${other.what} already, at ${place(other.at)}` : '';
    if (other) report.error('dts-duplicate-label', at, message, 'give one of the two another label');
    else seen.set(label, { what, at });
  };
  for (const label of node.labels) claim(label, `node '${path}'`, node.at);
  for (const property of live(node.properties)) {
    for (const label of property.labels) claim(label, `property '${property.name}' of '${path}'`, property.at);
    for (const { kind, name, at } of property.markers) {
      if (kind === 'label') claim(name, `a value of property '${property.name}' of '${path}'`, at);
    }
  }
}
