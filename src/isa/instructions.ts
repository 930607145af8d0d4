import { branch } from './branch.js';
import { fixedPoint } from './fixed-point.js';
import { floatingPoint, integerSelect } from './floating-point.js';
import { loadStore } from './load-store.js';
import { multiplyAccumulate } from './multiply-accumulate.js';
import type { Feature, Instruction } from './spec.js';
import { system } from './system.js';

/** Every instruction of the 440, in the order of the chapters. */
export const instructions: readonly Instruction[] = [
  ...fixedPoint,
  ...loadStore,
  ...branch,
  ...multiplyAccumulate,
  ...system,
];

/** What only some processors have. */
export const optional: readonly Instruction[] = [...floatingPoint, ...integerSelect];

/** Every instruction of a 440 with these features. */
export function instructionsOf(features: ReadonlySet<Feature>): readonly Instruction[] {
  const chosen = optional.filter(({ requires }) => requires === undefined || features.has(requires));
  return chosen.length === 0 ? instructions : [...instructions, ...chosen];
}
