import { MSR } from '../isa/registers.js';
import { pageBytes, sizeFields, TLB_ENTRIES, word0, word1, word2, type Use } from '../mmu/tlb.js';
import type { Grant } from './grants.js';
import type { PidOwner, PidPool } from './pid-pool.js';
import type { Vcpu } from './vcpu.js';

/** What the guest's own TLB says of an address. */
export type GuestTranslation =
  | { readonly kind: 'hit'; readonly entry: number; readonly physical: number }
  | { readonly kind: 'miss' }
  | { readonly kind: 'forbidden' };

const NOBODY = -1;
/** Not from an entry of the guest's: the page that is pinned. */
const PINNED = -2;
/** Which entry holds the pinned page. */
const PIN = 0;
const SIZE_4K = 1;

/** A page of 4 KiB that the guest's supervisor has whatever its own TLB says; addresses are multiples of that. */
export interface PinnedPage {
  readonly address: number;
  /** On the guest's own bus, and on the board. */
  readonly physical: number;
  readonly real: number;
  readonly executable: boolean;
}
const PERMISSIONS = 7;
const USER_SHIFT = 3;
const KEPT_ATTRIBUTES = 0xff80; // U0-U3, W, I, M, G, E
/** Of a device's page, whatever the guest says: neither cached nor accessed ahead of time, and never executed. */
const DEVICE_ATTRIBUTES = word2.I | word2.G;

/** A real PID and what it stands for: a privilege state and one of the guest's PIDs. */
interface Context {
  readonly real: number;
  readonly user: boolean;
  readonly pid: number;
}

/**
 * What the real core's TLB holds for a guest: its own entries with guest-physical addresses moved to where the partition
 * really lies, and its supervisor's permissions given as a user's, since all of a guest runs in user mode. User and
 * supervisor pages are kept apart, and each of the guest's PIDs from the others, by real PIDs: neither a change of
 * privilege nor of PID flushes anything. An entry goes when the guest entry that it came from changes, or to make room.
 */
export class ShadowTlb implements PidOwner {
  /** The guest entry that a shadow entry came from. */
  readonly #origin = new Int8Array(TLB_ENTRIES).fill(NOBODY);
  /** By privilege state and guest PID, `keyOf`; 0 where there is none. */
  readonly #real = new Uint8Array(512);
  #victim = 0;
  #pinned: PinnedPage | undefined;

  constructor(
    private readonly vcpu: Vcpu,
    private readonly pool: PidPool,
  ) {}

  /** The real PID for one of the guest's privilege states and PIDs. */
  pidFor(user: boolean, pid: number): number {
    const key = keyOf(user, pid);
    const known = this.#real[key]!;
    if (known !== 0) {
      this.pool.used(known);
      return known;
    }
    const real = this.pool.allocate(this);
    this.#real[key] = real;
    return real;
  }

  /** Ask the guest's own TLB, as its processor would now. */
  translate(address: number, use: Use): GuestTranslation {
    const { msr, pid, tlb } = this.vcpu.machine.system;
    const pinned = this.#pinned;
    const sameSpace = use !== 'execute' || !(msr & MSR.IS) === !(msr & MSR.DS);
    if (pinned && sameSpace && !this.vcpu.user && ((address ^ pinned.address) & -4096) === 0) {
      if (use === 'execute' && !pinned.executable) return { kind: 'forbidden' };
      return { kind: 'hit', entry: PINNED, physical: pinned.physical + (address & 0xfff) };
    }
    const entry = tlb.find(address, msr & (use === 'execute' ? MSR.IS : MSR.DS) ? 1 : 0, pid);
    if (entry < 0) return { kind: 'miss' };
    if (!tlb.allows(entry, use, this.vcpu.user)) return { kind: 'forbidden' };
    return { kind: 'hit', entry, physical: tlb.real(entry, address) };
  }

  /** Fill the page of an address ahead of the miss, if the guest may use it like this, and it is not there yet. */
  foresee(address: number, use: Use): void {
    const { machine, shadow, user } = this.vcpu;
    const guest = this.translate(address, use);
    if (guest.kind !== 'hit' || guest.entry === PINNED) return;
    const grant = this.vcpu.partition.grant(guest.physical);
    const { msr, pid } = machine.system;
    const space = msr & (use === 'execute' ? MSR.IS : MSR.DS) ? 1 : 0;
    if (!grant || shadow.tlb.find(address, space, this.pidFor(user, pid)) >= 0) return;
    this.fill(address, guest.entry, guest.physical, grant);
    this.vcpu.account.shadow.foreseen += 1;
  }

