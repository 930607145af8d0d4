import { insn, type InvalidForm, type Machine } from './spec.js';

/** PPC440x5 User's Manual, "Instruction Set": storage access, storage synchronisation and cache management instructions. */

type D<F> = Readonly<Record<'ra' | 'd', F>>;
type X<F> = Readonly<Record<'ra' | 'rb', F>>;

const displaced = <V, F>(m: Machine<V, F>, f: D<F>): V => m.add(m.gprOrZero(f.ra), m.imm(f.d));
const displacedUpdate = <V, F>(m: Machine<V, F>, f: D<F>): V => m.add(m.gpr(f.ra), m.imm(f.d));
const indexed = <V, F>(m: Machine<V, F>, f: X<F>): V => m.add(m.gprOrZero(f.ra), m.gpr(f.rb));
const indexedUpdate = <V, F>(m: Machine<V, F>, f: X<F>): V => m.add(m.gpr(f.ra), m.gpr(f.rb));

type Loader = <V, F>(m: Machine<V, F>, address: V) => V;
type Storer = <V, F>(m: Machine<V, F>, address: V, value: V) => void;

const byte: Loader = (m, ea) => m.load(8, ea);
const half: Loader = (m, ea) => m.load(16, ea);
const word: Loader = (m, ea) => m.load(32, ea);
const algebraic: Loader = (m, ea) => {
  const by = m.constant(16);
  return m.shiftRightSigned(m.shiftLeft(m.load(16, ea), by), by);
};
const halfReversed: Loader = (m, ea) => swap16(m, m.load(16, ea));
const wordReversed: Loader = (m, ea) => swap32(m, m.load(32, ea));

const swap16 = <V, F>(m: Machine<V, F>, a: V): V =>
  m.or(
    m.shiftRight(m.and(a, m.constant(0xff00)), m.constant(8)),
    m.shiftLeft(m.and(a, m.constant(0xff)), m.constant(8)),
  );
const swap32 = <V, F>(m: Machine<V, F>, a: V): V =>
  m.or(
    m.and(m.rotateLeft(a, m.constant(8)), m.constant(0x00ff00ff)),
    m.and(m.rotateLeft(a, m.constant(24)), m.constant(0xff00ff00 | 0)),
  );

const storeByte: Storer = (m, ea, v) => m.store(8, ea, v);
const storeHalf: Storer = (m, ea, v) => m.store(16, ea, v);
const storeWord: Storer = (m, ea, v) => m.store(32, ea, v);
const storeHalfReversed: Storer = (m, ea, v) => m.store(16, ea, swap16(m, v));
const storeWordReversed: Storer = (m, ea, v) => m.store(32, ea, swap32(m, v));

/** rt <- storage; with update, ra <- the address once the access has succeeded. */
const loadD =
  (load: Loader) =>
  <V, F>(m: Machine<V, F>, f: D<F> & Readonly<Record<'rt', F>>) =>
    m.setGpr(f.rt, load(m, displaced(m, f)));
const loadX =
  (load: Loader) =>
  <V, F>(m: Machine<V, F>, f: X<F> & Readonly<Record<'rt', F>>) =>
    m.setGpr(f.rt, load(m, indexed(m, f)));
const loadUpdateD =
  (load: Loader) =>
  <V, F>(m: Machine<V, F>, f: D<F> & Readonly<Record<'rt', F>>) => {
    const ea = displacedUpdate(m, f);
    const value = load(m, ea);
    m.setGpr(f.ra, ea);
    m.setGpr(f.rt, value);
  };
const loadUpdateX =
  (load: Loader) =>
  <V, F>(m: Machine<V, F>, f: X<F> & Readonly<Record<'rt', F>>) => {
    const ea = indexedUpdate(m, f);
    const value = load(m, ea);
    m.setGpr(f.ra, ea);
    m.setGpr(f.rt, value);
  };
