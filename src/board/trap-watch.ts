import type { Core } from '../cpu/core.js';
import { R } from '../cpu/state.js';
import type { Trap } from '../cpu/trap.js';

/** A trap that a program took, with the state it was in just before: what its translation went by. */
export interface TakenTrap {
  readonly trap: Trap;
  readonly pc: number;
  readonly msr: number;
  readonly pid: number;
}

/** So many of the same fault in a row, with all registers as they were the time before, and it will not end by itself. */
export const REPEAT_LIMIT = 1000;

/** The registers that are compared: GPRs, LR, CTR, CR, XER. */
const COMPARED = [...Array(32).keys(), R.LR, R.CTR, R.CR, R.XER];

/** Remembers the traps of a processor, for a person who wonders what became of it. */
export class TrapWatch {
  /** The last one. */
  last: TakenTrap | undefined;
  /** Of a row of traps with no instruction retired in between, the first: what began it all. */
  origin: TakenTrap | undefined;
  readonly #registers = new Int32Array(COMPARED.length);
  #repeats = 0;

  /**
   * A trap is about to be delivered; `fruitless` others came before it since an instruction was retired. True, once, when
   * it is a fault in a loop: a translation that fails at the same place with everything as it was, REPEAT_LIMIT times.
   */
  note(trap: Trap, { regs, system }: Core, fruitless: number): boolean {
    const { last } = this;
    this.last = { trap, pc: regs.pc, msr: system.msr, pid: system.pid };
    if (fruitless === 0) this.origin = this.last;
    if (!isTranslation(trap)) {
      this.#repeats = 0;
      return false;
    }
    const same = last !== undefined && sameFault(last, this.last) && this.#sameRegisters(regs.words);
    this.#repeats = same ? this.#repeats + 1 : 0;
    if (!same) for (let i = 0; i < COMPARED.length; i++) this.#registers[i] = regs.words[COMPARED[i]!]!;
    return this.#repeats === REPEAT_LIMIT;
  }

  /** A trap was delivered that comes from no translation, right after an instruction had been retired. */
  took(trap: TakenTrap): void {
    this.last = trap;
    this.origin = trap;
    this.#repeats = 0;
  }

  #sameRegisters(words: Int32Array): boolean {
    for (let i = 0; i < COMPARED.length; i++) if (this.#registers[i] !== words[COMPARED[i]!]) return false;
    return true;
  }

  save() {
    const { last, origin } = this;
    return {
      last,
      origin: origin === last ? undefined : origin,
      originIsLast: origin === last,
      registers: [...this.#registers],
      repeats: this.#repeats,
    };
  }

  restore({ last, origin, originIsLast, registers, repeats }: ReturnType<TrapWatch['save']>): void {
    this.last = last;
    this.origin = originIsLast ? last : origin;
    this.#registers.set(registers);
    this.#repeats = repeats;
  }

  reset(): void {
    this.last = undefined;
    this.origin = undefined;
    this.#repeats = 0;
  }
}

const isTranslation = ({ kind }: Trap): boolean =>
  kind === 'data-tlb-miss' ||
  kind === 'data-storage' ||
  kind === 'instruction-tlb-miss' ||
  kind === 'instruction-storage';

const sameFault = (a: TakenTrap, b: TakenTrap): boolean =>
  a.trap.kind === b.trap.kind && a.pc === b.pc && addressOf(a.trap) === addressOf(b.trap);

const addressOf = (trap: Trap): number => ('address' in trap ? trap.address : 0);
