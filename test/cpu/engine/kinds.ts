// What a random program may do next.

import { asm } from '../../../src/isa/assemble.js';
import { MSR } from '../../../src/isa/registers.js';
import { insert } from '../../../src/isa/spec.js';
import { UART, size } from '../../hypervisor/code.js';
import {
  ALIAS,
  all,
  CODE,
  CODE_PAGES,
  DATA,
  DATA_PAGES,
  edges,
  isFloat,
  MIDDLE,
  type Author,
  type Kind,
} from './author.js';

const storage = all.filter(({ name }) => /^(l|st)[a-z]+\.?$/.test(name));

export const kinds: Readonly<Record<string, Kind>> = {
  compute: { write: (a) => void a.code.word(a.compute()), weight: 6, simple: true, always: true },
  constants: {
    write: (a) => {
      const value = a.dice.below(2) === 0 ? a.dice.of(edges) : a.dice.word();
      a.code.li(a.register(), value);
    },
    simple: true,
    always: true,
  },
  plain: {
    write: (a) => {
      const op = a.dice.of(['lwz', 'lhz', 'lha', 'lbz', 'stw', 'sth', 'stb'] as const);
      const field = op.startsWith('l') ? 'rt' : 'rs';
      a.code.op(op, { [field]: a.register(), ra: a.base(), d: a.distance() });
    },
    weight: 4,
    simple: true,
    always: true,
  },
  storage: { write: anyStorage, weight: 3, simple: true },
  multiple: {
    write: (a) => {
      const op = a.dice.of(['lmw', 'stmw'] as const);
      const first = op === 'lmw' ? a.dice.of([22, 26, 29, 31]) : a.dice.of([3, 16, 26, 31]);
      a.code.op(op, { [op === 'lmw' ? 'rt' : 'rs']: first, ra: a.base(), d: a.distance() });
    },
    simple: true,
  },
  string: {
    write: (a) => {
      const [op, ra] = [a.dice.of(['lswi', 'stswi', 'lswx', 'stswx'] as const), 12];
      a.code.op('addi', { rt: ra, ra: a.base(), si: a.distance() });
      const field = op.startsWith('l') ? 'rt' : 'rs';
      const r = a.dice.of([3, 5, 16, 26, 30]);
      if (op.endsWith('i')) a.code.op(op, { [field]: r, ra, nb: a.dice.below(32) });
      else {
        a.code.li(29, a.dice.below(40)).mtspr('XER', 29);
        a.code.op(op, { [field]: r, ra: 0, rb: ra });
      }
    },
    simple: true,
  },
  reserve: {
    write: (a) => {
      a.code.op('addi', { rt: 12, ra: a.base(), si: a.distance() & (a.dice.below(8) === 0 ? -1 : -4) });
      if (a.dice.below(4) > 0) a.code.op('lwarx', { rt: a.register(), ra: 0, rb: 12 });
      if (a.dice.below(3) === 0) a.some(1, 2);
      if (a.dice.below(4) > 0) a.code.op('stwcx.', { rs: a.register(), ra: 0, rb: 12 });
    },
    simple: true,
  },
  cache: {
    write: (a) => {
      a.code.op('addi', { rt: 12, ra: a.base(), si: a.distance() });
      const name = a.dice.of([
        'dcbf',
        'dcbst',
        'dcbt',
        'dcbtst',
        'dcbz',
        'dcbz',
        'icbi',
        'dcba',
        'icbt',
        'dcbi',
      ] as const);
      a.code.op(name, { ra: 0, rb: 12 });
      if (a.dice.below(6) === 0) a.code.op(a.dice.of(['msync', 'isync', 'mbar', 'dccci', 'iccci', 'tlbsync'] as const));
    },
    simple: true,
  },
  registers: {
    write: (a) => {
      const numbers = [
        1, 1, 256, 260, 261, 262, 263, 268, 269, 22, 26, 27, 58, 59, 61, 62, 277, 278, 286, 287, 336, 340, 946, 5, 16,
      ];
      const spr = a.dice.of(numbers);
      if (a.dice.below(2) === 0) a.code.op('mfspr', { rt: a.register(), spr });
      else a.code.op('mtspr', { rs: a.register(), spr: a.dice.of([1, 1, 9, 256, 26, 27, 58, 61, 62, 277, 278, 946]) });
    },
    simple: true,
  },
  machineState: {
    write: (a) => {
      const { code, dice } = a;
      if (dice.below(2) === 0) return void code.op('wrteei', { e: dice.below(2) });
      if (dice.below(3) === 0) return void code.op('wrtee', { rs: a.register() });
      if (dice.below(3) === 0) return void code.op('mfmsr', { rt: a.register() });
      const some = [MSR.EE, MSR.CE, MSR.FP, MSR.DS, MSR.FE0, MSR.DE].filter(() => dice.below(3) === 0);
      const idle = dice.below(40) === 0 ? MSR.WE | MSR.EE | MSR.CE : 0;
      code.setMsr(some.reduce((bits, bit) => bits | bit, MSR.ME as number) | idle);
    },
    simple: true,
  },
  space: {
    write: (a) => {
      const user = a.dice.below(2) === 0 ? MSR.PR : 0;
      const bits = [MSR.EE, MSR.CE, MSR.FP, MSR.DS, MSR.IS].filter(() => a.dice.below(3) === 0);
      const [level, name] = a.dice.of([
        ['SRR', 'rfi'],
        ['SRR', 'rfi'],
        ['CSRR', 'rfci'],
        ['MCSRR', 'rfmci'],
      ] as const);
      a.ahead(29, 5);
      a.code
        .mtspr(`${level}0`, 29)
        .li(
          29,
          bits.reduce((sum, bit) => sum | bit, MSR.ME | user),
        )
        .mtspr(`${level}1`, 29)
        .op(name);
    },
    weight: 2,
  },
  call: { write: call, weight: 6, always: true },
  table: { write: table },
  branch: { write: branch, weight: 4, always: true },
  loop: { write: loop, weight: 3, always: true },
  systemCall: { write: (a) => void a.code.op('sc'), simple: true },
  trap: {
    write: (a) => {
      if (a.dice.below(2) === 0) a.code.op('tw', { to: a.dice.below(32), ra: a.register(), rb: a.register() });
      else a.code.op('twi', { to: a.dice.below(32), ra: a.register(), si: a.dice.of(edges) });
    },
    simple: true,
  },
  illegal: { write: (a) => void a.code.word(a.dice.of([0, a.dice.word(), a.dice.word()])), simple: true },
  process: { write: (a) => void a.code.setSpr('PID', a.dice.below(3)), simple: true },
  mapping: { write: mapping },
  remapped: { write: remapped },
  look: {
    write: (a) => {
      a.code.li(29, a.dice.below(64)).op('tlbre', { rt: a.register(), ra: 29, ws: a.dice.below(4) });
      a.code.li(29, a.place()).op('tlbsx', { rt: a.register(), ra: 0, rb: 29, rc: a.dice.below(2) });
    },
    simple: true,
  },
  timer: { write: timer },
  rewrite: { write: rewrite, simple: true, weight: 2 },
  device: {
    write: (a) => {
      a.code.li(12, UART).op(a.dice.of(['lbz', 'lhz'] as const), { rt: a.register(), ra: 12, d: a.dice.below(8) });
      if (a.dice.below(3) === 0) a.code.op('stb', { rs: a.register(), ra: 12, d: a.dice.of([0, 0, 1, 3, 7]) });
      if (a.dice.below(3) === 0) a.code.op('mtdcr', { rs: a.register(), dcr: a.dice.of([0xc0, 0xc2, 0xc3, 0x50]) });
      if (a.dice.below(3) === 0) a.code.op('mfdcr', { rt: a.register(), dcr: 0xc0 + a.dice.below(8) });
    },
    simple: true,
  },
  debug: {
    write: (a) => {
      const { code, dice } = a;
      const events = [0x08000000, 0x04000000, 0x02000000, 0x01000000, 0x00800000, 0x00080000, 0x00040000];
      code.setSpr('IAC1', a.place()).setSpr('DAC1', MIDDLE + a.distance());
      code.setSpr('DBCR0', 0x40000000 | dice.of(events) | dice.of(events));
    },
  },
};

