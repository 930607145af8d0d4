import { expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { findSpr, isSupervisorNumber, MSR, sprs } from '../../src/isa/registers.js';
import { execute, mapped, put, setMsr } from './machine.js';

/** Registers that a program may name in user mode (manual, "Privileged SPRs"), by the number that it uses. */
const userReads = [1, 8, 9, 256, 260, 261, 262, 263, 268, 269];
const userWrites = [1, 8, 9, 256];

/** PPC440x5 User's Manual, "Register Summary": name, number, who reads, who writes. */
// prettier-ignore
const supervisorNumbers = {
  readWrite: [
    22, 26, 27, 48, 58, 59, 61, 62, 63, 272, 273, 274, 275, 276, 277, 278, 279, 304, 308, 309, 310, 312, 313, 314, 315, 316, 317,
    318, 319, 336, 340, ...Array.from({ length: 16 }, (_, i) => 400 + i), 570, 571, 572, 880, 881, 882, 883, 884, 885, 886, 887,
    888, 912, 913, 914, 915, 916, 917, 918, 919, 920, 921, 946, 947, 1011,
  ],
  readOnly: [286, 287, 923, 924, 925, 926, 927, 979],
  writeOnly: [54, 284, 285],
};

type Result = 'ok' | 'privileged' | 'illegal';

/** The manual's rule: in user mode a number with bit 5 set is privileged, defined or not, and another undefined one is illegal. */
function expected(number: number, way: 'read' | 'write', user: boolean): Result {
  const forUser = (way === 'read' ? userReads : userWrites).includes(number);
  if (forUser) return 'ok';
  const { readWrite, readOnly, writeOnly } = supervisorNumbers;
  const forSupervisor = [...readWrite, ...(way === 'read' ? readOnly : writeOnly)].includes(number);
  if (!user) return forSupervisor ? 'ok' : 'illegal';
  // A register that user programs may only read is privileged to write
  return isSupervisorNumber(number) || userReads.includes(number) ? 'privileged' : 'illegal';
}

const { core, ram } = mapped({ ram: 0x2000 });

function attempt(number: number, way: 'read' | 'write', user: boolean): Result {
  const name = way === 'read' ? 'mfspr' : 'mtspr';
  core.reset();
  core.system.tlb.write(63, 0, 0x250, 0);
  core.system.tlb.write(63, 2, 0x3f, 0);
  setMsr(core, user ? MSR.PR : 0);
  const trap = execute({ core, ram }, asm(name, { [way === 'read' ? 'rt' : 'rs']: 3, spr: number }));
  if (trap === null) return 'ok';
  if (trap.kind !== 'program' || (trap.cause !== 'illegal' && trap.cause !== 'privileged'))
    throw new Error(`${name} ${number} raised ${trap.kind}`);
  return trap.cause;
}

test.each([
  ['user', 'read'],
  ['user', 'write'],
  ['supervisor', 'read'],
  ['supervisor', 'write'],
] as const)('of the 1,024 numbers, a %s may %s those that the manual says', (who, way) => {
  const wrong: string[] = [];
  for (let number = 0; number < 1024; number++) {
    const [wanted, actual] = [expected(number, way, who === 'user'), attempt(number, way, who === 'user')];
    if (wanted !== actual) wrong.push(`${number} ${findSpr(number)?.name ?? ''}: ${actual}, not ${wanted}`);
  }
  expect(wrong).toEqual([]);
});

test('the table of registers says the same, and no number stands in it twice', () => {
  expect(new Set(sprs.map((s) => s.number)).size).toBe(sprs.length);
  for (const { number, name, read, write } of sprs) {
    expect([number, name, read === 'u'], name).toEqual([number, name, userReads.includes(number)]);
    expect([number, name, write === 'u'], name).toEqual([number, name, userWrites.includes(number)]);
    if (read !== 'u' && write !== 'u') expect(isSupervisorNumber(number), name).toBe(true);
  }
});

const write = (number: number, value: number): void => {
  core.regs.gpr[3] = value;
  expect(execute({ core, ram }, asm('mtspr', { rs: 3, spr: number }))).toBeNull();
};
const read = (number: number): number => {
  expect(execute({ core, ram }, asm('mfspr', { rt: 4, spr: number }))).toBeNull();
  return core.regs.gpr[4]! >>> 0;
};
const fresh = (): void => {
  core.reset();
  core.system.tlb.write(63, 0, 0x250, 0);
  core.system.tlb.write(63, 2, 0x3f, 0);
};

/** Registers that count, or that reset the core. */
const special = ['DEC', 'TBL', 'TBU', 'TSR', 'TCR', 'DBCR0'];
const plain = sprs.filter((s) => s.read !== '-' && s.write !== '-' && s.onWrite === 'set' && !special.includes(s.name));

test.each(plain.map((s) => [s.name, s] as const))('%s keeps the bits that it has', (_, { number, bits }) => {
  fresh();
  write(number, 0xffffffff);
  expect(read(number)).toBe(bits >>> 0);
  write(number, 0x5a5a5a5a);
  expect(read(number)).toBe((0x5a5a5a5a & bits) >>> 0);
});

test.each(['TSR', 'DBSR', 'MCSR'] as const)('ones written to %s clear, zeros leave', (name) => {
  fresh();
  const { number } = sprs.find((s) => s.name === name)!;
  core.system.set(name.toLowerCase() as 'tsr', 0xc8000000);
  write(number, 0x48000001);
  expect(read(number)).toBe(0x80000000);
});

test('SPRG4 to SPRG7 are one register by their two numbers', () => {
  fresh();
  [276, 277, 278, 279].forEach((number, i) => write(number, 0x100 + i));
  expect([260, 261, 262, 263].map(read)).toEqual([0x100, 0x101, 0x102, 0x103]);
});

test('PVR and PIR say which processor it is, and cannot be written', () => {
  fresh();
  expect([read(287), read(286)]).toEqual([0x422218d3, 0]);
  expect(execute({ core, ram }, asm('mtspr', { rs: 3, spr: 287 }))).toEqual({ kind: 'program', cause: 'illegal' });
});

test('a register that may not be written is as it was, and so is the target of a refused read', () => {
  fresh();
  core.regs.gpr[3] = 0x1234;
  setMsr(core, MSR.PR);
  expect(execute({ core, ram }, asm('mtspr', { rs: 3, spr: 272 }))?.kind).toBe('program');
  expect(execute({ core, ram }, asm('mfspr', { rt: 3, spr: 272 }))?.kind).toBe('program');
  expect([core.system.get('sprg0'), core.regs.gpr[3]]).toEqual([0, 0x1234]);
});

test('a new PID holds for the next data access and the next fetch', () => {
  fresh();
  const { tlb } = core.system;
  core.lookaside.flush();
  tlb.write(10, 0, 0x20000210, 5);
  tlb.write(10, 1, 0x1000, 0);
  tlb.write(10, 2, 0x3f, 0);
  put(ram, 0x1000, [asm('lwz', { rt: 6, ra: 5 }), asm('mtspr', { rs: 3, spr: 48 }), asm('lwz', { rt: 6, ra: 5 })]);
  core.regs.gpr[3] = 5;
  core.regs.gpr[5] = 0x20000000;
  core.regs.pc = 0x1000;
  expect(core.step()?.kind).toBe('data-tlb-miss');
  core.regs.pc = 0x1004;
  expect([core.step(), core.step(), core.regs.gpr[6]]).toEqual([null, null, asm('lwz', { rt: 6, ra: 5 }) | 0]);
});

test('the MSR keeps only the bits that exist', () => {
  fresh();
  core.regs.gpr[3] = 0xffffffff & ~(MSR.PR | MSR.IS | MSR.WE);
  expect(execute({ core, ram }, asm('mtmsr', { rs: 3 }))).toBeNull();
  expect(execute({ core, ram }, asm('mfmsr', { rt: 4 }))).toBeNull();
  expect(core.regs.gpr[4]).toBe(MSR.CE | MSR.EE | MSR.FP | MSR.ME | MSR.FE0 | MSR.DWE | MSR.DE | MSR.FE1 | MSR.DS);
});

test('wrtee and wrteei change EE alone', () => {
  fresh();
  setMsr(core, MSR.CE | MSR.ME);
  core.regs.gpr[3] = -1;
  execute({ core, ram }, asm('wrtee', { rs: 3 }));
  expect(core.system.msr).toBe(MSR.CE | MSR.ME | MSR.EE);
  execute({ core, ram }, asm('wrteei', { e: 0 }));
  expect(core.system.msr).toBe(MSR.CE | MSR.ME);
  execute({ core, ram }, asm('wrteei', { e: 1 }));
  expect(core.system.msr).toBe(MSR.CE | MSR.ME | MSR.EE);
});

test('a DCR that nothing answers reads as 0; one that something answers gets its offset', () => {
  fresh();
  const seen: string[] = [];
  core.bus.dcrs.attach('uic', 0xc0, 9, {
    readDcr: (offset) => seen.push(`read ${offset}`),
    writeDcr: (offset, value) => void seen.push(`write ${offset} ${value}`),
    peekDcr: () => 0,
  });
  core.regs.gpr[3] = -1;
  for (const dcr of [0xbf, 0xc0, 0xc8, 0xc9, 0x3ff]) {
    core.regs.gpr[4] = 77;
    expect(execute({ core, ram }, asm('mfdcr', { rt: 4, dcr }))).toBeNull();
    if (dcr < 0xc0 || dcr > 0xc8) expect(core.regs.gpr[4]).toBe(0);
    expect(execute({ core, ram }, asm('mtdcr', { rs: 3, dcr }))).toBeNull();
  }
  expect(seen).toEqual(['read 0', 'write 0 4294967295', 'read 8', 'write 8 4294967295']);
});