const storeD =
  (store: Storer) =>
  <V, F>(m: Machine<V, F>, f: D<F> & Readonly<Record<'rs', F>>) =>
    store(m, displaced(m, f), m.gpr(f.rs));
const storeX =
  (store: Storer) =>
  <V, F>(m: Machine<V, F>, f: X<F> & Readonly<Record<'rs', F>>) =>
    store(m, indexed(m, f), m.gpr(f.rs));
const storeUpdateD =
  (store: Storer) =>
  <V, F>(m: Machine<V, F>, f: D<F> & Readonly<Record<'rs', F>>) => {
    const ea = displacedUpdate(m, f);
    store(m, ea, m.gpr(f.rs));
    m.setGpr(f.ra, ea);
  };
const storeUpdateX =
  (store: Storer) =>
  <V, F>(m: Machine<V, F>, f: X<F> & Readonly<Record<'rs', F>>) => {
    const ea = indexedUpdate(m, f);
    store(m, ea, m.gpr(f.rs));
    m.setGpr(f.ra, ea);
  };

const touch =
  (access: 'read' | 'write') =>
  <V, F>(m: Machine<V, F>, f: X<F>) =>
    m.touchBlock(access, indexed(m, f));
const hint = (): void => {};

// Invalid forms: an address cannot be put back into no register, nor into the one that is loaded.
const noBase: InvalidForm = { kind: 'clear', field: 'ra', bits: 31 };
const loadsBase: InvalidForm = { kind: 'equal', fields: ['ra', 'rt'] };
const loadUpdate = { invalid: [noBase, loadsBase] };
const storeUpdate = { invalid: [noBase] };

