import type { ExitKind } from './bindings/partitions.js';

/** What exits and world switches cost, in cycles of the core; the instruction that is emulated is counted beside it. */
export interface CostModel {
  readonly exits: Readonly<Record<ExitKind, number>>;
  readonly worldSwitch: number;
  /** Each further instruction that is emulated in the same exit. */
  readonly runAhead: number;
}

/** A handler's way on a real 440. */
export interface HandlerPath {
  /** Instructions from the exit to the guest's next instruction, and the interrupt's delivery, counted as one. */
  readonly instructions: number;
  /** How often fetched instructions are discarded: at the interrupt, at rfi, at each isync. */
  readonly refetches: number;
}

/**
 * Cycles until the first instruction behind a context synchronization has got as far as the one before it: the stages of the
 * 440's pipeline (PPC440x5 User's Manual, "PowerPC 440 Core Overview": seven).
 */
export const REFETCH_CYCLES = 7;

/**
 * Counted in firmware/cost-model, whose handlers are written for this; `emulate` and `reflect` are means over the boot of Linux
 * (docs/overhead.md has each of them, and how they are weighted).
 */
// prettier-ignore
export const handlerPaths: Readonly<Record<ExitKind | 'world-switch' | 'run-ahead', HandlerPath>> = {
  'preempted':      { instructions: 54,  refetches: 2 },
  'host-interrupt': { instructions: 41,  refetches: 2 },
  'hypercall':      { instructions: 157, refetches: 2 },
  'emulate':        { instructions: 66,  refetches: 4 },
  'device':         { instructions: 238, refetches: 4 },
  'shadow-miss':    { instructions: 236, refetches: 2 },
  'reflect':        { instructions: 318, refetches: 2 },
  'world-switch':   { instructions: 85,  refetches: 0 },
  'run-ahead':      { instructions: 38,  refetches: 2 }, // `emulate` without saving and restoring, and the look at what comes
};

const cyclesOf = (kind: keyof typeof handlerPaths): number =>
  handlerPaths[kind].instructions + handlerPaths[kind].refetches * REFETCH_CYCLES;

/**
 * The models that `exit-cost-model` names. `unit` is the least there is: every exit takes a cycle, so that instruction counts
 * can be compared. `ppc440` is what the handlers take on a real 440.
 */
// prettier-ignore
export const costModels = {
  unit: {
    exits: { 'preempted': 1, 'host-interrupt': 1, 'hypercall': 1, 'emulate': 1, 'device': 1, 'shadow-miss': 1, 'reflect': 1 },
    worldSwitch: 1,
    runAhead: 1,
  },
  ppc440: {
    exits: {
      'preempted': cyclesOf('preempted'), 'host-interrupt': cyclesOf('host-interrupt'), 'hypercall': cyclesOf('hypercall'),
      'emulate': cyclesOf('emulate'), 'device': cyclesOf('device'), 'shadow-miss': cyclesOf('shadow-miss'),
      'reflect': cyclesOf('reflect'),
    },
    worldSwitch: cyclesOf('world-switch'),
    runAhead: cyclesOf('run-ahead'),
  },
} as const satisfies Readonly<Record<string, CostModel>>;

export type CostModelName = keyof typeof costModels;

export const isCostModel = (name: string): name is CostModelName => Object.hasOwn(costModels, name);
