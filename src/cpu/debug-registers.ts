import { MSR } from '../isa/registers.js';
import type { ResetKind } from './timers.js';

/** The debug registers of the 440 (PPC440x5 User's Manual, "Debug Registers"), and the address comparison that IAC and DAC share. */

/** An event's enable in DBCR0 and its status in the DBSR are the same bit. */
// prettier-ignore
export const EVENT = {
  ICMP: 0x08000000, BRT: 0x04000000, IRPT: 0x02000000, TRAP: 0x01000000, RET: 0x8000,
  IAC1: 0x00800000, IAC2: 0x00400000, IAC3: 0x00200000, IAC4: 0x00100000,
  DAC1R: 0x80000, DAC1W: 0x40000, DAC2R: 0x20000, DAC2W: 0x10000,
} as const;

/** Debug control register 0: modes, and timers that stand while an event is recorded. DBCR0[RST] is the timers' `resetKind`. */
export const DBCR0 = { EDM: 0x80000000 | 0, IDM: 0x40000000, FT: 1 } as const;

/** Debug status register: events that were recorded while MSR[DE] was 0, the event without an enable, reversed ranges. */
export const DBSR = { IDE: 0x80000000 | 0, UDE: 0x40000000, IAC12ATS: 2, IAC34ATS: 1 } as const;

/** DBSR[MRR]: what kind of reset there was last. */
export const mostRecentReset: Readonly<Record<ResetKind, number>> = {
  core: 0x10000000,
  chip: 0x20000000,
  system: 0x30000000,
};

/** Events that are the comparisons of data addresses and values. */
export const DATA_EVENTS = EVENT.DAC1R | EVENT.DAC1W | EVENT.DAC2R | EVENT.DAC2W;

/** Events that are found by looking at each instruction; all but that of an interrupt. */
export const INSTRUCTION_EVENTS = Object.values(EVENT).reduce((all, bit) => all | bit, 0) & ~EVENT.IRPT;

/** Any of these in the DBSR is a debug exception. */
export const EXCEPTIONS = INSTRUCTION_EVENTS | EVENT.IRPT | DBSR.UDE;

/** Comparison modes, DBCR1[IAC12M, IAC34M] and DBCR2[DAC12M]. */
export const MODE = { EXACT: 0, MASK: 1, INCLUSIVE: 2, EXCLUSIVE: 3 } as const;

/** Does an address agree with one of a pair of compare registers, or with the pair? All are unsigned. */
export function addressMatches(mode: number, address: number, own: number, first: number, second: number): boolean {
  const within = first <= address && address < second;
  if (mode === MODE.EXACT) return address === own;
  if (mode === MODE.MASK) return ((address ^ first) & second) === 0;
  return mode === MODE.INCLUSIVE ? within : !within;
}

/**
 * Do the four bits of a user/supervisor field and the effective/real field behind it let a comparison happen now? `space` is
 * MSR[IS] or MSR[DS]. Values that the 440 reserves (real addresses among them) let none.
 */
export function qualifies(fields: number, msr: number, space: number): boolean {
  const [privilege, addressing] = [fields >>> 2, fields & 3];
  const privileged = privilege === 0 || privilege === (msr & MSR.PR ? 3 : 2);
  return privileged && (addressing === 0 || addressing === (msr & space ? 3 : 2));
}
