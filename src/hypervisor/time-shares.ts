import type { Clock } from '../bus/clock.js';
import type { Vcpu } from './vcpu.js';

/** What a vcpu does while another has the core, or nobody. */
export type Standing = 'has-core' | 'idle' | 'ready' | 'stopped';

/**
 * Accounts for the time in which vcpus have not the core. What each does is looked at when the core changes hands; with the
 * cycles that the core was theirs, every vcpu's shares then add up to the clock.
 */
export class TimeShares {
  /** Cycles in which nobody could use the core. */
  idleCycles = 0;
  /** Hears who has the core from now on, and what each vcpu does. */
  onOwner: ((owner: Vcpu | undefined, standings: readonly Standing[]) => void) | undefined;
  /** The cycle from which on is counted. */
  origin: number;
  #since: number;
  #standings: Standing[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly vcpus: readonly Vcpu[],
  ) {
    this.origin = clock.now;
    this.#since = clock.now;
  }

  /** From now on this one has the core; undefined: nobody. */
  give(owner: Vcpu | undefined): void {
    this.settle();
    this.#standings = this.vcpus.map((vcpu) => standingOf(vcpu, owner));
    this.onOwner?.(owner, this.#standings);
  }

  /** Count up to the present cycle. */
  settle(): void {
    const passed = this.clock.now - this.#since;
    this.#since = this.clock.now;
    if (passed === 0) return;
    this.vcpus.forEach(({ account }, i) => {
      const standing = this.#standings[i];
      if (standing === 'idle') account.idleCycles += passed;
      else if (standing === 'ready') account.readyCycles += passed;
      else if (standing !== 'has-core') account.stoppedCycles += passed;
    });
    if (!this.#standings.includes('has-core')) this.idleCycles += passed;
  }

  save() {
    return { idleCycles: this.idleCycles, origin: this.origin, since: this.#since, standings: [...this.#standings] };
  }

  restore({ idleCycles, origin, since, standings }: ReturnType<TimeShares['save']>): void {
    this.idleCycles = idleCycles;
    this.origin = origin;
    this.#since = since;
    this.#standings = [...standings];
  }

  /** Start counting anew. */
  reset(): void {
    this.idleCycles = 0;
    this.origin = this.clock.now;
    this.#since = this.clock.now;
  }
}

function standingOf(vcpu: Vcpu, owner: Vcpu | undefined): Standing {
  if (vcpu === owner) return 'has-core';
  if (!vcpu.partition.running) return 'stopped';
  return vcpu.runnable ? 'ready' : 'idle';
}
