import { MSR } from '../isa/registers.js';
import { pageBytes, sizeFields, TLB_ENTRIES, word0, word2, type Use } from '../mmu/tlb.js';
import type { Grant } from './partition.js';
import type { PidOwner, PidPool } from './pid-pool.js';
import type { Vcpu } from './vcpu.js';

/** What the guest's own TLB says of an address. */
export type GuestTranslation =
  | { readonly kind: 'hit'; readonly entry: number; readonly physical: number }
  | { readonly kind: 'miss' }
  | { readonly kind: 'forbidden' };

const NOBODY = -1;
const PERMISSIONS = 7;
const KEPT_ATTRIBUTES = 0xff80; // U0-U3, W, I, M, G, E
/** Of a device's page, whatever the guest says: neither cached nor accessed ahead of time, and never executed. */
const DEVICE_ATTRIBUTES = word2.I | word2.G;

/**
 * What the real core's TLB holds for a guest: its own entries with guest-physical addresses moved to where the partition
 * really lies, and its supervisor's permissions given as a user's, since all of a guest runs in user mode. User and
 * supervisor pages are kept apart, and each of the guest's PIDs from the others, by real PIDs: neither a change of
 * privilege nor of PID flushes anything. An entry goes when the guest entry that it came from changes, or to make room.
 */
export class ShadowTlb implements PidOwner {
  /** The guest entry that a shadow entry came from. */
  readonly #origin = new Int8Array(TLB_ENTRIES).fill(NOBODY);
  readonly #pids = new Map<number, number>();
  #victim = 0;

  constructor(
    private readonly vcpu: Vcpu,
    private readonly pool: PidPool,
  ) {
    pool.join(this);
  }

  /** The real PID for one of the guest's privilege states and PIDs. */
  pidFor(user: boolean, pid: number): number {
    const key = (user ? 256 : 0) | pid;
    const known = this.#pids.get(key);
    if (known !== undefined) return known;
    const real = this.pool.allocate();
    this.#pids.set(key, real);
    return real;
  }

  /** Ask the guest's own TLB, as its processor would now. */
  translate(address: number, use: Use): GuestTranslation {
    const { msr, pid, tlb } = this.vcpu.machine.system;
    const entry = tlb.find(address, msr & (use === 'execute' ? MSR.IS : MSR.DS) ? 1 : 0, pid);
    if (entry < 0) return { kind: 'miss' };
    if (!tlb.allows(entry, use, this.vcpu.user)) return { kind: 'forbidden' };
    return { kind: 'hit', entry, physical: tlb.real(entry, address) };
  }

  /** Map the page around an address that the guest's entry maps to what was granted; as large as alignment on both sides allows. */
  fill(address: number, entry: number, physical: number, grant: Grant): void {
    const { machine, shadow, user } = this.vcpu;
    const guest = machine.system.tlb;
    const real = grant.physical + (physical - grant.base);
    const pid = this.pidFor(user, machine.system.pid); // first, since it may flush
    const size = this.#largestPage(address, entry, real, physical, grant);
    const permissions = guest.read(entry, 2);
    const allowed = user ? (permissions >>> 3) & PERMISSIONS : permissions & PERMISSIONS;
    const base = (address & -pageBytes(size)) >>> 0;
    const realBase = real - ((address >>> 0) - base);
    const space = guest.read(entry, 0) & word0.TS;
    const victim = this.#takeVictim();
    this.#origin[victim] = entry;
    shadow.tlb.write(victim, 0, base | word0.V | space | (size << 4), pid);
    shadow.tlb.write(victim, 1, (realBase & 0xfffffc00) | Math.floor(realBase / 2 ** 32), 0);
    const attributes = (permissions & KEPT_ATTRIBUTES) | (grant.device ? DEVICE_ATTRIBUTES : 0);
    const rights = (allowed * word2.UR) & (grant.device ? ~word2.UX : -1);
    shadow.tlb.write(victim, 2, attributes | rights, 0);
  }

  /**
   * The SIZE field of the largest page within the guest's page and what was granted that is aligned alike in both memories, and that
   * no entry before it maps a part of: of two that map an address, the guest's processor would take the first.
   */
  #largestPage(address: number, entry: number, real: number, physical: number, grant: Grant): number {
    const { tlb, pid } = this.vcpu.machine.system;
    const guestBytes = tlb.bytes(entry);
    let best = 0;
    for (const field of sizeFields) {
      const bytes = pageBytes(field);
      if (bytes > guestBytes) break;
      const within = address & (bytes - 1);
      const start = physical - within;
      const aligned = (real - within) % bytes === 0;
      const granted = start >= grant.base && start + bytes <= grant.base + grant.size;
      if (aligned && granted && !tlb.sharedBefore(entry, (address & -bytes) >>> 0, bytes, pid)) best = field;
    }
    return best;
  }

  #takeVictim(): number {
    const { shadow } = this.vcpu;
    const free = this.#origin.indexOf(NOBODY);
    const victim = free >= 0 ? free : this.#victim;
    this.#victim = (victim + 1) % TLB_ENTRIES;
    if (shadow.tlb.valid(victim)) this.#drop(victim);
    return victim;
  }

  /** A guest entry changes: what came from it, and what lies where it lies now, is no longer right. */
  guestChanged(entry: number): void {
    const { machine, shadow } = this.vcpu;
    const guest = machine.system.tlb;
    const [from, size] = [guest.base(entry), guest.bytes(entry)];
    for (let i = 0; i < TLB_ENTRIES; i++) {
      if (this.#origin[i] === NOBODY) continue;
      const base = shadow.tlb.base(i);
      const overlaps = base < from + size && from < base + shadow.tlb.bytes(i);
      if (overlaps || this.#origin[i] === entry) this.#drop(i);
    }
  }

  #drop(entry: number): void {
    const { tlb } = this.vcpu.shadow;
    this.vcpu.core.lookaside.invalidate(tlb.base(entry), tlb.bytes(entry));
    tlb.write(entry, 0, 0, 0);
    this.#origin[entry] = NOBODY;
  }

  flush(): void {
    for (let i = 0; i < TLB_ENTRIES; i++) if (this.#origin[i] !== NOBODY) this.#drop(i);
  }

  dropPids(): void {
    this.flush();
    this.#pids.clear();
  }

  /** Every valid entry lies within what was granted to the partition: what a test asks after each exit. */
  get withinGrants(): boolean {
    const { tlb } = this.vcpu.shadow;
    const { grants } = this.vcpu.partition;
    return this.#origin.every((origin, i) => {
      if (origin === NOBODY) return !tlb.valid(i);
      const [start, end] = [tlb.realBase(i), tlb.realBase(i) + tlb.bytes(i)];
      return grants.some(({ physical, size }) => start >= physical && end <= physical + size);
    });
  }
}
