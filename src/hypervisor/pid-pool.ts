/** Whoever holds real PIDs lets go of all of them when the pool has run dry. */
export interface PidOwner {
  dropPids(): void;
}

/**
 * The real core's PIDs 1 to 255. Each stands for a vcpu, one of its privilege states and one of its own PIDs; 0 stays
 * unused, since entries of PID 0 would match for everybody. When all are given away, everybody starts anew.
 */
export class PidPool {
  readonly #owners = new Set<PidOwner>();
  #next = 1;

  join(owner: PidOwner): void {
    this.#owners.add(owner);
  }

  allocate(): number {
    if (this.#next > 255) {
      for (const owner of this.#owners) owner.dropPids();
      this.#next = 1;
    }
    return this.#next++;
  }
}
