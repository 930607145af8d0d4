import type { Finding } from './finding.js';
import type { Node, Position, Property } from './tree.js';

/** The properties of an overlay that are orders, not values. */
const orders = new Set(['delete-prop', 'delete-node', 'delete-subnodes', 'prepend-stringlist']);

/**
 * Merges one node over another as the `node-update` of Freescale's embedded hypervisor ("Topaz") does: properties replace
 * those of the same name in place, children of the same name are merged in turn, others are added. Before that,
 * `delete-subnodes` takes out all children, `delete-node` and `delete-prop` those they list; after that,
 * `prepend-stringlist` with its pairs of a property's name and a string puts the string before those the property has.
 * The overlay is not changed and shares nothing with the target. Gives what is wrong with the orders (rule `node-update`).
 */
export function mergeInto(target: Node, overlay: Node): Finding[] {
  const findings: Finding[] = [];
  merge(target, overlay, findings);
  return findings;
}

function merge(target: Node, overlay: Node, findings: Finding[]): void {
  deleteListed(target, overlay, findings);
  for (const { name, value, form, at, labels } of overlay.properties.values()) {
    if (orders.has(name)) continue;
    const { labels: merged } = target.set(name, value.slice(), form, at);
    for (const label of labels) if (!merged.includes(label)) merged.push(label);
  }
  prependListed(target, overlay, findings);
  for (const label of overlay.labels) if (!target.labels.includes(label)) target.labels.push(label);
  const children = new Map(target.children.map((child) => [child.name, child]));
  for (const child of overlay.children)
    merge(children.get(child.name) ?? target.add(child.name, child.at), child, findings);
}

function deleteListed(target: Node, overlay: Node, findings: Finding[]): void {
  if (overlay.has('delete-subnodes')) target.children.length = 0;
  for (const { name, at } of listed(overlay, 'delete-node', findings)) {
    const index = target.children.findIndex((child) => child.name === name);
    if (index >= 0) target.children.splice(index, 1);
    else absent(`node '${target.path}' has no child '${name}' to delete`, at, findings);
  }
  for (const { name, at } of listed(overlay, 'delete-prop', findings)) {
    if (!target.properties.delete(name))
      absent(`node '${target.path}' has no property '${name}' to delete`, at, findings);
  }
}

function absent(message: string, at: Position, findings: Finding[]): void {
  const remedy = 'correct the name, with its unit address, or take it out';
  findings.push({ rule: 'node-update', severity: 'warning', at, message, remedy });
}

function listed(overlay: Node, order: string, findings: Finding[]): { name: string; at: Position }[] {
  const property = overlay.get(order);
  if (!property) return [];
  if (!isStringList(property)) {
    const remedy = `write ${order} = "name", "name";`;
    const message = `'${order}' is not a list of strings`;
    findings.push({ rule: 'node-update', severity: 'error', at: property.at, message, remedy });
    return [];
  }
  return property.strings.map((name) => ({ name, at: property.at }));
}

const isStringList = ({ value }: Property): boolean => value.length > 0 && value.at(-1) === 0;

function prependListed(target: Node, overlay: Node, findings: Finding[]): void {
  const words = listed(overlay, 'prepend-stringlist', findings);
  if (words.length % 2 !== 0) {
    const { name, at } = words.pop()!;
    const message = `'prepend-stringlist' has '${name}' without a string for it`;
    const remedy = 'write pairs of the name of a property and a string';
    findings.push({ rule: 'node-update', severity: 'error', at, message, remedy });
  }
  for (let i = 0; i < words.length; i += 2) {
    const [property, text] = [words[i]!, words[i + 1]!];
    const old = target.get(property.name);
    const strings = [text.name, ...(old?.strings ?? [])];
    target.setStrings(property.name, ...strings);
  }
}
