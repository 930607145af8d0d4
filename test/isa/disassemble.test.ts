import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { disassemble } from '../../src/isa/disassemble.js';
import { run, shared, testWith, tool } from '../tools.js';

// prettier-ignore
const texts: readonly [word: number, text: string][] = [
  [0x60000000, 'nop'],                    [0x3860ffff, 'li r3,-1'],               [0x3c60ffff, 'lis r3,-1'],
  [0x3864fffb, 'addi r3,r4,-5'],          [0x7c832378, 'mr r3,r4'],               [0x7c832379, 'mr. r3,r4'],
  [0x7c8320f8, 'not r3,r4'],              [0x7c632e15, 'addo. r3,r3,r5'],         [0x80a30004, 'lwz r5,4(r3)'],
  [0xb0806f47, 'sth r4,28487(0)'],        [0x7d60902e, 'lwzx r11,0,r18'],         [0x9421fff0, 'stwu r1,-16(r1)'],
  [0x7c6404aa, 'lswi r3,r4,32'],          [0x7c642829, 'lwarx r3,r4,r5,1'],       [0x7c00192d, 'stwcx. r0,0,r3'],

  [0x54642834, 'slwi r4,r3,5'],           [0x5464d97e, 'srwi r4,r3,5'],           [0x5464283e, 'rotlwi r4,r3,5'],
  [0x5464017e, 'clrlwi r4,r3,5'],         [0x54640034, 'clrrwi r4,r3,5'],         [0x5463103a, 'slwi r3,r3,2'],       
  [0x5c64283f, 'rotlw. r4,r3,r5'],        [0x546440ee, 'rlwinm r4,r3,8,3,23'],

  [0x2c030005, 'cmpwi r3,5'],             [0x2f830005, 'cmpwi cr7,r3,5'],         [0x2c230005, 'cmpi cr0,1,r3,5'],
  [0x7c842840, 'cmplw cr1,r4,r5'],        [0x28030005, 'cmplwi r3,5'],
  [0x4cc63182, 'crclr 4*cr1+eq'],         [0x4c421042, 'crnot eq,eq'],            [0x7c6ff120, 'mtcr r3'],
  [0x7fe00008, 'trap'],                   [0x7c832008, 'tweq r3,r4'],             [0x0d830005, 'twgei r3,5'],
  [0x7c032008, 'tw 0,r3,r4'],             [0x44000002, 'sc'],                     [0x44000022, 'sc 1'],

  [0x48000008, 'b 0x1008'],               [0x4bfffff9, 'bl 0xff8'],               [0x48000103, 'bla 0x100'],
  [0x4082fffc, 'bne+ 0xffc'],             [0x41820010, 'beq- 0x1010'],            [0x41860010, 'beq- cr1,0x1010'],
  [0x40820103, 'bnela- 0x100'],           [0x4200fff0, 'bdnz+ 0xff0'],            [0x40020010, 'bdnzf- eq,0x1010'],
  [0x42036568, 'bc 16,so,0x7568'],        [0x4e800020, 'blr'],                    [0x4e800421, 'bctrl'],
  [0x4da20020, 'beqlr+'],                 [0x4d800820, 'bltlr- cr0,1'],           [0x4e820020, 'bclr 20,eq'],

  [0x7c0802a6, 'mflr r0'],                [0x7cba03a6, 'mtsrr0 r5'],              [0x7c6d42a6, 'mftbu r3'],
  [0x7cb442a6, 'mfsprg r5,4'],            [0x7c92eba6, 'mtspr 946,r4'],           [0x7c603286, 'mfdcr r3,192'],
  [0x7ca41fa4, 'tlbwe r5,r4,3'],          [0x7ca407a4, 'tlbwe r5,r4'],            [0x7c002f24, 'tlbsx 0,r5'],
  [0x7c0006ac, 'mbar'],                   [0x7c0004ac, 'msync'],                  [0x7c0427ac, 'icbi r4,r4'],
  [0x7c00038c, 'dccci'],                  [0x7c008146, 'wrteei 1'],               [0x10642958, 'macchw r3,r4,r5'],

  [0xfc22182a, 'fadd f1,f2,f3'],          [0xef08783a, 'fmadds f24,f8,f0,f15'],   [0xc9bb61ba, 'lfd f13,25018(r27)'],
  [0x7c64281e, 'isellt r3,r4,r5'],        [0x11b3ac06, 'udi0fcm. 13,19,21'],      [0x7c0002e4, 'tlbia'],
  [0x00000000, '.long 0x0'],              [0xffffffff, 'fnmadd. f31,f31,f31,f31'],       [0x42a00010, '.long 0x42a00010'],
];

