import { bits, notation, type Notation } from './notation.js';
import { registerNames } from './register-names.js';

/**
 * Simplified mnemonics: the forms that binutils writes for a 440 in place of a definition's own name and operands
 * (PPC440x5 User's Manual, appendix A.2 "Alphabetical Summary", extended mnemonics). The first that fits is taken.
 */

// prettier-ignore
const fixedPoint = [
  notation('nop',   '011000 00000 00000 0000000000000000'),
  notation('xnop',  '011010 00000 00000 0000000000000000'),
  notation('li',    '001110 rt:5 00000 si:s16', 'rt, si'),
  notation('lis',   '001111 rt:5 00000 si:s16', 'rt, si'),
  notation('mr',    '011111 rs:5 ra:5 rb:5 0110111100 rc:1', 'ra, rs', (f) => f.rs === f.rb),
  notation('not',   '011111 rs:5 ra:5 rb:5 0001111100 rc:1', 'ra, rs', (f) => f.rs === f.rb),

  // Compare: of 32 bits, and the names of a 64-bit processor where L asks for them.
  notation('cmpwi',  '001011 bf:3 .0 ra:5 si:s16', '[bf, ]ra, si'),
  notation('cmpi',   '001011 bf:3 . l:1 ra:5 si:s16', 'bf, l, ra, si'),
  notation('cmplwi', '001010 bf:3 .0 ra:5 ui:16', '[bf, ]ra, ui'),
  notation('cmpli',  '001010 bf:3 . l:1 ra:5 ui:16', 'bf, l, ra, ui'),
  notation('cmpw',   '011111 bf:3 00 ra:5 rb:5 0000000000 0', '[bf, ]ra, rb'),
  notation('cmp',    '011111 bf:3 0 l:1 ra:5 rb:5 0000000000 0', 'bf, l, ra, rb'),
  notation('cmplw',  '011111 bf:3 00 ra:5 rb:5 0000100000 0', '[bf, ]ra, rb'),
  notation('cmpl',   '011111 bf:3 0 l:1 ra:5 rb:5 0000100000 0', 'bf, l, ra, rb'),

  // Rotate and shift
  notation('rotlwi', '010101 rs:5 ra:5 sh:5 00000 11111 rc:1', 'ra, rs, sh'),
  notation('clrlwi', '010101 rs:5 ra:5 00000 mb:5 11111 rc:1', 'ra, rs, mb'),
  notation('slwi',   '010101 rs:5 ra:5 sh:5 00000 me:5 rc:1', 'ra, rs, sh', (f) => f.sh + f.me === 31),
  notation('srwi',   '010101 rs:5 ra:5 sh:5 mb:5 11111 rc:1', 'ra, rs, mb', (f) => f.sh + f.mb === 32),
  notation('clrrwi', '010101 rs:5 ra:5 00000 00000 me:5 rc:1', 'ra, rs, 31-me'),
  notation('rotlw',  '010111 rs:5 ra:5 rb:5 00000 11111 rc:1', 'ra, rs, rb'),
];

/** Conditions that a trap may have, by TO; the other values stay numbers. */
// prettier-ignore
const trapNames = Object.entries({
  lgt: 1, llt: 2, eq: 4, lge: 5, lle: 6, gt: 8, ge: 12, lt: 16, le: 20, ne: 24, u: 31,
});
const traps = [
  notation('trap', '011111 11111 00000 00000 0000000100 0'),
  ...trapNames.flatMap(([name, to]) => [
    notation(`tw${name}`, `011111 ${bits(to, 5)} ra:5 rb:5 0000000100 0`, 'ra, rb'),
    notation(`tw${name}i`, `000011 ${bits(to, 5)} ra:5 si:s16`, 'ra, si'),
  ]),
];

// prettier-ignore
const conditionRegister = [
  notation('crclr',  '010011 bt:5 ba:5 bb:5 0011000001 0', 'bt', (f) => f.bt === f.ba && f.ba === f.bb),
  notation('crset',  '010011 bt:5 ba:5 bb:5 0100100001 0', 'bt', (f) => f.bt === f.ba && f.ba === f.bb),
  notation('crnot',  '010011 bt:5 ba:5 bb:5 0000100001 0', 'bt, ba', (f) => f.ba === f.bb),
  notation('crmove', '010011 bt:5 ba:5 bb:5 0111000001 0', 'bt, ba', (f) => f.ba === f.bb),
  notation('mtcr',   '011111 rs:5 0 11111111 0 0010010000 0', 'rs'),
];

