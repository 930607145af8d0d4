import { hex } from '../addresses.js';
import type { Node } from '../tree.js';
import { areStrings, byteCount, isMultiple, isOneString, type Complaint, type Warning } from './warning.js';

/** A property, where the node has it, is one string. */
const isString = (name: string, property: string): Warning => ({
  name,
  level: 'warning',
  summary: `\`${property}\` is one string.`,
  remedy: `write ${property} = "…";`,
  *run(node) {
    const found = node.get(property);
    if (found && !isOneString(found))
      yield { node, property: found, message: `'${property}' of ${node.path} is no string` };
  },
});

/** A property, where the node has it, is one cell. */
export const isCell = (name: string, property: string): Warning => ({
  name,
  level: 'warning',
  summary: `\`${property}\` is a single cell.`,
  remedy: `write ${property} = <1>; or another number`,
  *run(node) {
    const found = node.get(property);
    if (found && found.value.length !== 4)
      yield {
        node,
        property: found,
        message: `'${property}' of ${node.path} has ${byteCount(found)}, and is one cell of 4`,
      };
  },
});

/** Complains of the properties that should be lists of strings and are not. */
function* stringLists(node: Node, wanted: (name: string) => boolean): Iterable<Complaint> {
  for (const property of node.properties.values())
    if (wanted(property.name) && !areStrings(property))
      yield { node, property, message: `'${property.name}' of ${node.path} is no list of strings` };
}

const compatibleStrings: Warning = {
  name: 'compatible_is_string_list',
  level: 'warning',
  summary: '`compatible` is a list of strings.',
  remedy: 'write compatible = "…", "…";',
  run: (node) => stringLists(node, (name) => name === 'compatible'),
};

const namesStrings: Warning = {
  name: 'names_is_string_list',
  level: 'warning',
  summary: 'A property whose name ends in `-names` is a list of strings.',
  remedy: 'write strings in quotes, with commas between them',
  run: (node) => stringLists(node, (name) => name.endsWith('-names')),
};

const nodeVersusProperty: Warning = {
  name: 'node_name_vs_property_name',
  level: 'warning',
  after: ['node_name_chars'],
  summary: 'A node is not called as a property of its parent is.',
  remedy: 'rename one of the two',
  *run(node) {
    if (node.parent?.has(node.name)) yield { node, message: `${node.path} has the name of a property of its parent` };
  },
};

const STRICT = /[^a-zA-Z0-9,-]/;

const strictNodeName: Warning = {
  name: 'node_name_chars_strict',
  level: 'off',
  summary: 'The name of a node has only letters, digits, `,` and `-` before its unit address.',
  remedy: 'use letters, digits, , and -',
  *run(node) {
    const bad = STRICT.exec(node.baseName);
    if (bad) yield { node, message: `the name of ${node.path} has '${bad[0]}', which is not recommended` };
  },
};

const strictPropertyName: Warning = {
  name: 'property_name_chars_strict',
  level: 'off',
  summary: 'The name of a property has only letters, digits, `,` and `-`, and `#` where it begins.',
  remedy: 'use letters, digits, , and -',
  *run(node) {
    for (const property of node.properties.values()) {
      const { name } = property;
      if (name === 'device_type') continue;
      // The # that begins a name, with or without a vendor before it, is none of the rest.
      const first = STRICT.exec(name);
      const begins = first?.[0] === '#' && (first.index === 0 || name[first.index - 1] === ',');
      const bad = begins ? STRICT.exec(name.slice(first.index + 1)) : first;
      if (bad)
        yield {
          node,
          property,
          message: `the name '${name}' of ${node.path} has '${bad[0]}', which is not recommended`,
        };
    }
  },
};

const addressAndSizeCells: Warning = {
  name: 'addr_size_cells',
  silent: true,
  level: 'warning',
  after: ['address_cells_is_cell', 'size_cells_is_cell'],
  summary: '`#address-cells` and `#size-cells` can be relied on.',
  remedy: 'mend the one that is named',
  run(node, { cells, tree }) {
    const own = node !== tree.root && node.isCompatible('hv440,partition');
    const otherwise = own ? 1 : -1; // what a partition's binding says of one that says nothing
    cells.set(node, {
      address: node.cell('#address-cells') ?? otherwise,
      size: node.cell('#size-cells') ?? otherwise,
    });
  },
};

const regFormat: Warning = {
  name: 'reg_format',
  level: 'warning',
  after: ['addr_size_cells'],
  summary: '`reg` is entries of as many cells as the parent says of addresses and sizes together; the root has none.',
  remedy: "write whole entries, in the parent's #address-cells and #size-cells",
  *run(node, state) {
    const reg = node.get('reg');
    if (!reg) return;
    if (!node.parent) return void (yield { node, message: "the root has a 'reg'", remedy: 'take it out' });
    if (reg.value.length === 0) yield { node, property: reg, message: `the 'reg' of ${node.path} is empty` };
    const [address, size] = [state.addressCells(node.parent), state.sizeCells(node.parent)];
    if (isMultiple(reg.value.length, (address + size) * 4)) return;
    const entry = `entries have ${address} + ${size} cells (#address-cells and #size-cells of ${node.parent.path})`;
    yield { node, property: reg, message: `the 'reg' of ${node.path} has ${byteCount(reg)}, and its ${entry}` };
  },
};