  /** Map the page around an address that the guest's entry maps to what was granted; as large as alignment on both sides allows. */
  fill(address: number, entry: number, physical: number, grant: Grant): void {
    if (entry === PINNED) return; // `showPinned` maps it
    const { machine, shadow, user } = this.vcpu;
    const guest = machine.system.tlb;
    const real = grant.physical + (physical - grant.base);
    const pid = this.pidFor(user, machine.system.pid); // first, since it may take an entry away
    const size = this.#largestPage(address, entry, real, physical, grant);
    const permissions = guest.read(entry, 2);

    const base = (address & -pageBytes(size)) >>> 0;
    const realBase = real - ((address >>> 0) - base);
    const space = guest.read(entry, 0) & word0.TS;
    const victim = this.#takeVictim();
    this.#origin[victim] = entry;
    this.vcpu.account.shadow.fills += 1;
    shadow.tlb.write(victim, 0, base | word0.V | space | (size << 4), pid);
    shadow.tlb.write(victim, 1, (realBase & 0xfffffc00) | Math.floor(realBase / 2 ** 32), 0);
    const attributes = (permissions & KEPT_ATTRIBUTES) | (grant.device ? DEVICE_ATTRIBUTES : 0);
    shadow.tlb.write(victim, 2, attributes | rightsIn(grant, user, permissions), 0);
  }

