import { DwarfReader, type StringSections } from './reader.js';
import type { Unit } from './units.js';

/** Takes the rows that a line program makes, in its order. */
export interface RowSink {
  /** A number for a source file, by its full name. */
  file(name: string): number;
  /** From this address on, this line of this file; line 0 has no source. `statement`: a good place to stop at. */
  row(address: number, file: number, line: number, column: number, statement: boolean): void;
  /** The sequence of rows ends before this address. */
  end(address: number): void;
}

/** Content types of file tables. DWARF 5, section 7.22, table 7.27. */
const LNCT = { path: 1, directory_index: 2 } as const;

/** Standard opcodes. DWARF 5, section 7.22, table 7.25. */
// prettier-ignore
const LNS = {
  extended: 0, copy: 1, advance_pc: 2, advance_line: 3, set_file: 4, set_column: 5, negate_stmt: 6, set_basic_block: 7,
  const_add_pc: 8, fixed_advance_pc: 9,
} as const;

/** Extended opcodes. DWARF 5, section 7.22, table 7.26. */
const LNE = { end_sequence: 1, set_address: 2, define_file: 3 } as const;

const DWARF64 = 0xffffffff;

/** What a line program's header says. DWARF 5, section 6.2.4; DWARF 4, section 6.2.4. */
interface Header {
  readonly instructionLength: number;
  readonly statementByDefault: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Operands of the standard opcodes, from opcode 1 on. */
  readonly operands: readonly number[];
  /** Numbers in the sink by the program's own. */
  readonly files: number[];
  readonly directories: readonly string[];
}

/** Run all programs of .debug_line (DWARF 2 to 5). One that cannot be read is left out. */
export function readLinePrograms(
  bytes: Uint8Array,
  sections: StringSections,
  units: ReadonlyMap<number, Unit>,
  sink: RowSink,
): void {
  for (let at = 0; at + 10 <= bytes.length;) {
    const length = new DwarfReader(bytes, at).u32();
    if (length === DWARF64 || length === 0) return;
    const end = Math.min(bytes.length, at + 4 + length);
    const reader = new DwarfReader(bytes, at + 4, end);
    const header = readHeader(reader, sections, units.get(at), sink);
    if (header) runProgram(reader, header, sink);
    at = end;
  }
}

function readHeader(
  reader: DwarfReader,
  sections: StringSections,
  unit: Unit | undefined,
  sink: RowSink,
): Header | undefined {
  const version = reader.u16();
  if (version < 2 || version > 5) return undefined;
  if (version === 5) reader.skip(2); // address and segment selector sizes: 4 and 0, as the ELF says
  const length = reader.u32();
  const program = reader.at + length;
  const instructionLength = reader.u8();
  if (version >= 4) reader.skip(1); // operations in an instruction: 1 but for VLIW processors
  const statementByDefault = reader.u8() !== 0;
  const lineBase = (reader.u8() << 24) >> 24;
  const lineRange = Math.max(1, reader.u8());
  const opcodeBase = Math.max(1, reader.u8());
  const operands = Array.from({ length: opcodeBase - 1 }, () => reader.u8());
  const tables = version === 5 ? tables5(reader, sections, unit) : tables4(reader, unit);
  if (reader.failed) return undefined;
  reader.at = program;
  const files = tables.files.map((name) => sink.file(name));
  return {
    instructionLength,
    statementByDefault,
    lineBase,
    lineRange,
    opcodeBase,
    operands,
    files,
    directories: tables.directories,
  };
}

interface Tables {
  readonly directories: readonly string[];
  /** By the program's numbers: from 0 in DWARF 5, from 1 before, where 0 is the unit's own name. */
  readonly files: readonly string[];
}

/** Directory and file tables that say themselves what they hold. */
function tables5(reader: DwarfReader, sections: StringSections, unit: Unit | undefined): Tables {
  const named = entries(reader, sections).map(({ path }) => path);
  const base = joined(unit?.directory ?? '', named[0] ?? '');
  const directories = named.map((name) => joined(base, name));
  const files = entries(reader, sections).map(({ path, directory }) => joined(directories[directory] ?? base, path));
  return { directories, files };
}

