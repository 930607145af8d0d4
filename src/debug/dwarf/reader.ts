/** The string sections that debug information refers to. */
export interface StringSections {
  /** .debug_str. */
  readonly strings: Uint8Array;
  /** .debug_line_str, of DWARF 5. */
  readonly lineStrings: Uint8Array;
}

/** Forms of attributes and of entries of file tables. DWARF 5, section 7.5.6, table 7.6. */
// prettier-ignore
export const FORM = {
  addr: 0x01, block2: 0x03, block4: 0x04, data2: 0x05, data4: 0x06, data8: 0x07, string: 0x08, block: 0x09, block1: 0x0a,
  data1: 0x0b, flag: 0x0c, sdata: 0x0d, strp: 0x0e, udata: 0x0f, ref_addr: 0x10, ref1: 0x11, ref2: 0x12, ref4: 0x13,
  ref8: 0x14, ref_udata: 0x15, sec_offset: 0x17, exprloc: 0x18, flag_present: 0x19, strx: 0x1a, addrx: 0x1b,
  data16: 0x1e, line_strp: 0x1f, ref_sig8: 0x20, implicit_const: 0x21, loclistx: 0x22, rnglistx: 0x23, strx1: 0x25,
  strx2: 0x26, strx4: 0x28, addrx1: 0x29, addrx2: 0x2a, addrx4: 0x2c,
} as const;

/**
 * Reads big-endian debug information of a 32-bit program. Past its end everything is 0 and `failed` is set: debug information
 * that is damaged is no reason not to debug.
 */
export class DwarfReader {
  failed = false;
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    /** One past the last byte that may be read. */
    readonly end = bytes.length,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get more(): boolean {
    return !this.failed && this.at < this.end;
  }

  skip(count: number): void {
    this.at += count;
    if (this.at > this.end) this.failed = true;
  }

  #take(count: number): number | undefined {
    const { at } = this;
    this.skip(count);
    return this.failed ? undefined : at;
  }

  u8(): number {
    const at = this.#take(1);
    return at === undefined ? 0 : this.bytes[at]!;
  }

  u16(): number {
    const at = this.#take(2);
    return at === undefined ? 0 : this.#view.getUint16(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at === undefined ? 0 : this.#view.getUint32(at);
  }

  /** Unsigned LEB128; what does not fit into 53 bits is not exact. DWARF 5, section 7.6. */
  uleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Signed LEB128. */
  sleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return byte & 0x40 ? value - scale * 128 : value;
    }
  }

  /** A string up to its zero. */
  string(): string {
    const text = textAt(this.bytes, this.at, this.end);
    const end = this.bytes.indexOf(0, this.at);
    this.skip((end < 0 ? this.end : end + 1) - this.at);
    return text;
  }

  /** A value of a form: a string, a number, or `undefined` for what nobody here asks for. An unknown form fails. */
  form(form: number, sections: StringSections): string | number | undefined {
    switch (form) {
      case FORM.string:
        return this.string();
      case FORM.strp:
        return textAt(sections.strings, this.u32());
      case FORM.line_strp:
        return textAt(sections.lineStrings, this.u32());
      case FORM.data1:
      case FORM.flag:
      case FORM.ref1:
        return this.u8();
      case FORM.data2:
      case FORM.ref2:
        return this.u16();
      case FORM.addr:
      case FORM.data4:
      case FORM.sec_offset:
      case FORM.ref4:
      case FORM.ref_addr:
        return this.u32();
      case FORM.udata:
      case FORM.ref_udata:
        return this.uleb();
      case FORM.sdata:
        return this.sleb();
      default:
        this.#skipForm(form);
        return undefined;
    }
  }

  #skipForm(form: number): void {
    const size = sizes[form];
    if (size !== undefined) this.skip(size);
    else if (form === FORM.block || form === FORM.exprloc) this.skip(this.uleb());
    else if (form === FORM.block1) this.skip(this.u8());
    else if (form === FORM.block2) this.skip(this.u16());
    else if (form === FORM.block4) this.skip(this.u32());
    else if (indices.has(form)) this.uleb();
    else this.failed = true;
  }
}

/** Bytes of forms of fixed size that are not read. */
// prettier-ignore
const sizes: Readonly<Record<number, number>> = {
  [FORM.data8]: 8, [FORM.data16]: 16, [FORM.ref8]: 8, [FORM.ref_sig8]: 8, [FORM.flag_present]: 0,
  [FORM.implicit_const]: 0, [FORM.strx1]: 1, [FORM.strx2]: 2, [FORM.strx4]: 4, [FORM.addrx1]: 1, [FORM.addrx2]: 2,
  [FORM.addrx4]: 4,
};

const indices: ReadonlySet<number> = new Set([FORM.strx, FORM.addrx, FORM.loclistx, FORM.rnglistx]);

const decoder = new TextDecoder();

function textAt(bytes: Uint8Array, at: number, limit = bytes.length): string {
  if (at >= limit) return '';
  const end = bytes.indexOf(0, at);
  return decoder.decode(bytes.subarray(at, end < 0 ? limit : Math.min(end, limit)));
}
