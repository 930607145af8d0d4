// Rows of storage access, branch, condition register and trapping instructions.

import { CODE, WINDOW, XER, bits, d, hex, logic, number, row, s32, x } from './make-rows.mjs';

// Loads and stores: memory holds 81 82 83 …

const bytes = (first, count) => Array.from({ length: count }, (_, i) => (0x81 + first + i).toString(16)).join('');
const memin = { 10: bytes(0, 24) };
const at = (offset) => WINDOW + 0x10 + offset;
const reversed = (string) => string.match(/../g).reverse().join('');
const loads = {
  lbz: [34, 87, (o) => bytes(o, 1)],
  lhz: [40, 279, (o) => bytes(o, 2)],
  lha: [42, 343, (o) => `ffff${bytes(o, 2)}`],
  lwz: [32, 23, (o) => bytes(o, 4)],
};
for (const [name, [opcode, xo, read]] of Object.entries(loads)) {
  for (const offset of [0, 3]) {
    const value = parseInt(read(offset), 16);
    row('memory', `${name} 7,${offset - 8}(8)`, d(opcode, 7, 8, offset - 8), { r8: at(8) }, { r7: value }, { memin });
    row(
      'memory',
      `${name}u 7,${offset}(8)`,
      d(opcode + 1, 7, 8, offset),
      { r8: at(0) },
      { r7: value, r8: at(offset) },
      { memin },
    );
    row('memory', `${name}x 7,8,9`, x(31, 7, 8, 9, xo), { r8: at(0), r9: offset }, { r7: value }, { memin });
  }
}
row('memory', 'lhbrx 7,8,9', x(31, 7, 8, 9, 790), { r8: at(0), r9: 2 }, { r7: 0x8483 }, { memin });
row(
  'memory',
  'lwbrx 7,0,9',
  x(31, 7, 0, 9, 534),
  { r0: 0x55, r9: at(1) },
  { r7: parseInt(reversed(bytes(1, 4)), 16) },
  { memin },
);
row(
  'memory',
  'lmw 29,2(8)',
  d(46, 29, 8, 2),
  { r8: at(0) },
  Object.fromEntries([29, 30, 31].map((r, i) => [`r${r}`, parseInt(bytes(2 + 4 * i, 4), 16)])),
  { memin },
);
row('memory', 'lswi 31,8,6', x(31, 31, 8, 6, 597), { r8: at(0) }, { r31: 0x81828384, r0: 0x85860000 }, { memin });

const stores = { stb: [38, 215, 1], sth: [44, 407, 2], stw: [36, 151, 4] };
for (const [name, [opcode, xo, width]] of Object.entries(stores)) {
  for (const offset of [0, 1]) {
    const memout = { [(0x20 + offset).toString(16)]: 'a1b2c3d4'.slice(8 - 2 * width) };
    const input = { r7: 0xa1b2c3d4, r8: WINDOW + 0x20 };
    row('memory', `${name} 7,${offset}(8)`, d(opcode, 7, 8, offset), input, {}, { memout });
    row(
      'memory',
      `${name}u 7,${offset}(8)`,
      d(opcode + 1, 7, 8, offset),
      input,
      { r8: WINDOW + 0x20 + offset },
      { memout },
    );
    row('memory', `${name}x 7,8,9`, x(31, 7, 8, 9, xo), { ...input, r9: offset }, {}, { memout });
  }
}
const swapped = { r7: 0xa1b2c3d4, r8: WINDOW, r9: 0x31 };
row('memory', 'sthbrx 7,8,9', x(31, 7, 8, 9, 918), swapped, {}, { memout: { 31: 'd4c3' } });
row('memory', 'stwbrx 7,8,9', x(31, 7, 8, 9, 662), swapped, {}, { memout: { 31: 'd4c3b2a1' } });
row(
  'memory',
  'stmw 30,0(8)',
  d(47, 30, 8, 0),
  { r8: WINDOW, r30: 0x01020304, r31: 0x05060708 },
  {},
  { memout: { 0: '0102030405060708' } },
);
row(
  'memory',
  'stswi 30,8,5',
  x(31, 30, 8, 5, 725),
  { r8: WINDOW + 3, r30: 0x01020304, r31: 0x05060708 },
  {},
  { memout: { 3: '0102030405' } },
);