function anyStorage(a: Author): void {
  const { code, dice } = a;
  const instruction = dice.of(
    storage.filter((i) => !/^(lmw|stmw|lsw|stsw|lwarx|stwcx)/.test(i.name) && (!isFloat(i) || a.floats)),
  );
  const updates = /u\w?$/.test(instruction.name);
  const base = updates || dice.below(2) === 0 ? 12 : a.base();
  if (base === 12) code.op('addi', { rt: 12, ra: a.base(), si: a.distance() });
  const word = instruction.fields.reduce((bits, f) => {
    const value =
      f.name === 'ra'
        ? base
        : f.name === 'rb'
          ? 11
          : f.name === 'd'
            ? base === 12
              ? dice.below(64) - 32
              : a.distance()
            : a.register();
    return (bits | insert(value, f)) >>> 0;
  }, instruction.match);
  if (instruction.fields.some((f) => f.name === 'rb'))
    code.op('addi', { rt: 11, ra: 0, si: base === 12 ? dice.below(16) - 8 : a.distance() });
  code.word(word);
}

/** A function that comes behind, if this one may call. */
function callee({ leaf, dice, starts, current }: Author): number | undefined {
  return leaf ? undefined : starts[current + 1 + dice.below(Math.max(1, starts.length - current - 1))];
}

