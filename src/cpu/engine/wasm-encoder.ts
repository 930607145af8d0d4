import { assert } from '../../bus/assert.js';

/**
 * The binary format of WebAssembly (core specification, "Binary Format"), as far as generated code needs it: function bodies
 * with structured control, and modules that import a memory, a table and functions, and export what they define.
 */

// prettier-ignore
export const op = {
  unreachable: 0x00, block: 0x02, loop: 0x03, if: 0x04, else: 0x05, end: 0x0b, br: 0x0c, brIf: 0x0d, brTable: 0x0e, return: 0x0f,
  call: 0x10, callIndirect: 0x11, returnCall: 0x12, returnCallIndirect: 0x13, drop: 0x1a, select: 0x1b,
  localGet: 0x20, localSet: 0x21, localTee: 0x22,
  load: 0x28, load8u: 0x2d, load16s: 0x2e, load16u: 0x2f, load64: 0x29, store: 0x36, store8: 0x3a, store16: 0x3b, store64: 0x37,
  const: 0x41, const64: 0x42,
  eqz: 0x45, eq: 0x46, ne: 0x47, lts: 0x48, ltu: 0x49, gts: 0x4a, gtu: 0x4b, les: 0x4c, leu: 0x4d, ges: 0x4e, geu: 0x4f,
  lts64: 0x53, gts64: 0x55,
  clz: 0x67, add: 0x6a, sub: 0x6b, mul: 0x6c, divs: 0x6d, divu: 0x6e, and: 0x71, or: 0x72, xor: 0x73, shl: 0x74, shrs: 0x75, shru: 0x76, rotl: 0x77,
  add64: 0x7c, sub64: 0x7d, mul64: 0x7e, and64: 0x83, or64: 0x84, xor64: 0x85, shl64: 0x86, shrs64: 0x87, shru64: 0x88,
  wrap: 0xa7, extends: 0xac, extendu: 0xad, ext8: 0xc0, ext16: 0xc1,
} as const;

const I32 = 0x7f;
const I64 = 0x7e;
const EMPTY = 0x40;

/** A place that a branch can go to: the depth of its block; what is not above 0 lies around the whole body. */
export interface Label {
  readonly depth: number;
}

