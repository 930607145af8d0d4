import { exitKinds, type ExitKind } from '../devicetree/bindings/partitions.js';
import { NO_DETAIL, trapNames, type Detail } from './exit-detail.js';
import type { TrapKind } from '../cpu/trap.js';

/** How often something happened, and for how many cycles in all. */
export interface Tally {
  readonly count: number;
  readonly cycles: number;
}

/** Exits of one kind. Cycles are from the guest's last instruction until it may run again. */
export interface KindTally extends Tally {
  readonly kind: ExitKind;
  readonly least: number;
  readonly most: number;
  /** What they were about, the most frequent first; empty for kinds that are about nothing in particular. */
  readonly details: readonly (Tally & { readonly detail: Detail })[];
}

/** What happened to a vcpu's shadow TLB, beside the misses that are exits. */
export interface ShadowCounts {
  /** Entries written into the real core's TLB: one for each shadow miss, and those that were foreseen. */
  fills: number;
  /** Fills that saved a shadow miss, since the guest had just come back from its own. */
  foreseen: number;
  /** Entries that made room for others. */
  evictions: number;
  /** Entries that went because the guest entry that they came from changed. */
  invalidations: number;
  /** Real PIDs that were taken from it because there were no others left. */
  pidsReclaimed: number;
}

/** What is looked at together; beyond that number of different details a guest's exits are counted by kind only. */
const MOST_DETAILS = 2048;
const INTERRUPTS = trapNames.length;
const kindNumbers = Object.fromEntries(exitKinds.map((kind, i) => [kind, i])) as Record<ExitKind, number>;

/**
 * What a vcpu did with its time, and why it left the core. Counting allocates nothing once a detail has been seen; names are
 * given to the numbers when somebody asks.
 */
export class ExitAccount {
  /** Cycles in which the core belonged to this guest: its instructions, its exits and what was done for it. */
  cycles = 0;
  /** Of these, cycles in which its own instructions ran on the core; the others are the hypervisor's. */
  guestCycles = 0;
  /** Cycles in which it waited for an interrupt, as found when the core changes hands. */
  idleCycles = 0;
  /** Cycles in which it could have used the core, and another had it. */
  readyCycles = 0;
  /** Cycles in which its partition was not running. */
  stoppedCycles = 0;
  /** Instructions that it retired itself or that were emulated for it. */
  retired = 0;
  /** How often the core was given to it after another, and what that cost. */
  worldSwitches = 0;
  worldSwitchCycles = 0;
  readonly shadow: ShadowCounts = { fills: 0, foreseen: 0, evictions: 0, invalidations: 0, pidsReclaimed: 0 };
  /** Instructions that were emulated in exits that others had caused (`run-ahead.ts`), and what for. */
  #aheadCount = 0;
  #aheadCycles = 0;
  readonly #aheadDetails = new Map<Detail, { count: number; cycles: number }>();
  readonly #counts = new Float64Array(exitKinds.length);
  readonly #cycles = new Float64Array(exitKinds.length);
  readonly #least = new Float64Array(exitKinds.length);
  readonly #most = new Float64Array(exitKinds.length);
  /** A detail's place in the two below; the kind is its owner's. */
  readonly #places = new Map<Detail, number>();
  readonly #detailKinds = new Uint8Array(MOST_DETAILS);
  readonly #detailCounts = new Float64Array(MOST_DETAILS);
  readonly #detailCycles = new Float64Array(MOST_DETAILS);
  readonly #injected = new Float64Array(INTERRUPTS);

  constructor() {
    this.reset();
  }

