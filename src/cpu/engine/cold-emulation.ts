import { PAGE_SIZE } from '../../bus/memory.js';
import { MSR } from '../../isa/registers.js';
import { E, LOG_ENTRY } from '../emulation.js';
import { R, S } from '../state.js';
import { AT, ColdAhead, WHERE } from './cold-ahead.js';
import { USES, WORD, type ColdSetting } from './cold-run.js';
import type { Effect } from './effects.js';
import { EffectWriter, FORESEE } from './emit-effects.js';
import { REGISTERS } from './emit-values.js';
import { lowerCold } from './lower-cold.js';
import { Places } from './places.js';
import type { listVariants, Variant } from './printed.js';
import type { Value } from './value.js';
import { op, type Body, type Label } from './wasm-encoder.js';

/** Where the emulator is among the functions of its module. */
export const EMULATOR = 1;
/** What it gives: 0 where it has done nothing; else whether the guest, or the hypervisor, goes on. */
export const EMULATED = { DONE: 1, STOPPED: 2 } as const;

/** It was a return from an interrupt. */
const RETURNED = 2;
/** What is being done: an instruction along with an exit, not the exit itself, which is 0. */
const AHEAD = 1;

/**
 * How the interpreter for cold code deals with an exit of a hypervisor's guest: (registers, where the instruction lies, AMID or
 * not) → one of EMULATED. It does the privileged instruction on the guest's own registers, and those that `hypervisor/run-ahead.ts`
 * would have emulated along with it, one after the other. It gives up before whatever it does not do, as if it had not begun
 * with that. Amid an exit it begins with those that come along with it.
 */
export function emulator(listed: ReturnType<typeof listVariants>, setting: ColdSetting): Body {
  return new Emulator(listed, setting).body;
}

class Emulator extends ColdAhead {
  readonly #writer: EffectWriter;
  readonly #code = this.body.local();
  readonly #way = this.body.local();
  /** Where the instruction goes on is not behind it, or not to be found there: it is, at `#target`, what RETURNED says. */
  readonly #away = this.body.local();
  readonly #target = this.body.local();

  constructor({ variants }: ReturnType<typeof listVariants>, setting: ColdSetting) {
    super(setting);
    const { body } = this;
    this.#writer = new EffectWriter(body, setting.lookaside, false);
    this.#writer.pc = () => this.word(R.PC);
    this.#writer.code = this.#code;
    this.#unlessForbidden();
    this.#takeUp();
    this.word(R.DATA_CONTEXT);
    body.set(this.#writer.context);
    this.#show(E.GUEST);
    const loop = body.loop();
    const refused = body.block();
    const along = body.block();
    this.#isBegun();
    body.op(op.eqz);
    body.brIf(along);
    this.#do(variants, loop, refused);
    this.#charge();
    body.end();
    const onward = body.block();
    const stop = body.block();
    this.#isElsewhere();
    body.brIf(stop);
    this.runsAhead(onward, stop);
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
    this.told(E.GUEST);
    body.memory(op.load, 4 * S.msr);
    body.const(MSR.PR);
    body.op(op.and);
    this.isLogFull();
    body.op(op.or);
    body.if();
    body.const(0);
    body.op(op.return);
    body.end();
  }

  /** How far the hypervisor has come, where it has begun. */
  #takeUp(): void {
    const { body } = this;
    body.get(WHERE);
    body.if();
    this.told(E.LEFT);
    body.set(this.left);
    this.told(E.AHEAD);
    body.set(this.ahead);
    body.end();
  }

