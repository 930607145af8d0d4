import { MSR } from '../isa/registers.js';
import type { Core } from './core.js';
import { record } from './debug-record.js';
import { addressMatches, EVENT, qualifies } from './debug-registers.js';
import { S } from './state.js';
import type { Access } from './trap.js';

/**
 * Data address and data value compare events (PPC440x5 User's Manual, "Data Address Compare (DAC) Debug Event", "Data Value
 * Compare (DVC) Debug Event"). What an access would do wrong comes first: these are asked when nothing forbids it any more,
 * and before anything is changed. With DBCR2[DAC12A] an event lets its instruction complete; the manual leaves open when the
 * interrupt comes then: here, right behind it.
 */

/** DBCR2[DAC12A]: events do not suppress their instruction. */
const ASYNCHRONOUS = 0x00200000;

/** A compare register, where its fields lie in DBCR2 (as shifts), and its events. */
// prettier-ignore
const comparators = [
  { address: S.dac1, value: S.dvc1, qualifier: 28, valueMode: 18, lanes: 8, read: EVENT.DAC1R, write: EVENT.DAC1W },
  { address: S.dac2, value: S.dvc2, qualifier: 24, valueMode: 16, lanes: 0, read: EVENT.DAC2R, write: EVENT.DAC2W },
] as const;
const MODE_SHIFT = 22;

/** What an access moves in a byte lane (0 to 3, the most significant first) of the aligned word that it begins in, if anything. */
type Lane = (lane: number) => number | undefined;

/** Bytes that an instruction moves from an address on, for itself in accesses of at most `unit` bytes. */
export interface Transfer {
  readonly access: Access;
  readonly address: number;
  readonly bytes: number;
  readonly unit: number;
}

/** Events of the addresses of a load where no value matters; true if they suppress the instruction. */
export const stopsAtAddress = (core: Core, transfer: Transfer): boolean =>
  core.watchesData && stops(core, addressEvents(core, transfer));

/** Events of a load's values, `byteAt` giving those of the bytes in order; true if they suppress the instruction. */
export const stopsAtValue = (core: Core, transfer: Transfer, byteAt: (i: number) => number): boolean =>
  core.watchesData && core.trap === null && stops(core, valueEvents(core, transfer, byteAt));

/** Both kinds for a store, before it; true if they suppress the instruction. */
export const stopsInStore = (core: Core, transfer: Transfer, byteAt: (i: number) => number): boolean =>
  core.watchesData && stops(core, addressEvents(core, transfer) | valueEvents(core, transfer, byteAt));

function addressEvents(core: Core, transfer: Transfer): number {
  let events = 0;
  for (const { address } of accesses(transfer)) events |= dataEvents(core, transfer.access, address, undefined);
  return events;
}

function valueEvents(core: Core, transfer: Transfer, byteAt: (i: number) => number): number {
  let events = 0;
  for (const { at, address, size } of accesses(transfer)) {
    const lane: Lane = (i) => {
      const offset = i - (address & 3);
      return offset >= 0 && offset < size ? byteAt(at + offset) : undefined;
    };
    events |= dataEvents(core, transfer.access, address, lane);
  }
  return events;
}

/** A cache operation counts as an access to the very address that it names; dcbz alone moves data, zeros in every lane. */
export function stopsAtBlock(core: Core, access: Access, address: number, zeros: boolean): boolean {
  if (!core.watchesData) return false;
  const ea = address >>> 0;
  const value = zeros ? dataEvents(core, access, ea, () => 0) : 0;
  return stops(core, dataEvents(core, access, ea, undefined) | value);
}

/** A quadword's end divides an access (PPC440x5 User's Manual, "Load and Store Alignment"). */
function* accesses({ address, bytes, unit }: Transfer): Generator<{ at: number; address: number; size: number }> {
  for (let at = 0; at < bytes;) {
    const here = (address + at) >>> 0;
    const size = Math.min(unit - (at % unit), bytes - at, 16 - (here & 15));
    yield { at, address: here, size };
    at += size;
  }
}

/** A comparator with byte lanes enabled is one for values, and never acts by the address alone. */
function dataEvents(core: Core, access: Access, address: number, lane: Lane | undefined): number {
  const { words, msr } = core.system;
  const control = words[S.dbcr2]!;
  const [first, second] = [words[S.dac1]! >>> 0, words[S.dac2]! >>> 0];
  let events = 0;
  for (const c of comparators) {
    const lanes = (control >>> c.lanes) & 15;
    if (!(words[S.dbcr0]! & c[access]) || (lanes !== 0) !== (lane !== undefined)) continue;
    if (!qualifies((control >>> c.qualifier) & 15, msr, MSR.DS)) continue;
    if (!addressMatches((control >>> MODE_SHIFT) & 3, address, words[c.address]! >>> 0, first, second)) continue;
    if (lane && !valueMatches((control >>> c.valueMode) & 3, lanes, words[c.value]!, lane)) continue;
    events |= c[access];
  }
  return events;
}

/** DBCR2[DVC1M, DVC2M]: all enabled lanes, any, or all of either half; a half with none enabled does not count. */
function valueMatches(mode: number, enabled: number, value: number, lane: Lane): boolean {
  let agree = 0;
  for (let i = 0; i < 4; i++) if (lane(i) === ((value >>> (24 - 8 * i)) & 0xff)) agree |= 8 >>> i;
  const all = (lanes: number): boolean => (enabled & lanes) !== 0 && (enabled & lanes & ~agree) === 0;
  if (mode === 1) return all(15);
  if (mode === 2) return (enabled & agree) !== 0;
  return mode === 3 && (all(12) || all(3));
}

function stops(core: Core, events: number): boolean {
  if (events === 0 || !record(core, events)) return false;
  if (core.system.words[S.dbcr2]! & ASYNCHRONOUS) return false;
  core.raise({ kind: 'debug' });
  return true;
}