  /** An exit cost so many cycles. `detail` is what it was about. */
  charge(kind: ExitKind, detail: Detail, cycles: number): void {
    const number = kindNumbers[kind];
    this.#counts[number]! += 1;
    this.#cycles[number]! += cycles;
    if (cycles < this.#least[number]!) this.#least[number] = cycles;
    if (cycles > this.#most[number]!) this.#most[number] = cycles;
    if (detail === NO_DETAIL) return;
    const place = this.#places.get(detail) ?? this.#newPlace(detail, number);
    this.#detailCounts[place]! += 1;
    this.#detailCycles[place]! += cycles;
  }

  /** The last place is for all that find no room; it is left out when details are listed. */
  #newPlace(detail: Detail, kind: number): number {
    const place = this.#places.size;
    if (place >= MOST_DETAILS - 1) return MOST_DETAILS - 1;
    this.#places.set(detail, place);
    this.#detailKinds[place] = kind;
    return place;
  }

  /** One more instruction was emulated before the guest had the core back. */
  chargeAhead(detail: Detail, cycles: number): void {
    this.#aheadCount += 1;
    this.#aheadCycles += cycles;
    const entry = this.#aheadDetails.get(detail);
    if (!entry) this.#aheadDetails.set(detail, { count: 1, cycles });
    else {
      entry.count += 1;
      entry.cycles += cycles;
    }
  }

  /** Instructions that were emulated beside those that caused an exit; privileged ones by what they are, the most frequent first. */
  get ahead(): Tally & { readonly details: readonly (Tally & { readonly detail: Detail })[] } {
    const details = [...this.#aheadDetails].map(([detail, tally]) => ({ detail, ...tally }));
    return {
      count: this.#aheadCount,
      cycles: this.#aheadCycles,
      details: details.toSorted((a, b) => b.count - a.count || a.detail - b.detail),
    };
  }

  /** The guest was sent to its own handler by the interrupt of this IVOR number. */
  countInjection(ivor: number): void {
    this.#injected[ivor]! += 1;
  }

  /** By kind, the most frequent first. */
  get exits(): KindTally[] {
    const details = this.#details();
    return exitKinds
      .map((kind, i) => ({
        kind,
        count: this.#counts[i]!,
        cycles: this.#cycles[i]!,
        least: this.#least[i]!,
        most: this.#most[i]!,
        details: details.filter((d) => d.kind === i).map(({ detail, count, cycles }) => ({ detail, count, cycles })),
      }))
      .filter(({ count }) => count > 0)
      .toSorted((a, b) => b.count - a.count);
  }

  #details(): (Tally & { kind: number; detail: Detail })[] {
    return [...this.#places]
      .map(([detail, place]) => ({
        kind: this.#detailKinds[place]!,
        detail,
        count: this.#detailCounts[place]!,
        cycles: this.#detailCycles[place]!,
      }))
      .toSorted((a, b) => b.count - a.count || a.detail - b.detail);
  }

  /** Interrupts that it was sent, by kind: its own traps and its devices' alike. The most frequent first. */
  get injections(): { kind: TrapKind; count: number }[] {
    return trapNames
      .map((kind, ivor) => ({ kind, count: this.#injected[ivor]! }))
      .filter(({ count }) => count > 0)
      .toSorted((a, b) => b.count - a.count);
  }

  save() {
    const { cycles, guestCycles, idleCycles, readyCycles, stoppedCycles, retired, worldSwitches, worldSwitchCycles } =
      this;
    const used = this.#places.size;
    return {
      totals: {
        cycles,
        guestCycles,
        idleCycles,
        readyCycles,
        stoppedCycles,
        retired,
        worldSwitches,
        worldSwitchCycles,
      },
      shadow: { ...this.shadow },
      ahead: { count: this.#aheadCount, cycles: this.#aheadCycles },
      aheadDetails: [...this.#aheadDetails].map(([detail, tally]) => ({ detail, ...tally })),
      kinds: this.#byKind.map((counts) => [...counts]),
      details: [...this.#places.keys()],
      byDetail: this.#byDetail.map((counts) => [...counts.subarray(0, used), counts[MOST_DETAILS - 1]!]),
    };
  }

  restore(saved: ReturnType<ExitAccount['save']>): void {
    this.reset();
    Object.assign(this, saved.totals);
    Object.assign(this.shadow, saved.shadow);
    this.#aheadCount = saved.ahead.count;
    this.#aheadCycles = saved.ahead.cycles;
    for (const { detail, ...tally } of saved.aheadDetails) this.#aheadDetails.set(detail, tally);
    this.#byKind.forEach((counts, i) => counts.set(saved.kinds[i]!));
    saved.details.forEach((detail, place) => this.#places.set(detail, place));
    this.#byDetail.forEach((counts, i) => {
      const all = saved.byDetail[i]!;
      counts.set(all.slice(0, -1));
      counts[MOST_DETAILS - 1] = all.at(-1)!;
    });
  }

  get #byKind(): readonly Float64Array[] {
    return [this.#counts, this.#cycles, this.#least, this.#most, this.#injected];
  }

  get #byDetail(): readonly (Uint8Array | Float64Array)[] {
    return [this.#detailKinds, this.#detailCounts, this.#detailCycles];
  }

  /** Start counting anew. */
  reset(): void {
    for (const counts of [this.#counts, this.#cycles, this.#most, this.#injected]) counts.fill(0);
    this.#least.fill(Infinity);
    this.#places.clear();
    this.#detailCounts.fill(0);
    this.#detailCycles.fill(0);
    Object.assign(this.shadow, { fills: 0, foreseen: 0, evictions: 0, invalidations: 0, pidsReclaimed: 0 });
    this.#aheadCount = 0;
    this.#aheadCycles = 0;
    this.#aheadDetails.clear();
    this.cycles = 0;
    this.guestCycles = 0;
    this.idleCycles = 0;
    this.readyCycles = 0;
    this.stoppedCycles = 0;
    this.retired = 0;
    this.worldSwitches = 0;
    this.worldSwitchCycles = 0;
  }
}
