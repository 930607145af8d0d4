// Random programs that change their translations and touch what they map, and what is left behind.

import fc from 'fast-check';
import type { Board } from '../../src/board/board.js';
import type { Ram } from '../../src/bus/memory.js';
import { R, S } from '../../src/cpu/state.js';
import { MSR } from '../../src/isa/registers.js';
import { Code, FINISHER, size } from './code.js';

/** Effective addresses from here on are mapped at random, in both spaces. */
const WINDOW = 0x10000000;
const WINDOW_BYTES = 0x4000;
/** Memory below this is code and is mapped at its own addresses throughout; what is mapped at random lies behind it. */
const CODE_END = 0x10000;
/** The guest's device tree lies above, and differs from the board's. */
const COMPARED = 0xf0000;
/** TLB entries that are written at random; those before them map the code, and the finisher. */
const [FIRST_ENTRY, LAST_ENTRY] = [3, 14];
const BLR = 0x4e800020;

type Emit = (code: Code) => void;

const address = fc.integer({ min: 0, max: WINDOW_BYTES }).map((offset) => WINDOW + offset);
/** Addresses near the ends of pages are where accesses cross. */
const edge = fc
  .record({ page: fc.integer({ min: 0, max: WINDOW_BYTES / 0x400 }), by: fc.integer({ min: -4, max: 4 }) })
  .map(({ page, by }) => WINDOW + Math.max(0, page * 0x400 + by));
const anywhere = fc.oneof(address, edge);
const register = fc.integer({ min: 3, max: 15 });
const bit = (value: number): fc.Arbitrary<number> => fc.constantFrom(0, value);
const spaces = fc.tuple(bit(MSR.IS), bit(MSR.DS)).map(([is, ds]) => is | ds);

/** Where a page may lead: memory behind the code, the UART, or to nobody. */
const target = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: CODE_END / 0x400, max: 0x20000 / 0x400 - 1 }).map((page) => page * 0x400) },
  { weight: 1, arbitrary: fc.constantFrom(0xef600000, 0xe0000000, 0x100000, 0x7_0001_0000) },
);

const page = fc
  .record({
    entry: fc.integer({ min: FIRST_ENTRY, max: LAST_ENTRY }),
    ea: address,
    pa: target,
    size: fc.constantFrom(size.k1, size.k4, size.k4, size.k16, size.k16, size.k64),
    space: fc.constantFrom<0 | 1>(0, 1),
    tid: fc.constantFrom(0, 0, 0, 1, 2, 3),
    rights: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0x3f) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x3f }) },
    ),
    valid: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  })
  .map(
    (p): Emit =>
      (code) =>
        void code.tlb(p.entry, p.pa >= 0x20000 ? { ...p, size: Math.min(p.size, size.k4) } : p),
  );

const oneWord = fc
  .record({ entry: fc.integer({ min: FIRST_ENTRY, max: LAST_ENTRY }), rights: fc.integer({ min: 0, max: 0x3f }) })
  .map(({ entry, rights }): Emit => (code) => {
    code.li(29, entry).li(31, rights).op('tlbwe', { rs: 31, ra: 29, ws: 2 });
  });

const loads = ['lwz', 'lhz', 'lha', 'lbz', 'lwzu'] as const;
const stores = ['stw', 'sth', 'stb', 'stwu'] as const;
const load = fc.tuple(fc.constantFrom(...loads), register, anywhere).map(([op, rt, at]): Emit => (code) => {
  code.li(16, at).op(op, { rt, ra: 16, d: 0 });
});
const store = fc.tuple(fc.constantFrom(...stores), register, anywhere).map(([op, rs, at]): Emit => (code) => {
  code.li(17, at).op(op, { rs, ra: 17, d: 0 });
});
/** No stwcx.: whether it finds its reservation depends on whether the neighbour had the core in between. */
const indexed = fc
  .tuple(fc.constantFrom('lwarx', 'lwbrx', 'sthbrx', 'dcbz', 'dcbf'), register, anywhere)
  .map(([op, r, at]): Emit => (code) => {
    const fields = op.startsWith('l') ? { rt: r } : op.startsWith('s') ? { rs: r } : {};
    code.li(18, at).op(op, { ...fields, ra: 0, rb: 18 });
  });
