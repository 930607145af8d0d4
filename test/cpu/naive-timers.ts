import { TCR, TSR } from '../../src/isa/registers.js';
import type { TimeBaseRate } from '../../src/cpu/timers.js';

/**
 * The 440's timers one time base tick at a time, as "Timer Facilities" of the PPC440x5 User's Manual tells it: what the
 * lazy ones have to agree with.
 */
export class NaiveTimers {
  timeBase = 0n;
  dec = 0;
  decar = 0;
  tcr = 0;
  tsr = 0;
  /** TCR[WRC] at the third time-out, or 0. */
  reset = 0;
  #fraction = 0;

  constructor(readonly rate: TimeBaseRate) {}

  cycle(): void {
    this.#fraction += this.rate.ticks;
    for (; this.#fraction >= this.rate.cycles; this.#fraction -= this.rate.cycles) this.#tick();
  }

  #tick(): void {
    this.#setTimeBase(this.timeBase + 1n);
    if (this.dec === 0) return;
    this.dec -= 1;
    if (this.dec > 0) return;
    this.tsr |= TSR.DIS;
    if (this.tcr & TCR.ARE) this.dec = this.decar;
  }

  /** The FIT and the watchdog act on a bit that rises, by a tick or by mtspr. */
  #setTimeBase(value: bigint): void {
    const next = BigInt.asUintN(64, value);
    const risen = ~this.timeBase & next;
    this.timeBase = next;
    const fit = [12n, 16n, 20n, 24n][(this.tcr >>> 24) & 3]!; // TBL[19], [15], [11], [7]
    const watchdog = [20n, 24n, 28n, 32n][(this.tcr >>> 30) & 3]!; // TBL[11], [7], [3], TBU[31]
    if ((risen >> fit) & 1n) this.tsr |= TSR.FIS;
    if ((risen >> watchdog) & 1n) this.#timeOut();
  }

  /** Table 7-3. */
  #timeOut(): void {
    const wrc = (this.tcr >>> 28) & 3;
    if (!(this.tsr & TSR.ENW)) this.tsr |= TSR.ENW;
    else if (!(this.tsr & TSR.WIS)) this.tsr |= TSR.WIS;
    else if (wrc !== 0) {
      this.reset = wrc;
      this.tsr = (this.tsr & ~0x30000000) | (wrc << 28);
    }
  }

  write(name: 'TBL' | 'TBU' | 'DEC' | 'DECAR' | 'TCR' | 'TSR', value: number): void {
    const bits = BigInt(value >>> 0);
    if (name === 'TBL') this.#setTimeBase(((this.timeBase >> 32n) << 32n) | bits);
    if (name === 'TBU') this.#setTimeBase((bits << 32n) | (this.timeBase & 0xffffffffn));
    if (name === 'DEC') this.dec = value >>> 0;
    if (name === 'DECAR') this.decar = value >>> 0;
    if (name === 'TCR') this.tcr = (value & 0xffc00000) | (this.tcr & 0x30000000); // a bit of WRC stays once it is set
    if (name === 'TSR') this.tsr &= ~value;
  }

  /** The bits of TSR whose interrupts TCR enables. */
  get pending(): number {
    const { tcr, tsr } = this;
    return (
      (tcr & TCR.WIE ? tsr & TSR.WIS : 0) | (tcr & TCR.DIE ? tsr & TSR.DIS : 0) | (tcr & TCR.FIE ? tsr & TSR.FIS : 0)
    );
  }
}
