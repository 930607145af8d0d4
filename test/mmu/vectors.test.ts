import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { MSR } from '../../src/isa/registers.js';
import { syndrome, type Trap } from '../../src/cpu/trap.js';
import type { Device, Width } from '../../src/bus/bus.js';
import { machine, map } from '../cpu/machine.js';
import { shared, testWith } from '../tools.js';

/**
 * Accesses recorded on another implementation, each done here by a real core: entries by tlbwe, a load or store in the
 * address space 1, and a device behind every physical address that says which one it was asked for.
 */
class Everywhere implements Device {
  last: { address: number; width: Width } | undefined;
  read(offset: number, width: Width): number {
    this.last = { address: offset, width };
    return 0;
  }
  write(offset: number, width: Width): void {
    this.last = { address: offset, width };
  }
  peek(): number {
    return 0;
  }
}

const CODE = 0x1000;
const access = (name: string): number => asm(name, name.startsWith('l') ? { rt: 3, ra: 4 } : { rs: 3, ra: 4 });

function outcome(trap: Trap | null, device: Everywhere): string {
  if (trap === null) return `ok ${device.last?.address.toString(16)} 0`;
  const name = { 'data-tlb-miss': 'dtlb', 'data-storage': 'dsi' }[trap.kind as string] ?? trap.kind;
  return `${name} ${'address' in trap ? trap.address.toString(16) : '?'} ${((syndrome(trap) ?? 0) >>> 0).toString(16)}`;
}

/** Do a row's access on a fresh state; what came out, in the row's own words. */
function run(row: string): { expected: string; actual: string } {
  const [pid, entries, op, privilege, address, result, where, esr] = row.split('\t');
  core.reset();
  device.last = undefined;
  // Code is fetched from space 0, where the row's data is not
  map(core, 63, { ea: 0, pa: 0, size: 2 });
  ram.write(CODE, 4, access(op!));
  entries!.split(';').forEach((entry, i) => {
    const [tid, ...words] = entry.split(':').map((text) => parseInt(text, 16));
    core.regs.gpr[6] = i;
    core.system.set('mmucr', tid!);
    words.forEach((word, n) => {
      core.regs.gpr[5] = word;
      ram.write(CODE - 4, 4, asm('tlbwe', { rs: 5, ra: 6, ws: n }));
      core.regs.pc = CODE - 4;
      expect(core.step()).toBeNull();
    });
  });
  core.regs.pc = CODE;
  core.regs.gpr[4] = parseInt(address!, 16);
  core.system.set('pid', parseInt(pid!, 16));
  core.system.msr = MSR.DS | (privilege === '1' ? MSR.PR : 0);
  core.contextChanged();
  return { expected: `${result} ${where} ${esr}`, actual: outcome(core.step(), device) };
}

const { core, ram, bus } = machine({ ram: 0x2000 });
const device = new Everywhere();
bus.devices.attach('everywhere', 0, 2 ** 36, device);

const file = shared('vectors/mmu.tsv');

testWith(file)('every recorded access is translated, missed or refused as it was there', () => {
  const rows = readFileSync(file!, 'utf8')
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('#'));
  const results = rows.map((row) => ({ row, ...run(row) }));
  const failed = results.filter(({ expected, actual }) => expected !== actual);
  console.log(`mmu.tsv: ${rows.length} rows checked, ${rows.length - failed.length} passed, 0 skipped`);
  expect(failed.slice(0, 10)).toEqual([]);
  expect(rows.length).toBe(1200);
});
