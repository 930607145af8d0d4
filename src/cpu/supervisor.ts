import { findSpr, isSupervisorNumber, MSR, MSR_BITS, XER, type Spr } from '../isa/registers.js';
import { TLB_ENTRIES } from '../mmu/tlb.js';
import type { Core } from './core.js';
import { R, S, userWords, type SystemRegister } from './state.js';
import { resetKind } from './timers.js';

/** What processor control, TLB and interrupt return instructions do. */

/** Replace the MSR; bits that do not exist are dropped. Takes effect at the next instruction. */
export function writeMsr(core: Core, value: number): void {
  core.system.msr = value & MSR_BITS;
  core.contextChanged();
}

/** A register and its word: the user's, or -1, and else the supervisor's. */
interface Place {
  readonly spr: Spr;
  readonly user: number;
  readonly system: number;
}

/** Of the numbers that have been met. */
const places: (Place | null)[] = [];

function placeOf(number: number): Place | null {
  const spr = findSpr(number);
  const system = spr && S[spr.name.toLowerCase() as SystemRegister];
  const made = spr ? { spr, user: userWords[spr.name] ?? -1, system: system ?? -1 } : null;
  places[number] = made;
  return made;
}

/** Find the register and check the right to it; raises a program interrupt and gives null where there is none. */
function access(core: Core, number: number, way: 'read' | 'write'): Place | null {
  const user = (core.system.msr & MSR.PR) !== 0;
  const known = places[number];
  const place = known === undefined ? placeOf(number) : known;
  const spr = place?.spr;
  const right = spr ? (way === 'read' ? spr.read : spr.write) : '-';
  if (user && right !== 'u' && (spr || isSupervisorNumber(number))) {
    core.raise({ kind: 'program', cause: 'privileged' });
    return null;
  }
  if (right === 'u' || (right === 's' && !user)) return place;
  core.raise({ kind: 'program', cause: 'illegal' });
  return null;
}

export function readSpr(core: Core, number: number): number {
  const place = access(core, number, 'read');
  if (!place) return 0;
  if (place.user >= 0) return core.regs.words[place.user]!;
  core.syncClock();
  switch (place.spr.name) {
    case 'TBL':
      return Number(core.timers.timeBase & 0xffffffffn) | 0;
    case 'TBU':
      return Number(core.timers.timeBase >> 32n) | 0;
    case 'DEC':
      return core.timers.decrementer | 0;
    case 'TSR':
      core.timers.update();
      return core.system.words[S.tsr]!;
    default:
      return core.system.words[place.system]!;
  }
}

function setTimeBase({ timers, regs }: Core, half: 'low' | 'high', value: number): void {
  timers.setTimeBase(half, value);
  regs.words[R.ASK_TIME] = -1; // in what is left of this run
}

export function writeSpr(core: Core, number: number, value: number): void {
  const place = access(core, number, 'write');
  if (!place) return;
  const { spr, user } = place;
  if (user >= 0) {
    core.regs.words[user] = value & spr.bits;
    return;
  }
  core.syncClock();
  switch (spr.name) {
    case 'TBL':
      setTimeBase(core, 'low', value);
      break;
    case 'TBU':
      setTimeBase(core, 'high', value);
      break;
    case 'DEC':
      core.timers.decrementer = value;
      break;
    case 'DECAR':
      core.timers.update(); // what has been reloaded so far was the old value
      writeStored(core, place, value);
      break;
    case 'TSR':
    case 'TCR':
      core.timers.update();
      writeStored(core, place, value);
      core.timers.changed();
      break;
    case 'DBCR0':
      writeStored(core, place, value);
      core.requestReset(resetKind(value >>> 28));
      core.contextChanged();
      break;
    case 'DBSR':
      writeStored(core, place, value);
      core.contextChanged();
      break;
    case 'PID':
      writeStored(core, place, value);
      core.contextChanged();
      break;
    default:
      writeStored(core, place, value);
      break;
  }
  core.attention(); // a timer may be due at another time now
}

function writeStored({ system }: Core, { spr, system: word }: Place, value: number): void {
  system.words[word] = spr.onWrite === 'clear' ? system.words[word]! & ~value : value & spr.bits;
}

/** A DCR that nothing answers reads as 0. */
export function readDcr(core: Core, number: number): number {
  core.syncClock();
  const region = core.bus.dcrs.find(number);
  return region ? region.target.readDcr(number - region.base) | 0 : 0;
}

export function writeDcr(core: Core, number: number, value: number): void {
  core.syncClock();
  const region = core.bus.dcrs.find(number);
  region?.target.writeDcr(number - region.base, value >>> 0);
}

const STID = 0xff;
const STS = 0x10000;

/** tlbre: word 0 also puts the entry's TID into MMUCR[STID]. Words above 2 read as 0. */
export function readTlb(core: Core, index: number, word: number): number {
  const { tlb, words } = core.system;
  const entry = index & (TLB_ENTRIES - 1);
  if (word > 2) return 0;
  if (word === 0) words[S.mmucr] = (words[S.mmucr]! & ~STID) | tlb.tid(entry);
  return tlb.read(entry, word);
}

/** tlbwe: word 0 takes the entry's TID from MMUCR[STID]. */
export function writeTlb(core: Core, index: number, word: number, value: number): void {
  const { tlb, words } = core.system;
  const entry = index & (TLB_ENTRIES - 1);
  core.forgetEntry(entry);
  tlb.write(entry, word, value, words[S.mmucr]! & STID);
  if (word === 0) core.forgetEntry(entry); // the others do not say which addresses it maps
}

/** tlbsx: the space and process to look for are in MMUCR[STS] and MMUCR[STID]. Gives the entry's number, or -1. */
export function searchTlb(core: Core, address: number): number {
  const mmucr = core.system.words[S.mmucr]!;
  return core.system.tlb.find(address, mmucr & STS ? 1 : 0, mmucr & STID);
}

/** CR0 after tlbsx.: EQ says whether there was an entry. */
export function recordSearch(core: Core, found: boolean): void {
  const { words } = core.regs;
  const summary = words[R.XER]! & XER.SO ? 0x10000000 : 0;
  words[R.CR] = (words[R.CR]! & 0x0fffffff) | (found ? 0x20000000 : 0) | summary;
}

export const saved = {
  base: [S.srr0, S.srr1],
  critical: [S.csrr0, S.csrr1],
  'machine-check': [S.mcsrr0, S.mcsrr1],
} as const;

/** rfi, rfci, rfmci: the next pc; the MSR is restored. */
export function returnFrom(core: Core, level: 'base' | 'critical' | 'machine-check'): number {
  const [pc, msr] = saved[level];
  const { words } = core.system;
  const next = words[pc]! & ~3;
  writeMsr(core, words[msr]!);
  return next;
}
