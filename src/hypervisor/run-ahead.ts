import { GAP } from '../cpu/emulation.js';
import { R } from '../cpu/state.js';
import { decodeIndex, decodeTable, ILLEGAL } from '../isa/decode.js';
import { instructions } from '../isa/instructions.js';
import { REACH, reachOf } from '../isa/reach.js';
import { isSupervisorNumber, MSR } from '../isa/registers.js';
import { contextOf } from '../mmu/lookaside.js';
import type { Use } from '../mmu/tlb.js';
import { instructionDetail, NO_DETAIL, type Detail } from './exit-detail.js';
import type { Exit } from './exit.js';
import type { Vcpu } from './vcpu.js';

/** Of the instructions that have been met, by their numbers. */
const kinds: number[] = [];

/** What only some processors have is never run ahead. */
function kindOfWord(word: number): number {
  const at = decodeTable[decodeIndex(word)]!;
  if (at === ILLEGAL) return REACH.OTHER;
  const found = (kinds[at] ??= reachOf(instructions[at]!));
  if (found !== REACH.SPR) return found;
  const number = ((word >>> 16) & 31) | ((word >>> 6) & 0x3e0);
  return isSupervisorNumber(number) ? REACH.PRIVILEGED : REACH.REGISTERS;
}

/** Would this word, at the pc of a guest's present state, leave the core? */
export const isPrivilegedWord = (word: number): boolean => kindOfWord(word) === REACH.PRIVILEGED;

/**
 * Whether the next instruction of a guest that has left the core is emulated at once, since it, or one of the few behind
 * it, would leave the core again: a handler's run of register moves costs one exit, not one each. What stands between must
 * be harmless: registers, or an access to RAM. Nothing depends on the answer but cost: emulation is exact. Gives the word, or
 * NOT_AHEAD.
 */
export function runsAhead(vcpu: Vcpu): number {
  const place = wordAt(vcpu);
  if (place === NOWHERE) return NOT_AHEAD;
  const { words } = vcpu.machine.memory;
  const first = words[place]!;
  const what = kindOfWord(first);
  if (what === REACH.PRIVILEGED) return first;
  if (what === REACH.OTHER) return NOT_AHEAD;
  if (vcpu.ahead === 0) vcpu.ahead = privilegedWithin(words, place);
  if (vcpu.ahead === 0 || (what !== REACH.REGISTERS && !touchesRam(vcpu, first, what))) return NOT_AHEAD;
  vcpu.ahead -= 1;
  return first;
}

/** No word that would be emulated ahead: 0 is no instruction. */
export const NOT_AHEAD = 0;

/** What a word is that `runsAhead` has given. */
export const aheadDetail = (word: number): Detail => (isPrivilegedWord(word) ? instructionDetail(word) : NO_DETAIL);

/** How many words stand before the next privileged one: 0 where there is none soon, or not in this page. */
function privilegedWithin(words: Int32Array, place: number): number {
  const left = Math.min(GAP, 1023 - (place & 1023));
  for (let n = 1; n <= left; n++) {
    const what = kindOfWord(words[place + n]!);
    if (what === REACH.PRIVILEGED) return n;
    if (what === REACH.OTHER) return 0;
  }
  return 0;
}

const NOWHERE = -1;

/** Where in the shared memory's words the instruction at the pc is; NOWHERE if it is not in RAM that the guest may run. */
function wordAt(vcpu: Vcpu): number {
  const host = hostAddress(vcpu, vcpu.machine.regs.pc, 'execute');
  return host === NOWHERE ? NOWHERE : host >>> 2;
}

const touchesRam = (vcpu: Vcpu, word: number, what: number): boolean =>
  hostAddress(vcpu, addressOf(vcpu, word), what === REACH.LOAD ? 'read' : 'write') !== NOWHERE;

/** The effective address that a load or store is about to be at. */
function addressOf(vcpu: Vcpu, word: number): number {
  const { gpr } = vcpu.machine.regs;
  const ra = (word >>> 16) & 31;
  const base = ra === 0 ? 0 : gpr[ra]!;
  const offset = word >>> 26 === 31 ? gpr[(word >>> 11) & 31]! : (word << 16) >> 16;
  return (base + offset) >>> 0;
}

/**
 * The exit that the next instruction of a guest amid its own is about to be, foreseen as what is run ahead is, by its word: an access
 * to a page in which the guest's machine has just found no RAM. Undefined: it is something else, or only trying tells.
 */
export function foreseenAccess(vcpu: Vcpu): Exit | undefined {
  const { core, machine, partition } = vcpu;
  const { pc, words } = machine.regs;
  const host = core.lookaside.find('execute', pc, words[R.CODE_CONTEXT]!);
  if (host < 0) return undefined;
  const word = core.memory.words[host >>> 2]!;
  const what = kindOfWord(word);
  if (what !== REACH.LOAD && what !== REACH.STORE) return undefined;
  const use = what === REACH.LOAD ? 'read' : 'write';
  const address = addressOf(vcpu, word);
  const { msr, pid } = machine.system;
  const page = machine.lookaside.elsewhere[use];
  if (page.tag !== ((address & ~0xfff) | contextOf(pid, msr & MSR.DS ? 1 : 0, vcpu.user))) return undefined;
  const physical = page.physical + (address & 0xfff);
  return partition.grant(physical) ? undefined : { kind: 'device', physical, use };
}

/** Where in the shared memory a byte of the guest's RAM lies, by its effective address, if it may be used like this now. */
function hostAddress(vcpu: Vcpu, address: number, use: Use): number {
  const { lookaside, system, bus } = vcpu.machine;
  const { msr, pid } = system;
  const space = msr & (use === 'execute' ? MSR.IS : MSR.DS) ? 1 : 0;
  const known = lookaside.find(use, address, contextOf(pid, space, vcpu.user));
  if (known !== NOWHERE) return known;
  const guest = vcpu.shadowTlb.translate(address, use);
  if (guest.kind !== 'hit') return NOWHERE;
  const ram = use === 'write' ? bus.writable(guest.physical) : bus.ram.find(guest.physical);
  return ram ? ram.target.offset + guest.physical - ram.base : NOWHERE;
}
