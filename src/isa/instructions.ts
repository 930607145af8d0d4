import { branch } from './branch.js';
import { fixedPoint } from './fixed-point.js';
import { loadStore } from './load-store.js';
import { multiplyAccumulate } from './multiply-accumulate.js';
import type { Instruction } from './spec.js';
import { system } from './system.js';

/** Every instruction of the 440, in the order of the chapters. */
export const instructions: readonly Instruction[] = [
  ...fixedPoint,
  ...loadStore,
  ...branch,
  ...multiplyAccumulate,
  ...system,
];
