import { concat } from './bytes.js';
import {
  align4,
  HEADER_SIZE,
  type Header,
  headerFields,
  LAST_COMPATIBLE,
  MAGIC,
  RESERVATION_SIZE,
  token,
  VERSION,
} from './blob-format.js';
import type { Node, Reservation, Tree } from './tree.js';

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** Words and padded bytes, one behind the other. */
class Block {
  readonly #parts: Uint8Array[] = [];

  words(...values: number[]): this {
    const view = new DataView(new ArrayBuffer(values.length * 4));
    values.forEach((value, i) => view.setUint32(i * 4, value));
    this.#parts.push(new Uint8Array(view.buffer));
    return this;
  }

  padded(bytes: Uint8Array): this {
    this.#parts.push(bytes, new Uint8Array(align4(bytes.length) - bytes.length));
    return this;
  }

  get bytes(): Uint8Array {
    return concat(this.#parts);
  }
}

/** The strings block: each name once, and none that is the end of one that is there already, as dtc does it. */
class Strings {
  #text = '';
  readonly #offsets = new Map<string, number>();

  offset(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const found = this.#text.indexOf(`${name}\0`);
    const offset = found < 0 ? this.#text.length : found;
    if (found < 0) this.#text += `${name}\0`;
    this.#offsets.set(name, offset);
    return offset;
  }

  get bytes(): Uint8Array {
    return latin1(this.#text);
  }
}

function writeNode(node: Node, block: Block, strings: Strings): void {
  block.words(token.beginNode).padded(latin1(`${node.name}\0`));
  for (const { name, value } of node.properties.values()) {
    block.words(token.property, value.length, strings.offset(name)).padded(value);
  }
  for (const child of node.children) writeNode(child, block, strings);
  block.words(token.endNode);
}

function reservationBlock(reservations: readonly Reservation[]): Uint8Array {
  const view = new DataView(new ArrayBuffer((reservations.length + 1) * RESERVATION_SIZE));
  reservations.forEach(({ address, size }, i) => {
    view.setBigUint64(i * RESERVATION_SIZE, address);
    view.setBigUint64(i * RESERVATION_SIZE + 8, size);
  });
  return new Uint8Array(view.buffer);
}

/**
 * The flattened device tree (blob, `.dtb`) of a tree: version 17, readable as 16, without free space; the same bytes
 * that `dtc -O dtb` makes of it.
 */
export function encodeBlob(tree: Tree): Uint8Array {
  const nodes = new Block();
  const strings = new Strings();
  writeNode(tree.root, nodes, strings);
  const structure = nodes.words(token.end).bytes;
  const names = strings.bytes;
  const reservations = reservationBlock(tree.reservations);
  const structureAt = HEADER_SIZE + reservations.length;
  const namesAt = structureAt + structure.length;
  const header: Header = {
    magic: MAGIC,
    totalsize: namesAt + names.length,
    off_dt_struct: structureAt,
    off_dt_strings: namesAt,
    off_mem_rsvmap: HEADER_SIZE,
    version: VERSION,
    last_comp_version: LAST_COMPATIBLE,
    boot_cpuid_phys: tree.bootCpu,
    size_dt_strings: names.length,
    size_dt_struct: structure.length,
  };
  const words = new Block().words(...headerFields.map((field) => header[field]));
  return concat([words.bytes, reservations, structure, names]);
}
