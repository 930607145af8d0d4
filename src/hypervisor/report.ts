import type { ExitKind } from '../devicetree/bindings/partitions.js';
import type { ExitAccount, KindTally, ShadowCounts } from './accounting.js';
import { detailName, isGuestMiss } from './exit-detail.js';
import type { Hypervisor } from './hypervisor.js';
import type { Vcpu } from './vcpu.js';

/** How often something happened, for how many cycles in all, and how often in a million of the guest's instructions. */
export interface Count {
  readonly count: number;
  readonly cycles: number;
  readonly perMillion: number;
}

/** Exits of one kind, from the guest's last instruction until it may run again; the emulated instruction included. */
export interface KindReport extends Count {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  /** By instruction and register, device register, hypercall or trap; the most frequent first. */
  readonly details: readonly (Count & { readonly name: string })[];
}

/** What a vcpu did with the time; the five parts add up to the cycles that were counted. */
export interface VcpuTime {
  /** Its own instructions ran on the core. */
  readonly guest: number;
  /** The hypervisor worked for it: exits, interrupts injected, world switches. */
  readonly hypervisor: number;
  /** It waited for an interrupt. */
  readonly idle: number;
  /** It could have run, but another had the core. */
  readonly ready: number;
  /** Its partition was not running. */
  readonly stopped: number;
}

export interface VcpuReport {
  readonly index: number;
  /** Retired by itself or emulated for it. */
  readonly instructions: number;
  /** Cycles in which the core was its own: `guest` and `hypervisor` together. */
  readonly cycles: number;
  /** Per cent of the core that are guaranteed to it. */
  readonly guarantee?: number;
  readonly time: VcpuTime;
  readonly exitCount: number;
  readonly exitsPerMillion: number;
  readonly exits: Readonly<Partial<Record<ExitKind, KindReport>>>;
  /** Instructions that were emulated in exits that others had caused, one after another; `?` are those that are not privileged. */
  readonly ahead: Count & { readonly details: readonly (Count & { readonly name: string })[] };
  /** TLB misses of the guest's own, which are reflected to it. */
  readonly guestMisses: number;
  /** Pages that the guest's TLB has and its shadow had not. */
  readonly shadowMisses: number;
  /** Other things that happened to its shadow. */
  readonly shadow: ShadowCounts;
  /** Interrupts that it was sent, by kind. */
  readonly injected: Readonly<Record<string, number>>;
  readonly worldSwitches: { readonly count: number; readonly cycles: number };
}

export interface PartitionReport {
  readonly name: string;
  readonly state: string;
  readonly restarts: number;
  readonly vcpus: readonly VcpuReport[];
}

/** What the core did; the three parts of `time` add up to `cycles`. */
export interface MachineReport {
  readonly instructions: number;
  /** From the cycle at which counting began (0, or `stats reset`) until now. */
  readonly cycles: number;
  readonly time: { readonly guest: number; readonly hypervisor: number; readonly idle: number };
  readonly partitions: readonly PartitionReport[];
}

/** So many in a million instructions; 0 where there were none. */
export const perMillion = (count: number, instructions: number): number =>
  instructions === 0 ? 0 : (count * 1e6) / instructions;

/** Everything that is counted of a hypervisor's guests, with names. */
export function report(hypervisor: Hypervisor): MachineReport {
  const { timeShares, clock } = hypervisor;
  timeShares.settle();
  const accounts = hypervisor.partitions.flatMap((p) => p.vcpus.map((v) => v.account));
  const sum = (of: (account: ExitAccount) => number): number => accounts.reduce((all, a) => all + of(a), 0);
  return {
    instructions: sum((a) => a.retired),
    cycles: clock.now - timeShares.origin,
    time: {
      guest: sum((a) => a.guestCycles),
      hypervisor: sum((a) => a.cycles - a.guestCycles),
      idle: timeShares.idleCycles,
    },
    partitions: hypervisor.partitions.map((p) => ({
      name: p.name,
      state: p.state,
      restarts: p.restarts,
      vcpus: p.vcpus.map(vcpuReport),
    })),
  };
}

function vcpuReport(vcpu: Vcpu): VcpuReport {
  const { account, index, guarantee } = vcpu;
  const { retired, exits, cycles, guestCycles } = account;
  const exitCount = exits.reduce((sum, e) => sum + e.count, 0);
  return {
    index,
    instructions: retired,
    cycles,
    ...(guarantee !== undefined && { guarantee }),
    time: {
      guest: guestCycles,
      hypervisor: cycles - guestCycles,
      idle: account.idleCycles,
      ready: account.readyCycles,
      stopped: account.stoppedCycles,
    },
    exitCount,
    exitsPerMillion: perMillion(exitCount, retired),
    exits: Object.fromEntries(exits.map((e) => [e.kind, kindReport(e, vcpu)])),
    ahead: aheadReport(vcpu),
    guestMisses: account.injections.filter((i) => isGuestMiss(i.kind)).reduce((sum, i) => sum + i.count, 0),
    shadowMisses: exits.find((e) => e.kind === 'shadow-miss')?.count ?? 0,
    shadow: { ...account.shadow },
    injected: Object.fromEntries(account.injections.map(({ kind, count }) => [kind, count])),
    worldSwitches: { count: account.worldSwitches, cycles: account.worldSwitchCycles },
  };
}

function kindReport({ count, cycles, least, most, details }: KindTally, vcpu: Vcpu): KindReport {
  const { retired } = vcpu.account;
  return {
    count,
    cycles,
    perMillion: perMillion(count, retired),
    min: least,
    mean: cycles / count,
    max: most,
    details: detailReports(details, vcpu),
  };
}

function aheadReport(vcpu: Vcpu): VcpuReport['ahead'] {
  const { ahead, retired } = vcpu.account;
  const { count, cycles, details } = ahead;
  return { count, cycles, perMillion: perMillion(count, retired), details: detailReports(details, vcpu) };
}

const detailReports = (details: KindTally['details'], vcpu: Vcpu): KindReport['details'] =>
  details.map(({ detail, count, cycles }) => ({
    name: detailName(detail, vcpu),
    count,
    cycles,
    perMillion: perMillion(count, vcpu.account.retired),
  }));
