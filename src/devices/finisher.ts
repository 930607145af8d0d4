import type { Device, Width } from '../bus/bus.js';

/**
 * The binding `hv440,finisher`: one 32-bit write-only register at offset 0. Writing it ends the machine with the low
 * 8 bits as its exit status; narrower writes do nothing, and reads give 0.
 */
export class Finisher implements Device {
  /** `finish` is called with the exit status, 0 to 255. */
  constructor(private readonly finish: (status: number) => void) {}

  read(): number {
    return 0;
  }

  write(offset: number, width: Width, value: number): void {
    if (offset === 0 && width === 4) this.finish(value & 0xff);
  }

  peek(): number {
    return 0;
  }
}
