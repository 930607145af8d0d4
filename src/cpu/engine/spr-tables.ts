import { findSpr, type Spr } from '../../isa/registers.js';
import { R, S, userWords, type SystemRegister } from '../state.js';

/**
 * Special purpose registers by number, for code that finds the number in the word it runs: two words for each, of which the
 * first says where the register lies, or is 0 where generated code leaves it alone, and the second has the bits that exist.
 */

/** Where the tables lie, in bytes, in the shared memory. */
export interface SprTables {
  readonly read: number;
  readonly write: number;
}

/**
 * A place in a table: the register's word, among the supervisor's or the user's, and whether a user program may. TIME: it is the time
 * base, its HIGH half or the other.
 */
export const PLACED = { WORD: 0xff, SYSTEM: 0x100, ANYBODY: 0x200, PRESENT: 0x400, TIME: 0x800, HIGH: 0x1000 } as const;
const NUMBERS = 1024;
export const TABLE_WORDS = 2 * NUMBERS;

/** Supervisor registers that are nothing but storage, so that writing one can have no consequence. */
export const plain: ReadonlySet<string> = new Set(
  'SRR0 SRR1 CSRR0 CSRR1 MCSRR0 MCSRR1 DEAR ESR SPRG0 SPRG1 SPRG2 SPRG3 MMUCR'.split(' '),
);
/** Those that change by themselves: what is in memory is not their value. */
export const living: ReadonlySet<string> = new Set(['TBL', 'TBU', 'DEC', 'TSR']);

/** The word of an SPR that is not the user's. */
export const systemWord = (spr: Spr): number => S[spr.name.toLowerCase() as SystemRegister];

/** LR, CTR, XER and the like are among the user's words. */
function place(spr: Spr, way: 'read' | 'write'): number {
  const anybody = PLACED.PRESENT | (spr[way] === 'u' ? PLACED.ANYBODY : 0);
  const word = userWords[spr.name];
  if (word !== undefined) return anybody | (word - R.GPR);
  if (way === 'read' && (spr.name === 'TBL' || spr.name === 'TBU'))
    return anybody | PLACED.TIME | (spr.name === 'TBU' ? PLACED.HIGH : 0);
  const isStorage = way === 'read' ? !living.has(spr.name) : plain.has(spr.name);
  return isStorage ? anybody | PLACED.SYSTEM | systemWord(spr) : 0;
}

export const sprTable = (way: 'read' | 'write'): Int32Array =>
  Int32Array.from({ length: TABLE_WORDS }, (_, i) => {
    const spr = findSpr(i >> 1);
    if (!spr || spr[way] === '-') return 0;
    return i & 1 ? spr.bits : place(spr, way);
  });
