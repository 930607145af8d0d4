import { expect, test } from 'vitest';
import { BranchTargets } from '../../../src/cpu/engine/branch-targets.js';
import { discover, type Code } from '../../../src/cpu/engine/discover.js';
import type { Region } from '../../../src/cpu/engine/region.js';
import { asm } from '../../../src/isa/assemble.js';
import { decode } from '../../../src/isa/decode.js';

const AT = 0x1000;
const nop = asm('ori');
const add = asm('addi', { rt: 3, ra: 3, si: 1 });
const blr = asm('bclr', { bo: 20, bi: 0 });
const bctr = asm('bcctr', { bo: 20, bi: 0 });
const branch = (words: number): number => asm('b', { li: words & 0xffffff });
const call = (words: number): number => branch(words) | 1;
const loop = (words: number): number => asm('bc', { bo: 16, bi: 0, bd: words }); // bdnz
const unless = (words: number): number => asm('bc', { bo: 4, bi: 2, bd: words }); // bne

/** The region of a program's first word; `cold` are places that have not been wanted, `seen` where the branch of a word went. */
function regionOf(
  words: readonly number[],
  { cold = [] as number[], seen = {} as Record<number, number[]> } = {},
): Region {
  const code: Code = {
    has: (address) => address >= AT && address < AT + 4 * words.length,
    word: (address) => words[(address - AT) / 4]!,
    isWanted: (address) => !cold.includes((address - AT) / 4),
    targets: (address) => {
      const chosen = seen[(address - AT) / 4]?.map((word) => AT + 4 * word);
      return chosen && { chosen, isSettled: true };
    },
  };
  return discover(code, AT, decode, { user: false, noOverflow: true });
}

/** Each block as its first word, its words, and where it goes: blocks by number, words outside as @n. */
const drawn = ({ blocks }: Region): string[] =>
  blocks.map(({ pc, instructions, next, target, guesses }) => {
    const ways = [next, target, ...guesses].flatMap((way) =>
      way === undefined ? [] : 'block' in way ? [`${way.block}`] : [`@${(way.address - AT) / 4}`],
    );
    return `${(pc - AT) / 4}+${instructions.length} -> ${ways.join(' ')}`;
  });

test('a loop is one block that goes to itself', () => {
  const region = regionOf([nop, add, loop(-1), blr]);
  expect(drawn(region)).toEqual(['0+1 -> 1', '1+2 -> 2 1', '3+1 -> ']);
  expect(region.size).toBe(4);
});

test('the instruction behind a word that is none is not taken for code', () => {
  const region = regionOf([unless(2), add, add, 0, ...Array.from({ length: 400 }, () => 0)]);
  expect(drawn(region)).toEqual(['0+1 -> 2 1', '2+1 -> @3', '1+1 -> 1']);
});

test('behind an instruction that only the interpreter does, code goes on', () => {
  const region = regionOf([add, asm('rfi'), add, asm('lswi', { rt: 5, ra: 3, nb: 8 }), add, blr]);
  expect(drawn(region).at(0)).toBe('0+2 -> ');
  const string = regionOf([add, asm('lswi', { rt: 5, ra: 3, nb: 8 }), add, blr]);
  expect(drawn(string)).toEqual(['0+1 -> @1', '2+2 -> ']);
  expect(string.entries).toEqual([0, 1]);
});

test('each call has a copy of the function of its own, which returns to where it was called', () => {
  const region = regionOf([call(4), add, call(2), blr, add, blr]);
  expect(drawn(region)).toEqual(['0+1 -> 3', '1+2 -> 4', '3+1 -> ', '4+2 -> 1', '4+2 -> 2']);
});

test('a function that is seldom called is left where it is, and come back from', () => {
  const region = regionOf([call(3), add, blr, add, blr], { cold: [3] });
  expect(drawn(region)).toEqual(['0+1 -> @3', '1+2 -> ']);
  expect(region.entries).toEqual([0, 1]);
});

test('a function that calls itself goes back to its start, and returns to behind the call', () => {
  const region = regionOf([unless(3), call(-1), add, blr]);
  const [first] = region.blocks;
  expect(first!.pc).toBe(AT);
  const called = region.blocks.find(({ pc }) => pc === AT + 4)!;
  expect(called.target).toEqual({ block: 0 });
  const end = region.blocks.find(({ pc }) => pc === AT + 12)!;
  expect(end.guesses.map(({ address }) => address)).toEqual([AT + 8]);
});

test('a jump by CTR goes where it was seen to go', () => {
  const region = regionOf([bctr, add, blr, nop, blr], { seen: { 0: [1, 3] } });
  expect(drawn(region)).toEqual(['0+1 -> 1 2', '1+2 -> ', '3+2 -> ']);
  expect(regionOf([bctr, add, blr]).blocks).toHaveLength(1);
});

test('regions have a size at which they end', () => {
  const region = regionOf(Array.from({ length: 900 }, () => add));
  expect(region.size).toBe(500);
  expect(drawn(region)).toEqual(['0+500 -> @500']);
});

test('targets are chosen when enough of them were seen, the most frequent first, three times at most', () => {
  const targets = new BranchTargets();
  const look = (address: number): number => targets.add(address);
  for (let i = 0; i < 31; i++) expect(look(i % 4 === 0 ? 0x200 : 0x100)).toBeGreaterThan(0);
  expect(targets.chosen).toEqual([]);
  expect(look(0x300)).toBe(0);
  expect(targets.chosen).toEqual([0x100, 0x200, 0x300]);
  expect(targets.isSettled).toBe(false);
  for (let i = 0; i < 64; i++) look(0x400);
  expect(targets.isSettled).toBe(true);
  expect(targets.chosen).toEqual([0x100, 0x200, 0x300, 0x400]);
});
