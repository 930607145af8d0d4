import { DwarfReader, FORM, type StringSections } from './reader.js';

/** What a compilation unit says of itself. */
export interface Unit {
  /** Its primary source file, as the compiler was given it. */
  readonly name: string;
  /** The directory in which it was compiled: what relative names begin at. */
  readonly directory: string;
}

/** DWARF 5, section 7.5.4, table 7.5. */
const AT = { name: 0x03, stmt_list: 0x10, comp_dir: 0x1b } as const;
/** DWARF 5, section 7.5.1, table 7.2. */
const UT = { type: 0x02, skeleton: 0x04, split_compile: 0x05, split_type: 0x06 } as const;

const DWARF64 = 0xffffffff;

/**
 * The units of .debug_info by where their line programs lie in .debug_line. Of each only the first entry is read: line
 * programs before DWARF 5 do not say themselves in which directory they were compiled.
 */
export function readUnits(
  info: Uint8Array,
  abbreviations: Uint8Array,
  sections: StringSections,
): ReadonlyMap<number, Unit> {
  const units = new Map<number, Unit>();
  for (let at = 0; at + 12 <= info.length;) {
    const length = new DwarfReader(info, at).u32();
    if (length === DWARF64 || length === 0) break;
    const reader = new DwarfReader(info, at + 4, Math.min(info.length, at + 4 + length));
    readUnit(reader, abbreviations, sections, units);
    at += 4 + length;
  }
  return units;
}

function readUnit(
  reader: DwarfReader,
  abbreviations: Uint8Array,
  sections: StringSections,
  units: Map<number, Unit>,
): void {
  const version = reader.u16();
  if (version < 2 || version > 5) return;
  let table: number;
  if (version === 5) {
    const type = reader.u8();
    reader.skip(1); // address size: 4, as the ELF says
    table = reader.u32();
    if (type === UT.skeleton || type === UT.split_compile) reader.skip(8);
    if (type === UT.type || type === UT.split_type) reader.skip(12);
  } else {
    table = reader.u32();
    reader.skip(1);
  }
  const form = attributesOf(abbreviations, table, reader.uleb());
  const found = new Map<number, string | number | undefined>();
  for (const [attribute, how] of form) {
    const value = reader.form(how, sections);
    if (reader.failed) return;
    found.set(attribute, value);
  }
  const [lines, name, directory] = [found.get(AT.stmt_list), found.get(AT.name), found.get(AT.comp_dir)];
  if (typeof lines !== 'number') return;
  units.set(lines, { name: textOf(name), directory: textOf(directory) });
}

const textOf = (value: string | number | undefined): string => (typeof value === 'string' ? value : '');

/** The attributes, each with its form, of entries with this code. DWARF 5, section 7.5.3. */
function attributesOf(abbreviations: Uint8Array, table: number, wanted: number): [number, number][] {
  const reader = new DwarfReader(abbreviations, table);
  while (reader.more) {
    const code = reader.uleb();
    if (code === 0) break;
    reader.uleb(); // tag
    reader.u8(); // has children
    const attributes: [number, number][] = [];
    for (;;) {
      const attribute = reader.uleb();
      const form = reader.uleb();
      if (form === FORM.implicit_const) reader.sleb();
      if ((attribute === 0 && form === 0) || reader.failed) break;
      attributes.push([attribute, form]);
    }
    if (code === wanted) return attributes;
  }
  return [];
}
