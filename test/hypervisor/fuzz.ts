// Guests that do anything at all: random code that a seed decides, and everything that must hold whatever they do.

import { createHash } from 'node:crypto';
import { instructions } from '../../src/isa/instructions.js';
import { MSR, sprs } from '../../src/isa/registers.js';
import type { Ram } from '../../src/bus/memory.js';
import type { Partition } from '../../src/hypervisor/partition.js';
import { SLOTS } from '../../src/mmu/lookaside.js';
import { Code, FINISHER, size, UART } from './code.js';
import { hypervisor, imageOf, type Guest } from './guest.js';
import { rawMemory } from './random-programs.js';

/** Numbers from a seed: xorshift, 32 bits. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  }
  word(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }
  /** 0 to n - 1. */
  below(n: number): number {
    return this.word() % n;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** The code's own MiB, mapped at its addresses by entry 0 until a guest changes that; all handlers lead back into it. */
const CODE_START = 0x10000;
const CODE_BYTES = 0x1000;
const UART4 = 0x9c000000;
const register = (dice: Dice): number => dice.below(28);

const addresses = [
  0,
  0x4000,
  0x10000,
  0xff000,
  0x100000,
  0x40000000,
  0x40010000,
  UART,
  UART4,
  FINISHER + 4,
  0xfffff000,
];
/** What the memory of a guest, of others, of the board and of nobody has for addresses. */
const places = [0, 0x4000, 0x40000, 0xfff00, 0x100000, 0x200000, 0x700000, UART, UART4, 0xef600600, 0x7_0000_0000];
const sizes = Object.values(size);

const privileged = instructions.filter(({ name }) => /^(m[ft](msr|dcr|spr)|wrtee|tlb|rf)/.test(name));
const storage = instructions.filter(({ name }) => /^(l|st|dc|ic)[a-z]+\.?$/.test(name));

/** A word with an instruction's fixed bits and everything else at random. */
const wordOf = (dice: Dice, { mask, match }: { mask: number; match: number }): number =>
  ((dice.word() & ~mask) | match) >>> 0;

const calls = [0x10001, 0x10002, 0x10003, 0x10010, 0x2a0003, 0x2a0004];

/** What a guest may do next, likelier things oftener. */
const actions: readonly ((code: Code, dice: Dice) => void)[] = [
  (code, dice) => void code.word(dice.word()),
  (code, dice) => void code.word(wordOf(dice, dice.of(instructions))),
  (code, dice) => void code.word(wordOf(dice, dice.of(privileged))),
  (code, dice) => void code.word(wordOf(dice, dice.of(storage))),
  (code, dice) => void code.li(register(dice), dice.word()),
  (code, dice) => void code.li(register(dice), dice.of(addresses) + dice.below(64)),
  (code, dice) => {
    const [ra, rt] = [register(dice), register(dice)];
    code.li(ra, dice.of(addresses) + dice.below(0x40)).op(dice.of(['lwz', 'lbz', 'lhz']), { rt, ra, d: 0 });
  },
  (code, dice) => {
    const [ra, rs] = [register(dice), register(dice)];
    code.li(ra, dice.of(addresses) + dice.below(0x40)).op(dice.of(['stw', 'stb', 'sth']), { rs, ra, d: 0 });
  },
  map,
  map,
  (code, dice) => {
    code.li(29, dice.below(64)).op('tlbwe', { rs: register(dice), ra: 29, ws: dice.below(3) });
  },
  (code, dice) => {
    const { number } = dice.of(sprs.filter((spr) => spr.write !== '-' && !['DBCR0', 'IVPR'].includes(spr.name)));
    code.op('mtspr', { rs: register(dice), spr: number });
  },
  (code, dice) => void code.setSpr('PID', dice.below(256)),
  (code, dice) => {
    // Mostly without what ends a life at once: waiting with nothing to wait for, and the other space
    const msr = dice.word() & (dice.below(8) === 0 ? -1 : MSR.EE | MSR.CE | MSR.PR | MSR.ME | MSR.FP);
    code.setMsr(msr);
  },
  (code, dice) => {
    const msr = dice.of([MSR.PR | MSR.ME, MSR.PR | MSR.EE | MSR.CE, MSR.ME, MSR.EE | MSR.ME]);
    const label = `next ${code.here}`;
    code.rfi(label, msr).label(label);
  },
  (code, dice) => {
    code
      .li(11, dice.below(4) === 0 ? dice.word() : dice.of(calls))
      .li(3, dice.below(4))
      .li(4, dice.below(20));
    code.op('sc', { lev: 1 });
  },
  (code) => void code.op('sc'),
  (code, dice) => {
    code.op('mfdcr', { rt: register(dice), dcr: 0xc0 + dice.below(16) });
    code.op('mtdcr', { rs: register(dice), dcr: 0xc0 + dice.below(16) });
  },
  (code, dice) => {
    code
      .setSpr('TCR', dice.of([0x04400000, 0x04000000, 0x00800000, 0]))
      .li(31, 50 + dice.below(500))
      .mtspr('DEC', 31);
  },
  (code, dice) => {
    // Time for its quantum to end, and for others' alarms
    const label = `loop ${code.here}`;
    code
      .li(31, 1 + dice.below(200))
      .mtspr('SPRG0', 31)
      .op('mtspr', { rs: 31, spr: 9 })
      .label(label)
      .bc(16, 0, label);
  },
];

function map(code: Code, dice: Dice): void {
  code.tlb(dice.below(60) === 0 ? 0 : 1 + dice.below(62), {
    ea: dice.of(addresses),
    pa: dice.of(places) + 0x400 * dice.below(64),
    size: dice.of(sizes),
    space: dice.below(6) === 0 ? 1 : 0,
    tid: dice.below(3) === 0 ? dice.below(256) : 0,
    rights: dice.below(3) === 0 ? dice.below(64) : 0x3f,
    valid: dice.below(8) !== 0,
  });
}

/** A life: setting up, random actions round and round, and handlers that go on somewhere in the code. */
export function randomGuest(dice: Dice): Code {
  const code = new Code(0x1000);
  // Entry 63 is the one that the guest was entered with
  code.tlb(62, { ea: 0, pa: 0, size: size.m1 }).tlb(0, { ea: 0, pa: 0, size: size.m1 });
  for (let ivor = 0; ivor < 16; ivor++) {
    const level = [0, 12, 15].includes(ivor) ? 'CSRR' : ivor === 1 ? 'MCSRR' : 'SRR';
    code.vector(ivor, level);
  }
  for (let r = 0; r < 28; r++) code.li(r, dice.below(2) === 0 ? dice.word() : dice.of(addresses));
  code.b('start').at(CODE_START).label('start');
  while (code.here < CODE_START + CODE_BYTES - 0x80) dice.of(actions)(code, dice);
  code.b('start');
  handler(code.at(0x8000), 'SRR', 'rfi');
  handler(code.at(0x8100), 'CSRR', 'rfci');
  handler(code.at(0x8200), 'MCSRR', 'rfmci');
  return code;
}

/** Go on behind what trapped, or near the beginning of the code if that is not in it; as supervisor three times of four. */
function handler(code: Code, saved: string, back: string): void {
  code.label(saved).mfspr(28, `${saved}0`).op('addi', { rt: 28, ra: 28, si: 4 });
  code.op('rlwinm', { ra: 28, rs: 28, sh: 0, mb: 20, me: 29 }).op('oris', { ra: 28, rs: 28, ui: CODE_START >> 16 });
  code.mtspr(`${saved}0`, 28).mfspr(28, `${saved}1`).op('rlwinm', { ra: 28, rs: 28, sh: 0, mb: 14, me: 12 });
  code.op('mfspr', { rt: 29, spr: 268 }).op('andi.', { ra: 29, rs: 29, ui: 3 }).bc(12, 2, `${saved} keep`);
  code
    .li(29, MSR.ME)
    .op('or', { ra: 28, rs: 28, rb: 29 })
    .li(29, ~(MSR.PR | MSR.IS | MSR.DS));
  code.op('and', { ra: 28, rs: 28, rb: 29 }).label(`${saved} keep`).mtspr(`${saved}1`, 28);
  code.li(28, -1).mtspr('TSR', 28).mtspr('MCSR', 28).li(28, 0).mtspr('DBCR0', 28).op(back);
}

/** Writes and checks a pattern of its own for ever; it ends with status 1 if anybody else wrote there. */
function witness(): Guest {
  const code = new Code().li(3, 1).label('round').li(5, 0x20000).li(6, 0x400).op('mtspr', { rs: 6, spr: 9 });
  code.label('write').op('stw', { rs: 3, ra: 5, d: 0 }).op('addi', { rt: 5, ra: 5, si: 4 }).bc(16, 0, 'write');
  code.li(5, 0x20000).op('mtspr', { rs: 6, spr: 9 }).label('read').op('lwz', { rt: 4, ra: 5, d: 0 });
  code.op('cmp', { bf: 0, ra: 3, rb: 4 }).bc(4, 2, 'wrong').op('addi', { rt: 5, ra: 5, si: 4 }).bc(16, 0, 'read');
  code.op('addi', { rt: 3, ra: 3, si: 1 }).b('round').label('wrong').finish(1);
  return { program: code };
}

const QUANTUM = 1500;
/** Exits after which a guest is given other code. */
const LIFE = 400;
const hash = (ram: Ram, from = 0): string => createHash('sha1').update(rawMemory(ram).subarray(from)).digest('hex');

/** What came of a fuzzing run. */
export interface FuzzResult {
  readonly exits: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly lives: number;
  readonly endings: Readonly<Record<string, number>>;
  /** Instructions retired by all guests. */
  readonly instructions: number;
  /** The witness's part of the core's cycles. */
  readonly witnessShare: number;
}

const PORTS = `serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
  finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };
  console { compatible = "epapr,hv-byte-channel"; };`;

/**
 * Three guests of random code beside a witness and one that has ended, until there have been so many exits. Throws, with
 * the seed and the number of the exit, when something does not hold: then the same seed with that many exits shows it again.
 */
export function fuzz(seed: number, most: number): FuzzResult {
  const dice = new Dice(seed);
  const random = (node: string, more: Partial<Guest> = {}): Guest => ({
    program: randomGuest(dice),
    ports: PORTS,
    node,
    ...more,
  });
  const kinds: Record<string, number> = {};
  const endings: Record<string, number> = {};
  let [exits, lives] = [0, 3];
  const made = hypervisor(
    {
      witness: witness(),
      one: random('paravirtualization = "kvm", "magic-page", "idle";'),
      two: random('on-reset = "restart"; devices = <&UART4>;', { memory: '<0 0 0 0xd3000>, <0 0x40000000 0 0x24000>' }),
      three: random(''),
      still: { program: new Code().li(3, 5).stw(3, 0x200).finish(0) },
    },
    {
      partitions: `quantum = <${QUANTUM}>; exit-cycles = <3>;`,
      observe: ({ exit }) => {
        exits += 1;
        kinds[exit.kind] = (kinds[exit.kind] ?? 0) + 1;
        if (exits % 64 === 0) for (const partition of made.hv.partitions) checkShadow(partition);
        if (exits % 1024 === 0) checkLookaside(made.hv);
      },
    },
  );
  const { hv, partition } = made;
  const fuzzers = ['one', 'two', 'three'].map(partition);
  const [board] = hv.board.bus.ram.regions;
  const spare = 0x600000; // behind all that was given to partitions
  const [still, watch] = [partition('still'), partition('witness')];
  const begun = new Map<Partition, number>();
  const ages = new Map<Partition, number>();
  const exitsOf = (p: Partition): number => p.vcpus[0]!.account.exits.reduce((sum, { count }) => sum + count, 0);
  const ramOf = (p: Partition): Ram => p.board.bus.ram.regions[0]!.target;
  try {
    while (still.running) hv.run(QUANTUM);
    const before = [hash(ramOf(still)), hash(board!.target, spare), hash(ramOf(watch), 0x22000)];
    while (exits < most) {
      hv.run(10_000);
      if (hv.clock.next < Infinity && !watch.running) throw new Error(`the witness ended: ${watch.state}`);
      for (const one of fuzzers) {
        const life = exitsOf(one) - (begun.get(one) ?? 0);
        // One that goes round and round, or waits, shows nothing new
        const spent = life > LIFE || life === ages.get(one);
        ages.set(one, life);
        if (one.running && !spent) continue;
        if (one.running) one.ask('stop', 'shell');
        const { kind } = one.ending!;
        endings[kind] = (endings[kind] ?? 0) + 1;
        lives += 1;
        begun.set(one, exitsOf(one));
        for (const { target } of one.board.bus.ram.regions) target.clearDirty();
        const problem = one.powerOn({ image: imageOf(randomGuest(dice)), tree: one.tree! }, true);
        if (problem) throw new Error(problem.problem);
      }
    }
    const after = [hash(ramOf(still)), hash(board!.target, spare), hash(ramOf(watch), 0x22000)];
    if (after.join() !== before.join()) throw new Error('memory changed that no guest may reach');
  } catch (error) {
    const again = `fuzz(${seed}, ${exits + 1})`;
    throw new Error(`seed ${seed}, at exit ${exits}, cycle ${hv.clock.now}; ${again} shows it again`, { cause: error });
  }
  const share = watch.vcpus[0]!.account.cycles / hv.clock.now;
  return { exits, kinds, lives, endings, instructions: hv.retired, witnessShare: share };
}

/** Not only of the guest that has just left the core. */
function checkShadow({ name, vcpus }: Partition): void {
  for (const { shadowTlb } of vcpus) {
    if (!shadowTlb.withinGrants || !shadowTlb.agreesWithGuest) throw new Error(`the shadow of '${name}' is wrong`);
  }
}

type Made = ReturnType<typeof hypervisor>['hv'];

/** Every page that the core remembers belongs to a partition whose real PID it was remembered under. */
function checkLookaside({ board, partitions }: Made): void {
  const { lookaside } = board.cores[0]!;
  for (const use of ['execute', 'read', 'write'] as const) {
    for (let slot = 0; slot < SLOTS; slot++) {
      const tag = lookaside.tags[use][slot]!;
      if (((tag >>> 12) & (SLOTS - 1)) !== slot) continue; // holds nothing
      const pid = (tag >>> 2) & 0xff;
      const host = ((tag & ~0xfff) + lookaside.deltas[use][slot]!) >>> 0;
      const owners = partitions.filter((p) => p.vcpus.some((v) => v.shadowTlb.holds(pid)));
      const ours = owners[0]?.board.bus.ram.regions.some(
        ({ target }) => host >= target.offset && host < target.offset + target.size,
      );
      if (owners.length !== 1 || !ours) throw new Error(`the core remembers ${use} of a page for PID ${pid} wrongly`);
    }
  }
}
