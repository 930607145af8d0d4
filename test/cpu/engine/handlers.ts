// What a random program has for interrupt handlers: they mend what can be mended, pass over what cannot, and keep no secret
// from who compares, as all they do depends on a counter in SPRG7 and on what the interrupt left.

import { MSR } from '../../../src/isa/registers.js';
import type { Code } from '../../hypervisor/code.js';

/** Handlers lie in the 64 KiB at 0, which TLB entries 0 and 1 map in both spaces. */
export const HANDLERS = 0x8000;

/** r26 to r28 and CR are free until `leave`. */
function enter(code: Code, label: string): Code {
  code.label(label).mtspr('SPRG0', 26).mtspr('SPRG1', 27).mtspr('SPRG2', 28).op('mfcr', { rt: 28 });
  return code.mtspr('SPRG3', 28);
}

/** With `back` if they are to be those that the interrupted program had. */
function leave(code: Code, label: string): void {
  code.label(label).mfspr(28, 'SPRG3').op('mtcrf', { rs: 28, fxm: 0xff });
  code.mfspr(28, 'SPRG2').mfspr(27, 'SPRG1').mfspr(26, 'SPRG0').op('rfi');
}

const NOT_EQUAL = [4, 2] as const;
const EQUAL = [12, 2] as const;

/** rt <- so many bits of rs that end at the bit of weight `weight`, at the low end. */
function bits(code: Code, rt: number, rs: number, weight: number, count = 1): Code {
  const shift = Math.log2(weight);
  return code.op('rlwinm', { ra: rt, rs, sh: (32 - shift) & 31, mb: 32 - count, me: 31 });
}

/** r28 <- the counter, gone on by one. */
function count(code: Code): Code {
  return code.mfspr(28, 'SPRG7').op('addi', { rt: 28, ra: 28, si: 1 }).mtspr('SPRG7', 28);
}

/** TLB misses: the page is mapped at its place in the first MiB, with 1 KiB now and then, and now and then for reading only. */
function misses(code: Code): void {
  enter(code, 'data miss').mfspr(26, 'DEAR').mfspr(27, 'SRR1');
  bits(code, 27, 27, MSR.DS).b('fill');
  enter(code, 'code miss').mfspr(26, 'SRR0').mfspr(27, 'SRR1');
  bits(code, 27, 27, MSR.IS).label('fill');
  bits(code, 28, 26, 0x10000000, 4)
    .op('andi.', { ra: 28, rs: 28, ui: 0xb })
    .bc(...NOT_EQUAL, 'skip');
  bits(code, 28, 26, 0x100000, 8)
    .op('andi.', { ra: 28, rs: 28, ui: 0xff })
    .bc(...NOT_EQUAL, 'skip');
  count(code)
    .op('andi.', { ra: 28, rs: 28, ui: 4 })
    .bc(...EQUAL, 'for all');
  code.mfspr(28, 'PID').label('for all').mtspr('MMUCR', 28);
  code.op('rlwinm', { ra: 27, rs: 27, sh: 8, mb: 23, me: 23 }).op('ori', { ra: 27, rs: 27, ui: 0x200 });
  code
    .mfspr(28, 'SPRG7')
    .op('andi.', { ra: 28, rs: 28, ui: 0x18 })
    .bc(...NOT_EQUAL, 'large');
  code.op('rlwinm', { ra: 28, rs: 26, sh: 0, mb: 0, me: 21 }).b('put');
  code.label('large').op('rlwinm', { ra: 28, rs: 26, sh: 0, mb: 0, me: 19 }).op('ori', { ra: 27, rs: 27, ui: 0x10 });
  code.label('put').op('or', { ra: 28, rs: 28, rb: 27 });
  code
    .mfspr(27, 'SPRG7')
    .op('rlwinm', { ra: 27, rs: 27, sh: 0, mb: 27, me: 31 })
    .op('addi', { rt: 27, ra: 27, si: 20 });
  code.op('tlbwe', { rs: 28, ra: 27, ws: 0 }).op('rlwinm', { ra: 28, rs: 26, sh: 0, mb: 12, me: 21 });
  code.op('tlbwe', { rs: 28, ra: 27, ws: 1 }).mfspr(28, 'SPRG7').op('andi.', { ra: 28, rs: 28, ui: 0x60 });
  code
    .op('addi', { rt: 28, ra: 0, si: 0x3f })
    .bc(...NOT_EQUAL, 'free')
    .op('addi', { rt: 28, ra: 0, si: 0x2d });
  code.label('free').op('tlbwe', { rs: 28, ra: 27, ws: 2 });
  leave(code, 'leave');
}

