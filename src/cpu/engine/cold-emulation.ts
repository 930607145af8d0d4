import { assert } from '../../bus/assert.js';
import { REACH, reachOf } from '../../isa/reach.js';
import { MSR } from '../../isa/registers.js';
import { E, GAP, LOG_BYTES, LOG_ENTRY } from '../emulation.js';
import { R, S } from '../state.js';
import { WORD, type ColdSetting } from './cold-run.js';
import { EffectWriter } from './emit-effects.js';
import { REGISTERS } from './emit-values.js';
import { lowerCold } from './lower-cold.js';
import { Places } from './places.js';
import type { listVariants, Variant } from './printed.js';
import { Body, op, type Label } from './wasm-encoder.js';

/** Where the emulator is among the functions of its module. */
export const EMULATOR = 1;
/** What it gives: 0 where it has done nothing; else whether the guest, or the hypervisor, goes on. */
export const EMULATED = { DONE: 1, STOPPED: 2 } as const;

/** Its second parameter: where the instruction at the pc lies. */
const AT = 1;
/** What is being done: an instruction along with an exit, not the exit itself, which is 0. */
const AHEAD = 1;

/**
 * How the interpreter for cold code deals with an exit of a hypervisor's guest: (registers, where the instruction lies) → one
 * of EMULATED. It does the privileged instruction on the guest's own registers, and those that `hypervisor/run-ahead.ts` would
 * have emulated along with it, one after the other. It gives up before whatever it does not do, as if it had not begun with that.
 */
export function emulator(listed: ReturnType<typeof listVariants>, setting: ColdSetting): Body {
  return new Emulator(listed, setting).body;
}

class Emulator {
  readonly body = new Body(2);
  readonly #writer: EffectWriter;
  readonly #code = this.body.local();
  readonly #way = this.body.local();
  readonly #reach = this.body.local();
  /** As in the hypervisor's `Vcpu`: how many more may be emulated, and how many stand before a privileged one. */
  readonly #left = this.body.local();
  readonly #ahead = this.body.local();
  /** The instruction is one that `#ahead` counts. */
  readonly #counted = this.body.local();

  constructor(
    { variants }: ReturnType<typeof listVariants>,
    private readonly setting: ColdSetting,
  ) {
    const { body } = this;
    this.#writer = new EffectWriter(body, setting.lookaside, false);
    this.#writer.pc = () => this.#word(R.PC);
    this.#writer.code = this.#code;
    this.#unlessForbidden();
    this.#show(E.GUEST);
    const loop = body.loop();
    const refused = body.block();
    this.#do(variants, refused);
    this.#charge();
    const onward = body.block();
    const stop = body.block();
    this.#runsAhead(onward, stop);
    body.const(AHEAD);
    body.set(this.#way);
    body.br(loop);
    body.end();
    this.#stop();
    body.end();
    this.#over();
    body.end();
    this.#giveUp();
    body.end();
    body.op(op.unreachable);
  }

  /** Back with nothing done where the guest is a program of its own supervisor's, or too much has been done lately. */
  #unlessForbidden(): void {
    const { body } = this;
    this.#told(E.GUEST);
    body.memory(op.load, 4 * S.msr);
    body.const(MSR.PR);
    body.op(op.and);
    this.#isLogFull();
    body.op(op.or);
    body.if();
    body.const(0);
    body.op(op.return);
    body.end();
  }