/** Bytes that grow. */
export class Bytes {
  #bytes = new Uint8Array(256);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  #grow(by: number): void {
    const larger = new Uint8Array(2 * (this.length + by));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }

  /** An unsigned number of 32 bits. */
  unsigned(value: number): void {
    let left = value >>> 0;
    while (left > 127) {
      this.byte((left & 127) | 128);
      left >>>= 7;
    }
    this.byte(left);
  }

  /** A signed number of 32 bits. */
  signed(value: number): void {
    let left = value | 0;
    while (left < -64 || left > 63) {
      this.byte((left & 127) | 128);
      left >>= 7;
    }
    this.byte(left & 127);
  }

  name(text: string): void {
    this.unsigned(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  get done(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

/** The body of a function. Parameters are its first locals; 64-bit locals come behind all others. */
export class Body {
  readonly bytes = new Bytes();
  #words: number;
  #longs = 0;
  #depth = 0;
  readonly #initial: { local: number; value: number }[] = [];
  readonly #longUses: { at: number; local: number }[] = [];

  constructor(readonly parameters: number) {
    this.#words = parameters;
  }

  /** Where what belongs to an instruction of the guest begins. */
  readonly notes: { readonly at: number; readonly pc: number }[] = [];

  note(pc: number): void {
    this.notes.push({ at: this.bytes.length, pc });
  }

  /** A new local of 32 bits. */
  local(): number {
    return this.#words++;
  }

  /** A new local of 32 bits that is `value` when the function begins. */
  localOf(value: number): number {
    const local = this.local();
    if (value !== 0) this.#initial.push({ local, value });
    return local;
  }

  /** A new local of 64 bits; for `getLong` and `setLong` alone. */
  long(): number {
    return this.#longs++;
  }

  op(...codes: readonly number[]): void {
    for (const code of codes) this.bytes.byte(code);
  }

  get(local: number): void {
    this.bytes.byte(op.localGet);
    this.bytes.unsigned(local);
  }

  set(local: number): void {
    this.bytes.byte(op.localSet);
    this.bytes.unsigned(local);
  }

  tee(local: number): void {
    this.bytes.byte(op.localTee);
    this.bytes.unsigned(local);
  }

  #long(code: number, local: number): void {
    this.bytes.byte(code);
    this.#longUses.push({ at: this.bytes.length, local });
    for (let i = 0; i < 3; i++) this.bytes.byte(i < 2 ? 0x80 : 0); // numbered when all locals are known
  }

  getLong(local: number): void {
    this.#long(op.localGet, local);
  }

  setLong(local: number): void {
    this.#long(op.localSet, local);
  }

  const(value: number): void {
    this.bytes.byte(op.const);
    this.bytes.signed(value);
  }

  const64(value: number): void {
    this.bytes.byte(op.const64);
    this.bytes.signed(value);
  }

  /** A load or store at a fixed offset (below 4 GiB) from the address on the stack; alignment is a hint, and left out. */
  memory(code: number, offset: number): void {
    this.bytes.byte(code);
    this.bytes.byte(0);
    this.bytes.unsigned(offset);
  }

  block(): Label {
    this.op(op.block, EMPTY);
    return { depth: ++this.#depth };
  }

  loop(): Label {
    this.op(op.loop, EMPTY);
    return { depth: ++this.#depth };
  }

  /** What is on the stack is not 0. */
  if(): Label {
    this.op(op.if, EMPTY);
    return { depth: ++this.#depth };
  }

  else(): void {
    this.op(op.else);
  }

  end(): void {
    this.#depth--;
    this.op(op.end);
  }

  #around = 0;

  /** A label at the end of the body so far, of a block that is put around it once the body is complete: see `closeAround`. */
  labelAround(): Label {
    return { depth: -this.#around++ };
  }

  /** The end of the innermost block around the body that is still open; what is written now is where its label goes. */
  closeAround(): void {
    this.op(op.end);
  }

  #to({ depth }: Label): number {
    assert(depth <= this.#depth, 'a branch leaves what it is in');
    return this.#depth - depth;
  }

  br(label: Label): void {
    this.bytes.byte(op.br);
    this.bytes.unsigned(this.#to(label));
  }

  brIf(label: Label): void {
    this.bytes.byte(op.brIf);
    this.bytes.unsigned(this.#to(label));
  }

  /** By the number on the stack; the last label is for all others. */
  brTable(labels: readonly Label[], otherwise: Label): void {
    this.bytes.byte(op.brTable);
    this.bytes.unsigned(labels.length);
    for (const label of labels) this.bytes.unsigned(this.#to(label));
    this.bytes.unsigned(this.#to(otherwise));
  }

  call(index: number): void {
    this.bytes.byte(op.call);
    this.bytes.unsigned(index);
  }

  /** The whole body as the code section holds it. */
  encode(): Uint8Array {
    assert(this.#depth === 0, 'every block has its end');
    const code = this.bytes.done;
    for (const { at, local } of this.#longUses) {
      const index = this.#words + local;
      code[at] = (index & 127) | 128;
      code[at + 1] = ((index >>> 7) & 127) | 128;
      code[at + 2] = index >>> 14;
    }
    const out = new Bytes();
    const words = this.#words - this.parameters;
    out.unsigned((words > 0 ? 1 : 0) + (this.#longs > 0 ? 1 : 0));
    if (words > 0) {
      out.unsigned(words);
      out.byte(I32);
    }
    if (this.#longs > 0) {
      out.unsigned(this.#longs);
      out.byte(I64);
    }
    for (const { local, value } of this.#initial) {
      out.byte(op.const);
      out.signed(value);
      out.byte(op.localSet);
      out.unsigned(local);
    }
    for (let i = 0; i < this.#around; i++) {
      out.byte(op.block);
      out.byte(EMPTY);
    }
    out.append(code);
    out.byte(op.end);
    return out.done;
  }
}

/** A function that a module defines; its type is (i32 × parameters) → i32. */
export interface FunctionDefinition {
  readonly name: string;
  readonly body: Body;
}

/** What a module imports besides its memory and table, both from `env`. Functions take words and give one. */
export interface ImportedFunction {
  readonly name: string;
  readonly parameters: number;
}

/** The type of a function with so many parameters, as `call_indirect` names it: types are numbered by their parameters. */
export const TYPES = 8;

/** A module: shared memory `env.memory`, table `env.table`, functions from `env`, then those defined here, all exported. */
export function encodeModule(
  functions: readonly FunctionDefinition[],
  imports: readonly ImportedFunction[] = [],
): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
  section(out, 1, (s) => {
    s.unsigned(TYPES);
    for (let parameters = 0; parameters < TYPES; parameters++) {
      s.byte(0x60);
      s.unsigned(parameters);
      for (let i = 0; i < parameters; i++) s.byte(I32);
      s.unsigned(1);
      s.byte(I32);
    }
  });
  section(out, 2, (s) => {
    s.unsigned(2 + imports.length);
    s.name('env');
    s.name('memory');
    for (const byte of [2, 3]) s.byte(byte); // a memory, shared, with both limits
    s.unsigned(0);
    s.unsigned(65536);
    s.name('env');
    s.name('table');
    for (const byte of [1, 0x70, 0]) s.byte(byte); // a table of functions without upper limit
    s.unsigned(0);
    for (const { name, parameters } of imports) {
      s.name('env');
      s.name(name);
      s.byte(0);
      s.unsigned(parameters);
    }
  });
  section(out, 3, (s) => {
    s.unsigned(functions.length);
    for (const { body } of functions) s.unsigned(body.parameters);
  });
  section(out, 7, (s) => {
    s.unsigned(functions.length);
    functions.forEach(({ name }, i) => {
      s.name(name);
      s.byte(0);
      s.unsigned(imports.length + i);
    });
  });
  section(out, 10, (s) => {
    s.unsigned(functions.length);
    for (const { body } of functions) {
      const code = body.encode();
      s.unsigned(code.length);
      s.append(code);
    }
  });
  return out.done.slice() as Uint8Array<ArrayBuffer>;
}

function section(out: Bytes, id: number, write: (bytes: Bytes) => void): void {
  const content = new Bytes();
  write(content);
  out.byte(id);
  out.unsigned(content.length);
  out.append(content.done);
}
