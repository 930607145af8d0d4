import type { Line } from '../bus/bus.js';

/**
 * An ePAPR doorbell: ringing it interrupts every guest that has a receiving end, on a line of its own controller that senses
 * rising edges. Several rings before the guest has taken the first are one interrupt; to a guest whose controller does not
 * listen yet, or which is stopped, a ring is lost.
 */
export class Doorbell {
  readonly #receivers: Line[] = [];

  /** Give it another receiving end; they stay as long as the machine does. */
  attach(line: Line): void {
    this.#receivers.push(line);
  }

  ring(): void {
    for (const line of this.#receivers) {
      line.set(true);
      line.set(false);
    }
  }

  get receivers(): number {
    return this.#receivers.length;
  }
}