// Branches. BO, from the left: ignore the condition, its sense, leave CTR alone, CTR's sense, prediction

const jump = (target, aa, lk) => (18 << 26) | ((target - (aa ? 0 : CODE)) & 0x03fffffc) | (aa << 1) | lk;
row('branch', 'b $+0x100', jump(CODE + 0x100, 0, 0), {}, {}, { nip: CODE + 0x100 });
row('branch', 'bl $-0x40', jump(CODE - 0x40, 0, 1), {}, { lr: CODE + 4 }, { nip: CODE - 0x40 });
row('branch', 'ba 0x400010', jump(0x400010, 1, 0), {}, {}, { nip: 0x400010 });
row('branch', 'bla 0x400010', jump(0x400010, 1, 1), {}, { lr: CODE + 4 }, { nip: 0x400010 });
for (const bo of [0, 2, 4, 8, 10, 12, 16, 18, 20]) {
  for (const [ctr, bit] of [
    [1, 1],
    [2, 0],
    [2, 1],
  ]) {
    const cr = bit ? 0x00200000 : 0xffdfffff; // bit 10
    const counted = bo & 4 ? ctr : ctr - 1;
    const taken =
      ((bo & 4) !== 0 || (counted === 0) === ((bo & 2) !== 0)) && ((bo & 16) !== 0 || bit === ((bo >> 3) & 1));
    const input = { cr, ctr, lr: CODE + 0x203 };
    row(
      'branch',
      `bcl ${bo},10,$+32`,
      (16 << 26) | (bo << 21) | (10 << 16) | 32 | 1,
      input,
      { ctr: counted, lr: CODE + 4 },
      { nip: taken ? CODE + 32 : CODE + 4 },
    );
    row(
      'branch',
      `bclr ${bo},10`,
      x(19, bo, 10, 0, 16),
      input,
      { ctr: counted },
      { nip: taken ? CODE + 0x200 : CODE + 4 },
    );
  }
}
row('branch', 'bcctrl 20,0', x(19, 20, 0, 0, 528, 1), { ctr: CODE + 0x401 }, { lr: CODE + 4 }, { nip: CODE + 0x400 });
row('branch', 'bcctr 12,2', x(19, 12, 2, 0, 528), { ctr: CODE + 0x400, cr: 0 }, {});

// The condition register

const crLogic = { crand: 257, crandc: 129, creqv: 289, crnand: 225, crnor: 33, cror: 449, crorc: 417, crxor: 193 };
for (const [name, xo] of Object.entries(crLogic)) {
  const operation =
    logic[
      {
        crand: 'and',
        crandc: 'andc',
        creqv: 'eqv',
        crnand: 'nand',
        crnor: 'nor',
        cror: 'or',
        crorc: 'orc',
        crxor: 'xor',
      }[name]
    ][1];
  for (const cr of [0x00000000, 0x04000000, 0x00000100, 0xfbfffeff]) {
    const [a, b] = [bits(cr)[5] === '1', bits(cr)[23] === '1'];
    const value = bits(cr).slice(0, 14) + (operation(a, b) ? 1 : 0) + bits(cr).slice(15);
    row('cr', `${name} 14,5,23`, x(19, 14, 5, 23, xo), { cr }, { cr: number(value) });
  }
}
row('cr', 'mcrf 2,7', x(19, 8, 28, 0, 0), { cr: 0x12345679 }, { cr: 0x12945679 });
row('cr', 'mcrxr 3', x(31, 12, 0, 0, 512), { cr: 0x12345678, xer: 0xa0000011 }, { cr: 0x123a5678, xer: 0x11 });
row('cr', 'mfcr 7', x(31, 7, 0, 0, 19), { cr: 0xdeadbeef }, { r7: 0xdeadbeef });
row('cr', 'mtcrf 0xa5,7', x(31, 7, 0, 0, 144) | (0xa5 << 12), { r7: 0x12345678, cr: 0xffffffff }, { cr: 0x1f3ff6f8 });
// prettier-ignore
for (const [a, b] of [[0xffffffff, 1], [1, 0xffffffff], [7, 7]]) {
  const field = (less, greater) => (0x12345678 & ~0x00f00000) | ((less ? 9 : greater ? 5 : 3) << 20);
  const input = { r8: a, r9: b, cr: 0x12345678, xer: XER.SO };
  row('cr', 'cmpw 2,8,9', x(31, 8, 8, 9, 0), input, { cr: field(s32(a) < s32(b), s32(a) > s32(b)) });
  row('cr', 'cmplw 2,8,9', x(31, 8, 8, 9, 32), input, { cr: field(a < b, a > b) });
}

