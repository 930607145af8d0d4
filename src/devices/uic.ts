import { assert } from '../bus/assert.js';
import type { DcrDevice, Line } from '../bus/bus.js';

/** Register offsets from the controller's first DCR. PPC405GP User's Manual, chapter 10; Linux's and QEMU's UIC. */
// prettier-ignore
export const UIC = {
  SR:  0, // status: reading gives what waits, writing 1 clears
  SRS: 1, // status set: writing 1 sets, as software-generated interrupts; reads as SR
  ER:  2, // enable
  CR:  3, // 1 = critical
  PR:  4, // polarity: 1 = active high, or rising edge
  TR:  5, // trigger: 1 = edge, 0 = level
  MSR: 6, // masked status: SR & ER, read-only
  VR:  7, // vector of the most urgent critical interrupt, read-only
  VCR: 8, // where vectors start, and which end of SR is the most urgent
} as const;

/** How many DCRs a controller has. */
export const UIC_REGISTERS = 9;

// prettier-ignore
const VCR = {
  VBA: 0xfffffffc, // 0:29 vector base address
  PRO: 0x00000001, // 31   0: SR[0] is the most urgent, 1: SR[31] is
} as const;

/** Bytes of handler for each interrupt that VR leaves. */
const VECTOR_STRIDE = 512;

/**
 * Universal Interrupt Controller of the 4xx family: 32 inputs and two outputs. Input 0 is the most significant bit, as
 * in the manuals. Controllers cascade by giving one's outputs as inputs of another (on a 440EP, inputs 30 and 31).
 *
 * A level-triggered bit of SR follows its input, as QEMU's does. An edge, and a bit set through SRS, stays until
 * software clears it. An input that nothing is wired to is never active, whatever its polarity.
 *
 * Where the sources differ on VCR[PRO], this is the PPC405GP manual's, which works an example through. VR is 0 while no
 * critical interrupt waits.
 */
export class Uic implements DcrDevice {
  /** Everything a snapshot needs, each a 32-bit mask, unsigned: the levels of the inputs, what has been latched, registers. */
  readonly state = { input: 0, latched: 0, er: 0, cr: 0, pr: 0, tr: 0, vcr: 0 };
  /** A fault: inputs of which the present or the next assertion is not seen. */
  #lost = 0;
  /** Called behind everything that may have changed its inputs or outputs. */
  onDrive: (() => void) | undefined;
  readonly #lines: (Line | undefined)[] = [];
  #wired = 0;

  constructor(
    private readonly noncritical: Line,
    private readonly critical: Line,
  ) {}

  /** The end of input `number`, 0 to 31, that a device drives; `set(true)` is the high level. One device an input. */
  line(number: number): Line {
    assert(Number.isInteger(number) && number >= 0 && number <= 31, `a UIC has no input ${number}`);
    const mask = bit(number);
    this.#wired = unsigned(this.#wired | mask);
    return (this.#lines[number] ??= { set: (high) => this.#set(mask, high) });
  }

  /** Whether some wired input is enabled and of this class: could it ever interrupt, as things are set up now? */
  canRise(critical: boolean): boolean {
    const { er, cr } = this.state;
    return (this.#wired & er & (critical ? cr : ~cr)) !== 0;
  }

  /** As after power-on: nothing enabled, everything level-triggered and noncritical. Inputs stay as they are driven. */
  reset(): void {
    Object.assign(this.state, { latched: 0, er: 0, cr: 0, pr: 0, tr: 0, vcr: 0 });
    this.#drive();
  }

  /** Take over a state that was saved. */
  restore(saved: Uic['state'], lost = 0): void {
    this.#lost = lost;
    Object.assign(this.state, saved);
    this.#drive();
  }

  readDcr(offset: number): number {
    return this.peekDcr(offset);
  }

  /** Nothing that is read changes anything, so this is what the guest reads too. */
  peekDcr(offset: number): number {
    const { state } = this;
    switch (offset) {
      case UIC.SR:
      case UIC.SRS:
        return this.#status;
      case UIC.ER:
        return state.er;
      case UIC.CR:
        return state.cr;
      case UIC.PR:
        return state.pr;
      case UIC.TR:
        return state.tr;
      case UIC.MSR:
        return unsigned(this.#status & state.er);
      case UIC.VR:
        return this.#vector;
      case UIC.VCR:
        return state.vcr;
      default:
        return 0;
    }
  }

  writeDcr(offset: number, value: number): void {
    const { state } = this;
    const word = unsigned(value);
    switch (offset) {
      case UIC.SR:
        state.latched = unsigned(state.latched & ~word);
        break;
      case UIC.SRS:
        state.latched = unsigned(state.latched | word);
        break;
      case UIC.ER:
        state.er = word;
        break;
      case UIC.CR:
        state.cr = word;
        break;
      case UIC.PR:
        state.pr = word;
        break;
      case UIC.TR:
        state.tr = word;
        break;
      case UIC.VCR:
        state.vcr = unsigned(word & (VCR.VBA | VCR.PRO));
        break;
    }
    this.#drive();
  }

  /** A fault: the controller does not see the next assertion of an input, or the present one, until it is over. */
  lose(number: number): void {
    this.#lost = unsigned(this.#lost | bit(number));
    this.#drive();
  }

  /** What was lost of an input, and is still asserted, is seen after all. */
  find(number: number): void {
    const found = bit(number) & this.#lost;
    this.#lost = unsigned(this.#lost & ~found);
    this.state.latched = unsigned(this.state.latched | (this.#active & found & this.state.tr));
    this.#drive();
  }

  /** What is being lost: a mask. */
  get lost(): number {
    return this.#lost;
  }

  /** A fault: an input is asserted for a moment. It stays in SR until software clears it, as an edge does. */
  glitch(number: number): void {
    this.state.latched = unsigned(this.state.latched | bit(number));
    this.#drive();
  }

  #set(mask: number, high: boolean): void {
    const { state } = this;
    if (high === ((state.input & mask) !== 0)) return;
    const before = this.#active;
    const lost = this.#raw & this.#lost;
    state.input = unsigned(high ? state.input | mask : state.input & ~mask);
    this.#lost = unsigned(this.#lost & ~(lost & ~this.#raw)); // until it is over
    const risen = this.#active & ~before;
    state.latched = unsigned(state.latched | (risen & state.tr));
    this.#drive();
  }

  /** Inputs at their active level. */
  get #raw(): number {
    return ~(this.state.input ^ this.state.pr) & this.#wired;
  }

  /** Those that the controller sees. */
  get #active(): number {
    return this.#raw & ~this.#lost;
  }

  get #status(): number {
    return unsigned(this.state.latched | (this.#active & ~this.state.tr));
  }

  get #pendingCritical(): number {
    return unsigned(this.#status & this.state.er & this.state.cr);
  }

  get #vector(): number {
    const pending = this.#pendingCritical;
    if (pending === 0) return 0;
    const { vcr } = this.state;
    const first = Math.clz32(pending);
    const fromEnd = 31 - Math.clz32(pending & -pending); // of the last one, counted from SR[31]
    const distance = vcr & VCR.PRO ? fromEnd : first;
    return unsigned((vcr & VCR.VBA) + distance * VECTOR_STRIDE);
  }

  #drive(): void {
    const { er, cr } = this.state;
    this.noncritical.set((this.#status & er & ~cr) !== 0);
    this.critical.set(this.#pendingCritical !== 0);
    this.onDrive?.();
  }
}

const unsigned = (word: number): number => word >>> 0;

/** The mask of bit `number` in the manuals' numbering, where 0 is the most significant. */
const bit = (number: number): number => 0x80000000 >>> number;
