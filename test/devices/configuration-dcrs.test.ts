import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Cpr, dividersFor, SYS_CLOCK } from '../../src/devices/cpr.js';
import { ebcRegisters } from '../../src/devices/ebc.js';
import { IndirectDcrs } from '../../src/devices/indirect-dcrs.js';
import { bankRegisters, sdramRegisters } from '../../src/devices/sdram.js';
import { sdrRegisters } from '../../src/devices/sdr.js';

const MIB = 2 ** 20;
const bamboo = { cpu: 400e6, plb: 133333333, opb: 66666666, ebc: 66666666 };

const controllers = {
  CPR0: new Cpr(dividersFor(bamboo)),
  SDR0: new IndirectDcrs(sdrRegisters(dividersFor(bamboo))),
  SDRAM0: new IndirectDcrs(sdramRegisters([{ base: 0, size: 256 * MIB }])),
  EBC0: new IndirectDcrs(ebcRegisters([{ number: 5, base: 0x9c000000, size: MIB }])),
};

test.each(Object.entries(controllers))('the registers of %s have words as values and names of their own', (_, dcrs) => {
  const names = dcrs.registers.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, reset, writable } of dcrs.registers) {
    expect([reset >>> 0, writable >>> 0], name).toEqual([reset, writable]);
  }
});

test('the clocks of a Bamboo are divided as its default strapping does', () => {
  const whole = { fbdv: 12, fwdva: 2, fwdvb: 6, opbdv0: 2, perdv0: 2, maldv0: 2, pcidv0: 4 };
  expect(dividersFor(bamboo)).toEqual({ ...whole, lfbdv: 1, pradv0: 1, prbdv0: 1 });
  const { CPR0, SDR0 } = controllers;
  expect(CPR0.value('PLLC')).toBe(0x40000000);
  expect(CPR0.value('PLLD')).toBe(0x0c020601);
  expect(['PRIMAD0', 'PRIMBD0', 'OPBD0', 'PERD0', 'SPCID'].map((name) => CPR0.value(name))).toEqual([
    0x01000000, 0x01000000, 0x02000000, 0x02000000, 0,
  ]);
  expect(SDR0.value('SDSTP0')).toBe(0x8000c2c6);
  expect(SDR0.value('SDSTP1')).toBe(0x05470000);
});

test('a strapping has its fields where that of a real Bamboo has them', () => {
  // doc/README.bamboo: C47042A6 05D7A190, of it those fields that depend on clocks
  const real = {
    fbdv: 4,
    lfbdv: 1,
    fwdva: 2,
    fwdvb: 5,
    pradv0: 1,
    prbdv0: 1,
    opbdv0: 2,
    perdv0: 3,
    maldv0: 2,
    pcidv0: 2,
  };
  const dcrs = new IndirectDcrs(sdrRegisters(real));
  expect(dcrs.value('SDSTP0')).toBe((0xc47042a6 & ~0x47fe0000) >>> 0); // its SRC is PLLOUTB, and its TUNE is set
  expect(dcrs.value('SDSTP1')).toBe((0x05d7a190 & ~0x0000ffff) >>> 0);
});

test('other clocks that the chip can have come out exactly', () => {
  const clocks = fc.record({
    cpu: fc.constantFrom(8, 10, 12, 14, 16, 20),
    plb: fc.constantFrom(2, 3, 4),
    opb: fc.nat({ max: 2 }),
    ebc: fc.nat({ max: 6 }),
  });
  fc.assert(
    fc.property(clocks, ({ cpu, plb, opb, ebc }) => {
      const wanted = SYS_CLOCK * plb;
      const given = dividersFor({
        cpu: SYS_CLOCK * cpu,
        plb: wanted,
        opb: wanted / (opb + 1),
        ebc: wanted / (ebc + 1),
      });
      const vco = SYS_CLOCK * given.fbdv * given.lfbdv * given.fwdva;
      fc.pre(possible(cpu, plb));
      expect(vco / given.fwdva).toBeCloseTo(SYS_CLOCK * cpu, 0);
      expect(vco / given.fwdvb).toBeCloseTo(wanted, 0);
      expect([given.opbdv0, given.perdv0]).toEqual([opb + 1, ebc + 1]);
    }),
  );
});

/** Whether a VCO within 600 to 1334 MHz divides to both, with dividers up to 16 and 8; in units of SysClk. */
const possible = (cpu: number, plb: number): boolean =>
  Array.from({ length: 16 }, (_, i) => cpu * (i + 1)).some((m) => m >= 18 && m <= 40 && m % plb === 0 && m / plb <= 8);

test('clocks that the chip cannot have still give dividers that fit their fields', () => {
  const clock = fc.double({ min: 0, max: 4294967295, noNaN: true });
  fc.assert(
    fc.property(fc.record({ cpu: clock, plb: clock, opb: clock, ebc: clock }), (clocks) => {
      const most = {
        fbdv: 32,
        lfbdv: 64,
        fwdva: 16,
        fwdvb: 8,
        pradv0: 8,
        prbdv0: 8,
        opbdv0: 4,
        perdv0: 8,
        maldv0: 4,
        pcidv0: 4,
      };
      for (const [name, divider] of Object.entries(dividersFor(clocks))) {
        expect(Number.isInteger(divider), name).toBe(true);
        expect(divider, name).toBeGreaterThanOrEqual(1);
        expect(divider, name).toBeLessThanOrEqual(most[name as keyof typeof most]);
      }
    }),
  );
});