/**
 * Branches. `y` reverses the static prediction: forwards not taken, backwards taken; the mnemonic ends in + where the
 * branch is predicted taken and in - where it is not. Encodings of BO that no mnemonic has are no instructions to binutils.
 */
// prettier-ignore
const conditions: readonly (readonly [name: string, branchesIf: 0 | 1, bit: number])[] = [
  ['ge', 0, 0], ['le', 0, 1], ['ne', 0, 2], ['ns', 0, 3],
  ['lt', 1, 0], ['gt', 1, 1], ['eq', 1, 2], ['so', 1, 3],
];
// prettier-ignore
const counting: readonly (readonly [name: string, bo: string])[] = [
  ['bdnzf', '0000'], ['bdzf', '0001'], ['bdnzt', '0100'], ['bdzt', '0101'],
];

const conditional = conditions.flatMap(([name, branchesIf, bit]) => {
  const condition = `cr:3 ${bits(bit, 2)}`;
  return [
    notation(`b${name}`, `010000 0 ${branchesIf} 1 . y:1 ${condition} bd:s14 aa:1 lk:1`, '[cr, ]bd'),
    notation(`b${name}lr`, `010011 0 ${branchesIf} 10 y:1 ${condition} 000 bh:2 0000010000 lk:1`, '[cr[, bh]]'),
    notation(`b${name}ctr`, `010011 0 ${branchesIf} 10 y:1 ${condition} 000 bh:2 1000010000 lk:1`, '[cr[, bh]]'),
  ];
});

const countingOnCondition = counting.flatMap(([name, bo]) => [
  notation(name, `010000 ${bo} y:1 bi:5 bd:s14 aa:1 lk:1`, 'bi, bd'),
  notation(`${name}lr`, `010011 ${bo} y:1 bi:5 000 bh:2 0000010000 lk:1`, 'bi[, bh]'),
]);

const hasName = (bo: number): boolean => (bo >= 16 && bo <= 20) || (bo & 4) === 0;

// prettier-ignore
const branches = [
  notation('b',      '010010 li:s24 aa:1 lk:1', 'li'),
  notation('bdnz',   '010000 1.00 y:1 00000 bd:s14 aa:1 lk:1', 'bd'),
  notation('bdz',    '010000 1.01 y:1 00000 bd:s14 aa:1 lk:1', 'bd'),
  ...conditional,
  ...countingOnCondition,
  notation('bdnzlr', '010011 1000 y:1 00000 000 bh:2 0000010000 lk:1', '[bh]'),
  notation('bdzlr',  '010011 1001 y:1 00000 000 bh:2 0000010000 lk:1', '[bh]'),
  notation('blr',    '010011 10100 00000 000 bh:2 0000010000 lk:1', '[bh]'),
  notation('bctr',   '010011 10100 00000 000 bh:2 1000010000 lk:1', '[bh]'),
  // What has no name of its own. A + stands where the bit for prediction is set, but for a branch backwards.
  notation('bc+',    '010000 bo:5 bi:5 bd:s14 aa:1 lk:1', 'bo, bi, bd', (f) => (f.bo === 17 || f.bo === 19) && f.bd >= 0),
  notation('bc',     '010000 bo:5 bi:5 bd:s14 aa:1 lk:1', 'bo, bi, bd', (f) => f.bo >= 16 && f.bo <= 20),
  notation('bclr+',  '010011 bo:5 bi:5 000 bh:2 0000010000 lk:1', 'bo, bi[, bh]', (f) => f.bo === 17 || f.bo === 19),
  notation('bclr',   '010011 bo:5 bi:5 000 bh:2 0000010000 lk:1', 'bo, bi[, bh]', (f) => f.bo >= 16 && f.bo <= 20),
  notation('bcctr+', '010011 bo:5 bi:5 000 bh:2 1000010000 lk:1', 'bo, bi[, bh]', (f) => (f.bo & 1) === 1 && f.bo < 20 && hasName(f.bo)),
  notation('bcctr',  '010011 bo:5 bi:5 000 bh:2 1000010000 lk:1', 'bo, bi[, bh]', (f) => f.bo <= 20 && hasName(f.bo)),
];

