import type { IndirectRegister } from './indirect-dcrs.js';

const MIB = 2 ** 20;
const BANKS = 4;

/** A stretch of memory, in bytes. */
export interface MemoryRange {
  readonly base: number;
  readonly size: number;
}

/** Sizes that a bank can have, as SDSZ says them, and the addressing mode SDAM of the chips that make one up: 8 to 11 columns. */
// prettier-ignore
const bankSizes = [
  { size: 512 * MIB, sdsz: 7, sdam: 3 },
  { size: 256 * MIB, sdsz: 6, sdam: 3 },
  { size: 128 * MIB, sdsz: 5, sdam: 2 },
  { size:  64 * MIB, sdsz: 4, sdam: 1 },
  { size:  32 * MIB, sdsz: 3, sdam: 1 },
  { size:  16 * MIB, sdsz: 2, sdam: 0 },
  { size:   8 * MIB, sdsz: 1, sdam: 0 },
] as const;

/** BnCR[SDBE]: the bank is enabled. */
const SDBE = 1;

/**
 * The four bank configuration registers BnCR for a board's memory, each range split into the largest banks that fit and
 * lie at a multiple of their own size. What is left where four banks, or banks of 8 to 512 MiB below 4 GiB, do not
 * suffice has none: memory is where the device tree says, whatever these registers do. Linux adds up the sizes to find
 * how much memory there is (arch/powerpc/boot/4xx.c).
 */
export function bankRegisters(memory: readonly MemoryRange[]): number[] {
  const banks: number[] = [];
  for (const range of memory) {
    let { base, size } = range;
    while (banks.length < BANKS && base < 2 ** 32) {
      const bank = bankSizes.find((b) => b.size <= size && base % b.size === 0);
      if (!bank) break;
      banks.push((base | (bank.sdsz << 17) | (bank.sdam << 13) | SDBE) >>> 0);
      base += bank.size;
      size -= bank.size;
    }
  }
  return [...banks, ...Array<number>(BANKS - banks.length).fill(0)];
}

/** BnCR: SDBA, SDSZ, SDAM, SDBE. */
const BANK_BITS = 0xff8ee001;

/**
 * DDR SDRAM controller (SDRAM0), DCRs 0x10 and 0x11. PPC440EP User's Manual, DDR SDRAM controller; U-Boot,
 * ppc4xx-sdram.h. The controller is running, with timings for a PLB of 133 MHz as U-Boot sets them on a Bamboo; memory
 * neither moves nor goes away by what is written.
 */
// prettier-ignore
export function sdramRegisters(memory: readonly MemoryRange[]): readonly IndirectRegister[] {
  const banks = bankRegisters(memory);
  return [
    { name: 'BESR0',  number: 0x00, reset: 0,          writable: 0xffffffff, onWrite: 'clear' }, // bus error status
    { name: 'BESR1',  number: 0x08, reset: 0,          writable: 0xffffffff, onWrite: 'clear' },
    { name: 'BEAR',   number: 0x10, reset: 0,          writable: 0 },          // bus error address
    { name: 'SLIO',   number: 0x18, reset: 0,          writable: 0xe0000000 }, // RDRE WRRE RARW
    { name: 'CFG0',   number: 0x20, reset: 0x80000000, writable: 0xbee00000 }, // DCEN MCHK RDEN PMUD DMWD UIOS PDP: enabled, no ECC, 32 bits wide
    { name: 'CFG1',   number: 0x21, reset: 0,          writable: 0xc0000000 }, // SRE PMEN
    { name: 'DEVOPT', number: 0x22, reset: 0,          writable: 0xc0000000 }, // DLL DS
    { name: 'MCSTS',  number: 0x24, reset: 0xa0000000, writable: 0 },          // MRSC SRMS CIS: initialised, idle
    { name: 'RTR',    number: 0x30, reset: 0x04100000, writable: 0xffff0000 }, // RINT: 7.8 us
    { name: 'PMIT',   number: 0x34, reset: 0x07c00000, writable: 0xf8000000 }, // power management idle timer
    { name: 'UABBA',  number: 0x38, reset: 0,          writable: 0x0000000f }, // address bits 0:3 of 36
    { name: 'B0CR',   number: 0x40, reset: banks[0]!,  writable: BANK_BITS },
    { name: 'B1CR',   number: 0x44, reset: banks[1]!,  writable: BANK_BITS },
    { name: 'B2CR',   number: 0x48, reset: banks[2]!,  writable: BANK_BITS },
    { name: 'B3CR',   number: 0x4c, reset: banks[3]!,  writable: BANK_BITS },
    { name: 'TR0',    number: 0x80, reset: 0x41094012, writable: 0xc18fc01f }, // SDWR SDWD SDCL SDPA SDCP SDLD SDRA SDRD: CAS latency 2.5
    { name: 'TR1',    number: 0x81, reset: 0x8080083d, writable: 0xc0c009ff }, // RDSS RDSL RDCD RDCT
    { name: 'CLKTR',  number: 0x82, reset: 0x40000000, writable: 0xc00001ff }, // CLKP DCDT
    { name: 'WDDCTR', number: 0x83, reset: 0,          writable: 0xc00001ff }, // WRCP DCD
    { name: 'DLYCAL', number: 0x84, reset: 0,          writable: 0x000003fc }, // DLCV
    { name: 'ECCESR', number: 0x98, reset: 0,          writable: 0xfff0f000, onWrite: 'clear' }, // ECC error status
  ];
}
