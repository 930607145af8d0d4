import type { IndirectRegister } from './indirect-dcrs.js';

/** BnCR: BAS, BS, BU, BW. */
const BANK = 0xffffe000;
/** BnAP: all to PEN; the last five bits are reserved. */
const ACCESS = 0xffffffe0;

/** A bank of the external bus as the firmware left it: what its chip select reaches. */
export interface Bank {
  /** 0 to 5. */
  readonly number: number;
  /** Physical. A multiple of `size`, which is a power of two from 1 to 128 MiB. */
  readonly base: number;
  readonly size: number;
}

const READ_AND_WRITE = 0x18000; // BnCR[BU]
const MIB = 2 ** 20;

/** BnCR of a bank that is eight bits wide, or 0 (disabled) of one that the register cannot describe. */
function bankControl({ base, size }: Bank): number {
  const sizeField = Math.log2(size / MIB);
  const fits = Number.isInteger(sizeField) && sizeField >= 0 && sizeField <= 7 && base % size === 0 && base < 2 ** 32;
  return fits ? (base | (sizeField << 17) | READ_AND_WRITE) >>> 0 : 0;
}

/**
 * External bus controller (EBC0), DCRs 0x12 and 0x13, with the six banks of a 440EP. PPC440EP User's Manual, external bus
 * controller; U-Boot, ppc4xx.h and ppc4xx-ebc.h. A bank with nothing connected is disabled (BnCR[BU] = 0). What is
 * written moves nothing: the devices stay where the device tree has them.
 */
export const ebcRegisters = (banks: readonly Bank[]): IndirectRegister[] =>
  registers.map((register) => {
    const bank = banks.find(({ number }) => register.number === number);
    return bank ? { ...register, reset: bankControl(bank) } : register;
  });

// prettier-ignore
const registers: readonly IndirectRegister[] = [
  { name: 'B0CR',  number: 0x00, reset: 0,          writable: BANK },
  { name: 'B1CR',  number: 0x01, reset: 0,          writable: BANK },
  { name: 'B2CR',  number: 0x02, reset: 0,          writable: BANK },
  { name: 'B3CR',  number: 0x03, reset: 0,          writable: BANK },
  { name: 'B4CR',  number: 0x04, reset: 0,          writable: BANK },
  { name: 'B5CR',  number: 0x05, reset: 0,          writable: BANK },
  { name: 'B0AP',  number: 0x10, reset: 0,          writable: ACCESS },
  { name: 'B1AP',  number: 0x11, reset: 0,          writable: ACCESS },
  { name: 'B2AP',  number: 0x12, reset: 0,          writable: ACCESS },
  { name: 'B3AP',  number: 0x13, reset: 0,          writable: ACCESS },
  { name: 'B4AP',  number: 0x14, reset: 0,          writable: ACCESS },
  { name: 'B5AP',  number: 0x15, reset: 0,          writable: ACCESS },
  { name: 'BEAR',  number: 0x20, reset: 0,          writable: 0 },          // bus error address
  { name: 'BESR0', number: 0x21, reset: 0,          writable: 0xffffffff, onWrite: 'clear' }, // bus error status
  { name: 'BESR1', number: 0x22, reset: 0,          writable: 0xffffffff, onWrite: 'clear' },
  { name: 'CFG',   number: 0x23, reset: 0xb8400000, writable: 0xfffff000 }, // EBTC PTD RTC EMPH EMPL CSTC BPF EMS PME PMT: bus driven, ready timeout 2048 clocks
  { name: 'CID',   number: 0x24, reset: 0,          writable: 0 },          // which controller this is
];
