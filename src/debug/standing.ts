const LOOKED_AT = 256;

/** Where a function stands: what of its entry it has done, and of its exit undone. */
export interface Standing {
  /** It has a frame of its own. */
  readonly framed: boolean;
  /** Its return address lies in its caller's frame. */
  readonly saved: boolean;
}

// PowerPC System V ABI, "The Stack Frame": stwu r1,-N(r1); mflr r0; stw r0,N+4(r1)
const makesFrame = (word: number): boolean => word >>> 16 === 0x9421 || (word & 0xffff07ff) >>> 0 === 0x7c21016e;
const readsLr = (word: number): boolean => (word & 0xfc1fffff) >>> 0 === 0x7c0802a6;
const writesLr = (word: number): boolean => (word & 0xfc1fffff) >>> 0 === 0x7c0803a6;
const dropsFrame = (word: number): boolean =>
  (word >>> 16 === 0x3821 && (word & 0x8000) === 0) || word >>> 16 === 0x8021;
const storesByStack = (word: number): boolean => word >>> 26 === 36 && ((word >>> 16) & 31) === 1;
const BLR = 0x4e800020;

/**
 * Read a function's instructions from its start up to where it stands. Of one whose start is not known, or far away, it is
 * taken that it is past its entry.
 */
export function standing(
  wordAt: (address: number) => number | undefined,
  start: number | undefined,
  pc: number,
): Standing {
  if (start === undefined || pc - start > 4 * LOOKED_AT) return { framed: true, saved: true };
  let state = { framed: false, saved: false };
  let entered = state;
  let holder = -1;
  for (let at = start; at < pc; at += 4) {
    const word = wordAt(at);
    if (word === undefined) break;
    if (makesFrame(word)) entered = state = { ...state, framed: true };
    else if (readsLr(word)) holder = (word >>> 21) & 31;
    else if (storesByStack(word) && ((word >>> 21) & 31) === holder) entered = state = { ...state, saved: true };
    else if (writesLr(word)) state = { ...state, saved: false };
    else if (dropsFrame(word)) state = { ...state, framed: false };
    else if (word >>> 0 === BLR) state = entered; // what stands behind a return was jumped to
  }
  return state;
}