// Traps and exceptions

const program = (esr) => `program srr0=${hex(CODE)} esr=${hex(esr)}`;
for (const to of [16, 8, 4, 2, 1, 31]) {
  // prettier-ignore
  for (const [a, b] of [[0xffffffff, 1], [1, 0xffffffff], [3, 3]]) { const asked = [s32(a) < s32(b), s32(a) > s32(b), a === b, a < b, a > b].some((holds, i) => holds && to & (16 >> i)); row('trap', `tw ${to},8,9`, x(31, to, 8, 9, 4), { r8: a, r9: b }, {}, asked ? { exc: program(0x02000000) } : {}); }
}
row('trap', 'twi 4,8,-1', d(3, 4, 8, -1), { r8: 0xffffffff }, {}, { exc: program(0x02000000) });
const data = (kind, esr, dear) => `${kind} srr0=${hex(CODE)} esr=${hex(esr)} dear=${hex(dear)}`;
for (const [name, opcode, esr] of [
  ['lwz', 32, 0],
  ['lwzu', 33, 0],
  ['stw', 36, 0x800000],
  ['stwu', 37, 0x800000],
]) {
  row(
    'exception',
    `${name} 7,8(9)`,
    d(opcode, 7, 9, 8),
    { r9: 0x10000000 },
    {},
    { exc: data('dtlb', esr, 0x10000008) },
  );
  row('exception', `${name} 7,8(9)`, d(opcode, 7, 9, 8), { r9: 0x80000000 }, {}, { exc: data('dsi', esr, 0x80000008) });
}
row('exception', 'lwarx 7,0,9', x(31, 7, 0, 9, 20), { r9: WINDOW + 2 }, {}, { exc: data('align', 0, WINDOW + 2) });
row(
  'exception',
  'stwcx. 7,0,9',
  x(31, 7, 0, 9, 150, 1),
  { r9: WINDOW + 1 },
  {},
  { exc: data('align', 0x800000, WINDOW + 1) },
);
row(
  'exception',
  'stwcx. 7,0,9',
  x(31, 7, 0, 9, 150, 1),
  { r9: WINDOW, cr: 0xf0000000, xer: XER.SO },
  { cr: 0x10000000 },
);
row('exception', 'sc', 0x44000002, {}, {}, { exc: `sc srr0=${hex(CODE + 4)} esr=0` });
row('exception', '.long 0', 0, {}, {}, { exc: program(0x08000000) });
for (const [asm, word] of [
  ['mtmsr 7', x(31, 7, 0, 0, 146)],
  ['rfi', x(19, 0, 0, 0, 50)],
  ['tlbwe 7,8,0', x(31, 7, 8, 0, 978)],
  ['mfspr 7,26', x(31, 7, 26, 0, 339)],
])
  row('exception', asm, word, {}, {}, { exc: program(0x04000000) });