/** Operands that are left out when they are 0, or that the definitions ignore. */
// prettier-ignore
const optionalOperands = [
  notation('sc',     '010001 00000 00000 .... lev:7 ... 1 0', '[lev]'),
  notation('mtmsr',  '011111 rs:5 0000 l:1 00000 0010010010 0', 'rs[, l]'),
  notation('lwarx',  '011111 rt:5 ra0:5 rb:5 0000010100 eh:1', 'rt, ra0, rb[, eh]'),
  notation('lmw',    '101110 rt:5 ra0:5 d:s16', 'rt, d(ra0)', (f) => f.ra0 < f.rt),
  notation('lswi',   '011111 rt:5 ra0:5 nb:5 1001010101 0', 'rt, ra0, nb', (f) => f.ra0 !== f.rt),
  notation('dcbf',   '011111 000 l:2 ra0:5 rb:5 0001010110 0', 'ra0, rb[, l]', (f) => f.l !== 2),
  notation('dcbt',   '011111 ..... ra0:5 rb:5 0100010110 0', 'ra0, rb'),
  notation('dcbtst', '011111 ..... ra0:5 rb:5 0011110110 0', 'ra0, rb'),
  notation('dcba',   '011111 00000 ra0:5 rb:5 1011110110 0', 'ra0, rb'),
  notation('icbt',   '011111 ct:5 ra0:5 rb:5 0000010110 0', '[ct, ]ra0, rb'),
  notation('dccci',  '011111 00000 ra:5 rb:5 0111000110 0', '[ra[, rb]]'),
  notation('iccci',  '011111 00000 ra:5 rb:5 1111000110 0', '[ra[, rb]]'),
  notation('dcread', '011111 rt:5 ra0:5 rb:5 0111100110 0', 'rt, ra0, rb'),
  notation('icread', '011111 00000 ra0:5 rb:5 1111100110 0', 'ra0, rb'),
  notation('lwsync', '011111 00001 00000 00000 1001010110 0'),
  notation('mbar',   '011111 mo:5 ..... ..... 1101010110 0', '[mo]'),
  notation('tlbre',  '011111 rt:5 ra:5 ws:5 1110110010 0', '[rt[, ra[, ws]]]'),
  notation('tlbwe',  '011111 rs:5 ra:5 ws:5 1111010010 0', '[rs[, ra[, ws]]]'),
  notation('tlbsx',  '011111 rt:5 ra0:5 rb:5 1110010010 rc:1', '[rt, ]ra0, rb'),
];

/** The two halves of an SPR number as they stand in the word. */
const halves = (number: number): string => `${bits(number & 31, 5)} ${bits(number >>> 5, 5)}`;
const named = registerNames.flatMap(([name, number, access]) => [
  ...(access.includes('f') ? [notation(`mf${name}`, `011111 rt:5 ${halves(number)} 0101010011 0`, 'rt')] : []),
  ...(access.includes('t') ? [notation(`mt${name}`, `011111 rs:5 ${halves(number)} 0111010011 0`, 'rs')] : []),
]);

// prettier-ignore
const specialRegisters = [
  ...named,
  notation('mfsprg',  '011111 rt:5 10 n:3 01000 0101010011 0', 'rt, n'),
  notation('mfsprg',  '011111 rt:5 00 n:3 01000 0101010011 0', 'rt, n', (f) => f.n >= 4),
  notation('mtsprg',  '011111 rs:5 10 n:3 01000 0111010011 0', 'n, rs'),
  ...['u', 'l'].flatMap((half, low) => [
    notation(`mfibat${half}`, `011111 rt:5 10 n:2 ${low} 10000 0101010011 0`, 'rt, n'),
    notation(`mtibat${half}`, `011111 rs:5 10 n:2 ${low} 10000 0111010011 0`, 'n, rs'),
    notation(`mfdbat${half}`, `011111 rt:5 11 n:2 ${low} 10000 0101010011 0`, 'rt, n'),
    notation(`mtdbat${half}`, `011111 rs:5 11 n:2 ${low} 10000 0111010011 0`, 'n, rs'),
  ]),
];

/** All of them; of two that fit, the earlier one is meant. */
export const simplified: readonly Notation[] = [
  ...fixedPoint,
  ...traps,
  ...conditionRegister,
  ...branches,
  ...optionalOperands,
  ...specialRegisters,
];

/** Instructions whose words binutils writes as the notations above say, or else not at all. */
// prettier-ignore
export const onlySimplified: ReadonlySet<string> = new Set([
  'b', 'ba', 'bc', 'bca', 'bclr', 'bcctr', 'cmpi', 'cmpli', 'cmp', 'cmpl', 'mftb', 'lmw', 'lswi',
  'dcbf', 'dcbt', 'dcbtst', 'icbt', 'mbar', 'dccci', 'iccci',
  'nop530', 'nop562', 'nop594', 'nop626', 'nop658', 'nop690', 'nop722', 'nop754',
]);