const rangesFormat = (name: string, property: string): Warning => ({
  name,
  level: 'warning',
  after: ['addr_size_cells'],
  summary: `\`${property}\` is entries of a child address, a parent address and a size, or empty where the cells of both sides are the same.`,
  remedy: `write whole entries: <child-address parent-address size>`,
  *run(node, state) {
    const ranges = node.get(property);
    const { parent } = node;
    if (!ranges) return;
    if (!parent)
      return void (yield { node, property: ranges, message: `the root has a '${property}'`, remedy: 'take it out' });
    const [above, below, size] = [state.addressCells(parent), state.addressCells(node), state.sizeCells(node)];
    const sizeAbove = state.sizeCells(parent);
    const tell = (message: string, remedy?: string): Complaint => ({
      node,
      property: ranges,
      message,
      ...(remedy ? { remedy } : {}),
    });
    if (ranges.value.length === 0) {
      const same = 'give both the same, or write the entries out';
      const differs = (what: string, own: number, theirs: number): string =>
        `the '${property}' of ${node.path} is empty, and ${what} is ${own} there, but ${theirs} in ${parent.path}`;
      if (above !== below) yield tell(differs('#address-cells', below, above), same);
      if (sizeAbove !== size) yield tell(differs('#size-cells', size, sizeAbove), same);
    } else if (!isMultiple(ranges.value.length, (above + below + size) * 4)) {
      yield tell(
        `the '${property}' of ${node.path} has ${byteCount(ranges)}, and entries of ${below} + ${above} + ${size} cells`,
      );
    }
  },
});

/** How a path leads through a tree: names in full, slashes as they come. */
function leads(node: Node, path: string): boolean {
  if (path === '') return true;
  const rest = path.replace(/^\/+/, '');
  const slash = rest.indexOf('/');
  const name = slash < 0 ? rest : rest.slice(0, slash);
  const child = node.children.find((one) => one.name === name);
  if (!child) return false;
  return slash < 0 || leads(child, rest.slice(slash + 1));
}

const aliasPaths: Warning = {
  name: 'alias_paths',
  level: 'warning',
  summary: 'An alias is the path of a node, and has a name of lower-case letters, digits and `-`.',
  remedy: 'write the alias as a reference to a label, with a name in lower case',
  *run(node, { tree }) {
    if (node.name !== 'aliases') return;
    for (const property of node.properties.values()) {
      const { name, string, value } = property;
      if (name === 'phandle' || name === 'linux,phandle') continue;
      if (value.length === 0 || !leads(tree.root, string))
        yield { node, property, message: `the alias '${name}' is '${string}', which is no path of a node` };
      else if (/[^a-z0-9-]/.test(name))
        yield {
          node,
          property,
          message: `the alias '${name}' has a name with other than lower-case letters, digits and '-'`,
        };
    }
  },
};

const chosenInterruptController: Warning = {
  name: 'obsolete_chosen_interrupt_controller',
  level: 'warning',
  summary: '`/chosen` has no `interrupt-controller`, which is obsolete.',
  remedy: 'take it out; interrupt-parent says where interrupts go',
  *run(node, { tree }) {
    const property =
      node === tree.root ? node.children.find(({ name }) => name === 'chosen')?.get('interrupt-controller') : undefined;
    if (property) yield { node, property, message: "/chosen has an obsolete 'interrupt-controller'" };
  },
};

const chosenAtRoot: Warning = {
  name: 'chosen_node_is_root',
  level: 'warning',
  summary: 'A node `chosen` is a child of the root.',
  remedy: 'move it to the root',
  *run(node, { tree }) {
    if (node.name === 'chosen' && node.parent !== tree.root) yield { node, message: `${node.path} is not at the root` };
  },
};

const chosenBootargs: Warning = {
  name: 'chosen_node_bootargs',
  level: 'warning',
  summary: '`bootargs` of `chosen` is one string.',
  remedy: 'write bootargs = "…";',
  *run(node) {
    const property = node.name === 'chosen' ? node.get('bootargs') : undefined;
    if (property && !isOneString(property))
      yield { node, property, message: `'bootargs' of ${node.path} is no string` };
  },
};

const chosenStdout: Warning = {
  name: 'chosen_node_stdout_path',
  level: 'warning',
  summary: '`chosen` names its console by `stdout-path`, a string; `linux,stdout-path` is deprecated.',
  remedy: 'write stdout-path = "…"; or stdout-path = &LABEL;',
  *run(node) {
    if (node.name !== 'chosen') return;
    const property = node.get('stdout-path') ?? node.get('linux,stdout-path');
    if (!property) return;
    const { name } = property;
    if (name !== 'stdout-path') yield { node, property, message: `'${name}' of ${node.path} is deprecated` };
    if (!isOneString(property)) yield { node, property, message: `'${name}' of ${node.path} is no string` };
  },
};

const alwaysFail: Warning = {
  name: 'always_fail',
  level: 'off',
  summary: 'Nothing: it finds every node, to try what becomes of findings.',
  remedy: 'leave this check off',
  *run(node) {
    yield {
      node,
      message: `${node.path} is a node${node.phandle === undefined ? '' : ` with phandle ${hex(node.phandle)}`}`,
    };
  },
};

/** Names and strings. */
export const nameWarnings: readonly Warning[] = [
  nodeVersusProperty,
  isCell('address_cells_is_cell', '#address-cells'),
  isCell('size_cells_is_cell', '#size-cells'),
  isString('device_type_is_string', 'device_type'),
  isString('model_is_string', 'model'),
  isString('status_is_string', 'status'),
  isString('label_is_string', 'label'),
  compatibleStrings,
  namesStrings,
  strictPropertyName,
  strictNodeName,
];

/** The shapes of addresses. */
export const addressWarnings: readonly Warning[] = [
  addressAndSizeCells,
  regFormat,
  rangesFormat('ranges_format', 'ranges'),
  rangesFormat('dma_ranges_format', 'dma-ranges'),
];

/** `/chosen` and `/aliases`. */
export const chosenWarnings: readonly Warning[] = [
  chosenInterruptController,
  chosenAtRoot,
  chosenBootargs,
  chosenStdout,
];

export { aliasPaths, alwaysFail };
