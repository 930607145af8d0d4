import { insn, type InvalidForm, type Machine } from './spec.js';

/** PPC440x5 User's Manual, "Instruction Set": branch, condition register, trap and system call instructions. */

type Crb<F> = Readonly<Record<'bt' | 'ba' | 'bb', F>>;
const combine =
  (operation: <V, F>(m: Machine<V, F>, a: V, b: V) => V) =>
  <V, F>(m: Machine<V, F>, f: Crb<F>) =>
    m.setCrBit(f.bt, operation(m, m.crBit(f.ba), m.crBit(f.bb)));
const inverted = <V, F>(m: Machine<V, F>, bit: V): V => m.xor(bit, m.constant(1));

/** A branch to CTR cannot also count in it. */
const counts: InvalidForm = { kind: 'clear', field: 'bo', bits: 4 };

const scaled = <V, F>(m: Machine<V, F>, field: F): V => m.shiftLeft(m.imm(field), m.constant(2));
const relative = <V, F>(m: Machine<V, F>, field: F): V => m.add(m.pc(), scaled(m, field));
const aligned = <V, F>(m: Machine<V, F>, a: V): V => m.and(a, m.constant(-4));

// prettier-ignore
export const branch = [
  insn('b',      '010010 li:s24 0 lk:1', 'li', (m, f) => {
    const target = relative(m, f.li);
    m.linkIf(f.lk);
    m.branch(target);
  }),
  insn('ba',     '010010 li:s24 1 lk:1', 'li', (m, f) => {
    const target = scaled(m, f.li);
    m.linkIf(f.lk);
    m.branch(target);
  }),
  insn('bc',     '010000 bo:5 bi:5 bd:s14 0 lk:1', 'bo, bi, bd', (m, f) => {
    const target = relative(m, f.bd);
    m.linkIf(f.lk);
    m.branchIf(f.bo, f.bi, target);
  }),
  insn('bca',    '010000 bo:5 bi:5 bd:s14 1 lk:1', 'bo, bi, bd', (m, f) => {
    const target = scaled(m, f.bd);
    m.linkIf(f.lk);
    m.branchIf(f.bo, f.bi, target);
  }),
  insn('bclr',   '010011 bo:5 bi:5 ..... 0000010000 lk:1', 'bo, bi', (m, f) => {
    const target = aligned(m, m.lr());
    m.linkIf(f.lk);
    m.branchIf(f.bo, f.bi, target);
  }),
  insn('bcctr',  '010011 bo:5 bi:5 ..... 1000010000 lk:1', 'bo, bi', (m, f) => {
    const target = aligned(m, m.ctr());
    m.linkIf(f.lk);
    m.branchIf(f.bo, f.bi, target);
  }, { invalid: [counts] }),

  insn('crand',  '010011 bt:5 ba:5 bb:5 0100000001 0', 'bt, ba, bb', combine((m, a, b) => m.and(a, b))),
  insn('crandc', '010011 bt:5 ba:5 bb:5 0010000001 0', 'bt, ba, bb', combine((m, a, b) => m.and(a, inverted(m, b)))),
  insn('creqv',  '010011 bt:5 ba:5 bb:5 0100100001 0', 'bt, ba, bb', combine((m, a, b) => inverted(m, m.xor(a, b)))),
  insn('crnand', '010011 bt:5 ba:5 bb:5 0011100001 0', 'bt, ba, bb', combine((m, a, b) => inverted(m, m.and(a, b)))),
  insn('crnor',  '010011 bt:5 ba:5 bb:5 0000100001 0', 'bt, ba, bb', combine((m, a, b) => inverted(m, m.or(a, b)))),
  insn('cror',   '010011 bt:5 ba:5 bb:5 0111000001 0', 'bt, ba, bb', combine((m, a, b) => m.or(a, b))),
  insn('crorc',  '010011 bt:5 ba:5 bb:5 0110100001 0', 'bt, ba, bb', combine((m, a, b) => m.or(a, inverted(m, b)))),
  insn('crxor',  '010011 bt:5 ba:5 bb:5 0011000001 0', 'bt, ba, bb', combine((m, a, b) => m.xor(a, b))),
  insn('mcrf',   '010011 bf:3 .. bfa:3 .. ..... 0000000000 0', 'bf, bfa', (m, f) => m.setCrField(f.bf, m.crField(f.bfa))),
  insn('mcrxr',  '011111 bf:3 00 00000 00000 1000000000 0', 'bf', (m, f) => {
    const xer = m.xer();
    m.setCrField(f.bf, m.shiftRight(xer, m.constant(28)));
    m.setXer(m.and(xer, m.constant(0x0fffffff)));
  }),
  insn('mfcr',   '011111 rt:5 . .... .... 0 0000010011 0', 'rt', (m, f) => m.setGpr(f.rt, m.cr())),
  insn('mtcrf',  '011111 rs:5 . fxm:8 0 0010010000 0', 'fxm, rs', (m, f) => m.setCr(f.fxm, m.gpr(f.rs))),

  insn('tw',     '011111 to:5 ra:5 rb:5 0000000100 0', 'to, ra, rb', (m, f) => m.trapIf(m.trapCondition(f.to, m.gpr(f.ra), m.gpr(f.rb)))),
  insn('twi',    '000011 to:5 ra:5 si:s16', 'to, ra, si', (m, f) => m.trapIf(m.trapCondition(f.to, m.gpr(f.ra), m.imm(f.si)))),
  insn('sc',     '010001 00000 00000 0000 lev:7 000 1 0', 'lev', (m, f) => m.systemCall(f.lev)),
];
