import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { decode } from '../../src/isa/decode.js';
import { decoderOf } from '../../src/isa/decode.js';
import { floatingPoint } from '../../src/isa/floating-point.js';
import { execute, mapped, setMsr } from '../cpu/machine.js';
import { MSR } from '../../src/isa/registers.js';
import { shared, testWith } from '../tools.js';

const opcode = (word: number): number => word >>> 26;
const extended = (word: number): number => (word >>> 1) & 0x3ff;

interface Quirk {
  readonly what: string;
  /** What the recorder does with such words, and we do not. */
  readonly recorder: 'runs' | 'refuses';
  readonly concerns: (word: number) => boolean;
}

/** Where the recorder's decoder is not a 440's. */
const quirks: readonly Quirk[] = [
  {
    what: 'it decodes only the low half of mcrf’s extended opcode, so 31 other words of opcode 19 are mcrf to it',
    recorder: 'runs',
    concerns: (word) => opcode(word) === 19 && (extended(word) & 31) === 0 && extended(word) !== 0,
  },
  {
    what: 'it runs stwcx. without the record bit that is part of its encoding',
    recorder: 'runs',
    concerns: (word) => opcode(word) === 31 && extended(word) === 150,
  },
  {
    what: 'it has dcbtls, of the e500’s cache locking, on every Book E processor',
    recorder: 'runs',
    concerns: (word) => opcode(word) === 31 && extended(word) === 166,
  },
  {
    what: 'it has the 405’s encoding of icbt beside the 440’s',
    recorder: 'runs',
    concerns: (word) => opcode(word) === 31 && extended(word) === 262,
  },
  {
    what: 'it has only the last four of the eight reserved no-ops (appendix A.5 of the manual)',
    recorder: 'refuses',
    concerns: (word) => opcode(word) === 31 && [530, 562, 594, 626].includes(extended(word)),
  },
];

const floatingStorage = [535, 567, 599, 631, 663, 695, 727, 759];

/** The same for the words of a floating-point unit. */
const floatingQuirks: readonly Quirk[] = [
  {
    what: 'it looks for the unit before it refuses a record bit, or an update without a base, of a load or store',
    recorder: 'runs',
    concerns: (word) => opcode(word) === 31 && floatingStorage.includes(extended(word)),
  },
  {
    what: 'it takes no notice of the bits of fsqrts that have to be 0',
    recorder: 'runs',
    concerns: (word) => opcode(word) === 59 && (word & 0x3f) === 0x2c,
  },
];

const recorded = shared('vectors/decode.csv');

interface Row {
  readonly word: number;
  readonly withUnit: string;
  readonly without: string;
}

const rows: readonly Row[] = recorded
  ? readFileSync(recorded, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => /^(\w+),(?:".*"|[^,]*),([\w-]+),([\w-]+)$/.exec(line)!)
      .map(([, word, withUnit, without]) => ({ word: parseInt(word!, 16), withUnit: withUnit!, without: without! }))
  : [];

/** Words of which we and the recorder think differently, by the quirk that explains it. */
function compare(ours: (word: number) => boolean, theirs: (row: Row) => boolean, known: readonly Quirk[]) {
  const explained = new Map<string, number>();
  const wrong: string[] = [];
  for (const row of rows) {
    const legal = ours(row.word);
    if (legal === theirs(row)) continue;
    const quirk = known.find((q) => q.concerns(row.word) && (q.recorder === 'runs') === !legal);
    if (quirk) explained.set(quirk.what, (explained.get(quirk.what) ?? 0) + 1);
    else wrong.push(`${row.word.toString(16)}: ${legal ? 'we run it' : 'we refuse it'}`);
  }
  const different = [...explained.values()].reduce((sum, count) => sum + count, 0);
  return { wrong, explained, agree: rows.length - different - wrong.length };
}

const report = (name: string, { agree, explained }: ReturnType<typeof compare>): void => {
  const skipped = [...explained].map(([what, count]) => `${count}: ${what}`);
  console.log(`decode.csv, ${name}: ${rows.length} rows checked, ${agree} agree\n  ${skipped.join('\n  ')}`);
};

const decodeFloat = decoderOf(floatingPoint);

testWith(recorded)('a word is legal on a 440 without floating-point unit where it was recorded to be', () => {
  const result = compare(
    (word) => decode(word) !== undefined,
    ({ without }) => without !== 'illegal',
    quirks,
  );
  report('legality without FPU', result);
  expect(result.wrong).toEqual([]);
  expect([...result.explained.keys()].toSorted()).toEqual(quirks.map((q) => q.what).toSorted());
  expect(rows.length).toBeGreaterThan(7000);
});

testWith(recorded)(
  'a word belongs to the floating-point unit where one without it was recorded to be unavailable',
  () => {
    const result = compare(
      (word) => decodeFloat(word) !== undefined,
      ({ withUnit }) => withUnit === 'fpu-unavail',
      floatingQuirks,
    );
    report('words of the FPU', result);
    expect(result.wrong).toEqual([]);
    expect([...result.explained.keys()].toSorted()).toEqual(floatingQuirks.map((q) => q.what).toSorted());
  },
);

