import { Parser } from 'binary-parser';
import {
  align4,
  type Header,
  HEADER_SIZE,
  headerFields,
  MAGIC,
  RESERVATION_SIZE,
  token,
  VERSION,
} from './blob-format.js';
import { ConfigError } from './finding.js';
import { Node, type Position, type Reservation, Tree } from './tree.js';

const headerParser = headerFields.reduce<Parser>(
  (parser, field) => parser.uint32(field),
  new Parser().endianness('big'),
);
const propertyParser = new Parser().endianness('big').uint32('length').uint32('name');

/** More nodes than this inside each other are a broken blob; Linux takes 64. */
const MAX_DEPTH = 256;
/** Longer names of properties are a broken blob; the specification allows 31 bytes. */
const MAX_NAME = 255;

const hex = (value: number): string => `0x${value.toString(16)}`;

/**
 * The tree of a flattened device tree (blob, `.dtb`) of version 16 or later. All its positions are the file's first line.
 *
 * @throws ConfigError (rule `dtb-format`) that says what is broken in it
 */
export function decodeBlob(bytes: Uint8Array, file: string): Tree {
  return new BlobReader(bytes, { file, line: 1, col: 1 }).tree();
}

class BlobReader {
  readonly #view: DataView;
  readonly #header: Header;
  /** Where the structure block goes on. */
  #offset: number;
  readonly #end: number;

  constructor(
    readonly bytes: Uint8Array,
    readonly at: Position,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#header = this.#readHeader();
    this.#offset = this.#header.off_dt_struct;
    this.#end = this.#header.off_dt_struct + this.#header.size_dt_struct;
  }

  tree(): Tree {
    const reservations = this.#reservations();
    if (this.#nextToken() !== token.beginNode) this.#fail('the structure block does not begin with a node');
    const name = this.#nodeName();
    if (name !== '') this.#fail(`the root node has the name '${name}'`);
    const tree = new Tree(this.#body(new Node('', this.at), 0));
    if (this.#nextToken() !== token.end) this.#fail('the structure block goes on behind the root node');
    tree.bootCpu = this.#header.boot_cpuid_phys;
    tree.reservations.push(...reservations);
    return tree;
  }

  #fail(message: string): never {
    const remedy = 'make the blob anew from its source with dtc';
    throw new ConfigError([{ rule: 'dtb-format', severity: 'error', at: this.at, message, remedy }]);
  }

  #readHeader(): Header {
    const { length } = this.bytes;
    if (length < 4) this.#fail(`${length} bytes are too few for a device-tree blob`);
    const magic = this.#view.getUint32(0);
    if (magic !== MAGIC) this.#fail(`it begins with ${hex(magic)}; a device-tree blob begins with ${hex(MAGIC)}`);
    if (length < HEADER_SIZE) this.#fail(`${length} bytes are too few for the ${HEADER_SIZE} of its header`);
    const header = headerParser.parse(this.bytes) as Header;
    if (header.version < 16 || header.last_comp_version > VERSION) {
      const { version, last_comp_version: compatible } = header;
      this.#fail(`its version is ${version}, readable as ${compatible}; versions 16 and ${VERSION} can be read`);
    }
    if (header.version === 16) header.size_dt_struct = header.totalsize - header.off_dt_struct;
    this.#checkLayout(header);
    return header;
  }

  #checkLayout(header: Header): void {
    const { totalsize, off_mem_rsvmap: reservations } = header;
    if (totalsize < HEADER_SIZE) this.#fail(`its totalsize is ${totalsize}, less than its header`);
    if (totalsize > this.bytes.length) {
      this.#fail(`it is cut off: its totalsize is ${totalsize}, but ${this.bytes.length} bytes are there`);
    }
    if (reservations % 8 !== 0) this.#fail(`off_mem_rsvmap ${hex(reservations)} is not a multiple of 8`);
    if (header.off_dt_struct % 4 !== 0) this.#fail(`off_dt_struct ${hex(header.off_dt_struct)} is not a multiple of 4`);
    this.#checkBlock('memory reservation', reservations, RESERVATION_SIZE, totalsize);
    this.#checkBlock('structure', header.off_dt_struct, header.size_dt_struct, totalsize);
    this.#checkBlock('strings', header.off_dt_strings, header.size_dt_strings, totalsize);
  }

