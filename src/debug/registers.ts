import type { Debuggable } from '../board/machine.js';
import type { Core } from '../cpu/core.js';
import { R, S, type SystemRegister } from '../cpu/state.js';
import { MSR_BITS } from '../isa/registers.js';
import { coreRegisters, floatRegisters, systemRegisters, type RegisterDescription } from './register-table.js';

/** Words of a core's user registers, by name; SPRG4 to 7 and USPRG0 are kept there too. */
// prettier-ignore
const userWords: ReadonlyMap<string, number> = new Map([
  ...Array.from({ length: 32 }, (_, i): [string, number] => [`r${i}`, R.GPR + i]),
  ['pc', R.PC], ['lr', R.LR], ['ctr', R.CTR], ['cr', R.CR], ['xer', R.XER], ['fpscr', R.FPSCR],
  ['usprg0', R.USPRG0], ['sprg4', R.SPRG4], ['sprg5', R.SPRG5], ['sprg6', R.SPRG6], ['sprg7', R.SPRG7],
]);

const isSlot = (name: string): name is SystemRegister => Object.hasOwn(S, name);

/** The registers of a core by name, read and written from outside: no rights are asked, and reading changes nothing. */
export class RegisterFile {
  readonly all: readonly RegisterDescription[];
  readonly #byName: ReadonlyMap<string, RegisterDescription>;

  constructor(
    private readonly core: Core,
    readonly hasFloats: boolean,
    private readonly runs?: Debuggable,
  ) {
    this.all = [...coreRegisters, ...(hasFloats ? floatRegisters : []), ...systemRegisters];
    this.#byName = new Map(this.all.map((register) => [register.name, register]));
  }

  find(name: string): RegisterDescription | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  /** A 32-bit register's value, unsigned; 0 for a name that there is not. */
  get(name: string): number {
    const { core } = this;
    const elsewhere = this.runs?.elsewhere?.peek(name.toUpperCase());
    if (elsewhere !== undefined) return elsewhere >>> 0;
    const word = userWords.get(name);
    if (word !== undefined) return core.regs.words[word]! >>> 0;
    if (name === 'dec' || name === 'tbl' || name === 'tbu' || name === 'tsr') return this.#timer(name);
    return isSlot(name) ? core.system.get(name) >>> 0 : 0;
  }

  /** Timers are brought up to date when they are read; here that is taken back, so that looking leaves no trace. */
  #timer(name: 'dec' | 'tbl' | 'tbu' | 'tsr'): number {
    const { timers, system } = this.core;
    const before = { state: { ...timers.state }, reset: timers.resetRequest, tsr: system.get('tsr') };
    timers.update();
    const { timeBase } = timers;
    const values = {
      dec: timers.state.dec,
      tbl: Number(timeBase & 0xffffffffn),
      tbu: Number(timeBase >> 32n),
      tsr: system.get('tsr') >>> 0,
    };
    Object.assign(timers.state, before.state);
    timers.resetRequest = before.reset;
    system.set('tsr', before.tsr);
    return values[name];
  }

  /** Write a 32-bit register; bits that do not exist are dropped. What identifies the processor stays. */
  set(name: string, value: number): void {
    const { core } = this;
    const { regs, system, timers } = core;
    const word = userWords.get(name);
    const bits = this.find(name)?.spr?.bits ?? -1;
    if (word !== undefined) regs.words[word] = name === 'pc' ? value & ~3 : value & bits;
    else if (name === 'tbl' || name === 'tbu') timers.setTimeBase(name === 'tbl' ? 'low' : 'high', value);
    else if (name === 'dec') timers.decrementer = value;
    else if (name === 'msr') system.msr = value & MSR_BITS;
    else if (name !== 'pvr' && name !== 'pir' && isSlot(name)) {
      timers.update();
      system.set(name, value & bits);
      if (name === 'tsr' || name === 'tcr') timers.changed();
    }
    this.runs?.elsewhere?.poke(name.toUpperCase());
    core.contextChanged();
    core.attention();
  }

  /** Any register's value, unsigned. */
  read({ name, bits }: RegisterDescription): bigint {
    return bits === 64 ? this.core.regs.floats[Number(name.slice(1))]! : BigInt(this.get(name));
  }

  write({ name, bits }: RegisterDescription, value: bigint): void {
    if (bits === 64) this.core.regs.floats[Number(name.slice(1))] = value;
    else this.set(name, Number(BigInt.asUintN(32, value)));
  }
}
