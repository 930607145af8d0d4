// The costs of exits are what handlers take, and those are counted.

import { expect, test } from 'vitest';
import { handlerPaths } from '../../src/devicetree/cost-models.js';
import { inRoot } from '../cli/child.js';
import { cli } from '../tools.js';

/** How often Linux's boot has each, from docs/overhead.md: what the means are weighted by. */
const emulated: Readonly<Record<string, number>> = {
  mfmsr: 13_443,
  mtmsr: 273,
  wrtee: 13_164,
  wrteei: 17_190,
  'mtspr SPRG0': 11_000,
  'mfspr SPRG0': 11_000,
  'mtspr PID': 27,
  'tlbwe word 1': 3550,
  'tlbwe word 0': 888,
  'tlbwe word 0, shadowed': 888,
  rfi: 1661,
};
const reflected: Readonly<Record<string, number>> = { 'data TLB miss': 1369, 'system call': 284 };

test('the cost model has the cycles that firmware/cost-model counts', async () => {
  const { status, stdout } = await cli([
    'run',
    '--bare',
    inRoot('firmware', 'cost-model', 'cost-model.elf'),
    '--headless',
  ]);
  expect(status).toBe(0);
  expect(stdout).toContain('all handlers did what they should');
  const lines = [...stdout.matchAll(/^(.+) (\d+)\r?$/gm)].map((m) => [m[1]!, Number(m[2])] as const);
  const counted = Object.fromEntries(lines);
  const mean = (prefix: string, weights: Readonly<Record<string, number>>): number => {
    const all = Object.entries(weights);
    const total = all.reduce((sum, [name, weight]) => sum + counted[`${prefix} ${name}`]! * weight, 0);
    return Math.round(total / all.reduce((sum, [, weight]) => sum + weight, 0));
  };
  // A system call that is answered runs no instruction of the guest's, where `emulate` is beside that which it emulates
  const found = {
    preempted: counted['preempted'],
    'host-interrupt': counted['host-interrupt'],
    hypercall: counted['hypercall send 16']! + 1,
    emulate: mean('emulate', emulated),
    device: (counted['device read LSR']! + counted['device write THR']!) / 2,
    'shadow-miss': counted['shadow-miss'],
    reflect: mean('reflect', reflected),
    'world-switch': counted['preempted, world switch']! - counted['preempted']!,
  };
  for (const [kind, instructions] of Object.entries(found))
    expect({ kind, instructions }).toEqual({
      kind,
      instructions: handlerPaths[kind as keyof typeof handlerPaths].instructions,
    });
});