test('a divider that fills its field is written as 0', () => {
  const dcrs = new Cpr({ ...dividersFor(bamboo), fbdv: 32, fwdva: 16, fwdvb: 8, lfbdv: 64, opbdv0: 4, perdv0: 8 });
  expect([dcrs.value('PLLD'), dcrs.value('OPBD0'), dcrs.value('PERD0')]).toEqual([0, 0, 0]);
});

test('changed dividers outlast a reset where ICFG[RLI] says so', () => {
  const dcrs = new Cpr(dividersFor(bamboo));
  const write = (number: number, value: number): void => {
    dcrs.writeDcr(0, number);
    dcrs.writeDcr(1, value);
  };
  write(0x0e0, 0x04000000);
  dcrs.reset();
  expect(dcrs.value('PERD0')).toBe(0x02000000);
  write(0x0e0, 0x04000000);
  write(0x140, 0xffffffff);
  expect(dcrs.value('ICFG')).toBe(0x80000000);
  dcrs.reset();
  expect(dcrs.value('PERD0')).toBe(0x04000000);
  expect(dcrs.readDcr(0)).toBe(0);
  write(0x140, 0);
  dcrs.reset();
  expect(dcrs.value('PERD0')).toBe(0x02000000);
});

test('an update of the clocks is over at once', () => {
  const dcrs = new Cpr(dividersFor(bamboo));
  dcrs.writeDcr(0, 0x20);
  dcrs.writeDcr(1, 0xc0000000);
  expect(dcrs.readDcr(1)).toBe(0);
});

/** As Linux's ibm4xx_sdram_fixup_memsize and U-Boot do. */
const sizeOf = (banks: readonly number[]): number =>
  banks.filter((bank) => bank & 1).reduce((sum, bank) => sum + 4 * MIB * 2 ** ((bank >>> 17) & 7), 0);

test.each([
  [256, [0x000c6001, 0, 0, 0]],
  [64, [0x00082001, 0, 0, 0]], // as U-Boot's for the memory that is soldered to a Bamboo
  [128, [0x000a4001, 0, 0, 0]],
  [144, [0x000a4001, 0x08040001, 0, 0]],
  [1024, [0x000e6001, 0x200e6001, 0, 0]],
  [120, [0x00082001, 0x04062001, 0x06040001, 0x07020001]],
])('%i MiB are these banks, the largest first', (size, banks) => {
  expect(bankRegisters([{ base: 0, size: size * MIB }])).toEqual(banks);
  expect(sizeOf(banks)).toBe(size * MIB);
});

test('memory in several places, or not at 0, has banks at multiples of their sizes', () => {
  const memory = [
    { base: 0, size: 32 * MIB },
    { base: 0x08000000, size: 192 * MIB },
  ];
  expect(bankRegisters(memory)).toEqual([0x00062001, 0x080a4001, 0x10082001, 0]);
});

test('what banks cannot express is left out', () => {
  expect(bankRegisters([])).toEqual([0, 0, 0, 0]);
  expect(sizeOf(bankRegisters([{ base: 0, size: 4 * MIB }]))).toBe(0);
  expect(sizeOf(bankRegisters([{ base: 0, size: 100 * MIB + 4096 }]))).toBe(96 * MIB);
  expect(sizeOf(bankRegisters([{ base: 0, size: 248 * MIB }]))).toBe(240 * MIB);
  expect(sizeOf(bankRegisters([{ base: 0x100000000, size: 256 * MIB }]))).toBe(0);
});

test('any memory gives banks that lie within it, aligned and apart', () => {
  const page = fc.nat(0xfffff).map((n) => n * 4096);
  fc.assert(
    fc.property(page, page, (base, size) => {
      let end = base;
      for (const bank of bankRegisters([{ base, size }]).filter((b) => b & 1)) {
        const from = (bank & 0xff800000) >>> 0;
        expect(from).toBe(end);
        expect(from % sizeOf([bank])).toBe(0);
        end = from + sizeOf([bank]);
      }
      expect(end).toBeLessThanOrEqual(base + size);
    }),
  );
});

test('the SDRAM controller has been initialised, so that nobody waits for it', () => {
  const { SDRAM0 } = controllers;
  expect(SDRAM0.value('CFG0') & 0x80000000).not.toBe(0);
  expect(SDRAM0.value('MCSTS') & 0x80000000).not.toBe(0);
});

test('of the banks of the external bus only that with a device is in use', () => {
  for (let i = 0; i < 6; i++) expect(controllers.EBC0.value(`B${i}CR`)).toBe(i === 5 ? 0x9c018000 : 0);
});
