import type { Injection } from '../board/injection.js';
import type { LineError } from '../board/serial-input.js';
import type { Duration } from './duration.js';
import type { Address } from './test-partition.js';

/** An interrupt of a partition: the number of its controller's input, or the device or port that drives it. */
export type InterruptName = number | string;

/** What faults need to know of a board. */
export interface InjectorHost {
  /** Has it happen at the moment that the faults are for. */
  happen(make: () => Injection): void;
  /** Has something happen so much later than that. */
  later(time: Duration, make: () => Injection): void;
  /** Does something else at that moment. */
  act(what: () => void): void;
  /** The stream of a console by any of its names. */
  streamOf(console: string): string;
  /** The guest-physical address of memory or of a device. */
  physicalOf(partition: string, address: Address): number;
  deviceOf(partition: string, device: Address): number;
  lineOf(partition: string, interrupt: InterruptName): number;
}

/**
 * Faults that a board can have: at once (`board.inject`), or at a moment to come (`board.after`, `board.at`). Each is an input of
 * the run, so a recording has it again. What cannot happen fails the test.
 */
export class Injector {
  constructor(private readonly host: InjectorHost) {}

  /** A bit of a partition's memory is inverted: bit 0 is the least significant of the byte at that address. */
  flipBit(partition: string, address: Address, bit: number): void {
    if (!Number.isInteger(bit) || bit < 0 || bit > 7) throw new RangeError(`a byte has bits 0 to 7, and not ${bit}`);
    const { host } = this;
    host.happen(() => ({ kind: 'bit-flip', partition, address: host.physicalOf(partition, address), bit }));
  }

  /** A partition dies where it is, as by a machine check that it cannot take. */
  crash(partition: string): void {
    this.host.happen(() => ({ kind: 'crash', partition }));
  }

  /**
   * A device, by its guest-physical address or its node's name, answers with bus errors: machine checks for the guest. So many
   * accesses long (default 1; Infinity: for good), or for some time.
   */
  busError(
    partition: string,
    device: Address,
    { count, during }: { readonly count?: number; readonly during?: Duration } = {},
  ): void {
    const { host } = this;
    const times = count ?? (during === undefined ? 1 : Infinity);
    const error = (left: number): Injection => ({
      kind: 'bus-error',
      partition,
      address: host.deviceOf(partition, device),
      count: left === Infinity ? null : left,
    });
    host.happen(() => error(times));
    if (during !== undefined) host.later(during, () => error(0));
  }

  /** The next assertion of an interrupt, or the present one, is not seen; with a time, only until that has passed. */
  loseInterrupt(partition: string, interrupt: InterruptName, { during }: { readonly during?: Duration } = {}): void {
    const { host } = this;
    host.happen(() => ({ kind: 'lost-interrupt', partition, line: host.lineOf(partition, interrupt) }));
    if (during !== undefined)
      host.later(during, () => ({ kind: 'found-interrupt', partition, line: host.lineOf(partition, interrupt) }));
  }

  /** An interrupt is asserted for a moment though nothing drives it. */
  spuriousInterrupt(partition: string, interrupt: InterruptName): void {
    const { host } = this;
    host.happen(() => ({ kind: 'spurious-interrupt', partition, line: host.lineOf(partition, interrupt) }));
  }

  /** A character arrives at a serial port with a parity or framing error, as a break, or is lost by an overrun. */
  serialError(console: string, error: LineError, { byte = 0 }: { readonly byte?: number } = {}): void {
    this.host.happen(() => ({ kind: 'serial-error', stream: this.host.streamOf(console), error, byte }));
  }

  /** Text arrives all at once, whether there is room for it or not: a port overruns, a byte channel's buffer overflows. */
  flood(console: string, text: string | Uint8Array): void {
    const bytes = [...(typeof text === 'string' ? new TextEncoder().encode(text) : text)];
    this.host.happen(() => ({ kind: 'flood', stream: this.host.streamOf(console), bytes }));
  }

  /** The far end of a byte channel takes nothing any more: what the guest sends finds no room. With a time, until that has passed. */
  congest(console: string, { during }: { readonly during?: Duration } = {}): void {
    const congestion = (congested: boolean): Injection => ({
      kind: 'congestion',
      stream: this.host.streamOf(console),
      congested,
    });
    this.host.happen(() => congestion(true));
    if (during !== undefined) this.host.later(during, () => congestion(false));
  }

  /** Do something else at that moment: type, pause a partition, look. */
  do(what: () => void): void {
    this.host.act(what);
  }
}
