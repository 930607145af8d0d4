import { ESR, MCSR } from '../isa/registers.js';

export type Access = 'read' | 'write';

/** A data access that cannot be done; `floating` if a floating-point load or store asked for it. */
interface StorageTrap {
  readonly address: number;
  readonly access: Access;
  readonly floating?: true;
}

/** What a processor raises. A value: recorded and returned, never thrown. Addresses are effective, 32 bits, unsigned. */
export type Trap =
  | { readonly kind: 'critical-input' }
  | {
      readonly kind: 'machine-check';
      readonly cause: 'instruction-fetch' | 'data-read' | 'data-write';
      readonly address: number;
    }
  | ({ readonly kind: 'data-storage' } & StorageTrap)
  | { readonly kind: 'instruction-storage' } // the address is the pc
  | { readonly kind: 'external-input' }
  | ({ readonly kind: 'alignment' } & StorageTrap)
  | { readonly kind: 'program'; readonly cause: 'illegal' | 'privileged' | 'trap' | 'floating-point' }
  | { readonly kind: 'fp-unavailable' }
  | { readonly kind: 'system-call'; readonly level: number } // the pc is already on the next instruction
  | { readonly kind: 'ap-unavailable' }
  | { readonly kind: 'decrementer' }
  | { readonly kind: 'fixed-interval' }
  | { readonly kind: 'watchdog' }
  | ({ readonly kind: 'data-tlb-miss' } & StorageTrap)
  | { readonly kind: 'instruction-tlb-miss' } // the address is the pc
  | { readonly kind: 'debug' };

export type TrapKind = Trap['kind'];

/** Which save registers an interrupt uses, and with them which MSR bits it clears. */
export type Level = 'base' | 'critical' | 'machine-check';

// PPC440x5 User's Manual, "Interrupts and Exceptions", interrupt definitions
// prettier-ignore
export const vectors: Readonly<Record<TrapKind, { readonly ivor: number; readonly level: Level }>> = {
  'critical-input':       { ivor: 0,  level: 'critical' },
  'machine-check':        { ivor: 1,  level: 'machine-check' },
  'data-storage':         { ivor: 2,  level: 'base' },
  'instruction-storage':  { ivor: 3,  level: 'base' },
  'external-input':       { ivor: 4,  level: 'base' },
  'alignment':            { ivor: 5,  level: 'base' },
  'program':              { ivor: 6,  level: 'base' },
  'fp-unavailable':       { ivor: 7,  level: 'base' },
  'system-call':          { ivor: 8,  level: 'base' },
  'ap-unavailable':       { ivor: 9,  level: 'base' },
  'decrementer':          { ivor: 10, level: 'base' },
  'fixed-interval':       { ivor: 11, level: 'base' },
  'watchdog':             { ivor: 12, level: 'critical' },
  'data-tlb-miss':        { ivor: 13, level: 'base' },
  'instruction-tlb-miss': { ivor: 14, level: 'base' },
  'debug':                { ivor: 15, level: 'critical' },
};

/** What a trap leaves in the ESR, or undefined for one that does not touch it. */
export function syndrome(trap: Trap): number | undefined {
  switch (trap.kind) {
    case 'program':
      return { illegal: ESR.PIL, privileged: ESR.PPR, trap: ESR.PTR, 'floating-point': ESR.FP }[trap.cause];
    case 'data-storage':
    case 'data-tlb-miss':
    case 'alignment':
      return (trap.access === 'write' ? ESR.ST : 0) | (trap.floating ? ESR.FP : 0);
    case 'instruction-storage':
      return 0;
    case 'machine-check':
      return trap.cause === 'instruction-fetch' ? ESR.MCI : undefined;
    default:
      return undefined;
  }
}

/** What a machine check leaves in the MCSR: the bus error of the instruction fetch, data read or data write side. */
export const machineCheckSyndrome = (cause: 'instruction-fetch' | 'data-read' | 'data-write'): number =>
  MCSR.MCS | { 'instruction-fetch': MCSR.IB, 'data-read': MCSR.DRB, 'data-write': MCSR.DWB }[cause];
