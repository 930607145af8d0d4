import { bits, fits, notation, type Notation } from './notation.js';

/**
 * Words that binutils knows for a 440 and that this processor does not run: the floating-point unit's, isel, the user
 * defined instructions of an auxiliary processor unit, and what it takes over from other PowerPC processors.
 */

/** Arithmetic in single (primary opcode 59) and double precision (63): four operands with the multiplier in the third. */
// prettier-ignore
const precisions = [['s', 59], ['', 63]] as const;
// prettier-ignore
const floatingArithmetic = precisions.flatMap(([suffix, opcode]) => [
  notation(`fdiv${suffix}`,   `${bits(opcode, 6)} frt:5 fra:5 frb:5 00000 10010 rc:1`, 'frt, fra, frb'),
  notation(`fsub${suffix}`,   `${bits(opcode, 6)} frt:5 fra:5 frb:5 00000 10100 rc:1`, 'frt, fra, frb'),
  notation(`fadd${suffix}`,   `${bits(opcode, 6)} frt:5 fra:5 frb:5 00000 10101 rc:1`, 'frt, fra, frb'),
  notation(`fsqrt${suffix}`,  `${bits(opcode, 6)} frt:5 00000 frb:5 00000 10110 rc:1`, 'frt, frb'),
  notation(`fmul${suffix}`,   `${bits(opcode, 6)} frt:5 fra:5 00000 frc:5 11001 rc:1`, 'frt, fra, frc'),
  notation(`fmsub${suffix}`,  `${bits(opcode, 6)} frt:5 fra:5 frb:5 frc:5 11100 rc:1`, 'frt, fra, frc, frb'),
  notation(`fmadd${suffix}`,  `${bits(opcode, 6)} frt:5 fra:5 frb:5 frc:5 11101 rc:1`, 'frt, fra, frc, frb'),
  notation(`fnmsub${suffix}`, `${bits(opcode, 6)} frt:5 fra:5 frb:5 frc:5 11110 rc:1`, 'frt, fra, frc, frb'),
  notation(`fnmadd${suffix}`, `${bits(opcode, 6)} frt:5 fra:5 frb:5 frc:5 11111 rc:1`, 'frt, fra, frc, frb'),
]);

// prettier-ignore
const floatingOther = [
  notation('fres',    '111011 frt:5 0000 l:1 frb:5 00000 11000 rc:1', 'frt, frb[, l]'),
  notation('frsqrte', '111111 frt:5 0000 l:1 frb:5 00000 11010 rc:1', 'frt, frb[, l]'),
  notation('fsel',    '111111 frt:5 fra:5 frb:5 frc:5 10111 rc:1', 'frt, fra, frc, frb'),
  notation('fcmpu',   '111111 bf:3 00 fra:5 frb:5 0000000000 0', 'bf, fra, frb'),
  notation('fcmpo',   '111111 bf:3 00 fra:5 frb:5 0000100000 0', 'bf, fra, frb'),
  notation('frsp',    '111111 frt:5 00000 frb:5 0000001100 rc:1', 'frt, frb'),
  notation('fctiw',   '111111 frt:5 00000 frb:5 0000001110 rc:1', 'frt, frb'),
  notation('fctiwz',  '111111 frt:5 00000 frb:5 0000001111 rc:1', 'frt, frb'),
  notation('fneg',    '111111 frt:5 00000 frb:5 0000101000 rc:1', 'frt, frb'),
  notation('fmr',     '111111 frt:5 00000 frb:5 0001001000 rc:1', 'frt, frb'),
  notation('fnabs',   '111111 frt:5 00000 frb:5 0010001000 rc:1', 'frt, frb'),
  notation('fabs',    '111111 frt:5 00000 frb:5 0100001000 rc:1', 'frt, frb'),
  notation('mtfsb1',  '111111 n:5 00000 00000 0000100110 rc:1', 'n'),
  notation('mtfsb0',  '111111 n:5 00000 00000 0001000110 rc:1', 'n'),
  notation('mcrfs',   '111111 bf:3 00 bfa:3 00 00000 0001000000 0', 'bf, bfa'),
  notation('mtfsfi',  '111111 n:3 00 00000 u:4 0 0010000110 rc:1', 'n, u'),
  notation('mffs',    '111111 frt:5 00000 00000 1001000111 rc:1', 'frt'),
  notation('mtfsf',   '111111 . flm:8 . frb:5 1011000111 rc:1', 'flm, frb'),
];

