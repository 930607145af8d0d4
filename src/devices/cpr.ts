import { IndirectDcrs, type IndirectRegister } from './indirect-dcrs.js';

/** Clocks of a 440EP in Hz. */
export interface Clocks {
  readonly cpu: number;
  readonly plb: number;
  readonly opb: number;
  readonly ebc: number;
}

/**
 * The oscillator that all clocks but the serial ports' come from, in Hz: 33⅓ MHz on a Bamboo. The software of the board
 * knows it without asking and rounds it to 33333333 (U-Boot, include/configs/bamboo.h; Linux, arch/powerpc/boot/bamboo.c).
 */
export const SYS_CLOCK = 100e6 / 3;

/** What the VCO can run at, in Hz. PPC440EP data sheet, clock timing. */
const VCO = { min: 600e6, max: 1334e6 };

/**
 * How the 440EP divides its clocks. VCO = SysClk × FBDV × LFBDV × FWDVA, with PLLOUTA as feedback; CPU = VCO / FWDVA;
 * PLB = VCO / FWDVB / PRBDV0; OPB = PLB / OPBDV0; EBC, MAL and PCI = PLB / PERDV0, MALDV0 and PCIDV0.
 * U-Boot, arch/powerpc/cpu/ppc4xx/speed.c; Linux, arch/powerpc/boot/4xx.c.
 */
export interface Dividers {
  readonly fbdv: number;
  readonly lfbdv: number;
  readonly fwdva: number;
  readonly fwdvb: number;
  readonly pradv0: number;
  readonly prbdv0: number;
  readonly opbdv0: number;
  readonly perdv0: number;
  readonly maldv0: number;
  readonly pcidv0: number;
}

const divide = (clock: number, by: number, most: number): number => Math.min(most, Math.max(1, Math.round(clock / by)));

/**
 * Dividers that give these clocks, or the nearest ones there are: the CPU's is a multiple of SysClk, the PLB's a whole
 * fraction of the VCO's, the others' of the PLB's. LFBDV and the primary dividers are 1, as U-Boot takes for granted.
 */
export function dividersFor({ cpu, plb, opb, ebc }: Clocks): Dividers {
  const fbdv = divide(cpu, SYS_CLOCK, 32);
  let [fwdva, fwdvb, error] = [16, 8, Infinity];
  for (let a = 1; a <= 16; a++) {
    const vco = SYS_CLOCK * fbdv * a;
    if (vco < VCO.min || vco > VCO.max) continue;
    const b = divide(vco, plb, 8);
    const off = Math.round(Math.abs(vco / b - plb)); // to the Hz: the tree's clocks are rounded
    if (off < error) [fwdva, fwdvb, error] = [a, b, off];
  }
  const opbdv0 = divide(plb, opb, 4);
  const perdv0 = divide(plb, ebc, 8);
  return { fbdv, lfbdv: 1, fwdva, fwdvb, pradv0: 1, prbdv0: 1, opbdv0, perdv0, maldv0: 2, pcidv0: 4 };
}

/** A divider's field of so many bits, the last of them at `bit` in the manuals' numbering; its largest value is written as 0. */
export const dividerField = (divider: number, width: number, bit: number): number =>
  ((divider % 2 ** width) << (31 - bit)) >>> 0;

const RLI = 0x80000000; // ICFG[0]: reload inhibit

/**
 * Clocking and power-on reset, DCRs 0x0c and 0x0d. PPC440EP User's Manual, clocking; U-Boot, ppc440.h and ppc440ep_gr.h.
 * Dividers take effect on a 440EP after CLKUPD or a reset; the clocks of this board are what its device tree says.
 * PLLC[TUNE], which suits the loop filter to the VCO, is 0. ICFG[ICS] is 0, bootstrap option A.
 */
// prettier-ignore
const registers = (d: Dividers): readonly IndirectRegister[] => [
  { name: 'CLKUPD',  number: 0x020, reset: 0,                             writable: 0 },          // a write starts an update, and reads as 0
  { name: 'PLLC',    number: 0x040, reset: 0x40000000,                    writable: 0xe70003ff }, // RST ENG SRC SEL TUNE: engaged, feedback from PLLOUTA
  { name: 'PLLD',    number: 0x060, reset: pll(d),                        writable: 0x1f0f073f }, // FBDV FWDVA FWDVB LFBDV
  { name: 'PRIMAD0', number: 0x080, reset: dividerField(d.pradv0, 3, 7),  writable: 0x07000000 },
  { name: 'PRIMBD0', number: 0x0a0, reset: dividerField(d.prbdv0, 3, 7),  writable: 0x07000000 },
  { name: 'OPBD0',   number: 0x0c0, reset: dividerField(d.opbdv0, 2, 7),  writable: 0x03000000 },
  { name: 'PERD0',   number: 0x0e0, reset: dividerField(d.perdv0, 3, 7),  writable: 0x07000000 },
  { name: 'MALD0',   number: 0x100, reset: dividerField(d.maldv0, 2, 7),  writable: 0x03000000 },
  { name: 'SPCID',   number: 0x120, reset: dividerField(d.pcidv0, 2, 7),  writable: 0x03000000 },
  { name: 'ICFG',    number: 0x140, reset: 0,                             writable: RLI },        // RLI ICS
];

const pll = ({ fbdv, lfbdv, fwdva, fwdvb }: Dividers): number =>
  (dividerField(fbdv, 5, 7) | dividerField(fwdva, 4, 15) | dividerField(fwdvb, 3, 23) | dividerField(lfbdv, 6, 31)) >>>
  0;

/** The clocking DCRs of a 440EP (CPR0). */
export class Cpr extends IndirectDcrs {
  constructor(dividers: Dividers) {
    super(registers(dividers));
  }

  /** With ICFG[RLI] set the strapping is not loaded again: U-Boot changes its clocks so, and resets the chip. */
  override reset(): void {
    if (this.value('ICFG') & RLI) this.state.address = 0;
    else super.reset();
  }
}
