import { mayRepeat, operandsOf, type Effect, type Lowered } from './effects.js';
import { Places } from './places.js';
import { PLACE, type Value } from './value.js';

const conditionField = (field: number): Places => Places.of(PLACE.CR + field);

/** What generated code has to know of an instruction's places: see `Lowered`. */
export function placesOf(effects: readonly Effect[]): Pick<Lowered, 'changes' | 'needs' | 'needsAll' | 'refuses'> {
  let [changes, needs, needsAll, refuses] = [Places.none, Places.none, false, false];
  const look = ({ op, n, a, b, c }: Value): void => {
    if (op === 'place') needs = needs.plus(n);
    else if (op === 'crbit') needs = needs.plus(PLACE.CR + (n >> 2));
    else if (op === 'crfield') needs = needs.plus(PLACE.CR + n);
    else if (op === 'cr') needsAll = true;
    if (a) look(a);
    if (b) look(b);
    if (c) look(c);
  };
  for (const effect of effects) {
    for (const operand of operandsOf(effect)) look(operand);
    if (effect.kind === 'bit') needs = needs.with(conditionField(effect.bit >> 2));
    if (effect.kind === 'storeMultiple') needs = needs.with(Places.from(effect.first));
    changes = changes.with(changedBy(effect));
    refuses ||= refusals.has(effect.kind) || (effect.kind === 'branch' && mayRepeat(effect));
  }
  return { changes, needs, needsAll, refuses };
}

/** The places that an effect changes. */
export function changedBy(effect: Effect): Places {
  switch (effect.kind) {
    case 'set':
      return Places.of(effect.place);
    case 'compare':
    case 'field':
      return conditionField(effect.field);
    case 'bit':
      return conditionField(effect.bit >> 2);
    case 'loadMultiple':
      return Places.from(effect.first);
    default:
      return Places.none;
  }
}

const refusals: ReadonlySet<Effect['kind']> = new Set([
  'load',
  'store',
  'storeConditional',
  'loadMultiple',
  'storeMultiple',
  'touch',
  'zero',
  'refuse',
]);