const multiple = fc.tuple(fc.boolean(), anywhere).map(([stores_, at]): Emit => (code) => {
  code.li(2, at);
  if (stores_) code.op('stswi', { rs: 3, ra: 2, nb: 0 });
  else code.op('lswi', { rt: 3, ra: 2, nb: 29 });
});
const call = address.map((at): Emit => (code) => {
  code
    .li(19, at & ~3)
    .op('mtspr', { rs: 19, spr: 9 })
    .op('bcctr', { bo: 20, bi: 0, lk: 1 });
});
const process = fc.integer({ min: 0, max: 3 }).map(
  (pid): Emit =>
    (code) =>
      void code.setSpr('PID', pid),
);
const supervisor = spaces.map(
  (msr): Emit =>
    (code) =>
      void code.op('sc').setMsr(msr | MSR.ME),
);
let labels = 0;
const user = spaces.map((msr): Emit => (code) => {
  const next = `next${labels++}`;
  code.rfi(next, MSR.PR | MSR.ME | msr).label(next);
});
const look = fc
  .tuple(register, fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 2 }))
  .map(([rt, entry, ws]): Emit => (code) => {
    code.li(29, entry).op('tlbre', { rt, ra: 29, ws });
  });
const search = fc
  .tuple(register, address, fc.integer({ min: 0, max: 3 }), bit(0x10000))
  .map(([rt, at, tid, sts]): Emit => (code) => {
    code
      .setSpr('MMUCR', sts | tid)
      .li(29, at)
      .op('tlbsx', { rt, ra: 0, rb: 29, rc: 1 });
  });
const compute = fc.tuple(register, register, register).map(([rt, ra, rb]): Emit => (code) => {
  code.op('add', { rt, ra, rb }).op('rlwinm', { ra, rs: rt, sh: 7, mb: 0, me: 31 });
});
const word = fc.tuple(register, fc.constantFrom(BLR, 0, 0x1234)).map(
  ([rt, value]): Emit =>
    (code) =>
      void code.li(rt, value),
);
const odd = fc.constantFrom('mfmsr', 'mfdcr', 'mtdcr', 'trap', 'illegal', 'isync').map((what): Emit => (code) => {
  if (what === 'trap') code.word(0x7fe00008);
  else if (what === 'illegal') code.word(0);
  else if (what === 'mfmsr') code.op('mfmsr', { rt: 9 });
  else if (what === 'mfdcr') code.op('mfdcr', { rt: 9, dcr: 0xc2 });
  else if (what === 'mtdcr') code.op('mtdcr', { rs: 9, dcr: 0xc2 });
  else code.op('isync');
});

const action = fc.oneof(
  { weight: 6, arbitrary: page },
  { weight: 1, arbitrary: oneWord },
  { weight: 5, arbitrary: load },
  { weight: 5, arbitrary: store },
  { weight: 2, arbitrary: indexed },
  { weight: 1, arbitrary: multiple },
  { weight: 2, arbitrary: call },
  { weight: 2, arbitrary: process },
  { weight: 2, arbitrary: supervisor },
  { weight: 2, arbitrary: user },
  { weight: 1, arbitrary: look },
  { weight: 1, arbitrary: search },
  { weight: 1, arbitrary: compute },
  { weight: 1, arbitrary: word },
  { weight: 1, arbitrary: odd },
);