function call(a: Author): void {
  const { code, dice } = a;
  const target = callee(a);
  if (target === undefined) return a.some(1, 3);
  const far = dice.below(5) === 0 ? ALIAS : 0;
  if (dice.below(3) > 0) return void code.op('b', { li: (target - code.here) / 4, lk: 1 });
  code.li(29, target + far);
  if (dice.below(3) === 0) code.mtspr('LR', 29).op('bclr', { bo: 20, bi: 0, lk: 1 });
  else code.mtspr('CTR', 29).op('bcctr', { bo: 20, bi: 0, lk: 1 });
}

/** A function is called, its page mapped anew or no longer, and it is called again. */
function remapped(a: Author): void {
  const { code, dice } = a;
  const target = callee(a);
  if (target === undefined) return mapping(a);
  const again = (): void => void code.op('b', { li: (target - code.here) / 4, lk: 1 });
  again();
  const page = target & -0x1000;
  const entry = 4 + dice.below(4); // before those of the handlers: the lowest counts
  const kind = dice.below(4);
  if (kind === 0) code.li(29, entry).li(31, 0).op('tlbwe', { rs: 31, ra: 29, ws: 0 });
  else {
    const pa = kind === 1 ? CODE + 0x1000 * dice.below(CODE_PAGES) : page;
    code.tlb(entry, { ea: page, pa, size: size.k4, rights: kind === 2 ? 0x1b : 0x3f, valid: kind !== 3 });
  }
  again();
}

/** A jump through CTR to one of four places. */
function table(a: Author): void {
  const { code } = a;
  a.ahead(29, 4);
  code.op('rlwinm', { ra: 30, rs: a.register(), sh: 4, mb: 26, me: 27 }).op('add', { rt: 29, ra: 29, rb: 30 });
  code.mtspr('CTR', 29).op('bcctr', { bo: 20, bi: 0, lk: 0 });
  const end = a.label();
  for (let i = 0; i < 4; i++) code.word(a.compute()).word(a.compute()).word(a.compute()).b(end);
  code.label(end);
}

function branch(a: Author): void {
  const { code, dice } = a;
  if (dice.below(3) > 0) {
    const name = dice.of(['cmpi', 'cmpli', 'cmp', 'cmpl'] as const);
    const value =
      name === 'cmpi' ? { si: dice.of(edges) } : name === 'cmpli' ? { ui: dice.word() } : { rb: a.register() };
    code.op(name, { bf: dice.below(8), ra: a.register(), ...value });
  }
  const [bo, bi] = [dice.of([4, 12, 4, 12, 0, 2, 8, 10, 16, 18, 20]), dice.below(32)];
  if (a.leaf && dice.below(5) === 0) return void code.op('bclr', { bo: bo | 4, bi, lk: 0 });
  const end = a.label();
  code.bc(bo, bi, end);
  a.some(1, 5);
  code.label(end);
}

