import { bits, notation, type Notation } from './notation.js';

/**
 * Words that binutils knows for a 440 and that this processor does not run: the user defined instructions of an
 * auxiliary processor unit, and what it takes over from other PowerPC processors.
 */

/** The estimates have a bit of later processors, which is written where it is set. */
// prettier-ignore
const estimates = [
  notation('fres',    '111011 frt:5 00001 frb:5 00000 11000 rc:1', 'frt, frb,1'),
  notation('frsqrte', '111111 frt:5 00001 frb:5 00000 11010 rc:1', 'frt, frb,1'),
];

/** User defined instructions 0 to 15; their record bit is there when it is 0. The ninth lies apart from the others. */
const userDefined = Array.from(
  { length: 16 },
  (_, n) => `000100 a:5 b:5 c:5 1 ${bits(n, 4)} ${n === 9 ? '00100' : '00011'}`,
).flatMap((encoding, n) => [
  notation(`udi${n}fcm.`, `${encoding} 0`, 'a, b, c'),
  notation(`udi${n}fcm`, `${encoding} 1`, 'a, b, c'),
]);

/** isel by the bits of CR0, and as binutils takes it with a bit that does not count. */
// prettier-ignore
const select = [
  notation('isellt', '011111 rt:5 ra0:5 rb:5 00000 01111 0', 'rt, ra0, rb'),
  notation('iselgt', '011111 rt:5 ra0:5 rb:5 00001 01111 0', 'rt, ra0, rb'),
  notation('iseleq', '011111 rt:5 ra0:5 rb:5 00010 01111 0', 'rt, ra0, rb'),
  notation('isel',   '011111 rt:5 ra0:5 rb:5 bc:5 01111 1', 'rt, ra0, rb, bc'),
];

// prettier-ignore
const otherProcessors = [
  notation('mtsr',    '011111 rs:5 0 sr:4 00000 0011010010 0', 'sr, rs'),
  notation('mtsrin',  '011111 rs:5 00000 rb:5 0011110010 0', 'rs, rb'),
  notation('mfsr',    '011111 rt:5 0 sr:4 00000 1001010011 0', 'rt, sr'),
  notation('mfsrin',  '011111 rt:5 00000 rb:5 1010010011 0', 'rt, rb'),
  notation('tlbie',   '011111 0000 l:1 00000 rb:5 0100110010 0', 'rb[, l]'),
  notation('tlbia',   '011111 00000 00000 00000 0101110010 0'),
  notation('tlbivax', '011111 00000 ra0:5 rb:5 1100010010 0', 'ra0, rb'),
  notation('tlbli',   '011111 00000 00000 rb:5 1111110010 0', 'rb'),
  notation('mfdcrx',  '011111 rt:5 ra:5 ..... 0100000011 0', 'rt, ra'),
  notation('mfdcrux', '011111 rt:5 ra:5 ..... 0100100011 0', 'rt, ra'),
  notation('mtdcrx',  '011111 rs:5 ra:5 ..... 0110000011 0', 'ra, rs'),
  notation('mtdcrux', '011111 rs:5 ra:5 ..... 0110100011 0', 'ra, rs'),
  notation('mfapidi', '011111 rt:5 ra:5 ..... 0100010011 0', 'rt, ra'),
  notation('eciwx',   '011111 rt:5 ra0:5 rb:5 0100110110 0', 'rt, ra0, rb'),
  notation('ecowx',   '011111 rt:5 ra0:5 rb:5 0110110110 0', 'rt, ra0, rb'),
];

/** All words that are written and not run. */
export const foreign: readonly Notation[] = [...estimates, ...userDefined, ...select, ...otherProcessors];
