import { describeEnding } from '../board/machine.js';
import type { FaultReport } from './fault-report.js';
import type { Partition } from './partition.js';
import type { Vcpu } from './vcpu.js';

/** Where announcements go. */
export interface Announcements {
  /** A line without its end. */
  log(line: string): void;
  /** A partition died, or faults in a loop: why, as far as that can be seen. */
  fault?(report: FaultReport): void;
  explain(vcpu: Vcpu): FaultReport | undefined;
}

/** Says of every partition once that it has ended, that it faults in a loop, or that it has been started after all. */
export class Announcer {
  readonly #announced = new Set<Partition>();
  readonly #looping = new Set<Vcpu>();

  constructor(
    private readonly partitions: readonly Partition[],
    private readonly to: Announcements,
  ) {}

  /** That it does not run is known, and the next to be told is that it does; or the other way round. */
  known(partition: Partition, waits: boolean): void {
    if (waits) this.#announced.add(partition);
    else this.#announced.delete(partition);
  }

  look(): void {
    for (const partition of this.partitions) {
      const { ending, running, name } = partition;
      for (const vcpu of partition.vcpus) this.#lookForLoop(vcpu);
      if (ending && !this.#announced.has(partition)) {
        this.#announced.add(partition);
        this.to.log(`partition '${name}' ${describeEnding(ending)}`);
        this.#explain(partition.vcpus[0]);
      } else if (running && this.#announced.delete(partition)) {
        this.to.log(`partition '${name}' was started`);
      }
    }
  }

  /** It goes on, since only its memory could tell whether it will ever be otherwise. */
  #lookForLoop(vcpu: Vcpu): void {
    if (!vcpu.repeats) this.#looping.delete(vcpu); // it may have started anew
    if (!vcpu.repeats || this.#looping.has(vcpu)) return;
    this.#looping.add(vcpu);
    this.to.log(`partition '${vcpu.partition.name}' faults in a loop: the same fault, again and again`);
    this.#explain(vcpu);
  }

  #explain(vcpu: Vcpu | undefined): void {
    const report = vcpu && this.to.explain(vcpu);
    if (report) this.to.fault?.(report);
  }

  save() {
    return {
      announced: this.partitions.map((partition) => this.#announced.has(partition)),
      looping: this.partitions.map(({ vcpus }) => vcpus.map((vcpu) => this.#looping.has(vcpu))),
    };
  }

  restore({ announced, looping }: ReturnType<Announcer['save']>): void {
    this.#announced.clear();
    this.#looping.clear();
    for (const [i, partition] of this.partitions.entries()) {
      if (announced[i]) this.#announced.add(partition);
      for (const [j, vcpu] of partition.vcpus.entries()) if (looping[i]?.[j]) this.#looping.add(vcpu);
    }
  }
}