// prettier-ignore
export const loadStore = [
  insn('lbz',    '100010 rt:5 ra:5 d:s16', 'rt, d(ra)', loadD(byte)),
  insn('lbzu',   '100011 rt:5 ra:5 d:s16', 'rt, d(ra)', loadUpdateD(byte), loadUpdate),
  insn('lhz',    '101000 rt:5 ra:5 d:s16', 'rt, d(ra)', loadD(half)),
  insn('lhzu',   '101001 rt:5 ra:5 d:s16', 'rt, d(ra)', loadUpdateD(half), loadUpdate),
  insn('lha',    '101010 rt:5 ra:5 d:s16', 'rt, d(ra)', loadD(algebraic)),
  insn('lhau',   '101011 rt:5 ra:5 d:s16', 'rt, d(ra)', loadUpdateD(algebraic), loadUpdate),
  insn('lwz',    '100000 rt:5 ra:5 d:s16', 'rt, d(ra)', loadD(word)),
  insn('lwzu',   '100001 rt:5 ra:5 d:s16', 'rt, d(ra)', loadUpdateD(word), loadUpdate),
  insn('stb',    '100110 rs:5 ra:5 d:s16', 'rs, d(ra)', storeD(storeByte)),
  insn('stbu',   '100111 rs:5 ra:5 d:s16', 'rs, d(ra)', storeUpdateD(storeByte), storeUpdate),
  insn('sth',    '101100 rs:5 ra:5 d:s16', 'rs, d(ra)', storeD(storeHalf)),
  insn('sthu',   '101101 rs:5 ra:5 d:s16', 'rs, d(ra)', storeUpdateD(storeHalf), storeUpdate),
  insn('stw',    '100100 rs:5 ra:5 d:s16', 'rs, d(ra)', storeD(storeWord)),
  insn('stwu',   '100101 rs:5 ra:5 d:s16', 'rs, d(ra)', storeUpdateD(storeWord), storeUpdate),

  insn('lbzx',   '011111 rt:5 ra:5 rb:5 0001010111 .', 'rt, ra, rb', loadX(byte)),
  insn('lbzux',  '011111 rt:5 ra:5 rb:5 0001110111 .', 'rt, ra, rb', loadUpdateX(byte), loadUpdate),
  insn('lhzx',   '011111 rt:5 ra:5 rb:5 0100010111 .', 'rt, ra, rb', loadX(half)),
  insn('lhzux',  '011111 rt:5 ra:5 rb:5 0100110111 .', 'rt, ra, rb', loadUpdateX(half), loadUpdate),
  insn('lhax',   '011111 rt:5 ra:5 rb:5 0101010111 .', 'rt, ra, rb', loadX(algebraic)),
  insn('lhaux',  '011111 rt:5 ra:5 rb:5 0101110111 .', 'rt, ra, rb', loadUpdateX(algebraic), loadUpdate),
  insn('lwzx',   '011111 rt:5 ra:5 rb:5 0000010111 .', 'rt, ra, rb', loadX(word)),
  insn('lwzux',  '011111 rt:5 ra:5 rb:5 0000110111 .', 'rt, ra, rb', loadUpdateX(word), loadUpdate),
  insn('lhbrx',  '011111 rt:5 ra:5 rb:5 1100010110 0', 'rt, ra, rb', loadX(halfReversed)),
  insn('lwbrx',  '011111 rt:5 ra:5 rb:5 1000010110 0', 'rt, ra, rb', loadX(wordReversed)),
  insn('stbx',   '011111 rs:5 ra:5 rb:5 0011010111 .', 'rs, ra, rb', storeX(storeByte)),
  insn('stbux',  '011111 rs:5 ra:5 rb:5 0011110111 .', 'rs, ra, rb', storeUpdateX(storeByte), storeUpdate),
  insn('sthx',   '011111 rs:5 ra:5 rb:5 0110010111 .', 'rs, ra, rb', storeX(storeHalf)),
  insn('sthux',  '011111 rs:5 ra:5 rb:5 0110110111 .', 'rs, ra, rb', storeUpdateX(storeHalf), storeUpdate),
  insn('stwx',   '011111 rs:5 ra:5 rb:5 0010010111 .', 'rs, ra, rb', storeX(storeWord)),
  insn('stwux',  '011111 rs:5 ra:5 rb:5 0010110111 .', 'rs, ra, rb', storeUpdateX(storeWord), storeUpdate),
  insn('sthbrx', '011111 rs:5 ra:5 rb:5 1110010110 .', 'rs, ra, rb', storeX(storeHalfReversed)),
  insn('stwbrx', '011111 rs:5 ra:5 rb:5 1010010110 .', 'rs, ra, rb', storeX(storeWordReversed)),

  // Many registers at once. A string's length in bytes is NB (0 means 32), or XER[TBC].
  insn('lmw',    '101110 rt:5 ra:5 d:s16', 'rt, d(ra)', (m, f) => m.loadMultiple(f.rt, displaced(m, f))),
  insn('stmw',   '101111 rs:5 ra:5 d:s16', 'rs, d(ra)', (m, f) => m.storeMultiple(f.rs, displaced(m, f))),
  insn('lswi',   '011111 rt:5 ra:5 nb:5 1001010101 0', 'rt, ra, nb', (m, f) =>
    m.loadString(f.rt, m.gprOrZero(f.ra), m.select(m.imm(f.nb), m.imm(f.nb), m.constant(32))),
    { rare: true, invalid: [{ kind: 'loaded', register: 'ra', first: 'rt', bytes: 'nb' }] }),
  insn('lswx',   '011111 rt:5 ra:5 rb:5 1000010101 0', 'rt, ra, rb', (m, f) =>
    m.loadString(f.rt, indexed(m, f), m.and(m.xer(), m.constant(0x7f))),
    { rare: true, invalid: [loadsBase, { kind: 'equal', fields: ['rb', 'rt'] }] }),
  insn('stswi',  '011111 rs:5 ra:5 nb:5 1011010101 0', 'rs, ra, nb', (m, f) =>
    m.storeString(f.rs, m.gprOrZero(f.ra), m.select(m.imm(f.nb), m.imm(f.nb), m.constant(32))), { rare: true }),
  insn('stswx',  '011111 rs:5 ra:5 rb:5 1010010101 0', 'rs, ra, rb', (m, f) =>
    m.storeString(f.rs, indexed(m, f), m.and(m.xer(), m.constant(0x7f))), { rare: true }),

  // Storage synchronisation. Memory is coherent and accesses are in order, so the barriers have nothing left to do.
  insn('lwarx',  '011111 rt:5 ra:5 rb:5 0000010100 .', 'rt, ra, rb', (m, f) => m.setGpr(f.rt, m.loadReserve(indexed(m, f)))),
  insn('stwcx.', '011111 rs:5 ra:5 rb:5 0010010110 1', 'rs, ra, rb', (m, f) => m.storeConditional(indexed(m, f), m.gpr(f.rs))),
  insn('msync',  '011111 000.. 00000 00000 1001010110 0', '', hint),
  insn('mbar',   '011111 mo:5 00000 00000 1101010110 0', 'mo', hint),
  insn('isync',  '010011 00000 00000 00000 0010010110 0', '', hint),

  // Cache management. There is no cache to manage: dcbz zeroes its block, and the others check the address they are given.
  insn('dcba',   '011111 00000 ra:5 rb:5 1011110110 0', 'ra, rb', hint),
  insn('dcbf',   '011111 0000. ra:5 rb:5 0001010110 0', 'ra, rb', touch('read')),
  insn('dcbst',  '011111 00000 ra:5 rb:5 0000110110 0', 'ra, rb', touch('read')),
  insn('dcbt',   '011111 ..... ra:5 rb:5 0100010110 0', 'ra, rb', hint),
  insn('dcbtst', '011111 ..... ra:5 rb:5 0011110110 0', 'ra, rb', hint),
  insn('dcbz',   '011111 0000. ra:5 rb:5 1111110110 0', 'ra, rb', (m, f) => m.zeroBlock(indexed(m, f))),
  insn('icbi',   '011111 00000 ra:5 rb:5 1111010110 0', 'ra, rb', touch('read')),
  insn('icbt',   '011111 00000 ra:5 rb:5 0000010110 0', 'ra, rb', hint),
  insn('dcbi',   '011111 00000 ra:5 rb:5 0111010110 0', 'ra, rb', (m, f) => {
    m.privileged();
    m.touchBlock('write', indexed(m, f));
  }),
  insn('dccci',  '011111 00000 ra:5 rb:5 0111000110 0', 'ra, rb', (m) => m.privileged()),
  insn('iccci',  '011111 ..... ra:5 rb:5 1111000110 0', 'ra, rb', (m) => m.privileged()),
  insn('dcread', '011111 rt:5 ra:5 rb:5 0111100110 0', 'rt, ra, rb', (m, f) => {
    m.privileged();
    m.setGpr(f.rt, m.constant(0)); // an empty cache: no line is valid
  }, { rare: true }),
  insn('icread', '011111 00000 ra:5 rb:5 1111100110 0', 'ra, rb', (m) => m.privileged(), { rare: true }),

  // Reserved-nop opcodes: set aside for hints of later processors, true no-ops on this one (appendix A.5).
  insn('nop530', '011111 ..... ..... ..... 1000010010 .', '', hint, { rare: true }),
  insn('nop562', '011111 ..... ..... ..... 1000110010 .', '', hint, { rare: true }),
  insn('nop594', '011111 ..... ..... ..... 1001010010 .', '', hint, { rare: true }),
  insn('nop626', '011111 ..... ..... ..... 1001110010 .', '', hint, { rare: true }),
  insn('nop658', '011111 ..... ..... ..... 1010010010 .', '', hint, { rare: true }),
  insn('nop690', '011111 ..... ..... ..... 1010110010 .', '', hint, { rare: true }),
  insn('nop722', '011111 ..... ..... ..... 1011010010 .', '', hint, { rare: true }),
  insn('nop754', '011111 ..... ..... ..... 1011110010 .', '', hint, { rare: true }),
];
