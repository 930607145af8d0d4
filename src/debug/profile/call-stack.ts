import type { Core } from '../../cpu/core.js';
import { R } from '../../cpu/state.js';
import { symbolAt, type ImageSymbol } from '../../loader/image.js';
import { translate } from '../memory.js';

const DEEPEST = 64;
/** Instructions of a function that are read to see how far it is with its frame. */
const LOOKED_AT = 256;
/** Linux marks the frame in which an interrupt's registers are saved: `regs`, and 8 bytes on struct pt_regs. */
const REGS_MARKER = 0x72656773;

const MFLR = 0x7c0802a6;
const MTLR = 0x7c0803a6;
const BLR = 0x4e800020;

/** A word of memory at an effective address, as the program would see it; undefined where none is mapped. */
function wordAt(core: Core, address: number, use: 'code' | 'data'): number | undefined {
  if (address & 3) return undefined;
  const found = translate(core, address >>> 0, use);
  const region = found && core.bus.ram.find(found.physical);
  return region && found ? region.target.read(found.physical - region.base, 4) >>> 0 : undefined;
}

/** Has the function made a frame of its own, and does its return address lie in its caller's? */
interface Standing {
  readonly framed: boolean;
  readonly saved: boolean;
}

/** What of its entry a function has done, and of its exit not yet (PowerPC System V ABI, "The Stack Frame"). */
function standing(core: Core, start: number, pc: number): Standing {
  if (pc - start > 4 * LOOKED_AT) return { framed: true, saved: true };
  let now = { framed: false, saved: false };
  let entered = now;
  let holder = -1;
  for (let at = start; at < pc; at += 4) {
    const word = wordAt(core, at, 'code') ?? 0;
    const [opcode, rt, ra] = [word >>> 26, (word >>> 21) & 31, (word >>> 16) & 31];
    if (word >>> 16 === 0x9421)
      entered = now = { ...now, framed: true }; // stwu r1,-N(r1)
    else if ((word & 0xfc1fffff) >>> 0 === MFLR) holder = rt;
    else if (opcode === 36 && ra === 1 && rt === holder)
      entered = now = { ...now, saved: true }; // stw r0,N(r1)
    else if ((word & 0xfc1fffff) >>> 0 === MTLR) now = { ...now, saved: false };
    else if (word >>> 16 === 0x3821 && !(word & 0x8000))
      now = { ...now, framed: false }; // addi r1,r1,N
    else if (word === BLR) now = entered; // what stands behind a return was jumped to
  }
  return now;
}

/** A place in a function that has not returned. */
export interface Place {
  readonly pc: number;
  readonly sp: number;
  /** An interrupt came here. */
  readonly interrupted?: true;
}

/**
 * The functions that have not returned, the innermost first: by the back chain, and across Linux's exception frames into
 * what was interrupted. A return address is behind its call.
 */
export function callStack(core: Core, symbols: readonly ImageSymbol[]): readonly Place[] {
  const { regs } = core;
  const pc = regs.pc >>> 0;
  let sp = regs.gpr[1]! >>> 0;
  const places: Place[] = [{ pc, sp }];
  const around = symbolAt(symbols, pc);
  const { framed, saved } = around ? standing(core, pc - around.offset, pc) : { framed: true, saved: true };
  if (!saved) {
    const lr = regs.words[R.LR]! >>> 0;
    const caller = framed ? (wordAt(core, sp, 'data') ?? 0) : sp;
    if (caller === 0 || wordAt(core, lr, 'code') === undefined) return places;
    places.push({ pc: lr, sp: caller });
    sp = caller;
  }
  while (places.length < DEEPEST) {
    const next = outer(core, sp);
    if (!next || next.sp <= sp) return places;
    places.push(next);
    sp = next.sp;
  }
  return places;
}

function outer(core: Core, sp: number): Place | undefined {
  if (wordAt(core, sp + 8, 'data') === REGS_MARKER) {
    const [interrupted, stack] = [wordAt(core, sp + 16 + 32 * 4, 'data'), wordAt(core, sp + 16 + 4, 'data')];
    if (interrupted && stack && wordAt(core, interrupted, 'code') !== undefined)
      return { pc: interrupted, sp: stack, interrupted: true };
  }
  const caller = wordAt(core, sp, 'data');
  const back = caller ? wordAt(core, caller + 4, 'data') : undefined;
  if (!caller || !back || wordAt(core, back, 'code') === undefined) return undefined;
  return { pc: back, sp: caller };
}