  /**
   * The SIZE field of the largest page within the guest's page and what was granted that is aligned alike in both memories,
   * and that no entry before it maps a part of: of two that map an address, the guest's processor would take the first. The
   * pinned page comes before all.
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
      const base = (address & -bytes) >>> 0;
      if (aligned && granted && !tlb.sharedBefore(entry, base, bytes, pid) && !this.#hidesPinned(base, bytes))
        best = field;
    }
    return best;
  }

  #hidesPinned(base: number, bytes: number): boolean {
    const page = this.#pinned;
    return page !== undefined && !this.vcpu.user && page.address >= base && page.address < base + bytes;
  }

  /** Pin a page in place of any before, or none. */
  pin(page: PinnedPage | undefined): void {
    this.#pinned = page;
    this.#drop(PIN);
    if (!page) return;
    for (let i = 0; i < TLB_ENTRIES; i++)
      if (this.#origin[i]! >= 0 && this.#overlaps(i, page.address, 4096)) this.#drop(i);
  }

  /** The pinned page of a state that is brought back: its entry is among the others. */
  keepPin(page: PinnedPage | undefined): void {
    this.#pinned = page;
  }

  /** What is known of the entries, which are the shadow's own. */
  save() {
    return { origin: [...this.#origin], real: [...this.#real], victim: this.#victim };
  }

  restore({ origin, real, victim }: ReturnType<ShadowTlb['save']>): void {
    this.#origin.set(origin);
    this.#real.set(real);
    this.#victim = victim;
  }

  /** Have the pinned page, if there is one, where the supervisor sees it that is about to run under a real PID. */
  showPinned(pid: number): void {
    const page = this.#pinned;
    if (!page) return;
    const { machine, shadow, core } = this.vcpu;
    const first = page.address | word0.V | (machine.system.msr & MSR.DS ? word0.TS : 0) | (SIZE_4K << 4);
    if (shadow.tlb.read(PIN, 0) === first && shadow.tlb.tid(PIN) === pid) return;
    core.lookaside.invalidate(page.address, 4096);
    shadow.tlb.write(PIN, 0, first, pid);
    shadow.tlb.write(PIN, 1, (page.real & word1.RPN) | Math.floor(page.real / 2 ** 32), 0);
    shadow.tlb.write(PIN, 2, word2.UR | word2.UW | (page.executable ? word2.UX : 0), 0);
  }

  #overlaps(entry: number, from: number, size: number): boolean {
    const first = this.vcpu.shadow.tlb.words[4 * entry]!; // once: a guest's TLB writes ask for all entries
    const bytes = pageBytes((first & word0.SIZE) >>> 4);
    const base = (first & word0.EPN & -bytes) >>> 0;
    return base < from + size && from < base + bytes;
  }

  #takeVictim(): number {
    const free = this.#origin.indexOf(NOBODY);
    if (this.#origin[this.#victim] === PINNED) this.#victim = (this.#victim + 1) % TLB_ENTRIES;
    const victim = free >= 0 ? free : this.#victim;
    this.#victim = (victim + 1) % TLB_ENTRIES;
    if (free < 0) {
      this.#drop(victim);
      this.vcpu.account.shadow.evictions += 1;
    }
    return victim;
  }

  /** A guest entry changes: what came from it, and what lies where it lies now, is no longer right. */
  guestChanged(entry: number): void {
    const guest = this.vcpu.machine.system.tlb;
    const from = guest.base(entry);
    const size = guest.bytes(entry);
    const origins = this.#origin;
    for (let i = 0; i < TLB_ENTRIES; i++) {
      if (origins[i]! < 0 || (origins[i] !== entry && !this.#overlaps(i, from, size))) continue;
      this.#drop(i);
      this.vcpu.account.shadow.invalidations += 1;
    }
  }

  #drop(entry: number): void {
    const { tlb } = this.vcpu.shadow;
    this.vcpu.core.lookaside.invalidate(tlb.base(entry), tlb.bytes(entry));
    tlb.write(entry, 0, 0, 0);
    this.#origin[entry] = entry === PIN && this.#pinned ? PINNED : NOBODY;
  }

  flush(): void {
    for (let i = 0; i < TLB_ENTRIES; i++) if (this.#origin[i] !== NOBODY) this.#drop(i);
  }

  /** The pool takes a PID back: what was mapped for it goes. */
  dropPid(real: number): void {
    const { tlb } = this.vcpu.shadow;
    for (let i = 0; i < TLB_ENTRIES; i++) if (this.#origin[i] !== NOBODY && tlb.tid(i) === real) this.#drop(i);
    this.#real[this.#real.indexOf(real)] = 0;
    this.vcpu.account.shadow.pidsReclaimed += 1;
  }

  /** Does this real PID stand for one of the guest's contexts now? */
  holds(real: number): boolean {
    return this.#contextOf(real) !== undefined;
  }

  /** Every valid entry lies within what was granted to the partition: what a test asks after each exit. */
  get withinGrants(): boolean {
    const { tlb } = this.vcpu.shadow;
    const { grants } = this.vcpu.partition;
    return this.#origin.every((origin, i) => {
      if (origin < 0 && !tlb.valid(i)) return true;
      if (origin === NOBODY) return false;
      const [start, end] = [tlb.realBase(i), tlb.realBase(i) + tlb.bytes(i)];
      return grants.some(({ physical, size }) => start >= physical && end <= physical + size);
    });
  }

  /**
   * Every valid entry says what the guest's own TLB says of all its addresses, in the context that its real PID stands for:
   * the same place, and no more rights. Stronger than `withinGrants`, and as much a matter of tests.
   */
  get agreesWithGuest(): boolean {
    return this.#origin.every((origin, i) => {
      if (origin === PINNED) return this.#agreesWithPin();
      return origin === NOBODY || this.#agrees(i, origin);
    });
  }

  #agrees(i: number, origin: number): boolean {
    const { machine, partition, shadow } = this.vcpu;
    const guest = machine.system.tlb;
    const context = this.#contextOf(shadow.tlb.tid(i));
    if (!context) return false;
    const space = guest.read(origin, 0) & word0.TS;
    if (!guest.valid(origin) || (shadow.tlb.read(i, 0) & word0.TS) !== space) return false;
    const [base, bytes] = [shadow.tlb.base(i), shadow.tlb.bytes(i)];
    const last = base + bytes - 1;
    const finds = (address: number): boolean => guest.find(address, space ? 1 : 0, context.pid) === origin;
    if (!finds(base) || !finds(last) || guest.sharedBefore(origin, base, bytes, context.pid)) return false;
    const grant = partition.grant(guest.real(origin, base));
    if (!grant || partition.grant(guest.real(origin, last)) !== grant) return false;
    if (shadow.tlb.realBase(i) !== grant.physical + (guest.real(origin, base) - grant.base)) return false;
    const rights = shadow.tlb.read(i, 2) & ~KEPT_ATTRIBUTES;
    return rights === rightsIn(grant, context.user, guest.read(origin, 2));
  }

  /** The pinned page is shown to the supervisor alone, or not at all yet. */
  #agreesWithPin(): boolean {
    const { tlb } = this.vcpu.shadow;
    if (!tlb.valid(PIN)) return true;
    const page = this.#pinned;
    const context = this.#contextOf(tlb.tid(PIN));
    if (!page || !context || context.user || tlb.bytes(PIN) !== 4096) return false;
    return tlb.base(PIN) === page.address && tlb.realBase(PIN) === page.real;
  }

  #contextOf(real: number): Context | undefined {
    const key = real === 0 ? -1 : this.#real.indexOf(real);
    return key < 0 ? undefined : { real, user: key >= 256, pid: key & 255 };
  }
}

const keyOf = (user: boolean, pid: number): number => (user ? 256 : 0) | pid;

/**
 * Word 2's permissions for the real core: those of one of the guest's privilege states as a user's. No device is executed,
 * and nothing stored where memory is only read.
 */
function rightsIn(grant: Grant, user: boolean, permissions: number): number {
  const allowed = (user ? permissions >>> USER_SHIFT : permissions) & PERMISSIONS;
  return (allowed * word2.UR) & (grant.device ? ~word2.UX : -1) & (grant.readOnly ? ~word2.UW : -1);
}
