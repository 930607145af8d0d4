import { HV440, type Binding, type Properties, type PropertySpec } from './binding.js';
import { common } from './standard.js';

/** Why a guest leaves the core for the hypervisor; each kind can be given its own cost. */
export const exitKinds = [
  'preempted',
  'host-interrupt',
  'hypercall',
  'emulate',
  'device',
  'shadow-miss',
  'reflect',
] as const;
export type ExitKind = (typeof exitKinds)[number];

const cost = {
  type: 'cell',
  min: 1,
  max: 0xffffffff,
  source: HV440,
  example: '<200>',
} as const;

const kindCosts: Properties = Object.fromEntries(
  exitKinds.map((kind): [string, PropertySpec] => [
    `exit-cycles-${kind}`,
    { ...cost, otherwise: '`exit-cycles`', meaning: `The same for an exit of the kind \`${kind}\`.` },
  ]),
);

/** The node that holds all partitions, and how they share the core. */
export const partitions = {
  title: 'partitions',
  place: 'root',
  compatible: ['hv440,partitions'],
  closed: true,
  meaning:
    'Stands at `/partitions`. Each child is a partition, run in turns with the others. Time is counted in cycles of the core.',
  properties: {
    compatible: {
      type: 'strings',
      required: true,
      meaning: 'Always `hv440,partitions`.',
      source: HV440,
      example: '"hv440,partitions"',
    },
    quantum: {
      type: 'cell',
      min: 1000,
      max: 0xffffffff,
      default: 100_000,
      meaning: 'Cycles that a partition may have before it is the turn of the next.',
      source: HV440,
      example: '<100000>',
    },
    'exit-cost-model': {
      type: 'string',
      values: ['unit', 'ppc440'],
      default: 'unit',
      meaning:
        'What exits, world switches and running ahead cost where the properties below do not say it: `unit`, one cycle each; `ppc440`, what handlers take on a real 440, which differs by kind (see overhead.md).',
      source: HV440,
      example: '"ppc440"',
    },
    'exit-cycles': {
      ...cost,
      otherwise: 'as `exit-cost-model` has it',
      meaning: 'Cycles that any exit from a guest into the hypervisor costs; charged to the guest that caused it.',
    },
    'run-ahead': {
      type: 'cell',
      min: 0,
      max: 1024,
      default: 64,
      meaning:
        'How many instructions are emulated at most in one exit beside the one that caused it. It goes on while the next one is privileged too, or a privileged one follows within a few that touch registers and memory alone. 0 gives each its own exit.',
      source: HV440,
      example: '<0>',
    },
    'run-ahead-cycles': {
      ...cost,
      otherwise: 'as `exit-cost-model` has it',
      meaning: 'Cycles that each of these further instructions costs, beside its own.',
      example: '<40>',
    },
    'world-switch-cycles': {
      ...cost,
      otherwise: 'as `exit-cost-model` has it',
      meaning: 'Cycles that it costs to give the core to another partition.',
    },
    '#address-cells': {
      type: 'cell',
      min: 0,
      max: 2,
      default: 2,
      meaning: 'Allowed for the sake of tools; partitions have no addresses.',
      source: HV440,
      example: '<1>',
    },
    '#size-cells': {
      type: 'cell',
      min: 0,
      max: 2,
      default: 1,
      meaning: 'Allowed for the sake of tools; partitions have no addresses.',
      source: HV440,
      example: '<0>',
    },
    ...common,
    ...kindCosts,
  },
  example: `partitions: partitions {
	compatible = "hv440,partitions";
	quantum = <50000>;
	exit-cycles = <200>;
	exit-cycles-hypercall = <120>;
};`,
} as const satisfies Binding;
