// Rows of arithmetic, logic and multiply-accumulate instructions.

import { HIGH, XER, bits, bitwise, cr0, d, logic, next, number, row, s32, u32, x, xerAfter } from './make-rows.mjs';

// Addition and its kin: the exact sum of two 32-bit numbers and a carry, once unsigned and once signed

const not = (value) => ~value >>> 0;
const sums = {
  add: [266, (a, b) => [a, b, 0]],
  addc: [10, (a, b) => [a, b, 0], 'carry'],
  adde: [138, (a, b, ca) => [a, b, ca], 'carry'],
  addze: [202, (a, _, ca) => [a, 0, ca], 'carry', 'unary'],
  addme: [234, (a, _, ca) => [a, 0xffffffff, ca], 'carry', 'unary'],
  subf: [40, (a, b) => [not(a), b, 1]],
  subfc: [8, (a, b) => [not(a), b, 1], 'carry'],
  subfe: [136, (a, b, ca) => [not(a), b, ca], 'carry'],
  subfze: [200, (a, _, ca) => [not(a), 0, ca], 'carry', 'unary'],
  subfme: [232, (a, _, ca) => [not(a), 0xffffffff, ca], 'carry', 'unary'],
  neg: [104, (a) => [not(a), 0, 1], 'none', 'unary'],
};
// prettier-ignore
const pairs = [[0x7fffffff, 1], [0x80000000, 0xffffffff], [0xffffffff, 1], [0, 0], [0x12345678, 0x9abcdef0], [1, 0x80000000], [5, 3]];
const xers = [0, XER.CA, XER.SO | XER.CA, XER.OV | XER.SO, 0x20000007];

for (const [name, [xo, terms, carries, arity]] of Object.entries(sums)) {
  for (const options of ['', '.', 'o', 'o.']) {
    const [a, b] = next(pairs);
    const xer = next(xers);
    const [oe, rc] = [options.includes('o'), options.includes('.')];
    const [p, q, c] = terms(a, b, xer & XER.CA ? 1 : 0);
    const value = u32(p + q + c);
    const signed = BigInt(s32(p)) + BigInt(s32(q)) + BigInt(c);
    const after = xerAfter(xer, {
      carry: carries === 'carry' ? p + q + c >= 2 ** 32 : undefined,
      overflow: oe ? signed >= HIGH || signed < -HIGH : undefined,
    });
    const unary = arity === 'unary';
    const word = x(31, 7, 8, unary ? 0 : 9, xo | (oe ? 512 : 0), rc ? 1 : 0);
    const input = { r8: a, ...(unary ? {} : { r9: b }), cr: 0x12345678, xer };
    const out = { r7: value, xer: after, ...(rc ? { cr: cr0(0x12345678, value, after) } : {}) };
    row('arith', `${name}${options} 7,8${unary ? '' : ',9'}`, word, input, out);
  }
}

// Products and quotients

function product(name, xo, a, b, value, overflow, options = '') {
  const xer = next(xers);
  const after = xerAfter(xer, { overflow: options.includes('o') ? overflow : undefined });
  const word = x(31, 7, 8, 9, xo | (options.includes('o') ? 512 : 0), options.includes('.') ? 1 : 0);
  const out = { r7: value, xer: after, ...(options.includes('.') ? { cr: cr0(0, value, after) } : {}) };
  row('arith', `${name}${options} 7,8,9`, word, { r8: a, r9: b, xer }, out);
}
const exact = (a, b, read) => BigInt(read(a)) * BigInt(read(b));
// prettier-ignore
for (const [a, b] of [[0x10000, 0x10000], [0xffff8000, 0x10000], [0xffffffff, 0xffffffff]]) {
  const signed = exact(a, b, s32);
  const fits = signed < HIGH && signed >= -HIGH;
  product('mullw', 235, a, b, u32(signed), !fits, 'o.');
  product('mulhw', 75, a, b, u32(signed >> 32n), false, '.');
  product('mulhwu', 11, a, b, u32(exact(a, b, (v) => v) >> 32n), false, '.');
}
// prettier-ignore
for (const [a, b] of [[0xfffffff9, 2], [7, 0xfffffffe], [0x80000000, 3]]) {
  product('divw', 491, a, b, u32(Math.trunc(s32(a) / s32(b))), false, 'o.');
  product('divwu', 459, a, b, Math.floor(a / b), false, 'o');
}

