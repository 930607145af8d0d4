import type { Core } from '../../cpu/core.js';
import { R } from '../../cpu/state.js';
import { symbolAt, type ImageSymbol } from '../../loader/image.js';
import { translate } from '../memory.js';
import { standing } from '../standing.js';

const DEEPEST = 64;
/** Linux marks the frame in which an interrupt's registers are saved: `regs`, and 8 bytes on struct pt_regs. */
const REGS_MARKER = 0x72656773;

/** A word of memory at an effective address, as the program would see it; undefined where none is mapped. */
function wordAt(core: Core, address: number, use: 'code' | 'data'): number | undefined {
  if (address & 3) return undefined;
  const found = translate(core, address >>> 0, use);
  const region = found && core.bus.ram.find(found.physical);
  return region && found ? region.target.read(found.physical - region.base, 4) >>> 0 : undefined;
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
  const read = (at: number) => wordAt(core, at, 'code');
  const { framed, saved } = standing(read, around && pc - around.offset, pc);
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
