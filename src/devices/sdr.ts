import { dividerField, type Dividers } from './cpr.js';
import type { IndirectRegister } from './indirect-dcrs.js';

const ALL = 0xffffffff;

/** UARTn: UXICS and UXEC, clock source; UXDIV, divider. U-Boot, 4xx_uart.c; Linux, arch/powerpc/boot/4xx.c. */
const UART = { writable: 0xf08000ff, external: 0x00800001 };

/**
 * System DCRs (SDR0), DCRs 0x0e and 0x0f: strapping, chip identification, pin functions and the configuration of units.
 * PPC440EP User's Manual, system DCRs; U-Boot, ppc440.h, ppc440ep_gr.h and doc/README.bamboo, which has a strapping with
 * its fields. Values are those that the board's boot firmware leaves. SRST resets nothing here. Where no source names a
 * register's reserved bits, all are kept.
 */
// prettier-ignore
export const sdrRegisters = (d: Dividers): readonly IndirectRegister[] => [
  { name: 'SDSTP0', number: 0x0020, reset: strap0(d),     writable: 0 },          // serial device strap: what was loaded
  { name: 'SDSTP1', number: 0x0021, reset: strap1(d),     writable: 0 },
  { name: 'SDSTP2', number: 0x4001, reset: 0x40000000,    writable: 0 },          // MEM: pins are the Ethernet's, no NAND flash
  { name: 'SDSTP3', number: 0x4003, reset: 0,             writable: 0 },
  { name: 'PINSTP', number: 0x0040, reset: 0,             writable: 0 },          // bootstrap option A: CPU 400 MHz, PLB 133 MHz, 8-bit EBC
  { name: 'SDCS',   number: 0x0060, reset: 0,             writable: 0x00000001 }, // SDD
  { name: 'ECID0',  number: 0x0080, reset: 0,             writable: 0 },          // chip identification: none is burnt in
  { name: 'ECID1',  number: 0x0081, reset: 0,             writable: 0 },
  { name: 'ECID2',  number: 0x0082, reset: 0,             writable: 0 },
  { name: 'ECID3',  number: 0x0083, reset: 0,             writable: 0 },
  { name: 'JTAG',   number: 0x00c0, reset: 0,             writable: 0 },
  { name: 'DDRDL',  number: 0x00e0, reset: 0,             writable: ALL },        // DDR delay line
  { name: 'EBC',    number: 0x0100, reset: 0,             writable: ALL },
  { name: 'UART0',  number: 0x0120, reset: UART.external, writable: UART.writable },
  { name: 'UART1',  number: 0x0121, reset: UART.external, writable: UART.writable },
  { name: 'UART2',  number: 0x0122, reset: UART.external, writable: UART.writable },
  { name: 'UART3',  number: 0x0123, reset: UART.external, writable: UART.writable },
  { name: 'CP440',  number: 0x0180, reset: 0,             writable: ALL },        // Nto1 is 0: CPU and PLB clocks are not N to 1
  { name: 'SRST',   number: 0x0200, reset: 0,             writable: ALL },        // soft reset, a bit a unit
  { name: 'SLPIPE', number: 0x0220, reset: 0,             writable: ALL },        // PLB slave pipelining
  { name: 'AMP0',   number: 0x0240, reset: 0,             writable: ALL },        // PLB4 master priorities
  { name: 'AMP1',   number: 0x0241, reset: 0,             writable: ALL },        // PLB3 master priorities
  { name: 'MIRQ0',  number: 0x0260, reset: 0,             writable: ALL },
  { name: 'MIRQ1',  number: 0x0261, reset: 0,             writable: ALL },
  { name: 'MALTBL', number: 0x0280, reset: 0,             writable: ALL },
  { name: 'MALRBL', number: 0x02a0, reset: 0,             writable: ALL },
  { name: 'MALTBS', number: 0x02c0, reset: 0,             writable: ALL },
  { name: 'MALRBS', number: 0x02e0, reset: 0,             writable: ALL },
  { name: 'PCI0',   number: 0x0300, reset: 0,             writable: ALL },        // PAE: no PCI arbiter
  { name: 'USB0',   number: 0x0320, reset: 0,             writable: 0x00000003 }, // DEVSEL LEEN
  { name: 'CUST0',  number: 0x4000, reset: 0x40000000,    writable: ALL },        // as SDSTP2
  { name: 'CUST1',  number: 0x4002, reset: 0,             writable: 0xffff0000 }, // NDRSC
  { name: 'PFC0',   number: 0x4100, reset: 0,             writable: 0x00003f00 }, // GEIE TRE
  { name: 'PFC1',   number: 0x4101, reset: 0x00040000,    writable: 0x020ff00f }, // U0IM: UART0 has 4 pins, so that there are four UARTs
  { name: 'PLBTR',  number: 0x4200, reset: 0,             writable: ALL },
  { name: 'MFR',    number: 0x4300, reset: 0,             writable: 0x0ff80000 }, // ETH0 ETH1 ZMII ERRATA3 PKT_REJ
];

/** ENG, SRC, SEL, TUNE, FBDV, FWDVA, FWDVB, PRBDV0, OPBDV0: the PLL runs, with PLLOUTA as feedback; TUNE is 0. */
const strap0 = ({ fbdv, fwdva, fwdvb, prbdv0, opbdv0 }: Dividers): number =>
  (0x80000000 |
    dividerField(fbdv, 5, 19) |
    dividerField(fwdva, 4, 23) |
    dividerField(fwdvb, 3, 26) |
    dividerField(prbdv0, 3, 29) |
    dividerField(opbdv0, 2, 31)) >>>
  0;

const PLL_TIMER = 7; // PLLTIMER 13:15

/** LFBDV, PERDV0, MALDV0, PCIDV0, PLLTIMER; all below is 0: boot from an 8-bit EBC ROM, no PCI arbiter, synchronous PCI. */
const strap1 = ({ lfbdv, perdv0, maldv0, pcidv0 }: Dividers): number =>
  (dividerField(lfbdv, 6, 5) |
    dividerField(perdv0, 3, 8) |
    dividerField(maldv0, 2, 10) |
    dividerField(pcidv0, 2, 12) |
    (PLL_TIMER << 16)) >>>
  0;