// Immediate operands

// prettier-ignore
for (const [imm, a] of [[-1, 1], [0x7fff, 0xffff8001]]) {
  const carry = a + u32(imm) >= 2 ** 32;
  const input = { r8: a };
  row('arith', `addi 7,8,${imm}`, d(14, 7, 8, imm), input, { r7: u32(a + imm) });
  row('arith', `addis 7,8,${imm}`, d(15, 7, 8, imm), input, { r7: u32(a + imm * 65536) });
  row('arith', `addic. 7,8,${imm}`, d(13, 7, 8, imm), input, {
    r7: u32(a + imm),
    xer: xerAfter(0, { carry }),
    cr: cr0(0, u32(a + imm), 0),
  });
  row('arith', `subfic 7,8,${imm}`, d(8, 7, 8, imm), input, {
    r7: u32(imm - a),
    xer: xerAfter(0, { carry: not(a) + u32(imm) + 1 >= 2 ** 32 }),
  });
  row('arith', `mulli 7,8,${imm}`, d(7, 7, 8, imm), input, { r7: u32(BigInt(s32(a)) * BigInt(imm)) });
}
row('arith', 'addi 7,0,-32768', d(14, 7, 0, -32768), { r0: 5 }, { r7: 0xffff8000 });

// Logic, on strings of bits

for (const [name, [xo, operation]] of Object.entries(logic)) {
  const value = bitwise(operation)(0xff00f0c3, 0xf0ff3355);
  const input = { r8: 0xff00f0c3, r9: 0xf0ff3355, xer: XER.SO };
  row('logic', `${name} 7,8,9`, x(31, 8, 7, 9, xo), input, { r7: value });
  row('logic', `${name}. 7,8,9`, x(31, 8, 7, 9, xo, 1), input, { r7: value, cr: cr0(0, value, XER.SO) });
}
const immediates = { 'andi.': [28, 0], 'andis.': [29, 1], ori: [24, 0], oris: [25, 1], xori: [26, 0], xoris: [27, 1] };
for (const [name, [opcode, high]] of Object.entries(immediates)) {
  const operation = logic[name.replace(/is?\.?$/, '')][1];
  const value = bitwise(operation)(0x8765c3a5, high ? 0xf00f0000 : 0x0000f00f);
  const out = { r7: value, ...(name.endsWith('.') ? { cr: cr0(0, value, 0) } : {}) };
  row('logic', `${name} 7,8,${0xf00f}`, d(opcode, 8, 7, 0xf00f), { r8: 0x8765c3a5 }, out);
}

const unary = {
  extsb: [954, (v) => u32(BigInt.asIntN(8, BigInt(v)))],
  extsh: [922, (v) => u32(BigInt.asIntN(16, BigInt(v)))],
  cntlzw: [
    26,
    (v) =>
      bits(v)
        .padEnd(33, '1')
        .replace(/^(0*).*/, '$1').length,
  ],
};
for (const [name, [xo, value]] of Object.entries(unary))
  for (const v of [0x00008081, 0x7f, 0])
    row('logic', `${name}. 7,8`, x(31, 8, 7, 0, xo, 1), { r8: v }, { r7: value(v), cr: cr0(0, value(v), 0) });

const rotate = (value, by) => number(bits(value).slice(by) + bits(value).slice(0, by));
const ones = (mb, me) =>
  number(Array.from({ length: 32 }, (_, i) => ((mb <= me ? i >= mb && i <= me : i >= mb || i <= me) ? 1 : 0)).join(''));
const m = (opcode, rs, ra, b, mb, me) =>
  (opcode << 26) | (rs << 21) | (ra << 16) | (b << 11) | (mb << 6) | (me << 1) | 1;
