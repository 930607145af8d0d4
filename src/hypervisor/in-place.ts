import { E, Emulation, NOWHERE, type Emulated } from '../cpu/emulation.js';
import { MSR } from '../isa/registers.js';
import { instructionDetail } from './exit-detail.js';
import { aheadDetail } from './run-ahead.js';
import type { Costs } from './run.js';
import type { Vcpu } from './vcpu.js';

/** Of the real MSR the guest's own: what its instructions, and the bus errors of a device that was passed through, go by. */
export const KEPT_MSR = MSR.IS | MSR.DS | MSR.FP | MSR.FE0 | MSR.FE1 | MSR.ME;

/** What the real MSR has whatever the guest's is. */
export const FORCED_MSR = MSR.PR | MSR.EE | MSR.CE;

/** What an exit may cost that an engine counts, in cycles. */
const MOST_CYCLES = 2 ** 24;

/**
 * Exits that the engine deals with where the guest stands, as `run.ts` would: privileged instructions that do nothing but
 * read or write the guest's own registers. They cost and count the same; only the time is saved that it takes to leave
 * generated code and come back.
 */
export class InPlace {
  /** What the core has while the guest is on it. */
  readonly emulation: Emulation;

  constructor(private readonly vcpu: Vcpu) {
    const { core, machine } = vcpu;
    this.emulation = new Emulation(core.memory, machine, (emulated) => this.#charge(emulated));
    const { words } = this.emulation;
    words[E.FORCED] = FORCED_MSR;
    words[E.KEPT] = KEPT_MSR;
  }

  /** The guest is about to have the core. Whoever looks at each exit, or at what lies between two, has them all to himself. */
  begin(costs: Costs, isWatched: boolean): void {
    const { machine, witness, timeline, magicPage, awaited } = this.vcpu;
    const isDear = costs.exitCycles('emulate') > MOST_CYCLES || costs.runAheadCycles > MOST_CYCLES;
    const isAllowed = !isWatched && !witness && !timeline && !magicPage && !machine.watchesData && !isDear;
    const { words } = this.emulation;
    words[E.ALLOWED] = isAllowed ? 1 : 0;
    words[E.STOPPED] = 0;
    words[E.EXIT_CYCLES] = costs.exitCycles('emulate');
    words[E.AHEAD_CYCLES] = costs.runAheadCycles;
    words[E.AHEAD_MOST] = costs.runAhead;
    words[E.AWAITED] = awaited?.pc ?? NOWHERE;
  }

  /** The guest has left the core: whether it is amid an exit, or at its end. */
  end(): boolean {
    const { vcpu } = this;
    if (!this.emulation.stopped) return false;
    const { words } = this.emulation;
    vcpu.aheadLeft = words[E.LEFT]!;
    vcpu.ahead = words[E.AHEAD]!;
    return true;
  }

  #charge({ word, pc, cycle, ahead }: Emulated): void {
    const { account, machine, recent } = this.vcpu;
    const { words } = this.emulation;
    const cycles = (ahead ? words[E.AHEAD_CYCLES]! : words[E.EXIT_CYCLES]!) + 1;
    account.guestCycles -= cycles; // those that it had the core for have them too
    machine.retired += 1;
    this.vcpu.fruitless = 0;
    if (ahead) return account.chargeAhead(aheadDetail(word), cycles);
    this.vcpu.stoppedBehindCall = false;
    const detail = instructionDetail(word);
    recent.record('emulate', detail, pc, cycle);
    account.charge('emulate', detail, cycles);
  }
}
