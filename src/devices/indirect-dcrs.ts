import { assert } from '../bus/assert.js';
import type { DcrDevice } from '../bus/bus.js';

/** A register that is reached through a pair of DCRs: its number is written to the first, its value is in the second. */
export interface IndirectRegister {
  /** The manual's name. */
  readonly name: string;
  readonly number: number;
  /** Its value after reset, 32 bits, unsigned. */
  readonly reset: number;
  /** The bits that a write changes; all others keep their value. */
  readonly writable: number;
  /** Writing 1 to a writable bit clears it, and 0 leaves it alone. */
  readonly onWrite?: 'clear';
}

/** The pair, by offset from the controller's first DCR. PPC440EP User's Manual: CFGADDR and CFGDATA of each. */
export const INDIRECT = { ADDRESS: 0, DATA: 1 } as const;

/** How many DCRs such a controller has. */
export const INDIRECT_REGISTERS = 2;

/**
 * A configuration controller of the 4xx family with an address and a data DCR: CPR0, SDR0, SDRAM0 or EBC0. Its registers
 * hold what is written to them, as far as they have such bits, and have no other effect. A number that no register
 * has reads as 0 and ignores what is written, as a DCR does that nothing answers.
 */
export class IndirectDcrs implements DcrDevice {
  /** Everything a snapshot needs: the number last written to the address register, and the values in the table's order. */
  readonly state: { address: number; values: number[] };
  readonly #places = new Map<number, number>();

  constructor(readonly registers: readonly IndirectRegister[]) {
    registers.forEach(({ number }, place) => this.#places.set(number, place));
    assert(this.#places.size === registers.length, 'two indirect registers have the same number');
    this.state = { address: 0, values: registers.map((register) => register.reset) };
  }

  reset(): void {
    this.restore({ address: 0, values: this.registers.map((register) => register.reset) });
  }

  /** Take over a state that was saved. */
  restore({ address, values }: IndirectDcrs['state']): void {
    assert(values.length === this.registers.length, 'a saved state is of another controller');
    this.state.address = address;
    this.state.values = [...values];
  }

  /** The value of a register by its name. */
  value(name: string): number {
    const place = this.registers.findIndex((register) => register.name === name);
    assert(place >= 0, `there is no register ${name}`);
    return this.state.values[place]!;
  }

  readDcr(offset: number): number {
    return this.peekDcr(offset);
  }

  /** Nothing that is read changes anything, so this is what the guest reads too. */
  peekDcr(offset: number): number {
    if (offset === INDIRECT.ADDRESS) return this.state.address;
    const place = this.#places.get(this.state.address);
    return offset === INDIRECT.DATA && place !== undefined ? this.state.values[place]! : 0;
  }

  writeDcr(offset: number, value: number): void {
    const { state } = this;
    if (offset === INDIRECT.ADDRESS) state.address = value >>> 0;
    const place = this.#places.get(state.address);
    if (offset !== INDIRECT.DATA || place === undefined) return;
    const { writable, onWrite } = this.registers[place]!;
    const old = state.values[place]!;
    const written = onWrite === 'clear' ? old & ~value : value;
    state.values[place] = ((old & ~writable) | (written & writable)) >>> 0;
  }
}
