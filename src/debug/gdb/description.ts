import type { Core } from '../../cpu/core.js';
import { overlaps, type Range } from '../../devicetree/addresses.js';
import { TLB_ENTRIES, type Tlb } from '../../mmu/tlb.js';
import { coreRegisters, floatRegisters, systemRegisters, type RegisterDescription } from '../register-table.js';
import type { Process, Target } from '../target.js';

/** GDB's number of the first of each kind of register: its features power.core and power.fpu prescribe them. */
const FIRST_FLOAT = 32;
const PC = 64;
const FPSCR = 70;
const FIRST_SYSTEM = 71;

/** Registers in the order of GDB's numbers, each with its number. */
export function numbered(
  hasFloats: boolean,
): readonly { readonly number: number; readonly register: RegisterDescription }[] {
  const core = coreRegisters.map((register, i) => ({ number: i < 32 ? i : PC + i - 32, register }));
  const floats = floatRegisters.map((register, i) => ({ number: i < 32 ? FIRST_FLOAT + i : FPSCR, register }));
  const system = systemRegisters.map((register, i) => ({ number: FIRST_SYSTEM + i, register }));
  return [...core, ...(hasFloats ? floats : []), ...system].toSorted((a, b) => a.number - b.number);
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const xml = (text: string): string => text.replace(/[&<>"]/g, (c) => escapes[c]!);

const types: Readonly<Record<RegisterDescription['meaning'], string>> = {
  number: 'uint32',
  code: 'code_ptr',
  data: 'data_ptr',
  float: 'ieee_double',
  fields: '',
};

function fieldType({ name, fields }: RegisterDescription): string {
  const lines = fields.map(({ name: field, low, high }) => `<field name="${field}" start="${low}" end="${high}"/>`);
  return `<flags id="${name}_fields" size="4">${lines.join('')}</flags>`;
}

function feature(name: string, registers: readonly { number: number; register: RegisterDescription }[]): string {
  const withFields = registers.map(({ register }) => register).filter(({ fields }) => fields.length > 0);
  const lines = registers.map(({ number, register }) => {
    const type = register.meaning === 'fields' ? `${register.name}_fields` : types[register.meaning];
    return `<reg name="${register.name}" bitsize="${register.bits}" regnum="${number}" type="${type}" group="${register.group}"/>`;
  });
  return `<feature name="${name}">\n${[...withFields.map(fieldType), ...lines].join('\n')}\n</feature>`;
}

/** The target description: power.core as GDB wants it, the FPU where there is one, and the 440's system registers. */
export function targetXml(hasFloats: boolean): string {
  const all = numbered(hasFloats);
  const of = (group: RegisterDescription['group']) => all.filter(({ register }) => register.group === group);
  return `<?xml version="1.0"?>
<!DOCTYPE target SYSTEM "gdb-target.dtd">
<target version="1.0">
<architecture>powerpc:common</architecture>
${feature('org.gnu.gdb.power.core', of('general'))}
${hasFloats ? feature('org.gnu.gdb.power.fpu', of('float')) : ''}
${feature('org.hv440.ppc440.system', of('system'))}
</target>
`;
}

const TOP = 2 ** 32;
const hex = (value: number): string => `0x${value.toString(16)}`;

/**
 * The memory map. GDB refuses to touch what it does not name, and a program's effective addresses are wherever its
 * translation puts them: so what lies between the stretches of RAM is named too. Memory that the program may only read is
 * `rom`, for which GDB sets hardware breakpoints and refuses to write; but not where the TLB has something else at its
 * addresses, which are effective ones to GDB.
 */
export function memoryMapXml({ bus, system }: Core): string {
  const within = bus.ram.regions.filter(({ base }) => base < TOP).toSorted((a, b) => a.base - b.base);
  const lines: string[] = [];
  let at = 0;
  const add = (to: number, type: 'ram' | 'rom' = 'ram'): void => {
    if (to > at) lines.push(`<memory type="${type}" start="${hex(at)}" length="${hex(to - at)}"/>`);
    at = Math.max(at, to);
  };
  for (const region of within) {
    add(region.base);
    const rom = region.target.readOnly && !liesElsewhere(system.tlb, region);
    add(Math.min(TOP, region.base + region.size), rom ? 'rom' : 'ram');
  }
  add(TOP);
  return `<?xml version="1.0"?>
<!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd">
<memory-map>
${lines.join('\n')}
</memory-map>
`;
}

/** Whether an entry of the TLB leads from some of these addresses, taken as effective ones, to others. */
function liesElsewhere(tlb: Tlb, range: Range): boolean {
  for (let entry = 0; entry < TLB_ENTRIES; entry++) {
    const page = { base: tlb.base(entry), size: tlb.bytes(entry) };
    if (tlb.valid(entry) && overlaps(page, range) && tlb.realBase(entry) !== page.base) return true;
  }
  return false;
}

/** What a thread does, in a few words: GDB shows it in `info threads`. */
export function threadState({ runs, process }: Target): string {
  if (process.ending) return 'ended';
  if (!runs) return 'the core under the hypervisor';
  return runs.machine.waits ? 'waits for an interrupt' : 'runs';
}

export function threadsXml(targets: readonly Target[], id: (target: Target) => string): string {
  const lines = targets.map(
    (target) => `<thread id="${id(target)}" core="0" name="${xml(target.name)}">${xml(threadState(target))}</thread>`,
  );
  return `<?xml version="1.0"?>\n<threads>\n${lines.join('\n')}\n</threads>\n`;
}

/** Tables for `info os`. */
export function osdataXml(annex: string, processes: readonly Process[]): string | undefined {
  const tables: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>> = {
    '': [
      { Type: 'processes', Description: 'the hypervisor and the partitions', Title: 'Processes' },
      { Type: 'partitions', Description: 'what each partition does', Title: 'Partitions' },
    ],
    processes: processes.map(({ number, name, targets }) => ({
      pid: String(number),
      user: '',
      command: name,
      cores: String(targets.length),
    })),
    partitions: processes
      .filter(({ kind }) => kind === 'partition')
      .map((process) => ({
        name: process.name,
        process: String(process.number),
        state: process.ending ? 'ended' : process.targets.map(threadState).join(', '),
      })),
  };
  const rows = tables[annex];
  if (!rows) return undefined;
  const items = rows.map(
    (row) =>
      `<item>${Object.entries(row)
        .map(([name, value]) => `<column name="${name}">${xml(value)}</column>`)
        .join('')}</item>`,
  );
  return `<?xml version="1.0"?>\n<!DOCTYPE target SYSTEM "osdata.dtd">\n<osdata type="${annex || 'types'}">\n${items.join('\n')}\n</osdata>\n`;
}