  /** The instruction that lies at AT, if it is one that is done here. */
  #do(variants: readonly Variant[], again: Label, refused: Label): void {
    const { body, setting } = this;
    const lowered = variants.map(({ instruction, options }) => lowerCold(instruction, options, setting.sprs, false));
    const done = body.block();
    const labels = lowered.map((one) => (isEmulated(one) ? body.block() : refused));
    body.const(0);
    body.set(this.#away);
    body.get(AT);
    body.memory(op.load, 0);
    body.set(this.#code);
    this.numberOf(this.#code);
    body.brTable([refused, ...labels], refused);
    for (const one of lowered.filter(isEmulated).reverse()) {
      const { effects } = one;
      body.end();
      this.#writer.effects(isReturn(one) ? effects.filter(isGuests) : effects, Places.none, {
        refuse: () => body.brIf(refused),
        behind: () => body.set(this.#away),
        missed: (ea, use) => {
          body.if();
          body.get(ea);
          body.const(USES[use]);
          body.call(FORESEE);
          body.brIf(again);
          body.br(refused);
          body.end();
        },
      });
      const last = effects.at(-1);
      if (last?.kind === 'branch') this.#return(last.target);
      body.br(done);
    }
    body.end();
  }

  /** May the next instruction, of which AT is not told, lie elsewhere: in another page, or is this one mapped otherwise? */
  #isElsewhere(): void {
    const { body } = this;
    this.word(R.PC);
    body.const(PAGE_SIZE - 1);
    body.op(op.and, op.eqz);
    this.#isBegun();
    body.op(op.and);
    body.get(this.#away);
    body.op(op.or);
  }

  /** Not so amid an exit, before the first of its instructions. */
  #isBegun(): void {
    const { body } = this;
    body.get(WHERE);
    body.get(this.#way);
    body.op(op.les);
  }

  #return(target: Value): void {
    const { body } = this;
    this.#writer.value(target, Places.none);
    body.set(this.#target);
    body.const(RETURNED);
    body.set(this.#away);
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
    this.told(E.AHEAD_CYCLES);
    this.told(E.EXIT_CYCLES);
    body.get(this.#way);
    body.op(op.select);
    body.const(1);
    body.op(op.add);
    body.set(cost);
    this.addTo(E.SPENT, () => body.get(cost));
    this.word(R.EMULATION);
    this.told(E.LOGGED);
    body.op(op.add);
    body.set(entry);
    const log = (word: number, write: () => void): void => {
      body.get(entry);
      write();
      body.memory(op.store, 4 * (E.LOG + word));
    };
    log(LOG_ENTRY.WORD, () => body.get(this.#code));
    log(LOG_ENTRY.PC, () => {
      this.word(R.PC);
      body.get(this.#way); // which is AHEAD_BIT
      body.op(op.or);
    });
    log(LOG_ENTRY.COUNT, () => this.word(R.COUNT));
    this.addTo(E.LOGGED, () => body.const(4 * LOG_ENTRY.WORDS));
    this.addToRegister(R.COUNT, () => body.get(cost));
    body.get(REGISTERS);
    body.get(this.#target);
    this.word(R.PC);
    body.const(WORD);
    body.op(op.add);
    body.get(this.#away);
    body.const(RETURNED);
    body.op(op.eq, op.select);
    body.memory(op.store, 4 * R.PC);
    body.get(AT);
    body.const(WORD);
    body.op(op.add);
    body.set(AT);
    body.get(this.#way);
    body.if();
    body.get(this.left);
    body.const(1);
    body.op(op.sub);
    body.set(this.left);
    body.get(this.ahead);
    body.get(this.counted);
    body.op(op.sub);
    body.set(this.ahead);
    body.else();
    this.told(E.AHEAD_MOST);
    body.set(this.left);
    body.end();
  }

  /** The guest has its core back, its MSR being another perhaps. */
  #over(): void {
    const { body } = this;
    this.told(E.REAL);
    this.told(E.FORCED);
    this.told(E.GUEST);
    body.memory(op.load, 4 * S.msr);
    this.told(E.KEPT);
    body.op(op.and, op.or);
    body.memory(op.store, 4 * S.msr);
    body.const(0);
    body.set(this.left);
    this.told(E.AWAITED);
    this.word(R.PC);
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
    this.tell(E.LEFT, () => body.get(this.left));
    this.tell(E.AHEAD, () => body.get(this.ahead));
    this.tell(E.STOPPED, () => body.const(1));
    this.#show(E.REAL);
    body.const(EMULATED.STOPPED);
    body.op(op.return);
  }

  /** Instructions find the supervisor's registers of GUEST or REAL from now on. */
  #show(whose: number): void {
    const { body } = this;
    body.get(REGISTERS);
    this.told(whose);
    body.memory(op.store, 4 * R.SYSTEM);
  }
}

type Meaning = ReturnType<typeof lowerCold>;

/** A branch that replaces the MSR. */
const isReturn = ({ effects, flow }: Meaning): boolean =>
  flow === 'branch' && effects.some(({ kind }) => kind === 'system');

/** Does it go on behind, with nothing done but to registers, the TLB, or memory that the lookaside has, or return from an interrupt? */
const isEmulated = (one: Meaning): boolean =>
  isReturn(one) || (one.flow === 'next' && one.effects.every(({ kind }) => DONE_HERE.has(kind)));
const DONE_HERE: ReadonlySet<Effect['kind']> = new Set([
  'refuse',
  'register',
  'system',
  'word',
  'tlb',
  'load',
  'store',
]);

/** The lookaside's contexts are the real core's. */
const isGuests = (effect: Effect): boolean =>
  effect.kind !== 'word' || (effect.word !== R.DATA_CONTEXT && effect.word !== R.CODE_CONTEXT);