function entries(reader: DwarfReader, sections: StringSections): { path: string; directory: number }[] {
  const formats = Array.from({ length: reader.u8() }, () => ({ type: reader.uleb(), form: reader.uleb() }));
  const count = reader.uleb();
  const found: { path: string; directory: number }[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    const entry = { path: '', directory: 0 };
    for (const { type, form } of formats) {
      const value = reader.form(form, sections);
      if (type === LNCT.path && typeof value === 'string') entry.path = value;
      if (type === LNCT.directory_index && typeof value === 'number') entry.directory = value;
    }
    found.push(entry);
  }
  return found;
}

function tables4(reader: DwarfReader, unit: Unit | undefined): Tables {
  const base = unit?.directory ?? '';
  const directories = [base];
  for (;;) {
    const name = reader.string();
    if (name === '' || reader.failed) break;
    directories.push(joined(base, name));
  }
  const files = [joined(base, unit?.name ?? '')];
  for (;;) {
    const name = reader.string();
    if (name === '' || reader.failed) break;
    files.push(fileEntry(reader, name, directories));
  }
  return { directories, files };
}

/** An entry of a file table before DWARF 5, behind its name: directory, time, length. */
function fileEntry(reader: DwarfReader, name: string, directories: readonly string[]): string {
  const directory = directories[reader.uleb()] ?? '';
  reader.uleb();
  reader.uleb();
  return joined(directory, name);
}

/** The state machine. DWARF 5, sections 6.2.2 and 6.2.5. */
function runProgram(reader: DwarfReader, header: Header, sink: RowSink): void {
  const { instructionLength, lineBase, lineRange, opcodeBase, operands, files, statementByDefault } = header;
  const start = { address: 0, file: 1, line: 1, column: 0, statement: statementByDefault };
  let state = { ...start };
  const advance = (operations: number): void => {
    state.address = (state.address + operations * instructionLength) >>> 0;
  };
  const append = (): void => {
    const file = files[state.file];
    if (file === undefined) sink.row(state.address, 0, 0, 0, false);
    else sink.row(state.address, file, state.line, state.column, state.statement);
  };
  const special = (opcode: number): void => {
    const adjusted = opcode - opcodeBase;
    advance(Math.floor(adjusted / lineRange));
    state.line += lineBase + (adjusted % lineRange);
    append();
  };
  const extended = (): void => {
    const length = reader.uleb();
    const next = reader.at + length;
    const opcode = length > 0 ? reader.u8() : 0;
    if (opcode === LNE.set_address) state.address = reader.u32();
    else if (opcode === LNE.define_file) files.push(sink.file(fileEntry(reader, reader.string(), header.directories)));
    else if (opcode === LNE.end_sequence) {
      sink.end(state.address);
      state = { ...start };
    }
    reader.skip(next - reader.at);
  };
  while (reader.more) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) special(opcode);
    else if (opcode === LNS.extended) extended();
    else if (opcode === LNS.copy) append();
    else if (opcode === LNS.advance_pc) advance(reader.uleb());
    else if (opcode === LNS.advance_line) state.line += reader.sleb();
    else if (opcode === LNS.set_file) state.file = reader.uleb();
    else if (opcode === LNS.set_column) state.column = reader.uleb();
    else if (opcode === LNS.negate_stmt) state.statement = !state.statement;
    else if (opcode === LNS.const_add_pc) advance(Math.floor((255 - opcodeBase) / lineRange));
    else if (opcode === LNS.fixed_advance_pc) state.address = (state.address + reader.u16()) >>> 0;
    else for (let i = 0; i < operands[opcode - 1]!; i++) reader.uleb();
  }
}

/** A path below a directory, without `.` and `..`; an absolute one stays where it is. */
export function joined(directory: string, path: string): string {
  const whole = path.startsWith('/') || directory === '' ? path : path === '' ? directory : `${directory}/${path}`;
  const steps: string[] = [];
  for (const step of whole.split('/')) {
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return (whole.startsWith('/') ? '/' : '') + steps.join('/');
}
