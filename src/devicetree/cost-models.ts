import type { ExitKind } from './bindings/partitions.js';

/** What exits and world switches cost, in cycles of the core; the instruction that is emulated is counted beside it. */
export interface CostModel {
  readonly exits: Readonly<Record<ExitKind, number>>;
  readonly worldSwitch: number;
}

/**
 * The models that `exit-cost-model` names. `unit` is the least there is: every exit takes a cycle, so that instruction counts
 * can be compared. `ppc440` is what handlers for a real 440 take, counted in firmware/cost-model (docs/overhead.md says how).
 */
// prettier-ignore
export const costModels: Readonly<Record<'unit' | 'ppc440', CostModel>> = {
  unit: {
    exits: { 'preempted': 1, 'host-interrupt': 1, 'hypercall': 1, 'emulate': 1, 'device': 1, 'shadow-miss': 1, 'reflect': 1 },
    worldSwitch: 1,
  },
  ppc440: {
    exits: { 'preempted': 60, 'host-interrupt': 60, 'hypercall': 60, 'emulate': 60, 'device': 160, 'shadow-miss': 160, 'reflect': 160 },
    worldSwitch: 160,
  },
};

export type CostModelName = keyof typeof costModels;

/** The names, for the binding. */
export const costModelNames = Object.keys(costModels) as CostModelName[];