// prettier-ignore
for (const [sh, mb, me] of [[0, 0, 31], [8, 24, 31], [31, 4, 9], [13, 28, 3], [5, 16, 16]]) {
  const turned = rotate(0x92345679, sh);
  const masked = (turned & ones(mb, me)) >>> 0;
  const inserted = (masked | (0x0f1e2d3c & ~ones(mb, me))) >>> 0;
  const input = { r7: 0x0f1e2d3c, r8: 0x92345679, r9: 0xffffff00 | sh | 0x40 };
  row('logic', `rlwinm. 7,8,${sh},${mb},${me}`, m(21, 8, 7, sh, mb, me), input, { r7: masked, cr: cr0(0, masked, 0) });
  row('logic', `rlwimi. 7,8,${sh},${mb},${me}`, m(20, 8, 7, sh, mb, me), input, {
    r7: inserted,
    cr: cr0(0, inserted, 0),
  });
  row('logic', `rlwnm. 7,8,9,${mb},${me}`, m(23, 8, 7, 9, mb, me), input, { r7: masked, cr: cr0(0, masked, 0) });
}
for (const by of [0, 1, 31, 32, 63]) {
  const v = 0x80000003;
  const left = by > 31 ? 0 : u32(BigInt(v) << BigInt(by));
  const right = by > 31 ? 0 : Math.floor(v / 2 ** by);
  const algebraic = u32(BigInt(s32(v)) >> BigInt(by));
  const lost = by > 31 || v % 2 ** by !== 0;
  const input = { r8: v, r9: by + 64 };
  row('logic', 'slw 7,8,9', x(31, 8, 7, 9, 24), input, { r7: left });
  row('logic', 'srw. 7,8,9', x(31, 8, 7, 9, 536, 1), input, { r7: right, cr: cr0(0, right, 0) });
  row('logic', 'sraw 7,8,9', x(31, 8, 7, 9, 792), input, { r7: algebraic, xer: lost ? XER.CA : 0 });
  if (by < 32)
    row(
      'logic',
      `srawi 7,8,${by}`,
      x(31, 8, 7, by, 824),
      { r8: v, xer: XER.CA },
      { r7: algebraic, xer: lost ? XER.CA : 0 },
    );
}

// Multiply-accumulate: halves of ra and rb, the product added to or taken from rt, and brought back into range

const half = (value, high, signed) => {
  const h = high ? value >>> 16 : value & 0xffff;
  return signed && h > 0x7fff ? h - 0x10000 : h;
};
const halves = { chw: [0, 1], hhw: [1, 1], lhw: [0, 0] };
const opcodes = { hhw: 12, chw: 140, lhw: 396 };
for (const [which, [highA, highB]] of Object.entries(halves)) {
  for (const [suffix, extra, signed, saturates] of [
    ['', 32, true, false],
    ['s', 96, true, true],
    ['u', 0, false, false],
    ['su', 64, false, true],
  ]) {
    for (const negative of signed ? [false, true] : [false]) {
      const [a, b, rt] = next([
        [0x7fff8000, 0x7fff8000, 0x7ffffff0],
        [0x80007fff, 0x7fff7fff, 0x80000005],
        [0xfffefffe, 0xffffffff, 0xfffffff0],
      ]);
      const read = signed ? s32 : (v) => v;
      const amount = half(a, highA, signed) * half(b, highB, signed);
      const sum = read(rt) + (negative ? -amount : amount);
      const [least, most] = signed ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
      const overflow = sum < least || sum > most;
      const value = u32(saturates && overflow ? (sum < least ? least : most) : sum);
      const after = xerAfter(0, { overflow });
      const name = `${negative ? 'nmac' : 'mac'}${which}${suffix}o.`;
      const word = x(4, 7, 8, 9, 512 | (opcodes[which] + extra + (negative ? 2 : 0)), 1);
      row('mac', `${name} 7,8,9`, word, { r7: rt, r8: a, r9: b }, { r7: value, xer: after, cr: cr0(0, value, after) });
    }
  }
  const value = u32(half(0x8001fffe, highA, true) * half(0x7fff0003, highB, true));
  const xo = { hhw: 40, chw: 168, lhw: 424 }[which];
  row(
    'mac',
    `mul${which}. 7,8,9`,
    x(4, 7, 8, 9, xo, 1),
    { r8: 0x8001fffe, r9: 0x7fff0003 },
    { r7: value, cr: cr0(0, value, 0) },
  );
}
