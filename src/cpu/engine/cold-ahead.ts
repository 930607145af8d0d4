import { REACH, reachOf } from '../../isa/reach.js';
import { E, GAP, LOG_BYTES } from '../emulation.js';
import { R } from '../state.js';
import { WORD, type ColdSetting } from './cold-run.js';
import { REGISTERS } from './emit-values.js';
import type { Variant } from './printed.js';
import { Body, op, type Label } from './wasm-encoder.js';

/** The emulator's second parameter: where the instruction at the pc lies. */
export const AT = 1;
/** Its third parameter: 0, or AMID an exit that the hypervisor has begun; LEFT and AHEAD say how far that has come. */
export const WHERE = 2;
export const AMID = 1;
const PARAMETERS = 3;

/** Which instructions are emulated along with an exit, as `hypervisor/run-ahead.ts` has it. */
export abstract class ColdAhead {
  readonly body = new Body(PARAMETERS);
  /** As in the hypervisor's `Vcpu`: how many more may be emulated, and how many stand before a privileged one. */
  protected readonly left = this.body.local();
  protected readonly ahead = this.body.local();
  /** The instruction is one that `ahead` counts. */
  protected readonly counted = this.body.local();
  readonly #reach = this.body.local();

  constructor(protected readonly setting: ColdSetting) {}

  /** Falls through where the next instruction is emulated along; as `runsAhead` in the hypervisor, which goes on at `stop`. */
  protected runsAhead(onward: Label, stop: Label): void {
    const { body } = this;
    this.word(R.COUNT);
    this.word(R.LIMIT);
    body.op(op.ges);
    body.brIf(stop);
    body.get(this.left);
    body.const(0);
    body.op(op.les);
    body.brIf(onward);
    this.isLogFull();
    body.brIf(stop);
    this.#findReach(0);
    body.const(0);
    body.set(this.counted);
    const privileged = body.block();
    this.#isReach(REACH.PRIVILEGED);
    body.brIf(privileged);
    this.#isReach(REACH.OTHER);
    body.brIf(onward);
    body.get(this.ahead);
    body.op(op.eqz);
    body.if();
    const first = body.local();
    body.get(this.#reach);
    body.set(first);
    this.#findPrivileged();
    body.get(first);
    body.set(this.#reach);
    body.end();
    body.get(this.ahead);
    body.op(op.eqz);
    body.brIf(onward);
    this.#isReach(REACH.REGISTERS);
    body.op(op.eqz);
    body.get(WHERE);
    body.op(op.and);
    body.brIf(stop); // the lookaside's contexts are those that the guest last had the core with
    body.const(1);
    body.set(this.counted);
    body.end();
  }

  /** `ahead` <- how many instructions stand before the next privileged one: 0 where there is none soon, or not in this page. */
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
      body.set(this.ahead);
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
    this.numberOf(word);
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
  protected numberOf(word: number): void {
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

  protected word(word: number): void {
    this.body.get(REGISTERS);
    this.body.memory(op.load, 4 * word);
  }

  protected addToRegister(word: number, value: () => void): void {
    this.body.get(REGISTERS);
    this.word(word);
    value();
    this.body.op(op.add);
    this.body.memory(op.store, 4 * word);
  }

  protected addTo(word: number, value: () => void): void {
    this.tell(word, () => {
      this.told(word);
      value();
      this.body.op(op.add);
    });
  }

  protected isLogFull(): void {
    this.told(E.LOGGED);
    this.body.const(LOG_BYTES);
    this.body.op(op.eq);
  }

  /** What the engine was told, on the stack. */
  protected told(word: number): void {
    this.word(R.EMULATION);
    this.body.memory(op.load, 4 * word);
  }

  protected tell(word: number, write: () => void): void {
    this.word(R.EMULATION);
    write();
    this.body.memory(op.store, 4 * word);
  }
}

/** In the word of mfspr and mtspr: the register is the supervisor's (`isSupervisorNumber`). */
const SUPERVISOR_SPR = 0x10 << 16;

/** By a variant's number, which is 0 for what is none. */
export const reaches = (variants: readonly Variant[]): Uint8Array =>
  Uint8Array.from([REACH.OTHER, ...variants.map(({ instruction }) => reachOf(instruction))]);