test.each(texts.map(([word, text]) => [word.toString(16), text, word] as const))(
  '%s at 1000 reads %s',
  (_, text, word) => {
    expect(disassemble(word, 0x1000)).toBe(text);
  },
);

test('a branch target is written as the caller wants it', () => {
  expect(disassemble(0x41860010, 0x1000, (target) => `<${target}>`)).toBe('beq- cr1,<4112>');
});

test('every word has a text', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), (word) => {
      expect(disassemble(word)).toMatch(/^[a-z.][a-z0-9]*[.+-]{0,2}( [^ ]+)?$/);
    }),
    { numRuns: 5000 },
  );
});

const recorded = shared('vectors/decode.csv');

/** A relative branch's text, and how far it goes. */
const relative = (word: number): number | undefined =>
  word >>> 26 === 16 && (word & 2) === 0 ? ((word & 0xfffc) << 16) >> 16 : undefined;

testWith(recorded)('every recorded word reads as binutils writes it for a 440', () => {
  const rows = readFileSync(recorded!, 'utf8').trim().split('\n').slice(1);
  const wrong: string[] = [];
  let addressed = 0;
  let before = -1;
  for (const row of rows) {
    const [, hex, quoted, bare] = /^(\w+),(?:"(.*)"|([^,]*)),[\w-]+,[\w-]+$/.exec(row)!;
    const word = parseInt(hex!, 16);
    const text = quoted ?? bare!;
    // The address of a word is not recorded. A relative branch tells it: words lie one behind the other.
    const distance = relative(word);
    const target = /,?(0x[0-9a-f]+)$/.exec(text);
    const isBranch = distance !== undefined && target !== null && !text.startsWith('.long');
    const address = isBranch ? Number(target[1]) - distance : 0;
    if (isBranch) {
      addressed++;
      if (address <= before || address % 4 !== 0) wrong.push(`${row}: at ${address}, behind ${before}`);
      before = address;
    }
    const ours = disassemble(word, address);
    if (ours !== text) wrong.push(`${row}: ${ours}`);
  }
  const passed = rows.length - wrong.length;
  console.log(`decode.csv, text: ${rows.length} rows checked, ${passed} passed, 0 skipped`);
  console.log(`  (${addressed} relative branches at the address that their target tells)`);
  expect(wrong).toEqual([]);
  expect(rows.length).toBeGreaterThan(7000);
});

const objdump = tool('powerpc-linux-gnu-objdump');

/** Any words, most of them with opcodes that have many forms; the same ones each time. */
const samples = fc.sample(
  fc.oneof(
    fc.nat(0xffffffff),
    fc
      .tuple(fc.constantFrom(4, 16, 19, 20, 21, 31, 59, 63), fc.nat(0x3ffffff))
      .map(([op, rest]) => ((op << 26) | rest) >>> 0),
    // Few bits set: optional operands that are left out, and reserved bits one at a time.
    fc
      .tuple(fc.constantFrom(4, 16, 19, 31, 63), fc.nat(0x7ff), fc.nat(14), fc.nat(14))
      .map(([op, low, a, b]) => ((op << 26) | (1 << (a + 11)) | (1 << (b + 11)) | low) >>> 0),
  ),
  { numRuns: 60_000, seed: 440 },
);

testWith(objdump)('random words read as the binutils that is installed writes them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hv440-disassemble-'));
  try {
    const bytes = Buffer.alloc(samples.length * 4);
    samples.forEach((word, i) => bytes.writeUInt32BE(word, i * 4));
    writeFileSync(join(folder, 'words.bin'), bytes);
    const options = ['-D', '-z', '-b', 'binary', '-m', 'powerpc', '-EB', '-M', '440'];
    const { stdout } = await run(objdump!, [...options, join(folder, 'words.bin')]);
    const lines = stdout
      .split('\n')
      .flatMap((line) => /^\s*[0-9a-f]+:\t(?:[0-9a-f]{2} ){4}\t(.*)$/.exec(line)?.[1] ?? []);
    expect(lines).toHaveLength(samples.length);
    const wrong = samples.flatMap((word, i) => {
      const [ours, theirs] = [disassemble(word, i * 4), lines[i]!.trim().replace(/\s+/g, ' ')];
      return ours === theirs ? [] : [`${word.toString(16)}: ${ours} | ${theirs}`];
    });
    console.log(`objdump: ${samples.length} random words, ${wrong.length} differ`);
    expect(wrong).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
