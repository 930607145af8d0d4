import { decode } from '../isa/decode.js';
import { MSR } from '../isa/registers.js';
import { word2 } from '../mmu/tlb.js';
import { fetch } from './access.js';
import type { Core } from './core.js';
import { stopsAtBlock } from './debug-data.js';
import { internalMode, record, withheld } from './debug-record.js';
import { addressMatches, DATA_EVENTS, DBSR, EVENT, MODE, qualifies } from './debug-registers.js';
import { R, S, type Registers } from './state.js';
import type { Access, Trap } from './trap.js';

/**
 * Debug events of instructions (PPC440x5 User's Manual, "Debug Facilities"). While one is enabled a core runs instruction by
 * instruction through here. An event that suppresses its instruction raises the debug interrupt as that instruction's
 * trap; one that is recorded behind it is an exception in the DBSR, and the interrupt is taken before the next.
 */

const DEBUG: Trap = { kind: 'debug' };
const WORD_EVENTS = EVENT.BRT | EVENT.RET | DATA_EVENTS;

/** Run one instruction by `execute`, which leaves its trap in `core.trap`. */
export function executeObserved(core: Core, execute: () => void): void {
  const { system } = core;
  core.trap = null;
  core.selfBranch = false;
  const enabled = system.words[S.dbcr0]!;
  const here = addressEvents(core);
  if (here !== 0 && record(core, here)) return void core.raise(DEBUG);
  if (enabled & WORD_EVENTS && stopsAtWord(core, enabled)) return;
  // The manual has no ICMP events in trace mode, nor in internal mode while MSR[DE] is off when the instruction begins
  const completes = (enabled & EVENT.ICMP) !== 0 && internalMode(system) && !withheld(system);
  const { watchSelfBranch } = core;
  if (completes) core.watchSelfBranch = false; // it is interrupted each time
  execute();
  core.watchSelfBranch = watchSelfBranch;
  finish(core, enabled, completes);
}

/** A trap instruction's program interrupt gives way to its event. A system call is complete, and its own interrupt comes first. */
function finish(core: Core, enabled: number, completes: boolean): void {
  const { trap } = core;
  if (trap?.kind === 'program' && trap.cause === 'trap' && enabled & EVENT.TRAP) {
    if (record(core, EVENT.TRAP)) core.trap = DEBUG;
  } else if (completes && (trap === null || trap.kind === 'system-call')) record(core, EVENT.ICMP);
}

/** A pair of instruction address compare registers; where its fields lie in DBCR1, as shifts; its bits. */
// prettier-ignore
const pairs = [
  { mode: 22, toggle: 0x10000, reversed: DBSR.IAC12ATS, comparators: [
    { register: S.iac1, qualifier: 28, event: EVENT.IAC1 }, { register: S.iac2, qualifier: 24, event: EVENT.IAC2 } ] },
  { mode: 6,  toggle: 1,       reversed: DBSR.IAC34ATS, comparators: [
    { register: S.iac3, qualifier: 12, event: EVENT.IAC3 }, { register: S.iac4, qualifier: 8,  event: EVENT.IAC4 } ] },
] as const;

/** Instruction address compare. Ranges that toggle are turned inside out by each event. */
function addressEvents(core: Core): number {
  const { system, regs } = core;
  const { words, msr } = system;
  const [enabled, control] = [words[S.dbcr0]!, words[S.dbcr1]!];
  let events = 0;
  for (const { mode: shift, toggle, reversed, comparators } of pairs) {
    const toggles = (control & toggle) !== 0;
    const mode = ((control >>> shift) & 3) ^ (toggles && words[S.dbsr]! & reversed ? 1 : 0);
    if (mode === MODE.MASK || (mode !== MODE.EXACT && withheld(system))) continue;
    const [first, second] = comparators.map(({ register }) => words[register]! >>> 0);
    let found = 0;
    for (const { register, qualifier, event } of comparators) {
      if (!(enabled & event) || !qualifies((control >>> qualifier) & 15, msr, MSR.IS)) continue;
      if (addressMatches(mode, regs.pc, words[register]! >>> 0, first!, second!)) found |= event;
    }
    if (found !== 0 && toggles) words[S.dbsr]! ^= reversed;
    events |= found;
  }
  return events;
}

/** Events that the instruction word tells; true if it traps, by one or because it cannot be fetched. */
function stopsAtWord(core: Core, enabled: number): boolean {
  const word = fetch(core);
  if (core.trap !== null) return true;
  const name = decode(word)?.name ?? '';
  const off = withheld(core.system);
  const user = (core.system.msr & MSR.PR) !== 0;
  let events = 0;
  if (enabled & EVENT.BRT && !off && takesBranch(name, word, core.regs)) events |= EVENT.BRT;
  if (enabled & EVENT.RET && !user && returns.includes(name) && (!off || name === 'rfi')) events |= EVENT.RET;
  if (events !== 0 && record(core, events)) core.raise(DEBUG);
  else stopsAtCacheOperation(core, name, word);
  return core.trap !== null;
}

const returns: readonly string[] = ['rfi', 'rfci', 'rfmci'];

/** Is it a branch whose condition holds? */
function takesBranch(name: string, word: number, { words }: Registers): boolean {
  if (name === 'b' || name === 'ba') return true;
  if (!['bc', 'bca', 'bclr', 'bcctr'].includes(name)) return false;
  const [bo, bi] = [(word >>> 21) & 31, (word >>> 16) & 31];
  const left = (words[R.CTR]! - 1) | 0;
  const counted = (bo & 4) !== 0 || (left === 0) === ((bo & 2) !== 0);
  return counted && ((bo & 16) !== 0 || ((words[R.CR]! >>> (31 - bi)) & 1) === ((bo >>> 3) & 1));
}

/**
 * How cache operations count (PPC440x5 User's Manual, "DAC Debug Events Applied to Various Instruction Types"): `use` is
 * what the TLB must allow. Hints that do nothing are no event. dcba always does nothing, and dcbz is met where it stores.
 */
// prettier-ignore
const cacheOperations: Readonly<Record<string, { use: Access; event: Access; hint?: true; privileged?: true }>> = {
  dcbf:   { use: 'read',  event: 'write' },
  dcbst:  { use: 'read',  event: 'write' },
  dcbi:   { use: 'write', event: 'write', privileged: true },
  icbi:   { use: 'read',  event: 'read' },
  dcbt:   { use: 'read',  event: 'read', hint: true },
  dcbtst: { use: 'read',  event: 'read', hint: true },
  icbt:   { use: 'read',  event: 'read', hint: true },
};

function stopsAtCacheOperation(core: Core, name: string, word: number): boolean {
  const operation = core.watchesData ? cacheOperations[name] : undefined;
  if (!operation) return false;
  const { gpr } = core.regs;
  const { msr, pid, tlb } = core.system;
  const [ra, rb] = [(word >>> 16) & 31, (word >>> 11) & 31];
  const address = ((ra === 0 ? 0 : gpr[ra]!) + gpr[rb]!) >>> 0;
  const user = (msr & MSR.PR) !== 0;
  const entry = tlb.find(address, msr & MSR.DS ? 1 : 0, pid);
  const faults = entry < 0 || !tlb.allows(entry, operation.use, user) || (user && operation.privileged);
  if (faults || (operation.hint && tlb.read(entry, 2) & word2.I)) return false;
  return stopsAtBlock(core, operation.event, address, false);
}
