import { busRanges, physicalReg } from '../devicetree/addresses.js';
import type { Node } from '../devicetree/tree.js';
import { Cpr, dividersFor, type Clocks, type Dividers } from '../devices/cpr.js';
import { ebcRegisters, type Bank } from '../devices/ebc.js';
import { IndirectDcrs } from '../devices/indirect-dcrs.js';
import { sdramRegisters, type MemoryRange } from '../devices/sdram.js';
import { sdrRegisters } from '../devices/sdr.js';

/** What the registers of the configuration controllers tell of a board. */
export interface BoardFacts {
  readonly dividers: Dividers;
  readonly memory: readonly MemoryRange[];
  /** Of the external bus, by its `ranges`. */
  readonly banks: readonly Bank[];
}

/** The facts as a board's nodes say them; a bus that names no clock runs as that of a 440EP with default strapping does. */
export function factsOf(nodes: readonly Node[]): BoardFacts {
  const ofType = (type: string): Node[] => nodes.filter((node) => node.get('device_type')?.string === type);
  const clockOf = (compatible: string): number | undefined =>
    nodes.find((node) => node.isCompatible(compatible))?.cell('clock-frequency') || undefined;
  const cpu = ofType('cpu')[0]?.cell('clock-frequency') ?? 0;
  const plb = clockOf('ibm,plb4') ?? cpu / 3;
  const opb = clockOf('ibm,opb') ?? plb / 2;
  const clocks: Clocks = { cpu, plb, opb, ebc: clockOf('ibm,ebc') ?? opb };
  const external = nodes.filter((node) => node.isCompatible('ibm,ebc')).flatMap(busRanges);
  const banks = external.map(({ child, base, size }) => ({ number: Math.floor(child / 2 ** 32), base, size }));
  return { dividers: dividersFor(clocks), memory: ofType('memory').flatMap(physicalReg), banks };
}

/** The configuration controllers that a board can have, by `compatible`. */
// prettier-ignore
export const configurationDcrs: readonly (readonly [string, (facts: BoardFacts) => IndirectDcrs])[] = [
  ['ibm,cpr-440ep',   ({ dividers }) => new Cpr(dividers)],
  ['ibm,sdr-440ep',   ({ dividers }) => new IndirectDcrs(sdrRegisters(dividers))],
  ['ibm,sdram-440ep', ({ memory }) => new IndirectDcrs(sdramRegisters(memory))],
  ['ibm,ebc-440ep',   ({ banks }) => new IndirectDcrs(ebcRegisters(banks))],
];