// prettier-ignore
const floatingStorage = [
  notation('lfs',    '110000 frt:5 ra0:5 d:s16', 'frt, d(ra0)'),
  notation('lfsu',   '110001 frt:5 ra:5 d:s16',  'frt, d(ra)', (f) => f.ra !== 0),
  notation('lfd',    '110010 frt:5 ra0:5 d:s16', 'frt, d(ra0)'),
  notation('lfdu',   '110011 frt:5 ra:5 d:s16',  'frt, d(ra)', (f) => f.ra !== 0),
  notation('stfs',   '110100 frt:5 ra0:5 d:s16', 'frt, d(ra0)'),
  notation('stfsu',  '110101 frt:5 ra:5 d:s16',  'frt, d(ra)', (f) => f.ra !== 0),
  notation('stfd',   '110110 frt:5 ra0:5 d:s16', 'frt, d(ra0)'),
  notation('stfdu',  '110111 frt:5 ra:5 d:s16',  'frt, d(ra)', (f) => f.ra !== 0),
  notation('lfsx',   '011111 frt:5 ra0:5 rb:5 1000010111 0', 'frt, ra0, rb'),
  notation('lfsux',  '011111 frt:5 ra:5 rb:5 1000110111 0',  'frt, ra, rb', (f) => f.ra !== 0),
  notation('lfdx',   '011111 frt:5 ra0:5 rb:5 1001010111 0', 'frt, ra0, rb'),
  notation('lfdux',  '011111 frt:5 ra:5 rb:5 1001110111 0',  'frt, ra, rb', (f) => f.ra !== 0),
  notation('stfsx',  '011111 frt:5 ra0:5 rb:5 1010010111 0', 'frt, ra0, rb'),
  notation('stfsux', '011111 frt:5 ra:5 rb:5 1010110111 0',  'frt, ra, rb', (f) => f.ra !== 0),
  notation('stfdx',  '011111 frt:5 ra0:5 rb:5 1011010111 0', 'frt, ra0, rb'),
  notation('stfdux', '011111 frt:5 ra:5 rb:5 1011110111 0',  'frt, ra, rb', (f) => f.ra !== 0),
  notation('stfiwx', '011111 frt:5 ra0:5 rb:5 1111010111 0', 'frt, ra0, rb'),
];

/** The words of the floating-point unit that a 440 may have. */
const floatingPoint: readonly Notation[] = [...floatingArithmetic, ...floatingOther, ...floatingStorage];

/** Whether a word is one that a floating-point unit runs. */
export const isFloatingPoint = (word: number): boolean => floatingPoint.some((candidate) => fits(candidate, word));

/** User defined instructions 0 to 15; their record bit is there when it is 0. The ninth lies apart from the others. */
const userDefined = Array.from(
  { length: 16 },
  (_, n) => `000100 a:5 b:5 c:5 1 ${bits(n, 4)} ${n === 9 ? '00100' : '00011'}`,
).flatMap((encoding, n) => [
  notation(`udi${n}fcm.`, `${encoding} 0`, 'a, b, c'),
  notation(`udi${n}fcm`, `${encoding} 1`, 'a, b, c'),
]);

/** isel, where a processor has it. */
// prettier-ignore
const select = [
  notation('isellt', '011111 rt:5 ra0:5 rb:5 00000 01111 0', 'rt, ra0, rb'),
  notation('iselgt', '011111 rt:5 ra0:5 rb:5 00001 01111 0', 'rt, ra0, rb'),
  notation('iseleq', '011111 rt:5 ra0:5 rb:5 00010 01111 0', 'rt, ra0, rb'),
  notation('isel',   '011111 rt:5 ra0:5 rb:5 bc:5 01111 .', 'rt, ra0, rb, bc'),
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
export const foreign: readonly Notation[] = [...floatingPoint, ...userDefined, ...select, ...otherProcessors];