function loop(a: Author): void {
  const { code, dice } = a;
  const times = 2 + dice.below(dice.of([4, 30, 200]));
  const head = a.label();
  if (dice.below(2) === 0) {
    code.li(29, times).mtspr('CTR', 29).label(head);
    a.some(1, 8);
    return void code.bc(dice.of([16, 16, 16, 0, 8]), dice.below(32), head);
  }
  code.li(21, times).label(head);
  a.some(1, 8);
  if (dice.below(4) === 0) branch(a);
  code.op('addic.', { rt: 21, ra: 21, si: -1 }).bc(dice.of([4, 4, 12]), dice.of([2, 1, 0]), head);
}

/** A page of what is there, anew: at its place mostly, of any size that fits, perhaps without some right or for one process. */
function mapping(a: Author): void {
  const { code, dice } = a;
  const own = code.here & -0x400;
  const ea = dice.of([
    own,
    own + ALIAS,
    CODE + 0x400 * dice.below(4 * CODE_PAGES),
    DATA + 0x400 * dice.below(4 * DATA_PAGES),
  ]);
  const entry = 3 + dice.below(58);
  if (dice.below(4) === 0) {
    // One word alone: rights, another page of memory, or gone
    const [value, ws] = dice.of([
      [dice.below(64), 2],
      [0, 0],
      [DATA + 0x400 * dice.below(16), 1],
    ] as const);
    return void code.li(29, entry).li(31, value).op('tlbwe', { rs: 31, ra: 29, ws });
  }
  const field = dice.of([size.k1, size.k4, size.k4, size.k16]);
  code.tlb(entry, {
    ea,
    pa: dice.below(8) === 0 ? DATA + 0x1000 * dice.below(DATA_PAGES) : ea & 0xffc00,
    size: field,
    space: dice.below(3) === 0 ? 1 : 0,
    tid: dice.below(4) === 0 ? dice.below(3) : 0,
    rights: dice.below(4) === 0 ? dice.below(64) : 0x3f,
    attributes: dice.below(6) === 0 ? dice.of([0x400, 0x800, 0x80, 0xf000]) : 0,
    valid: dice.below(5) > 0,
  });
}

function timer(a: Author): void {
  const { code, dice } = a;
  // Watchdog, decrementer and fixed interval interrupts; automatic reload; no reset, which would end it
  const control = [0x08000000, 0x04000000, 0x00800000, 0x00400000].filter(() => dice.below(2) === 0);
  code.setSpr('TCR', control.reduce((bits, bit) => bits | bit, 0) | (dice.below(4) << 24));
  code.setSpr('DECAR', 100 + dice.below(1000));
  code.setSpr('DEC', 1 + dice.below(600));
  // Shortly before a bit rises that the fixed interval timer or the watchdog looks at
  const soon = [0xfff, 0xffff, 0xfffff, 0xffffffff];
  if (dice.below(2) === 0) code.setSpr('TBL', dice.of(soon) - dice.below(300));
  if (dice.below(6) === 0) code.setSpr('TBU', dice.word());
  if (dice.below(3) > 0) code.op('wrteei', { e: 1 });
}

/** Another instruction in the place of one, told to the caches or not; sometimes only a byte of it. */
function rewrite(a: Author): void {
  const { code, dice } = a;
  const at = a.place();
  code.li(12, at);
  if (dice.below(2) === 0) code.li(29, a.compute());
  else {
    // Another one each time: an addi whose immediate has some bits of a register
    const [rt, ra] = [a.register(), a.register()];
    code.li(29, asm('addi', { rt, ra, si: dice.below(0x7f00) }));
    code.op('rlwimi', { ra: 29, rs: a.register(), sh: dice.below(32), mb: 24, me: 31 });
  }
  const op = dice.below(6) === 0 ? dice.of(['stb', 'sth'] as const) : 'stw';
  const d = op === 'stw' ? 0 : dice.of([0, 2]);
  if (op === 'stw' && dice.below(3) === 0) code.op('dcbz', { ra: 0, rb: 13 }).op('stwx', { rs: 29, ra: 0, rb: 12 });
  else code.op(op, { rs: 29, ra: 12, d });
  if (dice.below(3) === 0) code.op('dcbst', { ra: 0, rb: 12 }).op('msync').op('icbi', { ra: 0, rb: 12 }).op('isync');
  const { here } = code;
  if (here < CODE + 0x1000 * CODE_PAGES - 64) a.slots.push(here);
  code.word(a.compute());
}