  /** The instruction that lies at AT, if it is one that does nothing but read and write registers. */
  #do(variants: readonly Variant[], refused: Label): void {
    const { body, setting } = this;
    const lowered = variants.map(({ instruction, options }) => lowerCold(instruction, options, setting.sprs));
    const done = body.block();
    const labels = lowered.map((one) => (isEmulated(one) ? body.block() : refused));
    body.get(AT);
    body.memory(op.load, 0);
    body.set(this.#code);
    this.#numberOf(this.#code);
    body.brTable([refused, ...labels], refused);
    for (const { effects } of lowered.filter(isEmulated).reverse()) {
      body.end();
      this.#writer.effects(effects, Places.none, {
        refuse: () => body.brIf(refused),
        behind: () => assert(false, 'what is emulated stays in the straight line'),
      });
      body.br(done);
    }
    body.end();
  }

  /** It has not been done: one that would have been an exit is that for whoever does it. */
  #giveUp(): void {
    const { body } = this;
    body.get(this.#way);
    body.if();
    this.#stop();
    body.end();
    this.#show(E.REAL);
    body.const(0);
    body.op(op.return);
  }

  /** The pc and the count go on, by the hypervisor's time too, and what has been done is logged. */
  #charge(): void {
    const { body } = this;
    const [cost, entry] = [body.local(), body.local()];
    this.#told(E.AHEAD_CYCLES);
    this.#told(E.EXIT_CYCLES);
    body.get(this.#way);
    body.op(op.select);
    body.const(1);
    body.op(op.add);
    body.set(cost);
    this.#addTo(E.SPENT, () => body.get(cost));
    this.#word(R.EMULATION);
    this.#told(E.LOGGED);
    body.op(op.add);
    body.set(entry);
    const log = (word: number, write: () => void): void => {
      body.get(entry);
      write();
      body.memory(op.store, 4 * (E.LOG + word));
    };
    log(LOG_ENTRY.WORD, () => body.get(this.#code));
    log(LOG_ENTRY.PC, () => {
      this.#word(R.PC);
      body.get(this.#way); // which is AHEAD_BIT
      body.op(op.or);
    });
    log(LOG_ENTRY.COUNT, () => this.#word(R.COUNT));
    this.#addTo(E.LOGGED, () => body.const(4 * LOG_ENTRY.WORDS));
    this.#addToRegister(R.COUNT, () => body.get(cost));
    this.#addToRegister(R.PC, () => body.const(WORD));
    body.get(AT);
    body.const(WORD);
    body.op(op.add);
    body.set(AT);
    body.get(this.#way);
    body.if();
    body.get(this.#left);
    body.const(1);
    body.op(op.sub);
    body.set(this.#left);
    body.get(this.#ahead);
    body.get(this.#counted);
    body.op(op.sub);
    body.set(this.#ahead);
    body.else();
    this.#told(E.AHEAD_MOST);
    body.set(this.#left);
    body.end();
  }

  /** Falls through where the next instruction is emulated along; as `runsAhead` in the hypervisor, which goes on at `stop`. */
  #runsAhead(onward: Label, stop: Label): void {
    const { body } = this;
    this.#word(R.COUNT);
    this.#word(R.LIMIT);
    body.op(op.ges);
    body.brIf(stop);
    body.get(this.#left);
    body.const(0);
    body.op(op.les);
    body.brIf(onward);
    this.#word(R.PC);
    body.const(0xfff);
    body.op(op.and, op.eqz);
    body.brIf(stop);
    this.#isLogFull();
    body.brIf(stop);
    this.#findReach(0);
    body.const(0);
    body.set(this.#counted);
    const privileged = body.block();
    this.#isReach(REACH.PRIVILEGED);
    body.brIf(privileged);
    this.#isReach(REACH.OTHER);
    body.brIf(onward);
    body.get(this.#ahead);
    body.op(op.eqz);
    body.if();
    const first = body.local();
    body.get(this.#reach);
    body.set(first);
    this.#findPrivileged();
    body.get(first);
    body.set(this.#reach);
    body.end();
    body.get(this.#ahead);
    body.op(op.eqz);
    body.brIf(onward);
    this.#isReach(REACH.REGISTERS);
    body.op(op.eqz);
    body.brIf(stop); // it has to be found out where the access goes
    body.const(1);
    body.set(this.#counted);
    body.end();
  }

  /** `#ahead` <- how many instructions stand before the next privileged one: 0 where there is none soon, or not in this page. */
  #findPrivileged(): void {
    const { body } = this;
    const found = body.block();
    for (let n = 1; n <= GAP; n++) {
      body.get(AT);
      body.const(0xfff);
      body.op(op.and);
      body.const(0xffc - WORD * n);
      body.op(op.gtu);
      body.brIf(found);
      this.#findReach(n);
      this.#isReach(REACH.PRIVILEGED);
      body.if();
      body.const(n);
      body.set(this.#ahead);
      body.br(found);
      body.end();
      this.#isReach(REACH.OTHER);
      body.brIf(found);
    }
    body.end();
  }

  /** `#reach` <- that of the instruction so many words behind the next. */
  #findReach(words: number): void {
    const { body, setting } = this;
    const [word, place] = [body.local(), body.local()];
    body.get(AT);
    body.memory(op.load, WORD * words);
    body.set(word);
    this.#numberOf(word);
    body.memory(op.load8u, setting.reach);
    body.tee(place);
    body.const(REACH.SPR);
    body.op(op.eq);
    body.if();
    body.const(REACH.PRIVILEGED);
    body.const(REACH.REGISTERS);
    body.get(word);
    body.const(SUPERVISOR_SPR);
    body.op(op.and, op.select);
    body.set(place);
    body.end();
    body.get(place);
    body.set(this.#reach);
  }

  /** The number of the variant that a word is, on the stack. */
  #numberOf(word: number): void {
    const { body } = this;
    body.get(word);
    body.const(26);
    body.op(op.shru);
    body.const(11);
    body.op(op.shl);
    body.get(word);
    body.const(0x7ff);
    body.op(op.and, op.or);
    body.const(1);
    body.op(op.shl);
    body.memory(op.load16u, this.setting.decoding);
  }

  #isReach(reach: number): void {
    this.body.get(this.#reach);
    this.body.const(reach);
    this.body.op(op.eq);
  }

  /** The guest has its core back, its MSR being another perhaps. */
  #over(): void {
    const { body } = this;
    this.#told(E.REAL);
    this.#told(E.FORCED);
    this.#told(E.GUEST);
    body.memory(op.load, 4 * S.msr);
    this.#told(E.KEPT);
    body.op(op.and, op.or);
    body.memory(op.store, 4 * S.msr);
    body.const(0);
    body.set(this.#left);
    this.#told(E.AWAITED);
    this.#word(R.PC);
    body.op(op.eq);
    body.if();
    this.#stop();
    body.end();
    this.#show(E.REAL);
    body.const(EMULATED.DONE);
    body.op(op.return);
  }

  /** The hypervisor goes on. */
  #stop(): void {
    const { body } = this;
    this.#tell(E.LEFT, () => body.get(this.#left));
    this.#tell(E.AHEAD, () => body.get(this.#ahead));
    this.#tell(E.STOPPED, () => body.const(1));
    this.#show(E.REAL);
    body.const(EMULATED.STOPPED);
    body.op(op.return);
  }

  /** Instructions find the supervisor's registers of GUEST or REAL from now on. */
  #show(whose: number): void {
    const { body } = this;
    body.get(REGISTERS);
    this.#told(whose);
    body.memory(op.store, 4 * R.SYSTEM);
  }

  #word(word: number): void {
    this.body.get(REGISTERS);
    this.body.memory(op.load, 4 * word);
  }

  #addToRegister(word: number, value: () => void): void {
    this.body.get(REGISTERS);
    this.#word(word);
    value();
    this.body.op(op.add);
    this.body.memory(op.store, 4 * word);
  }

  #addTo(word: number, value: () => void): void {
    this.#tell(word, () => {
      this.#told(word);
      value();
      this.body.op(op.add);
    });
  }

  #isLogFull(): void {
    this.#told(E.LOGGED);
    this.body.const(LOG_BYTES);
    this.body.op(op.eq);
  }

  /** What the engine was told, on the stack. */
  #told(word: number): void {
    this.#word(R.EMULATION);
    this.body.memory(op.load, 4 * word);
  }

  #tell(word: number, write: () => void): void {
    this.#word(R.EMULATION);
    write();
    this.body.memory(op.store, 4 * word);
  }
}

/** In the word of mfspr and mtspr: the register is the supervisor's (`isSupervisorNumber`). */
const SUPERVISOR_SPR = 0x10 << 16;

/** Does it read and write registers alone, and go on behind? */
const isEmulated = ({ effects, flow }: ReturnType<typeof lowerCold>): boolean =>
  flow === 'next' && effects.every(({ kind }) => ['refuse', 'register', 'system', 'word'].includes(kind));

/** By a variant's number, which is 0 for what is none. */
export const reaches = (variants: readonly Variant[]): Uint8Array =>
  Uint8Array.from([REACH.OTHER, ...variants.map(({ instruction }) => reachOf(instruction))]);
