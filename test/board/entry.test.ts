import { expect, test } from 'vitest';
import { decodeBlob } from '../../src/devicetree/blob.js';
import { EPAPR_MAGIC } from '../../src/loader/boot.js';
import { Code } from '../hypervisor/code.js';
import { bareBoard, hypervisor } from '../hypervisor/guest.js';

const program = new Code(0x1230).finish();

const machines = () => {
  const alone = bareBoard(program);
  const { partition } = hypervisor({ guest: { program } });
  return [
    ['a bare board', alone.core, alone.machine.board.bus] as const,
    ['a partition', partition('guest').vcpus[0]!.machine, partition('guest').board.bus] as const,
  ];
};

test.each(machines())('a program on %s is entered with the registers of QEMU’s bamboo and of ePAPR', (_, core, bus) => {
  const { regs, system } = core;
  const [memory] = bus.ram.regions;
  const { gpr } = regs;
  expect(regs.pc).toBe(0x1230);
  expect(system.msr).toBe(0);
  expect([gpr[1], gpr[6], gpr[7]]).toEqual([memory!.size - 0x10000 - 8, EPAPR_MAGIC, memory!.size]);
  const others = [...gpr].filter((_value, r) => ![1, 3, 6, 7].includes(r));
  expect(new Set(others)).toEqual(new Set([0]));
  const blob = memory!.target.slice(gpr[3]!, memory!.size - gpr[3]!);
  expect(decodeBlob(blob, 'r3').root.isCompatible('amcc,bamboo')).toBe(true);
});

test.each(machines())('a program on %s finds all 4 GiB mapped to themselves, for the supervisor alone', (_, core) => {
  const { tlb } = core.system;
  for (const address of [0, 0x12345678, 0x7fffffff, 0x80000000, 0xef600300, 0xffffffff]) {
    const entry = tlb.find(address, 0, 0);
    expect(tlb.real(entry, address)).toBe(address);
    for (const use of ['read', 'write', 'execute'] as const) {
      expect([tlb.allows(entry, use, false), tlb.allows(entry, use, true)]).toEqual([true, false]);
    }
    const inhibited = (tlb.read(entry, 2) & 0x500) !== 0;
    expect(inhibited).toBe(address >= 0x80000000); // devices: I and G
    expect(tlb.find(address, 1, 0)).toBe(-1);
    expect(tlb.tid(entry)).toBe(0);
  }
  expect(Array.from({ length: 48 }, (_value, i) => tlb.valid(i + 16))).not.toContain(true);
});
