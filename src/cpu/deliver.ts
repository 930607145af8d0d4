import { ESR, MSR } from '../isa/registers.js';
import { recordInterrupt } from './debug-record.js';
import { S, type Registers, type System } from './state.js';
import { machineCheckSyndrome, syndrome, vectors, type Level, type Trap } from './trap.js';

/** The MSR bits that an interrupt of each level leaves as they are; it clears all others. */
export const kept: Readonly<Record<Level, number>> = {
  base: MSR.CE | MSR.ME | MSR.DE,
  critical: MSR.ME,
  'machine-check': 0,
};

/**
 * Enter a trap's handler. On a board this is hardware; on a virtual processor it is injection.
 * A machine check is saved in MCSRR0/1 and in CSRR0/1, since programs for the 440EP return from it either way (Linux picks
 * by PVR; QEMU's 440EP does the same).
 */
export function deliver(trap: Trap, regs: Registers, system: System): void {
  const { words } = system;
  const { ivor, level } = vectors[trap.kind];
  const { msr } = system;
  if (level === 'base') {
    words[S.srr0] = regs.pc;
    words[S.srr1] = msr;
  } else {
    words[S.csrr0] = regs.pc;
    words[S.csrr1] = msr;
  }
  if (trap.kind === 'machine-check') {
    words[S.mcsrr0] = regs.pc;
    words[S.mcsrr1] = msr;
    words[S.mcsr]! |= machineCheckSyndrome(trap.cause);
    words[S.waitingMachineCheck] = 0;
  }
  if ('address' in trap && trap.kind !== 'machine-check') words[S.dear] = trap.address;
  const esr = syndrome(trap);
  if (esr !== undefined) words[S.esr] = esr | (words[S.esr]! & ESR.MCI); // only software clears MCI
  recordInterrupt(system, level);
  system.msr = msr & kept[level];
  regs.pc = ((words[S.ivpr]! & 0xffff0000) | (words[S.ivor0 + ivor]! & 0xfff0)) >>> 0;
}