/** Handlers do not touch memory: r20 and r21 take up what they saw, then the instruction is passed over. */
function handlers(code: Code): void {
  const mix = (name: string): Code =>
    code.op('rlwinm', { ra: 20, rs: 20, sh: 5, mb: 0, me: 31 }).mfspr(26, name).op('xor', { ra: 20, rs: 20, rb: 26 });
  /** r26 <- where to go on: behind the instruction, or out of what was called. */
  const goOn = (name: string): Code =>
    code
      .op('addi', { rt: 21, ra: 21, si: 1 })
      .mfspr(26, name)
      .op('addis', { rt: 27, ra: 0, si: CODE_END >> 16 })
      .op('cmpl', { bf: 0, ra: 26, rb: 27 })
      .op('addi', { rt: 26, ra: 26, si: 4 })
      .bc(12, 0, `code ${name}`)
      .op('mfspr', { rt: 26, spr: 8 })
      .label(`code ${name}`)
      .mtspr(name, 26);
  code.at(0x8000).label('fault');
  ['SRR0', 'SRR1', 'ESR', 'DEAR', 'PID'].forEach(mix);
  goOn('SRR0').op('rfi');
  code.at(0x8100).label('check');
  ['MCSRR0', 'MCSRR1', 'MCSR'].forEach(mix);
  code.li(26, -1).mtspr('MCSR', 26);
  goOn('MCSRR0').op('rfmci');
  code.at(0x8200).label('call').mfspr(26, 'SRR1').li(27, ~MSR.PR).op('and', { ra: 26, rs: 26, rb: 27 });
  code.mtspr('SRR1', 26).op('rfi');
}

/** A program of random actions, a few pages first, that ends by its finisher. */
const actions_ = fc.tuple(
  fc.array(page, { minLength: 6, maxLength: 6 }),
  fc.array(action, { minLength: 20, maxLength: 120, size: 'max' }),
);
export const program = actions_.map(([pages, actions]) => {
  const code = new Code();
  code.tlb(2, { ea: FINISHER, pa: FINISHER, size: size.k4 });
  code.tlb(1, { ea: 0, pa: 0, size: size.k64, space: 1 }).tlb(0, { ea: 0, pa: 0, size: size.k64 });
  for (let entry = 3; entry < 16; entry++) code.tlb(entry, { ea: 0, pa: 0, size: 0, valid: false });
  [2, 3, 5, 6, 13, 14].forEach((ivor) => code.vector(ivor, 'fault'));
  code.vector(1, 'check').vector(8, 'call').setMsr(MSR.ME);
  for (let r = 3; r < 20; r++) code.li(r, r % 3 === 0 ? BLR : r);
  code.li(20, 0).li(21, 0);
  for (const emit of [...pages, ...actions]) emit(code);
  code.op('sc').setMsr(0).finish();
  handlers(code);
  for (let at = CODE_END; at < CODE_END + 0x2000; at += 4) code.at(at).word(BLR);
  return code;
});

/** A copy of memory as it lies in the host, which is much faster than in the guest's order. */
export const rawMemory = ({ memory, offset, size: bytes }: Ram): Uint8Array =>
  new Uint8Array(memory.buffer, offset, bytes).slice();

const registers = [
  'pid',
  'srr0',
  'srr1',
  'csrr0',
  'csrr1',
  'mcsrr0',
  'mcsrr1',
  'esr',
  'dear',
  'mcsr',
  'mmucr',
  'msr',
] as const;

/** Everything that a program left behind: registers, TLB, memory. */
export function leftBehind({ cores, bus }: Board) {
  const { regs, system } = cores[0]!;
  return {
    gpr: [...regs.gpr],
    special: [R.PC, R.LR, R.CTR, R.CR, R.XER].map((word_) => regs.words[word_]),
    system: Object.fromEntries(registers.map((name) => [name, system.words[S[name]]])),
    tlb: [...system.tlb.words],
    memory: Buffer.from(rawMemory(bus.ram.regions[0]!.target).subarray(0, COMPARED)).toString('latin1'),
  };
}
