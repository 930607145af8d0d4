import type { SharedMemory } from '../bus/memory.js';
import { TLB_WORDS, Tlb } from '../mmu/tlb.js';

/**
 * Where registers lie in a block of 32-bit words. Engines use these numbers; everybody else the named properties below.
 * SPRG4–7 and USPRG0 stand here because a user program reads them: under a hypervisor such reads do not trap.
 */
// prettier-ignore
export const R = {
  GPR: 0, PC: 32, LR: 33, CTR: 34, CR: 35, XER: 36, USPRG0: 37, SPRG4: 38, SPRG5: 39, SPRG6: 40, SPRG7: 41,
  RESERVED: 42, // 1 while lwarx holds a reservation
  // For the engine that is running: instructions retired in this run, where to stop, and the contexts of data and code
  COUNT: 43, LIMIT: 44, DATA_CONTEXT: 45, CODE_CONTEXT: 46,
  FPSCR: 47,
  SYSTEM: 48, // where the supervisor's registers lie in the shared memory
  WAITING: 49, // MSR bits of which any, once set, lets an interrupt through
  // Traps that generated code has delivered in this run, where DIRECT says that it may: how many of each, and the last
  DIRECT: 50, CALLS: 51, DENIALS: 52, TRAP_KIND: 53, TRAP_LEVEL: 54, TRAP_PC: 55, TRAP_MSR: 56, TRAP_FIRST: 57, TRAP_COUNT: 58,
  TRAP_PID: 59,
  SITE: 60, // the branch that generated code came back from to tell where it went
  EMULATION: 61, // where what the engine emulates by itself is told (`emulation.ts`); 0: nothing
  // The time base when COUNT was 0, where it goes on with that: its low and its high half; ASK_TIME is -1 where it does not, else 0
  ASK_TIME: 62, TBL: 63, TBU: 64,
} as const;
/** Which word of the registers holds an SPR that a user program may see. */
export const userWords: Readonly<Record<string, number>> = {
  XER: R.XER,
  LR: R.LR,
  CTR: R.CTR,
  USPRG0: R.USPRG0,
  SPRG4: R.SPRG4,
  SPRG5: R.SPRG5,
  SPRG6: R.SPRG6,
  SPRG7: R.SPRG7,
};

const REGISTER_WORDS = 80;
const FLOAT_REGISTERS = 32;
/** What TRAP_KIND says; 0 is none. */
export const DELIVERED = { CALL: 1, DENIAL: 2 } as const;

export interface SavedRegisters {
  readonly words: readonly number[];
  readonly fpscr: number;
  readonly floats: readonly bigint[];
}

export interface SavedSystem {
  readonly words: readonly number[];
  readonly tlb: readonly number[];
}

/** What a user program can see. A world switch replaces this object; nothing is copied. */
export class Registers {
  readonly words: Int32Array;
  readonly gpr: Int32Array;
  /** Floating-point registers, as images of doubles; for processors that have them. */
  readonly floats: BigUint64Array;

  constructor(memory: SharedMemory) {
    const offset = memory.allocate(REGISTER_WORDS * 4 + FLOAT_REGISTERS * 8, 64);
    this.words = new Int32Array(memory.buffer, offset, REGISTER_WORDS);
    this.floats = new BigUint64Array(memory.buffer, offset + REGISTER_WORDS * 4, FLOAT_REGISTERS);
    this.gpr = this.words.subarray(0, 32);
  }

  get pc(): number {
    return this.words[R.PC]! >>> 0;
  }
  set pc(value: number) {
    this.words[R.PC] = value;
  }

  get cr(): number {
    return this.words[R.CR]!;
  }
  set cr(value: number) {
    this.words[R.CR] = value;
  }

  reset(): void {
    this.words.fill(0);
    this.floats.fill(0n);
  }

  /** All but what belongs to a run of an engine. */
  save(): SavedRegisters {
    return { words: [...this.words.subarray(0, R.COUNT)], fpscr: this.words[R.FPSCR]!, floats: [...this.floats] };
  }

  restore({ words, fpscr, floats }: SavedRegisters): void {
    this.words.set(words);
    this.words[R.FPSCR] = fpscr;
    this.floats.set(floats);
  }
}

/** Supervisor registers that are plain storage, in the order of their words. */
// prettier-ignore
const slots = [
  'msr', 'pid', 'srr0', 'srr1', 'csrr0', 'csrr1', 'mcsrr0', 'mcsrr1', 'esr', 'dear', 'mcsr', 'ivpr',
  'sprg0', 'sprg1', 'sprg2', 'sprg3', 'pir', 'pvr', 'dbsr', 'dbcr0', 'dbcr1', 'dbcr2',
  'iac1', 'iac2', 'iac3', 'iac4', 'dac1', 'dac2', 'dvc1', 'dvc2', 'tsr', 'tcr', 'decar', 'ccr0', 'ccr1', 'mmucr', 'rstcfg',
  'dcdbtrl', 'dcdbtrh', 'icdbtrl', 'icdbtrh', 'icdbdr', 'dbdr', 'dvlim', 'ivlim',
  'inv0', 'inv1', 'inv2', 'inv3', 'itv0', 'itv1', 'itv2', 'itv3', 'dnv0', 'dnv1', 'dnv2', 'dnv3', 'dtv0', 'dtv1', 'dtv2', 'dtv3',
  'ivor0', 'ivor1', 'ivor2', 'ivor3', 'ivor4', 'ivor5', 'ivor6', 'ivor7',
  'ivor8', 'ivor9', 'ivor10', 'ivor11', 'ivor12', 'ivor13', 'ivor14', 'ivor15',
  'waitingMachineCheck', // 1 a read's, 2 a write's, held back by MSR[ME]
] as const;
export type SystemRegister = (typeof slots)[number];
/** Where the supervisor registers lie in a `System`'s words. */
export const S = Object.fromEntries(slots.map((name, i) => [name, i])) as Readonly<Record<SystemRegister, number>>;
export const SYSTEM_WORDS = 128;

/** What only a supervisor can see. A virtual processor has two: its own, and what the real core holds for it. */
export class System {
  readonly words: Int32Array;
  readonly tlb: Tlb;
  /** Where the words lie in the shared memory, in bytes. */
  readonly at: number;

  constructor(memory: SharedMemory) {
    this.at = memory.allocate((SYSTEM_WORDS + TLB_WORDS) * 4, 64);
    this.words = new Int32Array(memory.buffer, this.at, SYSTEM_WORDS);
    this.tlb = new Tlb(new Int32Array(memory.buffer, this.at + SYSTEM_WORDS * 4, TLB_WORDS));
  }

  reset(): void {
    this.words.fill(0);
    this.tlb.words.fill(0);
  }

  save(): SavedSystem {
    return { words: [...this.words], tlb: [...this.tlb.words] };
  }

  restore({ words, tlb }: SavedSystem): void {
    this.words.set(words);
    this.tlb.words.set(tlb);
  }

  get msr(): number {
    return this.words[0]!;
  }
  set msr(value: number) {
    this.words[0] = value;
  }

  get pid(): number {
    return this.words[1]!;
  }

  get(name: SystemRegister): number {
    return this.words[S[name]]!;
  }

  set(name: SystemRegister, value: number): void {
    this.words[S[name]] = value;
  }
}