/** Storage interrupts: the entry gets all rights. */
function storage(code: Code): void {
  enter(code, 'data storage').mfspr(26, 'DEAR').mfspr(27, 'SRR1');
  bits(code, 27, 27, MSR.DS).b('allow');
  enter(code, 'code storage').mfspr(26, 'SRR0').mfspr(27, 'SRR1');
  bits(code, 27, 27, MSR.IS).label('allow');
  code.op('rlwinm', { ra: 27, rs: 27, sh: 16, mb: 15, me: 15 }).mfspr(28, 'PID').op('or', { ra: 27, rs: 27, rb: 28 });
  code.mtspr('MMUCR', 27).op('tlbsx', { rt: 27, ra: 0, rb: 26, rc: 1 });
  code
    .bc(...NOT_EQUAL, 'skip')
    .op('addi', { rt: 28, ra: 0, si: 0x3f })
    .op('tlbwe', { rs: 28, ra: 27, ws: 2 })
    .b('leave');
}

/** On behind the instruction if it is a function's, else where everything is set up again. */
function passOver(code: Code): void {
  enter(code, 'fault').label('skip').mfspr(26, 'SRR0');
  code
    .op('rlwinm', { ra: 27, rs: 26, sh: 16, mb: 16, me: 31 })
    .op('andi.', { ra: 27, rs: 27, ui: 0xbfff })
    .op('cmpli', { bf: 0, ra: 27, ui: 1 })
    .bc(...NOT_EQUAL, 'again');
  code.op('addi', { rt: 26, ra: 26, si: 4 }).mtspr('SRR0', 26).b('leave');
  code.label('again').la(26, 'revive').mtspr('SRR0', 26).li(26, MSR.ME).mtspr('SRR1', 26).b('leave');
}

function others(code: Code): void {
  enter(code, 'no float').mfspr(26, 'SRR1').op('ori', { ra: 26, rs: 26, ui: MSR.FP }).mtspr('SRR1', 26).b('leave');
  enter(code, 'external').mfspr(26, 'SRR1').li(27, ~MSR.EE).op('and', { ra: 26, rs: 26, rb: 27 });
  code.mtspr('SRR1', 26).b('leave');
  // Every other system call comes back as supervisor, in space 0
  count(enter(code, 'call'))
    .op('andi.', { ra: 28, rs: 28, ui: 1 })
    .bc(...EQUAL, 'leave');
  code
    .mfspr(26, 'SRR1')
    .li(27, ~(MSR.PR | MSR.IS | MSR.DS))
    .op('and', { ra: 26, rs: 26, rb: 27 });
  code.mtspr('SRR1', 26).b('leave');
  // Timers: the decrementer is started again with 200 to 1220 ticks
  count(enter(code, 'timer')).op('rlwinm', { ra: 28, rs: 28, sh: 2, mb: 22, me: 29 });
  code.op('addi', { rt: 28, ra: 28, si: 200 }).mtspr('DEC', 28).li(26, 0x0c000000).mtspr('TSR', 26).b('leave');
}

/** Critical interrupts and machine checks, with save registers of their own. */
function critical(code: Code): void {
  const back = (): void => void code.mfspr(26, 'SPRG4').op('rfci');
  code.label('watchdog').mtspr('SPRG4', 26).li(26, 0xc0000000).mtspr('TSR', 26);
  back();
  code.label('debug').mtspr('SPRG4', 26).li(26, -1).mtspr('DBSR', 26).li(26, 0).mtspr('DBCR0', 26);
  back();
  code.label('check').stw(26, 0x700).stw(27, 0x704).op('mfcr', { rt: 27 }).stw(27, 0x708).mfspr(26, 'MCSR');
  code.mtspr('MCSR', 26).op('andis.', { ra: 26, rs: 26, ui: 0x4000 }).mfspr(26, 'MCSRR0');
  code.op('addi', { rt: 26, ra: 26, si: 4 }).bc(...EQUAL, 'data check');
  code.li(26, MSR.ME).mtspr('MCSRR1', 26).la(26, 'revive').label('data check').mtspr('MCSRR0', 26);
  code.lwz(27, 0x708).op('mtcrf', { rs: 27, fxm: 0xff }).lwz(26, 0x700).lwz(27, 0x704).op('rfmci');
}

const labels: readonly string[] = [
  'watchdog',
  'check',
  'data storage',
  'code storage',
  'external',
  'fault',
  'fault',
  'no float',
  'call',
  'fault',
  'timer',
  'timer',
  'watchdog',
  'data miss',
  'code miss',
  'debug',
];

/** The handlers, each at a multiple of 16. */
export function handlers(code: Code): void {
  const parts = [misses, storage, passOver, others, critical];
  code.at(HANDLERS);
  for (const part of parts) part(code);
  // Vectors are branches to them, as handlers lie close together
  labels.forEach((label, ivor) =>
    code
      .at(HANDLERS + 0x800 + 16 * ivor)
      .label(`vector ${ivor}`)
      .b(label),
  );
}

/** IVORs, for who sets up. */
export function vectors(code: Code): void {
  labels.forEach((_, ivor) => code.vector(ivor, `vector ${ivor}`));
}