// prettier-ignore
const invalid: readonly [text: string, word: number][] = [
  ['lwzu r5,4(0): update without a base',           asm('lwzu', { rt: 5, ra: 0, d: 4 })],
  ['lwzu r5,4(r5): the base is loaded',             asm('lwzu', { rt: 5, ra: 5, d: 4 })],
  ['lbzux r5,r5,r6',                                asm('lbzux', { rt: 5, ra: 5, rb: 6 })],
  ['stwu r5,4(0)',                                  asm('stwu', { rs: 5, ra: 0, d: 4 })],
  ['sthux r5,0,r6',                                 asm('sthux', { rs: 5, ra: 0, rb: 6 })],
  ['bdnzctr: counts in what it branches to',        asm('bcctr', { bo: 16, bi: 0 })],
  ['bcctr 8,lt',                                    asm('bcctr', { bo: 8, bi: 0, lk: 1 })],
  ['lswi r5,r7,9: r7 is the last that is loaded',   asm('lswi', { rt: 5, ra: 7, nb: 9 })],
  ['lswi r30,r1,13: goes round from r31 to r0, r1', asm('lswi', { rt: 30, ra: 1, nb: 13 })],
  ['lswi r5,r12,32',                                asm('lswi', { rt: 5, ra: 12, nb: 0 })],
  ['lswx r5,r6,r5',                                 asm('lswx', { rt: 5, ra: 6, rb: 5 })],
  ['lswx r5,r5,r6',                                 asm('lswx', { rt: 5, ra: 5, rb: 6 })],
];

test.each(invalid)('%s is an invalid form', (_, word) => {
  expect(decode(word)).toBeUndefined();
});

// prettier-ignore
const valid: readonly [text: string, word: number][] = [
  ['stwu r5,4(r5)',                       asm('stwu', { rs: 5, ra: 5, d: 4 })],
  ['lwzu r5,4(r6)',                       asm('lwzu', { rt: 5, ra: 6, d: 4 })],
  ['bctr',                                asm('bcctr', { bo: 20, bi: 0 })],
  ['beqctr',                              asm('bcctr', { bo: 12, bi: 2 })],
  ['lswi r5,r8,9: loads r5 to r7',        asm('lswi', { rt: 5, ra: 8, nb: 9 })],
  ['lswi r30,r1,12: loads r30, r31, r0',  asm('lswi', { rt: 30, ra: 1, nb: 12 })],
  ['lmw r5,0(r6), with the base among what is loaded', asm('lmw', { rt: 5, ra: 6, d: 0 })],
  ['a reserved no-op',                    0x7c000424],
];

test.each(valid)('%s is a valid form', (_, word) => {
  expect(decode(word)).toBeDefined();
});

// prettier-ignore
const reserved: readonly [what: string, word: number][] = [
  ['mcrxr with more than a CR field',  0x7c010400],
  ['mfmsr with a second operand',      0x7c6100a6],
  ['isync with an operand',            0x4c20012c],
  ['sc with its other form’s bit',     0x44000003],
  ['tw with a record bit',             0x7fe00009],
  ['crand with a record bit',          0x4c221a03],
  ['dcbz with a register to load',     0x7c401fec],
  ['mfspr with a record bit',          0x7c6802a7],
  ['mtcrf with its last reserved bit', 0x7c6ff920],
];

test.each(reserved)('%s is refused: its reserved bits are not 0', (_, word) => {
  expect(decode(word)).toBeUndefined();
});

// prettier-ignore
const ignored: readonly [what: string, word: number, name: string][] = [
  ['cmpwi with L',                    0x2c230005, 'cmpi'],
  ['lwzx with a record bit',          0x7c64282f, 'lwzx'],
  ['extsb with a third register',     0x7c642f74, 'extsb'],
  ['bclr with a hint',                0x4e802020, 'bclr'],
  ['mfcr with a field mask',          0x7c780026, 'mfcr'],
];

test.each(ignored)('%s is run: the processor takes no notice of the bits', (_, word, name) => {
  expect(decode(word)?.name).toBe(name);
});

test('the processor refuses as illegal exactly the words that decoding refuses', () => {
  const board = mapped();
  setMsr(board.core, MSR.PR);
  const words = fc.oneof(
    fc.nat(0xffffffff),
    fc
      .tuple(fc.constantFrom(4, 17, 19, 31, 31, 33, 35, 37, 39, 41, 43, 45), fc.nat(0x3ffffff))
      .map(([op, rest]) => ((op << 26) | rest) >>> 0),
    // Lone bits beside an extended opcode; and registers that are the same or next to each other.
    fc
      .tuple(fc.constantFrom(19, 31), fc.nat(14), fc.nat(0x7ff))
      .map(([op, bit, low]) => ((op << 26) | (1 << (bit + 11)) | low) >>> 0),
    fc
      .tuple(fc.nat(31), fc.nat(2), fc.nat(31), fc.constantFrom(0x4aa, 0x42a, 0x6e, 0xee, 0x26e))
      .map(([rt, more, rb, low]) => ((31 << 26) | (rt << 21) | (((rt + more) & 31) << 16) | (rb << 11) | low) >>> 0),
  );
  fc.assert(
    fc.property(words, (word) => {
      const instruction = decode(word);
      if (instruction && ['mfspr', 'mtspr', 'mftb'].includes(instruction.name)) return; // illegal by register, not by word
      const trap = execute(board, word);
      const isRefused = trap?.kind === 'program' && trap.cause === 'illegal';
      expect(isRefused, word.toString(16)).toBe(instruction === undefined);
    }),
    { numRuns: 20_000, seed: 440 },
  );
});