  #checkBlock(name: string, offset: number, size: number, totalsize: number): void {
    if (offset >= HEADER_SIZE - 4 && size >= 0 && offset + size <= totalsize) return;
    this.#fail(`its ${name} block, ${size} bytes at ${hex(offset)}, is not within its ${totalsize} bytes`);
  }

  #reservations(): Reservation[] {
    const { off_mem_rsvmap: start, totalsize } = this.#header;
    const found: Reservation[] = [];
    for (let offset = start; offset + RESERVATION_SIZE <= totalsize; offset += RESERVATION_SIZE) {
      const address = this.#view.getBigUint64(offset);
      const size = this.#view.getBigUint64(offset + 8);
      if (address === 0n && size === 0n) return found;
      found.push({ address, size });
    }
    return this.#fail('the memory reservation block has no end');
  }

  #word(): number {
    if (this.#offset + 4 > this.#end)
      this.#fail('the structure block ends within a node: an END_NODE or END is missing');
    this.#offset += 4;
    return this.#view.getUint32(this.#offset - 4);
  }

  #nextToken(): number {
    for (;;) {
      const word = this.#word();
      if (word !== token.nop) return word;
    }
  }

  #text(start: number, end: number): string {
    let text = '';
    for (let i = start; i < end; i++) text += String.fromCharCode(this.bytes[i]!);
    return text;
  }

  #nodeName(): string {
    const start = this.#offset;
    const nul = this.bytes.indexOf(0, start);
    if (nul < 0 || nul >= this.#end) this.#fail(`the name of the node at ${hex(start - 4)} has no end`);
    this.#offset = align4(nul + 1);
    return this.#text(start, nul);
  }

  /** Properties and children up to the END_NODE. */
  #body(node: Node, depth: number): Node {
    const children = new Set<string>();
    for (;;) {
      const start = this.#offset;
      const word = this.#nextToken();
      if (word === token.endNode) return node;
      if (word === token.property) this.#property(node);
      else if (word === token.beginNode) this.#child(node, children, depth + 1);
      else if (word === token.end)
        this.#fail(`the structure block ends within node '${node.path}': an END_NODE is missing`);
      else this.#fail(`${hex(word)} at ${hex(start)}, in node '${node.path}', begins nothing known`);
    }
  }

  #child(node: Node, names: Set<string>, depth: number): void {
    const name = this.#nodeName();
    if (depth > MAX_DEPTH) this.#fail(`its nodes are more than ${MAX_DEPTH} levels deep`);
    if (!/^[a-zA-Z0-9,._+-]+(@[a-zA-Z0-9,._+-]*)?$/.test(name)) {
      this.#fail(`node '${node.path}' has a child with the name ${JSON.stringify(name)}`);
    }
    if (names.has(name)) this.#fail(`node '${node.path}' has two children '${name}'`);
    names.add(name);
    this.#body(node.add(name, this.at), depth);
  }

  #property(node: Node): void {
    const start = this.#offset;
    this.#word();
    this.#word();
    const { length, name: nameAt } = propertyParser.parse(this.bytes.subarray(start, start + 8));
    const name = this.#propertyName(nameAt, node);
    if (!/^[a-zA-Z0-9,._+*#?-]+$/.test(name)) {
      this.#fail(`node '${node.path}' has a property with the name ${JSON.stringify(name)}`);
    }
    const value = start + 8;
    if (value + length > this.#end) {
      this.#fail(`property '${name}' of '${node.path}' has ${length} bytes, more than the structure block`);
    }
    if (node.has(name)) this.#fail(`node '${node.path}' has two properties '${name}'`);
    node.set(name, this.bytes.slice(value, value + length), length === 0 ? 'empty' : 'bytes', this.at);
    this.#offset = align4(value + length);
  }

  #propertyName(offset: number, node: Node): string {
    const { off_dt_strings: strings, size_dt_strings: size } = this.#header;
    const start = strings + offset;
    if (offset >= size) {
      this.#fail(`a property of '${node.path}' has its name at ${hex(offset)} of a strings block of ${size} bytes`);
    }
    const end = Math.min(strings + size, start + MAX_NAME + 1);
    const nul = this.bytes.subarray(start, end).indexOf(0);
    if (nul < 0)
      this.#fail(`the name of a property of '${node.path}', at ${hex(start)}, has no end within ${MAX_NAME} bytes`);
    return this.#text(start, start + nul);
  }
}
